"""Addresses of brokers: a password is never taken for something else, nor told."""

from __future__ import annotations

from contextlib import suppress
from urllib.parse import quote, unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.base.errors import ExitCode, UsageError
from textclf.service.queue.broker_options import BrokerOptions

PASSWORDS = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=20)


@pytest.mark.parametrize(
    "place",
    [
        ":S3cretHalf/er2X@h/0",
        ":S3cretHalf#er2X@h/0",
        ":12/er2X@h/0",
        ":12?er2X@h/0",
        "S3cretHalf[@h",
        "h:77999",
        "h:port",
        "[::1",
        "S3cret\u2100@h",
    ],
)
@pytest.mark.parametrize("command", ["worker", "serve"])
def test_an_address_that_cannot_be_read_is_a_usage_error_that_tells_nothing_of_it(textclf, command, place, tmp_path):
    code, _, said = textclf(command, "--library", tmp_path, "--broker", f"redis://{place}")
    assert code == ExitCode.USAGE
    assert "percent-encode" in said
    assert "S3cret" not in said


@given(PASSWORDS)
def test_a_password_is_read_whole_or_refused(password):
    with suppress(UsageError):
        parts = urlsplit(BrokerOptions(broker=f"redis://:{password}@h:1/0").broker)
        assert (unquote(parts.password), parts.hostname, parts.port) == (unquote(password), "h", 1)
    assert BrokerOptions(broker=f"amqp://u:{quote(password, safe='')}@h//").broker

from __future__ import annotations

from datetime import datetime
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from textclf.base.errors import UsageError
from textclf.folders.file_names import NameParts, check_pattern, relative_path, safe_name

DAY = datetime(2026, 11, 30, 14, 5)  # noqa: DTZ001


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("{category}", "would give all files one name"),
        ("{category}/{title}", "{title} means nothing"),
        ("{name.__class__}", "{name.__class__} means nothing"),
        ("{name!r}", "{name!r} means nothing"),
        ("{score:.3f}-{name}", "{score:.3f} means nothing"),
        ("{date:{foo}}-{name}", "{date:{foo}} means nothing"),
        ("{date:{name}}-{name}", "{date:{name}} means nothing"),
        ("{date:\udcff}-{name}", "means nothing"),
        ("/etc/{name}", "leads out of the folder"),
        ("../{name}", "leads out of the folder"),
        ("{category}//{name}", "leads out of the folder"),
        ("a/b/c/d/e/f/g/h/{name}", "too deep"),
        ("{name", "is no pattern"),
    ],
)
def test_a_pattern_that_cannot_name_a_file_is_told(pattern, told):
    with pytest.raises(UsageError) as caught:
        check_pattern(pattern)
    assert told in str(caught.value)


@given(st.lists(st.sampled_from([*"{}{}/.:!%Ya\0\udcff", "name", "date", "date:", "{name}"]), max_size=9).map("".join))
def test_whatever_is_given_as_a_pattern_names_a_file_or_is_told(pattern):
    try:
        check_pattern(pattern)
    except UsageError:
        return
    path = relative_path(pattern, NameParts("letter", "scan", 1, "0" * 64, 0.5, DAY), ".pdf")
    assert path.suffix == ".pdf"
    assert not path.is_absolute()


@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=12))
def test_whatever_a_file_is_called_its_name_is_safe_and_within_the_folder(category, name, suffix):
    parts = NameParts(category, name, 1, "0" * 64, 0.5, DAY)
    path = relative_path("{category}/{date:%Y}/{name}", parts, suffix)
    assert len(path.parts) == 3
    assert not path.is_absolute()
    for part in path.parts:
        assert 0 < len(part.encode()) < 240
        assert not part.startswith((".", "_", "-", " "))
        assert not set(part) & set('/\\:*?"<>|\0\n\r')
    assert PurePosixPath("/out") in (PurePosixPath("/out") / path).parents


def test_names_of_devices_and_bytes_that_are_no_text_are_made_names():
    assert [safe_name(name) for name in ("NUL", "com1.x", "concert", "a\udcffb", "é" * 200)] == [
        *("NUL-", "com1-.x", "concert", "ab"),
        "é" * 90,
    ]

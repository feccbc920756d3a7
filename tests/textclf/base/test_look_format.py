from __future__ import annotations

import zlib
from base64 import b64encode

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from textclf.base.look_format import LEVELS, NO_LOOK, SIZE, decode_look, encode_look, is_measured


def packed(content: bytes) -> str:
    return NO_LOOK + b64encode(zlib.compress(content)).decode()


@given(arrays(np.float64, SIZE, elements=st.floats(-1, 2)))
def test_measures_come_back_to_the_nearest_level(measures):
    look = encode_look(measures)
    found = decode_look(look)
    assert is_measured(look)
    assert np.abs(found - np.clip(measures, 0, 1)).max() <= 0.5 / LEVELS + 1e-6
    # what was read is written the same again
    assert encode_look(found.astype(np.float64)) == look


@given(st.text(max_size=60) | st.text(max_size=60).map(NO_LOOK.__add__))
def test_any_other_text_is_no_look(text):
    assert decode_look(text) is None


@pytest.mark.parametrize(
    "look",
    [
        "",
        NO_LOOK,
        "0:" + packed(bytes(SIZE))[2:],
        packed(bytes(SIZE - 1)),
        packed(bytes(SIZE + 1)),
        packed(bytes([LEVELS + 1]) + bytes(SIZE - 1)),
        # a megabyte of zeros in a thousand characters
        packed(bytes(1 << 20)),
        packed(bytes(SIZE)) + "A" * 4_000,
        packed(bytes(SIZE))[:-4],
    ],
)
def test_a_look_of_another_version_or_size_counts_as_none(look):
    assert decode_look(packed(bytes(SIZE))) is not None
    assert decode_look(look) is None

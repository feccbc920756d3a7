"""The shared library, loaded with the types of its functions; what they do and give is said in the C files."""

from __future__ import annotations

import ctypes
from ctypes import c_bool, c_char_p, c_float, c_int32, c_int64, c_uint64, c_void_p
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from textclf.base.errors import MissingProgramError

LIBRARY = Path(__file__).with_name("libcore.so")
MEASURES = 20
"""Measures of the layout of a page."""


class Kept(ctypes.Structure):
    """The n-grams that are kept, and their weights."""

    _fields_ = [
        ("keys", c_void_p),
        ("blocks", c_int64),
        ("idf", c_void_p),
        ("stride", c_int64),
        ("counts", c_void_p),
    ]


class Observation(ctypes.Structure):
    """What was observed of texts."""

    _fields_ = [
        ("key_starts", c_void_p),
        ("letter_starts", c_void_p),
        ("word_starts", c_void_p),
        ("room", c_int64),
        ("keys", c_void_p),
        ("times", c_void_p),
        ("letters", c_void_p),
        ("fingerprints", c_void_p),
        ("measures", c_void_p),
    ]


class WordsOfDocuments(ctypes.Structure):
    """The words of documents."""

    _fields_ = [
        ("count", c_int64),
        ("letter_starts", c_void_p),
        ("word_starts", c_void_p),
        ("letters", c_char_p),
        ("fingerprints", c_char_p),
    ]


class Occurrences(ctypes.Structure):
    """Where the n-grams of a text are."""

    _fields_ = [
        ("count", c_int64),
        ("keys", c_void_p),
        ("first", c_void_p),
        ("last", c_void_p),
        ("size", c_int64),
        ("places", c_void_p),
    ]


class Table(ctypes.Structure):
    """Words with their numbers."""

    _fields_ = [("fingerprints", c_void_p), ("numbers", c_void_p), ("slots", c_int64)]


class NearIndex(ctypes.Structure):
    """Words with their skeletons."""

    _fields_ = [
        ("count", c_int32),
        ("deletions", c_int32),
        ("shortest", c_int64),
        ("longest", c_int64),
        *((name, c_void_p) for name in ("letters", "shapes", "letter_ends", "shape_ends", "starts", "owners")),
    ]


class Vocabulary(ctypes.Structure):
    """Words that are looked for in texts, as they are or misread."""

    _fields_ = [
        ("table", Table),
        ("kinds", c_void_p),
        ("shortest", c_int64),
        ("longest", c_int64),
        ("index_count", c_int64),
        ("indexes", c_void_p),
    ]


_TABLES = (
    "word_starts",
    "word_parts",
    "misread_starts",
    "misread_parts",
    "spelling_starts",
    "spellings",
    "rests",
    "tolerances",
    "owner_starts",
)


class Keywords(ctypes.Structure):
    """Keywords, as phrases whose parts are words."""

    _fields_ = [("vocabulary", Vocabulary), *((name, c_void_p) for name in _TABLES)]


class Hits(ctypes.Structure):
    """Keywords that were found, each as five numbers."""

    _fields_ = [("count", c_int64), ("room", c_int64), ("hits", c_void_p)]


class Embedding(ctypes.Structure):
    """Vectors of the words of a table."""

    _fields_ = [("weights", c_void_p), ("matrix", c_void_p), ("common", c_void_p), ("size", c_int64)]


class LinearMap(ctypes.Structure):
    """A linear map of rows with a sparse and a dense part."""

    _fields_ = [
        *((name, c_void_p) for name in ("sparse", "dense", "intercept")),
        *((name, c_int64) for name in ("sparse_height", "dense_height", "width", "stride")),
    ]


_FUNCTIONS: dict[str, tuple[Any, list[Any]]] = {
    "find_unknown": (c_int64, [c_void_p, c_int64, c_int64, c_void_p]),
    "observe": (
        ctypes.POINTER(Observation),
        [c_void_p, c_void_p, c_int64, c_void_p, c_void_p, c_int32, c_void_p],
    ),
    "free_observation": (None, [ctypes.POINTER(Observation)]),
    "locate": (ctypes.POINTER(Occurrences), [c_void_p, c_int64, c_void_p, c_void_p]),
    "free_occurrences": (None, [ctypes.POINTER(Occurrences)]),
    "compare": (None, [c_void_p, c_int64, c_void_p, c_int64, c_float, c_void_p]),
    "weigh": (c_int64, [c_void_p, c_void_p, c_int64, *[c_void_p] * 5]),
    "multiply": (None, [c_void_p, c_int64, *[c_void_p] * 3, *[c_int64] * 3, c_void_p]),
    "multiply_chosen": (None, [c_void_p, c_int64, *[c_void_p] * 3, c_int64, c_int64, c_void_p, c_void_p]),
    "map_rows": (None, [c_void_p, c_void_p, c_int64, *[c_void_p] * 4]),
    "put_beside": (c_int64, [c_void_p, c_int64, *[c_void_p] * 3, c_int64, c_int32, *[c_void_p] * 3]),
    "gram_matrix": (c_bool, [c_void_p, c_int64, c_void_p, c_void_p, c_int64, c_int64, c_void_p]),
    "fingerprint_words": (None, [c_void_p, c_int64, c_void_p]),
    "fill_table": (None, [c_void_p, c_void_p, c_int32]),
    "look_up": (None, [c_void_p, c_void_p, c_int64, c_void_p]),
    "count_members": (None, [c_void_p, c_void_p, c_void_p, c_int64, c_void_p]),
    "embed": (c_bool, [c_void_p, c_void_p, c_void_p, c_bool, c_void_p]),
    "skeletons": (c_int64, [c_void_p, c_int64]),
    "fill_near": (None, [c_void_p]),
    "split_words": (None, [c_void_p, c_void_p, c_int64, *[c_void_p] * 3]),
    "make_ngrams": (None, [c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_void_p]),
    "make_osb": (None, [c_void_p, c_void_p, c_int64, c_int64, c_void_p, c_void_p]),
    "make_pairs": (None, [*[c_void_p] * 4, c_int64, c_void_p, c_void_p]),
    "make_keys": (None, [c_void_p, c_void_p, c_int64, c_uint64, c_void_p]),
    "merge_keys": (None, [c_void_p, c_int64, c_int64, c_void_p, c_void_p]),
    "find_words": (c_int64, [c_void_p, c_void_p, c_void_p, c_int64]),
    "find_keywords": (ctypes.POINTER(Hits), [c_void_p, c_void_p]),
    "free_hits": (None, [ctypes.POINTER(Hits)]),
}
_LONG = {
    "observe",
    "weigh",
    "multiply",
    "multiply_chosen",
    "map_rows",
    "put_beside",
    "gram_matrix",
    "fill_near",
    "find_keywords",
}
"""Functions that let other threads run meanwhile; for the others, waiting for one's turn again would take longer."""


@cache
def load_library() -> Any:
    """Load the library; raises `MissingProgramError`, which says how to get it, if it is missing."""
    try:
        libraries = {is_long: kind(str(LIBRARY)) for is_long, kind in ((True, ctypes.CDLL), (False, ctypes.PyDLL))}
    except OSError as error:
        remedy = "in a checkout run: pip install --editable ."
        raise MissingProgramError(f"the compiled core cannot be loaded: {error}", remedy=remedy) from error
    loaded = SimpleNamespace()
    for name, (result, arguments) in _FUNCTIONS.items():
        function = getattr(libraries[name in _LONG], name)
        function.restype, function.argtypes = result, arguments
        setattr(loaded, name, function)
    return loaded

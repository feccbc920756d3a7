"""Validating arguments that are texts, or the words of a document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set

from textclf.base.errors import BadDataError


def iter_texts(values: object, *, name: str = "text") -> Iterator[str]:
    """Give texts one by one as plain strings, from a list, generator, one-dimensional array, pandas Series or Index.

    Raises `BadDataError`: at once for one string, a mapping, a set or a table; for a value that is no string when it
    is reached. `name` is what the message calls one of them.
    """
    kind = type(values).__name__
    if isinstance(values, str | bytes | bytearray):
        raise BadDataError(
            f"one {kind} was given where a list of strings is wanted", remedy=f"put it into a list: [{name}]"
        )
    if isinstance(values, Mapping | Set) or not isinstance(values, Iterable):
        raise BadDataError(f"{kind} was given where a list of strings is wanted", remedy="give a list")
    if getattr(values, "ndim", 1) != 1:
        shape = ", ".join(map(str, getattr(values, "shape", ())))
        raise BadDataError(
            f"{kind} of shape ({shape}) was given where a list of strings is wanted",
            remedy="give one column of it, such as table['text'] or array[:, 0]",
        )
    return (_string(value, number, name) for number, value in enumerate(values))


def as_texts(values: object, *, name: str = "text") -> list[str]:
    """Give `iter_texts` as a list."""
    return list(iter_texts(values, name=name))


def as_words(words: Sequence[str]) -> Sequence[str]:
    """Return the words of a document; a string is refused, whose letters would count as words."""
    if isinstance(words, str | bytes):
        raise BadDataError(
            f"one {type(words).__name__} was given where a list of words is wanted",
            remedy="split it with features.tokens.tokenize",
        )
    return words


def as_pairs(texts: object, categories: object) -> tuple[list[str], list[str]]:
    """Give texts and their categories as lists of the same length."""
    one, other = as_texts(texts), as_texts(categories, name="category")
    if len(one) != len(other):
        raise BadDataError(f"{len(one)} texts but {len(other)} categories", remedy="give one category per text")
    return one, other


def _string(value: object, number: int, name: str) -> str:
    if isinstance(value, str):
        return str(value)
    raise BadDataError(
        f"{name} {number} is {value!r:.40}, not a string", remedy="give strings, empty where there is none"
    )

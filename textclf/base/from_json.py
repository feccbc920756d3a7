"""Dataclasses from decoded JSON, each value checked against its annotation."""

from __future__ import annotations

from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Literal, get_args, get_origin, get_type_hints


def from_json(value: Any, hint: Any) -> Any:
    """Convert decoded JSON to the type of an annotation, lists to tuples; raises `TypeError` or `ValueError`."""
    if hint is Any or type(value) is hint:
        return value
    inner = get_args(hint)
    if get_origin(hint) is UnionType:
        return _first_that_fits(value, inner)
    if get_origin(hint) is dict and isinstance(value, dict):
        return {from_json(key, inner[0]): from_json(each, inner[1]) for key, each in value.items()}
    if get_origin(hint) is tuple and isinstance(value, list):
        # most values are words, of which a model has thousands
        if inner[-1] is Ellipsis and {*map(type, value)} == {inner[0]}:
            return tuple(value)
        hints = inner if inner[-1] is not Ellipsis else inner[:1] * len(value)
        return tuple(from_json(each, one) for each, one in zip(value, hints, strict=True))
    if is_dataclass(hint) and isinstance(value, dict):
        build: Any = hint
        types = _types(build)
        return build(**{name: from_json(each, types.get(name, Any)) for name, each in value.items()})
    if isinstance(hint, type) and issubclass(hint, Enum):
        return hint(value)
    if get_origin(hint) is Literal and value in inner:
        return value
    if (
        not isinstance(hint, type)
        or not isinstance(value, (int, float) if hint is float else hint)
        or isinstance(value, bool)  # which Python counts as an integer
    ):
        raise TypeError(f"{str(value)[:64]!r} is no {hint}")
    return value


@cache
def _types(kind: type[Any]) -> dict[str, Any]:
    return get_type_hints(kind)


def _first_that_fits(value: Any, hints: tuple[Any, ...]) -> Any:
    for hint in hints[:-1]:
        try:
            return from_json(value, hint)
        except (TypeError, ValueError):
            continue
    return from_json(value, hints[-1])

"""Options described beside their defaults, from which command line, TOML, environment and Python API derive."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields, is_dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, Literal, get_args, get_origin, get_type_hints

from textclf.base.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """The description of an option; one without help exists in Python only."""

    help: str = ""
    min: float | None = None
    max: float | None = None
    name: str = ""
    """Name on the command line, in TOML and in the environment, if it is not that of the field."""
    flags: tuple[str, ...] = ()
    """Flags of the command line, if they are not derived from the name."""
    metavar: str | None = None
    type: Any = None
    """Type on the command line, if it is not that of the field."""
    parse: Callable[[Any], Any] | None = None
    """Converts a value of that type to the value of the field."""
    show_default: str | bool = True
    suggestions: tuple[str, ...] = ()


def option(default: Any, *, repr: bool = True, **description: Any) -> Any:  # noqa: A002 - as `dataclasses.field` has it
    """Declare a field of a dataclass as an option, described by the fields of `Option`."""
    return field(default=default, repr=repr, metadata={Option: Option(**description)})


@cache
def described(options: type) -> list[tuple[Field[Any], Option, Any]]:
    """Give the fields that the command line offers, with description and type, also of nested dataclasses."""
    found = []
    for one in fields(options):
        if is_dataclass(one.default_factory):
            found += described(one.default_factory)
        elif Option in one.metadata and one.metadata[Option].help:
            found.append((one, one.metadata[Option], _type(options, one)))
    return found


def _type(options: type, one: Field[Any]) -> Any:
    # the types of other fields may be imported for type checkers alone
    if (taken := one.metadata[Option].type) is not None:
        return taken
    owner = next(base for base in options.__mro__ if one.name in vars(base).get("__annotations__", {}))
    alone = SimpleNamespace(__annotations__={one.name: one.type})
    return get_type_hints(alone, vars(sys.modules[owner.__module__]))[one.name]


def build(options: type, given: Mapping[str, Any]) -> Any:
    """Make options from the values given for their fields, and the defaults of the others."""
    values = {}
    for one in fields(options):
        if is_dataclass(one.default_factory):
            values[one.name] = build(one.default_factory, given)
        elif one.name in given:
            parse = one.metadata[Option].parse
            values[one.name] = parse(given[one.name]) if parse else given[one.name]
    return options(**values)


def bounds(options: type, name: str) -> tuple[float | None, float | None]:
    """Give the minimum and maximum of an option."""
    description = next(one.metadata[Option] for one in fields(options) if one.name == name)
    return description.min, description.max


def suggestions(options: type, name: str) -> tuple[str, ...]:
    """Give the words that an option takes besides other values, such as paths."""
    description: Option = next(one.metadata[Option] for one in fields(options) if one.name == name)
    return description.suggestions


def check_options(options: Any) -> None:
    """Raise `UsageError` for values out of bounds or not among the choices; meant for ``__post_init__``."""
    for one in fields(options):
        value, description = getattr(options, one.name), one.metadata.get(Option)
        if description is None or value is None:
            continue
        low, high = description.min, description.max
        if (low is not None and not value >= low) or (high is not None and not value <= high):
            bounds = f"{low:g} or more" if high is None else f"{low:g} to {high:g}"
            raise UsageError(f"must be {bounds}", where=one.name)
        kind = _type(type(options), one)
        choices = get_args(kind) if get_origin(kind) is Literal else ()
        if choices and isinstance(value, str) and value not in choices:
            raise UsageError(f"must be {' or '.join(choices)}", where=one.name)

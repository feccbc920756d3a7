"""Validates requests against the service description that botocore contains."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

from botocore.loaders import Loader
from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

from aws_ml_adapter.api.faults import RequestFault

Check = Callable[[Any, str], Any]
"""Takes a value and its path; returns the value without null members, or raises `RequestFault`."""

_SHOWN = 80

# Java's character classes in Python's syntax. \w is any letter, number or underscore; the service's patterns allow all
# of these wherever they allow letters.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": "",
    r"\p{Z}": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}

# The pattern requires a host of Amazon's; the service itself does not seem to enforce it.
_UNENFORCED_PATTERNS = {"VipURL"}


@cache
def service_model() -> ServiceModel:
    """Load the description of Amazon ML's 28 operations."""
    return ServiceModel(Loader().load_service_model("machinelearning", "service-2"), "machinelearning")


def parse_body(body: bytes) -> dict[str, Any]:
    """Parse the body of a request, a JSON object; raises ValueError, also for numbers such as NaN."""
    try:
        content = _DECODER.decode(body.decode(json.detect_encoding(body), "surrogatepass"))
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004
    return content


def check_of(shape: Shape) -> Check:
    """Compile the constraints of a shape: types, required members, lengths, ranges, patterns and enumerations."""
    return _COMPILERS.get(shape.type_name, lambda _shape: _number)(shape)


def _structure(shape: StructureShape) -> Check:
    checks = {name: check_of(member) for name, member in shape.members.items()}
    required = shape.required_members

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _refused(value, path, "be a JSON object")
        given = {name: member for name, member in value.items() if member is not None}
        for name in required:
            if name not in given:
                raise _refused(None, _inside(path, name), "not be null")
        for name, member in given.items():
            if name not in checks:
                raise _refused(member, _inside(path, name), "be known, and is unknown")
            given[name] = checks[name](member, _inside(path, name))
        return given

    return check


def _list(shape: ListShape) -> Check:
    check_member = check_of(shape.member)
    maximum = shape.metadata.get("max", math.inf)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            raise _refused(value, path, "be a JSON array")
        if len(value) > maximum:
            raise _refused(None, path, f"have length less than or equal to {maximum}")
        return [check_member(member, f"{path}[{number}]") for number, member in enumerate(value)]

    return check


def _map(shape: MapShape) -> Check:
    # every map of this service is from plain strings to plain strings; kept short, because each prediction runs it
    check_key, check_value = check_of(shape.key), check_of(shape.value)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _refused(value, path, "be a JSON object")
        for name, member in value.items():
            check_key(name, path)
            check_value(member, path)
        return value

    return check


def _string(shape: Shape) -> Check:
    minimum, maximum = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    allowed = frozenset(shape.metadata.get("enum", ()))
    pattern = None if shape.name in _UNENFORCED_PATTERNS else shape.metadata.get("pattern")
    matches = re.compile(_in_python(pattern)).fullmatch if pattern else None
    sensitive = bool(shape.metadata.get("sensitive"))

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise _refused(value, path, "be a string")
        shown = None if sensitive else value
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise _refused(None, path, "hold whole Unicode characters")
        if len(value) < minimum:
            raise _refused(shown, path, f"have length greater than or equal to {minimum}")
        if len(value) > maximum:
            raise _refused(shown, path, f"have length less than or equal to {maximum}")
        if allowed and value not in allowed:
            raise _refused(shown, path, f"satisfy enum value set: [{', '.join(sorted(allowed))}]")
        if matches and not matches(value):
            raise _refused(shown, path, f"satisfy regular expression pattern: {pattern}")
        return value

    return check


def _integer(shape: Shape) -> Check:
    smallest = -(2**31) if shape.type_name == "integer" else -(2**63)
    minimum, maximum = shape.metadata.get("min", smallest), shape.metadata.get("max", -1 - smallest)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _refused(value, path, "be an integer")
        if value < minimum:
            raise _refused(None, path, f"have value greater than or equal to {minimum}")
        if value > maximum:
            raise _refused(None, path, f"have value less than or equal to {maximum}")
        return value

    return check


def _boolean(value: Any, path: str) -> Any:
    if not isinstance(value, bool):
        raise _refused(value, path, "be true or false")
    return value


def _number(value: Any, path: str) -> Any:
    """Check a float, or a timestamp, which this protocol writes as seconds since 1970."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
        raise _refused(None, path, "be a finite number")
    return float(value)


_COMPILERS: dict[str, Callable[[Any], Check]] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "integer": _integer,
    "long": _integer,
    "boolean": lambda _shape: _boolean,
}


def _inside(path: str, name: str) -> str:
    return f"{path}.{name[:_SHOWN]}" if path else name[:_SHOWN]


def _refused(value: Any, path: str, constraint: str) -> RequestFault:
    if value is None:
        shown = ""
    elif isinstance(value, str):
        shown = f" '{_printable(value)}'"
    else:
        shown = f" of type {type(value).__name__}"
    return RequestFault(f"Value{shown} at '{_printable(path)}' failed to satisfy constraint: Member must {constraint}")


def _printable(text: str) -> str:
    """Shorten and escape a client's text for an answer or a log."""
    clipped = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return clipped.encode("utf-8", "backslashreplace").decode()


def _in_python(pattern: str) -> str:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return pattern


def _no_number(literal: str) -> None:
    raise ValueError(f"{literal} is not a JSON number")


# made once, because making one takes as long as parsing a short request
_DECODER = json.JSONDecoder(parse_constant=_no_number)

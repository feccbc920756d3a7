"""Checks requests against the service's own description, which botocore ships."""

from __future__ import annotations

import json
import math
import re
import sys
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING, Any

from aws_ml_adapter.api.faults import RequestFault

if TYPE_CHECKING:
    from botocore.model import ListShape, MapShape, ServiceModel, Shape, StructureShape

Check = Callable[[Any, str], Any]
"""Takes a value and where it stands, gives the value without its null members, or raises RequestFault."""

_SHOWN = 80
_SMALLEST_INTEGER = {"integer": -(2**31), "long": -(2**63)}

# The character classes that Java's regular expressions have and Python's have not. \w is every letter, every number
# and the underscore, which the service's patterns allow wherever they allow letters.
_JAVA_CLASSES = {
    r"\p{L}": r"\w",
    r"\p{N}": "",
    r"\p{Z}": r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000",
}

# The pattern asks for Amazon's own host; the service itself does not enforce it, or no test of its own could call it.
_UNENFORCED_PATTERNS = {"VipURL"}


@cache
def service_model() -> ServiceModel:
    """Read the description of Amazon ML's 28 operations.

    Returns
    -------
    botocore.model.ServiceModel

    Examples
    --------
    >>> len(service_model().operation_names)
    28
    """
    from botocore.loaders import Loader
    from botocore.model import ServiceModel

    return ServiceModel(Loader().load_service_model("machinelearning", "service-2"), "machinelearning")


def parse_body(body: bytes) -> dict[str, Any]:
    """Read the JSON object that is the body of every request.

    Parameters
    ----------
    body : bytes
        UTF-8.

    Returns
    -------
    dict

    Raises
    ------
    ValueError
        It is not one JSON object, or holds a number that is none, such as NaN.

    Examples
    --------
    >>> parse_body(b'{"MLModelId": "ml-1"}')
    {'MLModelId': 'ml-1'}
    """
    try:
        content = json.loads(body, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("the body is nested too deeply") from error
    if not isinstance(content, dict):
        raise ValueError("the body is not a JSON object")  # noqa: TRY004
    return content


def check_of(shape: Shape) -> Check:
    """Compile what a shape demands of a value: types, required and unknown members, lengths, ranges, patterns, enums.

    Parameters
    ----------
    shape : botocore.model.Shape
        Of the service's description.

    Returns
    -------
    callable
        Takes the value and the path to it that messages name. Members that are null count as absent.

    Examples
    --------
    >>> check = check_of(service_model().operation_model("GetMLModel").input_shape)
    >>> check({"MLModelId": "ml-1", "Verbose": None}, "")
    {'MLModelId': 'ml-1'}
    >>> check({"MLModelId": "ml 1"}, "")  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    aws_ml_adapter.api.faults.RequestFault: Value 'ml 1' at 'MLModelId' failed to satisfy constraint: Member must ...
    """
    match shape.type_name:
        case "structure":
            return _structure(shape)
        case "list":
            return _list(shape)
        case "map":
            return _map(shape)
        case "string":
            return _string(shape)
        case "integer" | "long":
            return _integer(shape)
        case "boolean":
            return _boolean
        case _:
            return _number


def _structure(shape: StructureShape) -> Check:
    checks = {name: check_of(member) for name, member in shape.members.items()}
    required = shape.required_members

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _refused(value, path, "Member must be a JSON object")
        given = {name: member for name, member in value.items() if member is not None}
        for name in required:
            if name not in given:
                raise _refused(None, _inside(path, name), "Member must not be null")
        for name, member in given.items():
            if name not in checks:
                raise _refused(member, _inside(path, name), "Member is unknown")
            given[name] = checks[name](member, _inside(path, name))
        return given

    return check


def _list(shape: ListShape) -> Check:
    check_member = check_of(shape.member)
    most = shape.metadata.get("max", math.inf)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, list):
            raise _refused(value, path, "Member must be a JSON array")
        if len(value) > most:
            raise _refused(None, path, f"Member must have length less than or equal to {most}")
        return [check_member(member, f"{path}[{number}]") for number, member in enumerate(value)]

    return check


def _map(shape: MapShape) -> Check:
    # every map of this service is from plain strings to plain strings; this is on the way of every prediction
    check_key, check_value = check_of(shape.key), check_of(shape.value)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, dict):
            raise _refused(value, path, "Member must be a JSON object")
        for name, member in value.items():
            check_key(name, path)
            check_value(member, path)
        return value

    return check


def _string(shape: Shape) -> Check:
    least, most = shape.metadata.get("min", 0), shape.metadata.get("max", math.inf)
    allowed = frozenset(shape.metadata.get("enum", ()))
    pattern = None if shape.name in _UNENFORCED_PATTERNS else shape.metadata.get("pattern")
    matches = re.compile(_in_python(pattern)).fullmatch if pattern else None
    sensitive = bool(shape.metadata.get("sensitive"))

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, str):
            raise _refused(value, path, "Member must be a string")
        shown = None if sensitive else value
        if not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value):
            raise _refused(None, path, "Member must hold whole Unicode characters")
        if len(value) < least:
            raise _refused(shown, path, f"Member must have length greater than or equal to {least}")
        if len(value) > most:
            raise _refused(shown, path, f"Member must have length less than or equal to {most}")
        if allowed and value not in allowed:
            raise _refused(shown, path, f"Member must satisfy enum value set: [{', '.join(sorted(allowed))}]")
        if matches and not matches(value):
            raise _refused(shown, path, f"Member must satisfy regular expression pattern: {pattern}")
        return value

    return check


def _integer(shape: Shape) -> Check:
    smallest = _SMALLEST_INTEGER[shape.type_name]
    least, most = shape.metadata.get("min", smallest), shape.metadata.get("max", -1 - smallest)

    def check(value: Any, path: str) -> Any:
        if not isinstance(value, int) or isinstance(value, bool):
            raise _refused(value, path, "Member must be an integer")
        if value < least:
            raise _refused(None, path, f"Member must have value greater than or equal to {least}")
        if value > most:
            raise _refused(None, path, f"Member must have value less than or equal to {most}")
        return value

    return check


def _boolean(value: Any, path: str) -> Any:
    if not isinstance(value, bool):
        raise _refused(value, path, "Member must be true or false")
    return value


def _number(value: Any, path: str) -> Any:
    """Floats, and timestamps, which this protocol writes as seconds since 1970."""
    if not isinstance(value, int | float) or isinstance(value, bool) or not abs(value) <= sys.float_info.max:
        raise _refused(None, path, "Member must be a finite number")
    return float(value)


def _inside(path: str, name: str) -> str:
    return f"{path}.{name[:_SHOWN]}" if path else name[:_SHOWN]


def _refused(value: Any, path: str, constraint: str) -> RequestFault:
    if value is None:
        shown = ""
    elif isinstance(value, str):
        shown = f" '{_printable(value)}'"
    else:
        shown = f" of type {type(value).__name__}"
    return RequestFault(f"Value{shown} at '{_printable(path)}' failed to satisfy constraint: {constraint}")


def _printable(text: str) -> str:
    """Clip what a stranger sent, so that it may stand in an answer and in a log."""
    clipped = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return clipped.encode("utf-8", "backslashreplace").decode()


def _in_python(pattern: str) -> str:
    for java, python in _JAVA_CLASSES.items():
        pattern = pattern.replace(java, python)
    return pattern


def _no_number(literal: str) -> None:
    raise ValueError(f"{literal} is no JSON number")

"""Requests to S3 as its actions take them, and the XML of both sides."""

from __future__ import annotations

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias
from urllib.parse import quote

from aws_ml_adapter.server.asgi import HttpAnswer
from aws_ml_adapter.server.error_answers import S3ApiError

OWNER = {"ID": "000000000000", "DisplayName": "amazon-ml"}
"""The account that all buckets belong to."""

MAX_LISTED = 1_000
"""Entries of a page of any list."""

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_RANGE = re.compile(r"bytes=(\d{0,100})-(\d{0,100})", re.ASCII)

Content: TypeAlias = "str | int | Mapping[str, Content] | Sequence[Content] | None"
"""What an element holds: a value, or elements by name; a sequence is as many elements of one name, None is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Request:
    """A request to S3: bucket and key are empty where it names none, names of headers are in lower case."""

    bucket: str = ""
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """Of those whose body is a message."""
    came: Path = Path()
    """The file with the content, of those whose body is one."""
    md5: str = ""
    """Of that file."""


def xml_answer(name: str, /, **content: Content) -> HttpAnswer:
    """Answer in XML."""
    return HttpAnswer(headers={"content-type": "application/xml"}, body=to_xml(name, content))


def to_xml(name: str, content: Content, *, namespace: str = _NAMESPACE) -> bytes:
    """Write an element of this name; errors have no namespace."""
    root = ET.Element(name, {"xmlns": namespace} if namespace else {})
    _fill(root, content)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _fill(element: ET.Element, content: Content) -> None:
    if isinstance(content, Mapping):
        for name, inner in content.items():
            for each in inner if isinstance(inner, list | tuple) else [inner]:
                if each is not None:
                    _fill(ET.SubElement(element, name), each)
    else:
        element.text = str(content).lower() if isinstance(content, bool) else str(content)


def parse_xml(body: bytes, name: str) -> ET.Element:
    """Read the body of a request, whose outermost element has this name, without any namespaces."""
    parser = ET.XMLParser(target=_PlainBuilder())  # noqa: S314
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise S3ApiError("MalformedXML", "The XML you provided was not well-formed") from error
    if root.tag != name:
        raise S3ApiError("MalformedXML", f"The XML you provided is no {name}")
    return root


class _PlainBuilder(ET.TreeBuilder):
    """Leaves namespaces out, and refuses a document type: without one there are no entities that could grow."""

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> ET.Element:
        return super().end(tag.rpartition("}")[2])

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError


def iso_time(seconds: float) -> str:
    """Write a time since 1970 as S3's lists do."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03}Z"


def number(text: str, name: str, least: int, most: int = 2**31 - 1) -> int:
    """Read a whole number of a request."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise S3ApiError("InvalidArgument", f"{name} is not a whole number from {least} to {most}")
    return int(text)


def page_size(query: Mapping[str, str], name: str, least: int = 0) -> int:
    """Read how many entries of a list are asked for."""
    return min(number(query.get(name) or str(MAX_LISTED), name, least), MAX_LISTED)


def key_encoder(query: Mapping[str, str]) -> Callable[[str], str]:
    """Give what writes keys in a list as the request wants them."""
    encoding = query.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise S3ApiError("InvalidArgument", "Invalid Encoding Method specified in Request")
    return (lambda text: quote(text, safe="/")) if encoding else (lambda text: text)


def span(text: str, size: int) -> tuple[int, int] | None:
    """Give the begin and end of the range that is asked for; None for what is no single one, which S3 ignores."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    begin, end = (int(first), int(last) + 1 if last else size) if first else (max(size - int(last), 0), size)
    if first and end <= begin < size:
        return None
    if begin >= min(end, size):
        headers = {"content-range": f"bytes */{size}"}
        raise S3ApiError("InvalidRange", "The requested range is not satisfiable", headers=headers)
    return begin, min(end, size)

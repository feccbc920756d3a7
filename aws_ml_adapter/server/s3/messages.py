"""S3 requests as the actions receive them, and their XML."""

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
"""The account that owns all buckets."""

MAX_LISTED = 1_000
"""Maximum entries per page of any list."""

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_RANGE = re.compile(r"bytes=(\d{0,100})-(\d{0,100})", re.ASCII)

Content: TypeAlias = "str | int | Mapping[str, Content] | Sequence[Content] | None"
"""Content of an element: a value, or elements by name; a sequence stands for repeated elements, None for none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Request:
    """A request to S3; bucket and key are empty if not given, names of headers are in lower case."""

    bucket: str = ""
    key: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    """The body, if it is a message."""
    received: Path = Path()
    """The file that contains the body, if that is the content of an object."""
    md5: str = ""
    """MD5 of that file."""


def xml_answer(name: str, /, **content: Content) -> HttpAnswer:
    """Return an answer in XML."""
    return HttpAnswer(headers={"content-type": "application/xml"}, body=to_xml(name, content))


def to_xml(name: str, content: Content, *, namespace: str = _NAMESPACE) -> bytes:
    """Serialise an element with this name; errors have no namespace."""
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
    """Parse the body of a request without namespaces; its root element must have this name."""
    parser = ET.XMLParser(target=_PlainBuilder())  # noqa: S314
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise S3ApiError("MalformedXML", "The XML you provided was not well-formed") from error
    if root.tag != name:
        raise S3ApiError("MalformedXML", f"The XML you provided is not a {name}")
    return root


class _PlainBuilder(ET.TreeBuilder):
    """Ignores namespaces, and refuses a document type, to prevent entity expansion attacks."""

    def start(self, tag: str, attrs: dict[str, str], /) -> ET.Element:
        return super().start(tag.rpartition("}")[2], attrs)

    def end(self, tag: str, /) -> ET.Element:
        return super().end(tag.rpartition("}")[2])

    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError


def iso_time(seconds: float) -> str:
    """Format a time in seconds since 1970 as in S3's lists."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03}Z"


def number(text: str, name: str, minimum: int, maximum: int = 2**31 - 1) -> int:
    """Parse an integer parameter of a request."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and minimum <= int(text) <= maximum):
        raise S3ApiError("InvalidArgument", f"{name} is not a whole number from {minimum} to {maximum}")
    return int(text)


def page_size(query: Mapping[str, str], name: str, minimum: int = 0) -> int:
    """Return the number of entries of a list that are asked for."""
    return min(number(query.get(name) or str(MAX_LISTED), name, minimum), MAX_LISTED)


def key_encoder(query: Mapping[str, str]) -> Callable[[str], str]:
    """Return the function that encodes keys in a list as requested."""
    encoding = query.get("encoding-type", "")
    if encoding not in ("", "url"):
        raise S3ApiError("InvalidArgument", "Invalid Encoding Method specified in Request")
    return (lambda text: quote(text, safe="/")) if encoding else (lambda text: text)


def span(text: str, size: int) -> tuple[int, int] | None:
    """Return begin and end of the byte range asked for; None if it is not a single range, which S3 ignores."""
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

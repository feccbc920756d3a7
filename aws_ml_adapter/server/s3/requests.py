"""Requests to S3 and their answers, as its operations take and give them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from aws_ml_adapter.server.s3.body import Received
from aws_ml_adapter.server.s3.messages import Content, S3Error, to_xml

_RANGE = re.compile(r"bytes=(\d{0,100})-(\d{0,100})", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request to S3.

    Parameters
    ----------
    bucket, key : str
        Empty where the request names none.
    query : mapping of str to str
    headers : mapping of str to str
        Names in lower case.
    body : bytes
        Of those whose body is a message.
    came : pathlib.Path or None
        The file with the content, of those whose body is one.
    received : Received or None
        What is in it.
    """

    bucket: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""
    came: Path | None = None
    received: Received | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer of S3.

    Parameters
    ----------
    status : int
        Of HTTP.
    headers : dict of str to str
    body : bytes
    stream : binary file, optional
        Gives the content instead of the body; closed when it was sent.
    length : int, optional
        Bytes of the content, of which a HEAD gets none.
    """

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    stream: BinaryIO | None = None
    length: int | None = None


def xml_answer(name: str, content: Content) -> Answer:
    """Answer in XML."""
    return Answer(headers={"content-type": "application/xml"}, body=to_xml(name, content))


def number(text: str, name: str, least: int, most: int = 2**31 - 1) -> int:
    """Read a whole number of a request; raises `S3Error`."""
    if not (text.isascii() and text.isdigit() and len(text) <= 19 and least <= int(text) <= most):
        raise S3Error("InvalidArgument", f"{name} is not a whole number from {least} to {most}")
    return int(text)


def span(text: str, size: int) -> tuple[int, int] | None:
    """Give the begin and end of the range that is asked for; None for what is no single one, which S3 ignores.

    Raises `S3Error` for one that lies behind the end.
    """
    found = _RANGE.fullmatch(text.strip())
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    begin, end = (int(first), int(last) + 1 if last else size) if first else (max(size - int(last), 0), size)
    if first and end <= begin < size:
        return None
    if begin >= min(end, size):
        raise S3Error(
            "InvalidRange",
            "The requested range is not satisfiable",
            headers={"content-range": f"bytes */{size}"},
        )
    return begin, min(end, size)

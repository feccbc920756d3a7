"""What S3 says and is told in XML: errors, lists, and the bodies of requests."""

from __future__ import annotations

import time
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from typing import TypeAlias

_NAMESPACE = "http://s3.amazonaws.com/doc/2006-03-01/"
_STATUS = {
    "AccessDenied": 403,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "EntityTooLarge": 400,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidRange": 416,
    "MethodNotAllowed": 405,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "NotModified": 304,
    "PreconditionFailed": 412,
    "RequestTimeTooSkewed": 403,
    "SignatureDoesNotMatch": 403,
}

Content: TypeAlias = "str | Sequence[tuple[str, Content]]"
"""What an element holds: a text, or elements by name."""


class S3Error(Exception):
    """An answer of S3 that is an error.

    Parameters
    ----------
    code : str
    message : str
    headers : mapping of str to str, optional
        Of the answer.

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html

    Examples
    --------
    >>> error = S3Error("NoSuchKey", "The specified key does not exist.")
    >>> error.status, error.code
    (404, 'NoSuchKey')
    """

    def __init__(self, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = _STATUS.get(code, 400)
        self.headers = dict(headers or {})

    def to_xml(self, resource: str, request_id: str) -> bytes:
        """Write the body of the answer.

        Parameters
        ----------
        resource : str
            What was asked for.
        request_id : str

        Returns
        -------
        bytes
        """
        told = [("Code", self.code), ("Message", str(self)), ("Resource", resource), ("RequestId", request_id)]
        return to_xml("Error", told, namespace="")


def to_xml(name: str, content: Content, *, namespace: str = _NAMESPACE) -> bytes:
    """Write an answer.

    Parameters
    ----------
    name : str
        Of the outermost element.
    content : str or sequence of (str, Content)
    namespace : str
        Empty for none, as in errors.

    Returns
    -------
    bytes

    Examples
    --------
    >>> to_xml("Error", [("Code", "NoSuchKey"), ("Resource", "/b/<k>")], namespace="").decode().splitlines()[1]
    '<Error><Code>NoSuchKey</Code><Resource>/b/&lt;k&gt;</Resource></Error>'
    """
    root = ET.Element(name, {"xmlns": namespace} if namespace else {})
    _fill(root, content)
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _fill(element: ET.Element, content: Content) -> None:
    if isinstance(content, str):
        element.text = content
        return
    for name, inner in content:
        _fill(ET.SubElement(element, name), inner)


def parse_xml(body: bytes, name: str) -> ET.Element:
    """Read the body of a request.

    Parameters
    ----------
    body : bytes
    name : str
        Of the outermost element, whatever its namespace.

    Returns
    -------
    xml.etree.ElementTree.Element

    Raises
    ------
    S3Error
        It is no such XML, or declares entities.
    """
    # without a document type there are no entities that could grow
    parser = ET.XMLParser(target=_NoDoctype())  # noqa: S314
    try:
        parser.feed(body)
        root: ET.Element = parser.close()
    except (ET.ParseError, ValueError, LookupError) as error:
        raise S3Error("MalformedXML", "The XML you provided was not well-formed") from error
    if _local(root.tag) != name:
        raise S3Error("MalformedXML", f"The XML you provided is no {name}")
    return root


class _NoDoctype(ET.TreeBuilder):
    def doctype(self, _name: str, _public: str | None, _system: str | None) -> None:
        raise ValueError


def children(element: ET.Element, name: str) -> list[ET.Element]:
    """Give the elements of a name directly within another."""
    return [each for each in element if _local(each.tag) == name]


def child(element: ET.Element, name: str) -> str:
    """Give the text of an element within another, empty if there is none."""
    return next((each.text or "" for each in children(element, name)), "")


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def iso_time(seconds: float) -> str:
    """Write a time as S3's lists do.

    Parameters
    ----------
    seconds : float
        Since 1970.

    Returns
    -------
    str

    Examples
    --------
    >>> iso_time(0)
    '1970-01-01T00:00:00.000Z'
    """
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{int(seconds % 1 * 1000):03}Z"

"""The document that a request holds: its body, or the file of a form."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO
from typing import TYPE_CHECKING

from ocr.file_search import file_name
from textclf.base.problems import ProblemError

if TYPE_CHECKING:
    from python_multipart.multipart import File

    from aws_ml_adapter.serverless.gateway import Request

_RAW = ("application/pdf", "application/octet-stream", "image/")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """A document that was sent."""

    name: str
    content: bytes

    @property
    def sha256(self) -> str:
        """The hash of its content."""
        return hashlib.sha256(self.content).hexdigest()


def sent_document(request: Request) -> Sent:
    """Give the document of a request.

    Raises
    ------
    textclf.base.problems.ProblemError
        If there is none, or more than one, or the body is neither a document nor a form.
    """
    kind = request.headers.get("content-type", "").lower()
    if kind.startswith("multipart/form-data"):
        return _file_of_form(request)
    if not kind.startswith(_RAW):
        raise ProblemError(415, "no-document", "send the document as multipart/form-data, or as it is with its type")
    if not request.body:
        raise ProblemError(422, "no-file", "the body is empty")
    return Sent(name=file_name(request.query.get("name", "")), content=request.body)


def _file_of_form(request: Request) -> Sent:
    from python_multipart.exceptions import FormParserError
    from python_multipart.multipart import parse_form, parse_options_header

    kind = request.headers["content-type"]
    files: list[File] = []
    try:
        _, parameters = parse_options_header(kind)
        boundary = parameters.get(b"boundary", b"")
        parse_form({"Content-Type": kind.encode()}, BytesIO(request.body), None, files.append)
    except (FormParserError, ValueError) as error:
        raise ProblemError(400, "bad-multipart", "the body is no multipart/form-data") from error
    if not boundary or b"--" + boundary + b"--" not in request.body:
        raise ProblemError(400, "bad-multipart", "the body ends before its last boundary")
    if len(files) != 1:
        raise ProblemError(
            422, "no-file" if not files else "one-file", "send one file, as a part with a filename, in each request"
        )
    file = files[0].file_object
    file.seek(0)
    content = file.read()
    file.close()
    if not content:
        raise ProblemError(422, "no-file", "the file is empty")
    return Sent(name=file_name((files[0].file_name or b"").decode("utf-8", "replace")), content=content)

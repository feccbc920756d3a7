"""Forms with files: taken apart while they arrive, within limits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ocr.file_search import file_name
from textclf.base.problems import ProblemError
from textclf.service.problems import not_valid
from textclf.service.uploads import SourceFile, Writing


async def receive_files(
    request: Request, folder: Path, *, max_bytes: int, max_files: int, admit: Callable[[], None]
) -> list[SourceFile]:
    """Receive the files of a multipart body.

    Parameters
    ----------
    request : starlette.requests.Request
        Its body was not read yet.
    folder : pathlib.Path
        Where the files go; empty.
    max_bytes, max_files : int
        Limits of a file and of their number.
    admit : callable
        Called for each file but the first, which ends the request if there is no room.

    Returns
    -------
    list of SourceFile
        At least one.

    Raises
    ------
    textclf.service.problems.ProblemError
        If the body is no form, holds no file, or exceeds a limit.
    """
    kind, parameters = parse_options_header(request.headers.get("content-type"))
    if kind != b"multipart/form-data" or not parameters.get(b"boundary"):
        raise ProblemError(415, "no-multipart", "send the files as multipart/form-data")
    form = _Form(folder, max_bytes, max_files, admit)
    try:
        parser = MultipartParser(parameters[b"boundary"], form.callbacks())
        async for chunk in request.stream():
            # in a thread, as the disk may be slow
            await run_in_threadpool(parser.write, chunk)
    except FormParserError as error:
        if "exceeded" in str(error):
            raise ProblemError(400, "bad-multipart", "a part has too many headers, or too long ones") from error
        raise ProblemError(400, "bad-multipart", "the body is no multipart/form-data") from error
    finally:
        form.abandon()
    if not form.is_complete:
        raise ProblemError(400, "bad-multipart", "the body ends before its last boundary")
    if not form.files:
        raise ProblemError(422, "no-file", "the form holds no file; send each as a part with a filename")
    return form.files


class _Form:
    """Takes what the parser of multipart bodies finds."""

    def __init__(self, folder: Path, max_bytes: int, max_files: int, admit: Callable[[], None]) -> None:
        self._folder, self._max_bytes, self._max_files, self._admit = folder, max_bytes, max_files, admit
        self.files: list[SourceFile] = []
        self.is_complete = False
        self._writing: Writing | None = None
        self._name, self._value, self._disposition = b"", b"", b""

    def callbacks(self) -> Any:
        """Give the functions that the parser calls."""
        names = ("part_begin", "part_data", "part_end", "header_field", "header_value", "header_end")
        return {f"on_{name}": getattr(self, name) for name in (*names, "headers_finished", "end")}

    def abandon(self) -> None:
        """Close a file that is not complete."""
        if self._writing is not None:
            self._writing.file.close()

    def part_begin(self) -> None:
        self._disposition = b""

    def header_field(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def header_end(self) -> None:
        if self._name.lower() == b"content-disposition":
            self._disposition = self._value
        self._name = self._value = b""

    def headers_finished(self) -> None:
        _, options = parse_options_header(self._disposition)
        name = options.get(b"filename")
        if name is None:
            field = options.get(b"name", b"").decode("utf-8", "replace")
            raise not_valid((f"body/{field}", "the part has no filename; a form holds nothing but files"))
        if len(self.files) == self._max_files:
            raise ProblemError(413, "too-many-files", f"a request may hold {self._max_files} files")
        if self.files:
            self._admit()
        path = self._folder / str(len(self.files))
        self._writing = Writing(path, file_name(name.decode("utf-8", "replace")))

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._writing is None:
            return
        self._writing.write(data[start:end])
        if self._writing.size > self._max_bytes:
            raise ProblemError(413, "too-large", f"{self._writing.name} is over {self._max_bytes:,} bytes")

    def part_end(self) -> None:
        if self._writing is not None:
            self._writing.file.close()
            self.files.append(self._writing.source())
            self._writing = None

    def end(self) -> None:
        self.is_complete = True

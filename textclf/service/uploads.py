"""Files that clients send: written to disk while they arrive, within limits, and hashed on the way."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path, PurePosixPath
from typing import Any, Self

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from ocr.file_search import printable
from textclf.service.problems import ProblemError

FOLDER = "uploads"
"""Where in the library files lie until their documents are classified."""
MAX_NAME = 200
"""Characters of a file's name that are kept."""
_MAX_FIELDS, _FIELD_BYTES = 100, 65_536


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFile:
    """A file to classify: `is_ours` if it was sent, and goes once it is classified unless the library keeps it."""

    name: str
    path: Path
    size: int
    sha256: str
    is_ours: bool = True


class UploadFolder:
    """Folders of requests, which do not outlive them; those of tasks stay until these are done."""

    def __init__(self, library: Path) -> None:
        self.folder = library / FOLDER

    @asynccontextmanager
    async def of_request(self, name: str) -> AsyncIterator[Path]:
        """Make a folder for a request, and remove it after the block; in a thread, as the disk may be slow."""
        try:
            yield await asyncio.to_thread(self.of_task, name)
        finally:
            await asyncio.to_thread(self.remove, name)

    @asynccontextmanager
    async def lasting(self, name: str) -> AsyncIterator[Path]:
        """Make a folder that stays, unless the block fails."""
        try:
            yield await asyncio.to_thread(self.of_task, name)
        except BaseException:
            await asyncio.to_thread(self.remove, name)
            raise

    def of_task(self, name: str) -> Path:
        """Make a folder for a task."""
        folder = self.folder / name
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def remove(self, name: str) -> None:
        """Remove the folder of a task."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def remove_left_over(self, is_needed: Callable[[str], bool]) -> None:
        """Remove what a process left that was killed."""
        with suppress(FileNotFoundError):
            for folder in self.folder.iterdir():
                if not is_needed(folder.name):
                    shutil.rmtree(folder, ignore_errors=True)


def file_name(given: str) -> str:
    r"""Give the name of a file without folders and characters that no person sees.

    Examples
    --------
    >>> file_name("C:\\scans\\a.pdf"), file_name("../../etc/passwd"), file_name("")
    ('a.pdf', 'passwd', 'document')
    """
    name = printable(PurePosixPath(given.replace("\\", "/")).name).strip()
    return name[-MAX_NAME:] or "document"


def write_file(folder: Path, number: int, content: bytes, name: str) -> SourceFile:
    """Write a file that came in one piece."""
    with Writing(folder / str(number), file_name(name)) as writing:
        writing.write(content)
    return writing.source()


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
        raise ProblemError(400, "bad-multipart", "the body is no multipart/form-data") from error
    finally:
        form.abandon()
    if not form.is_complete:
        raise ProblemError(400, "bad-multipart", "the body ends before its last boundary")
    if not form.files:
        raise ProblemError(422, "no-file", "the form holds no file; send each as a part with a filename")
    return form.files


@dataclass(slots=True)
class Writing:
    """A file that is being written."""

    path: Path
    name: str
    size: int = 0
    hash: Any = field(default_factory=hashlib.sha256)
    file: BufferedWriter = field(init=False)

    def __post_init__(self) -> None:
        self.file = self.path.open("xb")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()

    def write(self, data: bytes) -> None:
        """Write the next part."""
        self.file.write(data)
        self.hash.update(data)
        self.size += len(data)

    def source(self) -> SourceFile:
        """Give the file, once it is complete and closed."""
        return SourceFile(name=self.name, path=self.path, size=self.size, sha256=self.hash.hexdigest())


class _Form:
    """Takes what the parser of multipart bodies finds."""

    def __init__(self, folder: Path, max_bytes: int, max_files: int, admit: Callable[[], None]) -> None:
        self._folder, self._max_bytes, self._max_files, self._admit = folder, max_bytes, max_files, admit
        self.files: list[SourceFile] = []
        self.is_complete = False
        self._writing: Writing | None = None
        self._name, self._value, self._disposition = b"", b"", b""
        self._fields = self._field_bytes = 0

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
            self._fields += 1
            if self._fields > _MAX_FIELDS:
                raise ProblemError(413, "too-many-fields", f"the form has over {_MAX_FIELDS} fields")
            return
        if len(self.files) == self._max_files:
            raise ProblemError(413, "too-many-files", f"a request may hold {self._max_files} files")
        if self.files:
            self._admit()
        path = self._folder / str(len(self.files))
        self._writing = Writing(path, file_name(name.decode("utf-8", "replace")))

    def part_data(self, data: bytes, start: int, end: int) -> None:
        if self._writing is None:
            self._field_bytes += end - start
            if self._field_bytes > _FIELD_BYTES:
                raise ProblemError(413, "too-large", f"the fields are over {_FIELD_BYTES:,} bytes")
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


def make_lasting(files: Iterable[SourceFile]) -> None:
    """Let files outlive a loss of power, as a task does that refers to them."""
    for source in files:
        descriptor = os.open(source.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

"""Files that clients send: the folders in which they lie, and how they are written and hashed."""

from __future__ import annotations

import asyncio
import hashlib
import os
import shutil
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from io import BufferedWriter
from pathlib import Path
from typing import Any, Self

from ocr.file_search import file_name

FOLDER = "uploads"
"""Where in the library files lie until their documents are classified."""


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
            yield await asyncio.to_thread(self._make, name)
        finally:
            await asyncio.to_thread(self.remove, name)

    @asynccontextmanager
    async def lasting(self, name: str) -> AsyncIterator[Path]:
        """Make a folder that stays, unless the block fails."""
        try:
            yield await asyncio.to_thread(self._make, name)
        except BaseException:
            await asyncio.to_thread(self.remove, name)
            raise

    def _make(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir(parents=True, mode=0o700)
        return folder

    def remove(self, name: str) -> None:
        """Remove a folder, if it is there."""
        shutil.rmtree(self.folder / name, ignore_errors=True)

    def remove_left_over(self, is_needed: Callable[[str], bool]) -> None:
        """Remove what a process left that was killed."""
        with suppress(FileNotFoundError):
            for folder in self.folder.iterdir():
                if not is_needed(folder.name):
                    shutil.rmtree(folder, ignore_errors=True)


def write_file(folder: Path, number: int, content: bytes, name: str) -> SourceFile:
    """Write a file that came in one piece."""
    with Writing(folder / str(number), file_name(name)) as writing:
        writing.write(content)
    return writing.source()


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


def make_lasting(files: Iterable[SourceFile]) -> None:
    """Let files outlive a loss of power, as a task does that refers to them."""
    for source in files:
        descriptor = os.open(source.path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

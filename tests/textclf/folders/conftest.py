from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest

from textclf.base.hashing import hash_bytes
from textclf.folders.day_log import DayLog
from textclf.folders.file_operations import state_of
from textclf.folders.mover import Mover
from textclf.library.library import Library

START = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> Callable[[], datetime]:
    seconds = count()
    return lambda: START + timedelta(seconds=next(seconds))


@pytest.fixture
def library(tmp_path) -> Iterator[Library]:
    with Library.open(tmp_path / "library") as library:
        yield library


class Desk(NamedTuple):
    """An inbox with files in it, and a folder that they are filed into."""

    inbox: Path
    into: Path
    library: Library
    clock: Callable[[], datetime]

    def mover(self) -> Mover:
        return Mover(self.library, self.into, DayLog(self.into / "log", self.clock), self.clock, "file")

    def add(self, name: str, content: bytes = b"content") -> tuple[Path, int]:
        path = self.inbox / name
        path.write_bytes(content)
        given = {"sha256": hash_bytes(content), "name": name, "path": str(path)}
        return path, self.library.add_document(**given, size=len(content), at=self.clock())[0].id

    def put(self, name: str, how: str = "move", content: bytes = b"content") -> Path:
        path, document_id = self.add(name, content)
        return self.mover().put(document_id, path, self.into / "a" / name, how, state_of(path), str)

    def files(self) -> dict[str, bytes]:
        """Every file but those of the log, by its path below both folders."""
        top = self.inbox.parent
        found = [path for folder in (self.inbox, self.into) for path in folder.rglob("*") if path.suffix != ".log"]
        return {str(path.relative_to(top)): path.read_bytes() for path in found if path.is_file()}

    def log(self) -> str:
        return "".join(path.read_text() for path in sorted((self.into / "log").glob("*")))

    def states(self) -> list[str]:
        from sqlalchemy import select

        from textclf.library.tables import MoveRow

        with self.library.database.reading() as session:
            return list(session.scalars(select(MoveRow.state).order_by(MoveRow.id)))


@pytest.fixture
def desk(tmp_path, library, clock) -> Desk:
    for name in ("in", "out"):
        (tmp_path / name).mkdir()
    return Desk(tmp_path / "in", tmp_path / "out", library, clock)


@pytest.fixture
def other_file_system(tmp_path) -> Iterator[Path]:
    """A folder on another file system than that of the tests, if there is one."""
    device = tmp_path.stat().st_dev
    tops = (Path(top) for top in ("/dev/shm", "/var/tmp", "/tmp"))
    top = next((top for top in tops if top.is_dir() and os.access(top, os.W_OK) and top.stat().st_dev != device), None)
    if top is None:
        pytest.skip("there is only one file system")
    with tempfile.TemporaryDirectory(dir=top) as folder:
        yield Path(folder)

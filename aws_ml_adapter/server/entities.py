"""The state of the server: data sources, models, evaluations, batch predictions and their tags, in SQLite."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.kinds import Kind, Status
from textclf.base.errors import BadInputError

_FORMAT = 1
_SCHEMA = """
CREATE TABLE entities (
    serial INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    request TEXT NOT NULL,
    record TEXT NOT NULL,
    details TEXT NOT NULL,
    UNIQUE (kind, id)
);
CREATE INDEX by_status ON entities (json_extract(record, '$.Status'));
CREATE INDEX by_creation ON entities (kind, json_extract(record, '$.CreatedAt'));
CREATE TABLE tags (
    serial INTEGER NOT NULL REFERENCES entities (serial) ON DELETE CASCADE,
    key TEXT NOT NULL,
    value TEXT,
    PRIMARY KEY (serial, key)
);
"""
_COLUMNS = "serial, kind, id, request, record, details"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entity:
    """One object, as it was when read."""

    serial: int
    """Unique for ever, even if an id is used again after its object was deleted."""
    kind: Kind
    id: str
    request: dict[str, Any]
    """The request that created it; a repeated request is recognised by being equal."""
    record: dict[str, Any]
    """The members that Get and Describe return."""
    details: dict[str, Any]
    """Internal data: the serial numbers of ``parents``, and ``attempts``."""

    @property
    def status(self) -> Status:
        """Its status."""
        return Status(self.record["Status"])


class Entities:
    """Objects and tags in one SQLite file, created if missing.

    Every change is one transaction in write-ahead mode, so that the server may be killed at any moment. Calls from
    several threads are serialised by a lock. The clock returns seconds since 1970.
    """

    def __init__(self, path: Path | str, *, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.RLock()
        try:
            self._connection = sqlite3.connect(path, isolation_level="IMMEDIATE", check_same_thread=False)
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA foreign_keys = ON")
            version = self._connection.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                self._connection.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {_FORMAT}; COMMIT")
        except sqlite3.Error as error:
            raise BadInputError(
                f"cannot be used as the server's state ({error})", where=path, remedy="give another --data-dir"
            ) from error
        if version > _FORMAT:
            raise BadInputError(f"format {version} is newer than this server's", where=path, remedy="upgrade textclf")

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def create(
        self, kind: Kind, id_: str, request: dict[str, Any], record: dict[str, Any], details: dict[str, Any]
    ) -> tuple[Entity, bool]:
        """Create a pending object and return it and True; or return the object that already has the id and False."""
        now = self._now()
        record = record | {"Status": Status.PENDING, "CreatedAt": now, "LastUpdatedAt": now}
        with self._lock, self._connection:
            held = self.get(kind, id_)
            if held is not None and held.status != Status.DELETED:
                return held, False
            self._connection.execute("DELETE FROM entities WHERE kind = ? AND id = ?", (kind, id_))
            self._connection.execute(
                "INSERT INTO entities (kind, id, request, record, details) VALUES (?, ?, ?, ?, ?)",
                (kind, id_, *map(_text, (request, record, details))),
            )
            made = self.get(kind, id_)
        assert made is not None  # noqa: S101
        return made, True

    def get(self, kind: Kind, id_: str) -> Entity | None:
        """Read the object with this id, deleted or not; None if there never was one."""
        return next(self._select("WHERE kind = ? AND id = ?", (kind, id_)), None)

    def by_serial(self, serials: Sequence[int]) -> list[Entity]:
        """Read objects, including those with status DELETED; serial numbers that are not found are left out."""
        return [entity for serial in serials for entity in self._select("WHERE serial = ?", (serial,))]

    def unfinished(self) -> list[Entity]:
        """List the objects that are pending or in progress, oldest first."""
        where = "WHERE json_extract(record, '$.Status') IN (?, ?) ORDER BY serial"
        return list(self._select(where, (Status.PENDING, Status.INPROGRESS)))

    def serials(self) -> set[int]:
        """List the serial numbers of all objects that are not deleted."""
        with self._lock:
            rows = self._connection.execute(
                "SELECT serial FROM entities WHERE json_extract(record, '$.Status') <> ?", (Status.DELETED,)
            ).fetchall()
        return {serial for (serial,) in rows}

    def select(self, kind: Kind, where: str, values: tuple[Any, ...], limit: int) -> list[Entity]:
        """List objects of a kind; ``where`` continues the SQL ``WHERE kind = ? AND``, and must hold constants only."""
        return list(self._select(f"WHERE kind = ? AND {where} LIMIT ?", (kind, *values, limit)))

    def begin(self, serial: int) -> bool:
        """Set a pending or interrupted object in progress; returns False if it has finished or was deleted."""
        return self._change(
            "record = json_set(record, '$.Status', ?, '$.StartedAt', ?, '$.LastUpdatedAt', ?)",
            "serial = ? AND json_extract(record, '$.Status') IN (?, ?)",
            (Status.INPROGRESS, now := self._now(), now, serial, Status.PENDING, Status.INPROGRESS),
        )

    def add_attempts(self, serial: int, number: int) -> None:
        """Add a number to ``attempts`` in an object's details."""
        attempts = "coalesce(json_extract(details, '$.attempts'), 0) + ?"
        self._change(f"details = json_set(details, '$.attempts', {attempts})", "serial = ?", (number, serial))

    def finish(self, serial: int, status: Status, record: Mapping[str, Any]) -> bool:
        """Set the final status of an unfinished object, and add members to its record; False if it was deleted."""
        now = self._now()
        patch = {**record, "Status": status, "FinishedAt": now, "LastUpdatedAt": now}
        return self._change(
            "record = json_patch(record, ?)",
            "serial = ? AND json_extract(record, '$.Status') IN (?, ?)",
            (_text(patch), serial, Status.PENDING, Status.INPROGRESS),
        )

    def update(self, serial: int, record: Mapping[str, Any], *, touch: bool = True) -> bool:
        """Set members of a record (None removes one), and LastUpdatedAt if ``touch``; False if it was deleted."""
        patch = {**record, "LastUpdatedAt": self._now()} if touch else record
        return self._change(
            "record = json_patch(record, ?)",
            "serial = ? AND json_extract(record, '$.Status') <> ?",
            (_text(patch), serial, Status.DELETED),
        )

    def tags(self, serial: int) -> dict[str, str | None]:
        """Read the tags of an object, sorted by key."""
        with self._lock:
            return dict(
                self._connection.execute("SELECT key, value FROM tags WHERE serial = ? ORDER BY key", (serial,))
            )

    def add_tags(self, serial: int, tags: Mapping[str, str | None], *, limit: int) -> bool:
        """Add or replace tags; returns False and changes nothing if there would be more than ``limit``."""
        with self._lock, self._connection:
            if len(self.tags(serial).keys() | tags.keys()) > limit:
                return False
            self._connection.executemany(
                "INSERT OR REPLACE INTO tags (serial, key, value) VALUES (?, ?, ?)",
                [(serial, key, value) for key, value in tags.items()],
            )
        return True

    def delete_tags(self, serial: int, keys: list[str]) -> None:
        """Remove tags; keys that an object does not have are ignored."""
        with self._lock, self._connection:
            self._connection.executemany(
                "DELETE FROM tags WHERE serial = ? AND key = ?", [(serial, key) for key in keys]
            )

    def _now(self) -> float:
        return round(self._clock(), 3)

    def _select(self, rest: str, values: tuple[Any, ...]) -> Iterator[Entity]:
        with self._lock:
            rows = self._connection.execute(f"SELECT {_COLUMNS} FROM entities {rest}", values).fetchall()  # noqa: S608
        for serial, kind, id_, request, record, details in rows:
            yield Entity(
                serial=serial,
                kind=Kind(kind),
                id=id_,
                request=json.loads(request),
                record=json.loads(record),
                details=json.loads(details),
            )

    def _change(self, what: str, where: str, values: tuple[Any, ...]) -> bool:
        with self._lock, self._connection:
            return self._connection.execute(f"UPDATE entities SET {what} WHERE {where}", values).rowcount > 0  # noqa: S608


def _text(value: Mapping[str, Any]) -> str:
    return json.dumps(value, sort_keys=True)

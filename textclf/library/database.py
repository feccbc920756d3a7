"""Opening the database of a library: its address, its version, its transactions, and its faults in plain words."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError
from sqlalchemy.orm import Session

from textclf.base.errors import BadInputError, ExitCode, OutputError, TextclfError, UsageError

HEAD = "4"
"""Version of the tables that this code works with."""
_DRIVERS = ("sqlite", "sqlite+pysqlite", "postgresql", "postgresql+psycopg")
_BUSY = 60
"""Seconds for which a writer waits for another one."""
_MAKING = 2.0
"""Seconds that another process may take between making a file and writing to it."""
_LOCK = 7_401_226_118
"""Key of the lock under which one process at a time changes tables in PostgreSQL."""


class DatabaseError(TextclfError):
    """A database server that cannot be reached or that refuses."""

    code = "database"
    exit_code = ExitCode.SERVICE


class Database:
    """A database with the tables of this version; each of its transactions happens as a whole or not at all.

    Parameters
    ----------
    address : str or sqlalchemy.URL
        As SQLAlchemy has it.
    read_only : bool
        Change nothing: tables that are missing are not made, and those of an older version stay as they are.

    Raises
    ------
    textclf.base.errors.UsageError
        If the address is none, or of a database that is not supported.
    textclf.base.errors.BadInputError
        If the file is no database, is held by another program, or has tables of a newer version.
    textclf.base.errors.OutputError
        If the file cannot be written.
    DatabaseError
        If the server cannot be reached, or refuses.
    """

    def __init__(self, address: str | URL, *, read_only: bool = False) -> None:
        self.engine = _engine(address, read_only=read_only)
        self._writing = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self.place = self.engine.url.database if self.is_file else self.engine.url.render_as_string()
        try:
            with self._faults():
                self.has_tables = self._check() if read_only else self._migrate()
                self._file = self._file_there()
        except BaseException:
            self.close()
            raise

    @property
    def is_file(self) -> bool:
        """Whether it is an SQLite file."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Open a transaction that changes nothing."""
        with self._faults(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Open a transaction, which is committed when the block ends well."""
        self._refuse_lost()
        with self._faults(), Session(self._writing) as session, session.begin():
            yield session

    def ask(self) -> None:
        """Ask for next to nothing.

        Raises
        ------
        textclf.base.errors.TextclfError
            If the database cannot be used.
        """
        self._refuse_lost()
        with self.reading() as session:
            session.execute(text("SELECT version_num FROM alembic_version"))

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _file_there(self) -> tuple[int, int] | None:
        """Tell which file is at the path of the database; None if there is none, or it is on a server."""
        url = self.engine.url
        if not self.is_file or "uri" in url.query:
            return None
        try:
            found = Path(url.database or "").stat()
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def _refuse_lost(self) -> None:
        """Raise an error if the file was removed or replaced: SQLite goes on with it, and what it writes is lost."""
        if self._file_there() != self._file:
            raise BadInputError(
                "was removed or replaced while it was in use",
                where=self.place,
                remedy="put back a copy of that file, and start anew",
            )

    def _check(self) -> bool:
        url = self.engine.url
        # SQLite would make the file
        if self.is_file and "uri" not in url.query and not Path(url.database or "").exists():
            return False
        with self.engine.connect() as connection:
            version = _version(connection)
        if version is not None and (not version.isdecimal() or int(version) > int(HEAD)):
            raise self._unknown(version)
        return version is not None

    def _migrate(self) -> bool:
        # most libraries are of this version, and Alembic takes long to import
        with self.engine.connect() as connection:
            if _version(connection) == HEAD:
                return True
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", "textclf.library:migrations")
        with self._writing.begin() as connection:
            if not self.is_file:
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise self._unknown(_version(connection)) from error
        return True

    def _unknown(self, version: str | None) -> BadInputError:
        return BadInputError(
            f"has tables of version {version}, which this version of textclf does not know",
            where=self.place,
            remedy="use the version of textclf that wrote it, or a newer one",
        )

    @contextmanager
    def _faults(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            reason = " ".join(str(error.orig).split())
            # constraints that fail, and SQL that is wrong, are faults of the program
            if not (error.connection_invalidated or type(error).__name__ in ("OperationalError", "DatabaseError")):
                raise
            if not self.is_file:
                raise DatabaseError(
                    f"cannot be used ({reason})", where=self.place, remedy="see that the server runs and lets you in"
                ) from error
            if "readonly" in reason or "full" in reason:
                remedy = "free some space, or see that you may write there"
                raise OutputError(f"cannot be written ({reason})", where=self.place, remedy=remedy) from error
            remedy = "give another folder, or put back a copy of that file"
            if "locked" in reason:
                remedy = "another program holds it; end that one, or try again"
            raise BadInputError(f"cannot be used ({reason})", where=self.place, remedy=remedy) from error


def sqlite_address(path: Path) -> URL:
    """Give the address of an SQLite file."""
    return URL.create("sqlite", database=str(path))


def _engine(address: str | URL, *, read_only: bool) -> Engine:
    remedy = "give one such as postgresql+psycopg://user@host/name"
    try:
        url = make_url(address)
    # a port that is no number is none of its own errors
    except (ArgumentError, ValueError) as error:
        raise UsageError("is no address of a database", where="database", remedy=remedy) from error
    if url.drivername not in _DRIVERS:
        raise UsageError(
            f"{url.drivername} is not supported, only SQLite, and PostgreSQL by psycopg",
            where="database",
            remedy=remedy,
        )
    if url.get_backend_name() != "sqlite":
        if str(address).count("@") > 1:
            raise UsageError(
                "has more than one @",
                where="database",
                remedy="write %40 for an @ in the name of the user, the password or what follows the host",
            )
        return create_engine(url, pool_pre_ping=True, execution_options={"postgresql_readonly": read_only})
    if url.database in (None, "", ":memory:") or "memory" in (url.query.get("mode"), url.query.get("vfs")):
        raise UsageError(
            "would be in memory, and gone with the command",
            where="database",
            remedy="give sqlite:///PATH with the path of a file, or a folder with --library",
        )
    _refuse_empty(Path(url.database))
    # a file that another process writes is waited for
    engine = create_engine(url, connect_args={"timeout": _BUSY})
    # a file that is only read keeps its journal mode, which is written in it
    event.listen(engine, "connect", _set_up_to_read if read_only else _set_up)
    event.listen(engine, "begin", _begin)
    return engine


def _refuse_empty(path: Path) -> None:
    """Raise an error for a file that was emptied; one that another process is making is filled at once."""
    end = time.monotonic() + _MAKING
    while path.is_file() and not path.stat().st_size:
        if time.monotonic() > end:
            remedy = "put back a copy of that file, or remove it to begin anew"
            raise BadInputError("is empty, and so damaged: a library is never empty", where=path, remedy=remedy)
        time.sleep(0.05)


def _set_up(connection: Any, _record: object) -> None:
    # transactions are begun below: the driver's own way would not lock the file before it is read
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _set_up_to_read(connection: Any, _record: object) -> None:
    connection.isolation_level = None
    connection.execute("PRAGMA query_only = ON")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()

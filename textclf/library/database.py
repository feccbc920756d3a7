"""Opening the database of a library: its address, its version, its transactions, and its faults in plain words."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, inspect, text
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError
from sqlalchemy.orm import Session

from textclf.base.errors import BadInputError, ExitCode, OutputError, TextclfError, UsageError

HEAD = "1"
"""Version of the tables that this code works with."""
_BUSY = 60
"""Seconds for which a writer waits for another one."""
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
    """

    def __init__(self, address: str | URL) -> None:
        self.engine = _engine(address)
        self._writing = self.engine.execution_options(sqlite_begin="BEGIN IMMEDIATE")
        self.place = self.engine.url.database if self.is_file else self.engine.url.render_as_string()
        try:
            with self._faults():
                self._migrate()
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
        with self._faults(), Session(self._writing) as session, session.begin():
            yield session

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def _migrate(self) -> None:
        # most libraries are of this version, and Alembic takes long to import
        with self.engine.connect() as connection:
            if _version(connection) == HEAD:
                return
        from alembic import command
        from alembic.config import Config
        from alembic.util import CommandError

        config = Config()
        config.set_main_option("script_location", "textclf.library:migrations")
        with self._writing.begin() as connection:
            if not self.is_file and connection.dialect.name == "postgresql":
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
            config.attributes["connection"] = connection
            try:
                command.upgrade(config, "head")
            except CommandError as error:
                raise BadInputError(
                    f"has tables of version {_version(connection)}, which this version of textclf does not know",
                    where=self.place,
                    remedy="use the version of textclf that wrote it, or a newer one",
                ) from error

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


def _engine(address: str | URL) -> Engine:
    try:
        url = make_url(address)
        # a file that another process writes is waited for
        arguments: dict[str, Any] = {"timeout": _BUSY} if url.get_backend_name() == "sqlite" else {}
        engine = create_engine(url, connect_args=arguments, pool_pre_ping=url.get_backend_name() != "sqlite")
    except (ArgumentError, NoSuchModuleError) as error:
        remedy = "give one such as postgresql+psycopg://user@host/name"
        raise UsageError("is no address of a database", where="database", remedy=remedy) from error
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _set_up)
        event.listen(engine, "begin", _begin)
    return engine


def _set_up(connection: Any, _record: object) -> None:
    # transactions are begun below: the driver's own way would not lock the file before it is read
    connection.isolation_level = None
    for pragma in ("journal_mode = WAL", "synchronous = FULL", "foreign_keys = ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()

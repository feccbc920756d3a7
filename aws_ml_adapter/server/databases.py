"""Data sources from databases: the rows of a query become a CSV file."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from aws_ml_adapter.api.faults import DataFault, RequestFault
from features.schema import Schema
from textclf.base.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import URL, Engine

BYTES_LIMIT = 100 * 2**30
"""Of the CSV file: https://docs.aws.amazon.com/machine-learning/latest/dg/system-limits.html."""

_ROWS_AT_ONCE = 1_000
_REASON_LIMIT = 500
_DATABASE = re.compile(r"([a-z0-9-]{1,63}/[^=\s]{1,64})=(.+)")
_SELECT = re.compile(r"[\s(]*(select|with)\b", re.IGNORECASE)
_QUOTED = re.compile(r"""'[^']*'|"[^"]*"|`[^`]*`|--[^\n]*|/\*.*?\*/""", re.DOTALL)
_LINE_BREAKS = re.compile(r"[\r\n]+")
_READ_ONLY = {
    "sqlite": "PRAGMA query_only = ON",
    "postgresql": "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY",
    "mysql": "SET SESSION TRANSACTION READ ONLY",
    "mariadb": "SET SESSION TRANSACTION READ ONLY",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What to ask of which database.

    Parameters
    ----------
    database : str
        How the request calls it: identifier of the cluster or instance, ``/``, name.
    url : str or None
        For SQLAlchemy; None if the server was not told of this database.
    sql : str
    """

    database: str
    url: str | None = field(repr=False)
    sql: str


def parse_databases(given: Iterable[str]) -> dict[str, str]:
    """Read which database stands for which of the requests.

    Parameters
    ----------
    given : iterable of str
        ``IDENTIFIER/NAME=URL`` each.

    Returns
    -------
    dict of str to str
        ``IDENTIFIER/NAME`` to URL.

    Raises
    ------
    textclf.base.errors.UsageError
        One of them is no such thing, its driver is not installed, or its sessions cannot be set to read only. The
        message never has the URL, which may hold a password.

    References
    ----------
    https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls
    """
    databases: dict[str, str] = {}
    for each in given:
        match = _DATABASE.fullmatch(each)
        if match is None:
            raise UsageError(
                f"--database {each.partition('=')[0]} is no IDENTIFIER/NAME=URL",
                remedy="write, say, my-cluster/dev=sqlite:///sales.db",
            )
        name, url = match.groups()
        if name in databases:
            raise UsageError(f"--database {name} is given twice", remedy="leave one of them out")
        databases[name] = url
        dialect = _dialect(name, url)
        if dialect not in _READ_ONLY:
            raise UsageError(
                f"--database {name} is of {dialect}, whose sessions cannot be set to read only here",
                remedy=f"use one of {', '.join(_READ_ONLY)}",
            )
    return databases


def check_query(sql: str) -> None:
    """See that a query is one that reads.

    What a database lets a query do is for its account to bound; this is to tell mistakes early.

    Parameters
    ----------
    sql : str

    Raises
    ------
    RequestFault
        It begins with another word than SELECT or WITH, or there is more than one statement.

    Examples
    --------
    >>> check_query("SELECT ';' AS semicolon;")
    >>> check_query("DELETE FROM sales")
    Traceback (most recent call last):
    aws_ml_adapter.api.faults.RequestFault: SelectSqlQuery: does not begin with SELECT or WITH
    """
    bare = _QUOTED.sub(" ", sql)
    if not _SELECT.match(bare):
        raise RequestFault("does not begin with SELECT or WITH", where="SelectSqlQuery")
    if ";" in bare.rstrip("; \t\r\n"):
        raise RequestFault("is more than one statement", where="SelectSqlQuery")


def unload(query: Query, path: Path, schema: Schema, *, limit: int = BYTES_LIMIT) -> int:
    """Write the rows of a query as CSV.

    Parameters
    ----------
    query : Query
    path : pathlib.Path
        The file.
    schema : Schema
        Says how many columns there are, and whether a header is written.
    limit : int
        Bytes of the file.

    Returns
    -------
    int
        Number of rows.

    Raises
    ------
    DataFault
        The database refuses or cannot be reached, the columns are not as many as in the schema, a value is binary, or
        the file would be too large.
    """
    if query.url is None:
        raise DataFault("the server was started without this database", where=query.database, remedy="give --database")
    from sqlalchemy.exc import SQLAlchemyError

    try:
        return _unload(_engine(query.url), query, path, schema, limit)
    except SQLAlchemyError as error:
        reason = str(getattr(error, "orig", None) or error)
        if password := _url(query.url).password:
            reason = reason.replace(str(password), "***")
        raise DataFault(
            f"the database did not answer the query ({reason[:_REASON_LIMIT]})", where=query.database
        ) from None


def _dialect(name: str, url: str) -> str:
    try:
        from sqlalchemy.exc import SQLAlchemyError

        try:
            return _engine(url).dialect.name
        except (SQLAlchemyError, ValueError) as error:
            raise UsageError(
                f"--database {name}: the URL cannot be used ({type(error).__name__})",
                remedy="write it as https://docs.sqlalchemy.org/en/20/core/engines.html#database-urls shows",
            ) from None
    except ImportError as error:
        raise UsageError(f"--database {name} needs the module {error.name}", remedy="pip install it") from error


def _unload(engine: Engine, query: Query, path: Path, schema: Schema, limit: int) -> int:
    number = 0
    with engine.connect() as connection, path.open("w", encoding="utf-8", errors="replace", newline="") as stream:
        connection.exec_driver_sql(_READ_ONLY[engine.dialect.name])
        connection.commit()
        # without parameters a driver leaves percent signs alone
        asking = connection.execution_options(no_parameters=True, stream_results=True, max_row_buffer=_ROWS_AT_ONCE)
        result = asking.exec_driver_sql(query.sql)
        names = list(result.keys())
        if len(names) != len(schema.attributes):
            raise DataFault(
                f"the query gives {len(names)} columns, the schema has {len(schema.attributes)}", where=query.database
            )
        writer = csv.writer(stream, lineterminator="\n")
        if schema.has_header:
            writer.writerow(names)
        for rows in result.partitions(_ROWS_AT_ONCE):
            writer.writerows([_cell(value, query) for value in row] for row in rows)
            number += len(rows)
            if stream.tell() > limit:
                raise DataFault(f"the query's result is over {limit:,} bytes as CSV", where=query.database)
    return number


def _cell(value: Any, query: Query) -> str:
    match value:
        case None:
            return ""
        case bool():
            return str(int(value))
        case bytes() | bytearray() | memoryview():
            raise DataFault("a value is binary", where=query.database, remedy="leave the column out, or encode it")
        case _:
            # the service's CSV has no line breaks within values
            return _LINE_BREAKS.sub(" ", str(value))


def _url(text: str) -> URL:
    from sqlalchemy import make_url

    return make_url(text)


def _engine(text: str) -> Engine:
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    url = _url(text)
    if url.get_backend_name() == "sqlite":
        # a file that is not there would be made
        url = url.set(database=f"file:{quote(url.database or '')}", query={"mode": "ro", "uri": "true"})
    return create_engine(url, poolclass=NullPool)

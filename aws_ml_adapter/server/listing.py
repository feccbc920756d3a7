"""Filtering, ordering and pagination of the four Describe operations."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.server.entities import Entities, Entity
from textclf.base.hashing import hash_json

PAGE = 100
"""Objects per page if the request sets no limit."""

DATA_SOURCE_MEMBER = {Kind.EVALUATION: "EvaluationDataSourceId", Kind.BATCH_PREDICTION: "BatchPredictionDataSourceId"}
"""The member that holds the id of the data source."""

_CONDITIONS = {"EQ": "{} = ?", "NE": "{} <> ?", "GT": "{} > ?", "GE": "{} >= ?", "LT": "{} < ?", "LE": "{} <= ?"}
_CONDITIONS["Prefix"] = "instr({}, ?) = 1"
_DATES = ("CreatedAt", "LastUpdatedAt")
_PATHS = {
    "IAMUser": "CreatedByIamUser",
    "RealtimeEndpointStatus": "EndpointInfo.EndpointStatus",
    "TrainingDataURI": "InputDataLocationS3",
    "DataURI": "InputDataLocationS3",
}


def describe(entities: Entities, kind: Kind, request: Mapping[str, Any]) -> tuple[list[Entity], str | None]:
    """Return a page of objects, and the token of the next page, if there is one.

    If several operators are given, all must hold. Without a filter variable the newest objects come first, so that
    waiters, which look at one page only, see the unfinished ones. Deleted objects are listed only when filtering by
    status.
    """
    variable = request.get("FilterVariable")
    path = _path(kind, variable or "CreatedAt")
    default = 0 if path in _DATES else "''"
    column = f"coalesce(json_extract(record, '$.{path}'), {default})"
    where, values = _conditions(request, variable, column)
    descending = request.get("SortOrder", "asc" if variable else "dsc") == "dsc"
    digest = _digest(kind, request)
    if "NextToken" in request:
        where.append(f"({column}, serial) {'<' if descending else '>'} (?, ?)")
        values += _read_token(request["NextToken"], digest)
    direction = "DESC" if descending else "ASC"
    limit = request.get("Limit", PAGE)
    found = entities.select(
        kind, f"{' AND '.join(where)} ORDER BY {column} {direction}, serial {direction}", tuple(values), limit + 1
    )
    token = None
    if len(found) > limit:
        found.pop()
        token = _token(_value(found[-1].record, path), found[-1].serial, digest)
    return found, token


def _path(kind: Kind, variable: str) -> str:
    return DATA_SOURCE_MEMBER[kind] if variable == "DataSourceId" else _PATHS.get(variable, variable)


def _conditions(request: Mapping[str, Any], variable: str | None, column: str) -> tuple[list[str], list[Any]]:
    where, values = ["1"], []
    for name in filter(request.__contains__, _CONDITIONS):
        if variable is None:
            raise RequestFault(f"{name} is given without FilterVariable")
        if name == "Prefix" and variable in _DATES:
            raise RequestFault(f"Prefix does not apply to {variable}")
        where.append(_CONDITIONS[name].format(column))
        values.append(_seconds(request[name]) if variable in _DATES else request[name])
    if variable != "Status":
        where.append("json_extract(record, '$.Status') <> ?")
        values.append(Status.DELETED)
    return where, values


def _seconds(text: str) -> float:
    """Parse a time in seconds since 1970 or ISO 8601, in UTC unless it names a time zone."""
    try:
        seconds = float(text)
    except ValueError:
        try:
            moment = datetime.fromisoformat(text)
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        except (ValueError, OverflowError):
            seconds = math.nan
    if not math.isfinite(seconds):
        raise RequestFault(f"'{text[:40]}' is not a date: write seconds since 1970 or ISO 8601")
    return seconds


def _value(record: Mapping[str, Any], path: str) -> Any:
    value: Any = record
    for name in path.split("."):
        value = value.get(name, "")
    return value


def _digest(kind: Kind, request: Mapping[str, Any]) -> str:
    query = {name: value for name, value in request.items() if name not in ("NextToken", "Limit")}
    return hash_json([kind, query])[:16]


def _token(value: Any, serial: int, digest: str) -> str:
    return base64.urlsafe_b64encode(json.dumps([value, serial, digest]).encode()).decode()


def _read_token(token: str, digest: str) -> list[Any]:
    try:
        value, serial, query = json.loads(base64.urlsafe_b64decode(token))
        if isinstance(value, str):
            # SQLite accepts neither lone surrogates nor integers of more than 64 bits
            value.encode()
        if query == digest and isinstance(value, str | float) and isinstance(serial, int) and 0 <= serial < 2**63:
            return [value, serial]
    except (ValueError, TypeError, RecursionError):
        pass
    raise RequestFault("NextToken does not belong to this request")

"""Schemas and recipes as the server reads them from storage and shows them in its answers."""

from __future__ import annotations

import json

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.storage import Storage
from features.schema import Schema
from textclf.base.errors import BadDataError

SCHEMA_LIMIT = RECIPE_LIMIT = 131_071
"""Characters, as the API has it for both."""

ALL_INPUTS = '{"groups": {}, "assignments": {}, "outputs": ["ALL_INPUTS"]}'
"""The recipe that leaves the attributes as they are."""

_BYTES_A_CHARACTER = 4


def read_text(storage: Storage, url: str, limit: int) -> str | None:
    """Read a small text of UTF-8 from storage; None if there is no such object."""
    content = storage.read(url, limit * _BYTES_A_CHARACTER)
    if content is None:
        return None
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RequestFault("is not UTF-8", where=url) from error
    if len(text) > limit:
        raise RequestFault(f"has more than {limit:,} characters", where=url)
    return text


def without_mark(text: str) -> str:
    """Leave out the byte order mark with which editors of Windows begin what they store."""
    return text.removeprefix("\ufeff")


def parse_schema(text: str, *, where: str | None = None) -> Schema:
    """Read a schema, as part of a request; ``where`` it comes from is for the message."""
    try:
        return Schema.from_json(without_mark(text), where=where)
    except BadDataError as error:
        raise RequestFault(error.what, where=error.where, remedy=error.remedy) from error


def compact_schema(schema: Schema) -> str:
    """Write a schema in one line, as GetMLModel shows it."""
    return json.dumps(json.loads(schema.to_json()), ensure_ascii=False, separators=(",", ":"))


def pretty_recipe(text: str) -> str:
    """Write a recipe that parses in several lines, as GetMLModel shows it."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)

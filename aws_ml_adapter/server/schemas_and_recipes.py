"""Reading schemas and recipes from requests and storage, and formatting them for answers."""

from __future__ import annotations

import json

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.storage import Storage
from features.schema import Schema
from textclf.base.errors import BadDataError

SCHEMA_LIMIT = RECIPE_LIMIT = 131_071
"""Maximum characters of both, as in the API."""

ALL_INPUTS = '{"groups": {}, "assignments": {}, "outputs": ["ALL_INPUTS"]}'
"""The recipe that uses all attributes unchanged."""

_BYTES_PER_CHARACTER = 4


def read_text(storage: Storage, url: str, limit: int) -> str | None:
    """Read a UTF-8 text of up to ``limit`` characters from storage; None if there is no such object."""
    content = storage.read(url, limit * _BYTES_PER_CHARACTER)
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
    """Remove the byte order mark that editors on Windows write."""
    return text.removeprefix("\ufeff")


def parse_schema(text: str, *, where: str | None = None) -> Schema:
    """Parse a schema; raises `RequestFault`, whose message names ``where`` it comes from."""
    try:
        return Schema.from_json(without_mark(text), where=where)
    except BadDataError as error:
        raise RequestFault(error.what, where=error.where, remedy=error.remedy) from error


def compact_schema(schema: Schema) -> str:
    """Format a schema in one line, as GetMLModel returns it."""
    return json.dumps(json.loads(schema.to_json()), ensure_ascii=False, separators=(",", ":"))


def pretty_recipe(text: str) -> str:
    """Format a valid recipe in several lines, as GetMLModel returns it."""
    return json.dumps(json.loads(text), ensure_ascii=False, indent=2)

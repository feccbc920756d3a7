"""What the functions are told by their environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import UnionType
from typing import Any, get_args, get_origin

from ocr.reading_options import Effort
from textclf.base.errors import UsageError
from textclf.base.options import build, check_options, described, option

PREFIX = "TEXTCLF_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Each is a variable of the environment, in capitals: ``TEXTCLF_BUCKET`` and so on."""

    bucket: str = option("", help="Bucket of the documents, and of results that no record can hold.")
    table: str = option("", help="DynamoDB table of the records.")
    queue_url: str = option("", help="URL of the SQS queue of the workers.")
    model: str = option("", help="The model file: s3://BUCKET/KEY, or a path in the container.")
    model_sha256: str = option("", help="SHA-256 of the model file; needed for one in S3, which must have it.")
    keep_days: float = option(7.0, min=0.01, max=3650, help="Days after which records, and what they are about, go.")
    attempts: int = option(3, min=1, max=100, help="How often a document is begun before it is given up.")
    max_bytes: int = option(50_000_000, min=1, help="Largest document, in bytes.")
    max_pages: int = option(100, min=1, help="Pages read of one document.")
    seconds_per_page: float = option(60.0, min=1, max=900, help="Time that one page may take.")
    max_memory: int = option(3_000_000_000, min=1, help="Address space of a process that reads pages, in bytes.")
    lang: str = option("", help="Tesseract's languages, such as ita+eng; by default English and Italian.")
    effort: Effort = option("full", help="How much is read: full, balanced, fast or glance.")
    hook_bucket: str = option("", help="Bucket of which the GenAI IDP accelerator may name page images.")
    max_error: float | None = option(None, help="Maximum error among accepted documents; by default the model's.")
    anonymous: bool = option(False, help="1: answer callers whom the gateway has not identified, too.")
    grace: float = option(20.0, min=0, max=110, help="Seconds that a document has left when a container stops.")

    def __post_init__(self) -> None:
        check_options(self)

    def need(self, *names: str) -> None:
        """Raise the error for settings that are missing."""
        missing = [PREFIX + name.upper() for name in names if not getattr(self, name)]
        if missing:
            raise UsageError(f"{', '.join(missing)} is not set", where="environment", remedy="see docs/serverless.md")


VARIABLES = {f"{PREFIX}{one.name.upper()}": (one.name, kind) for one, _, kind in described(Settings)}
"""The variables, with the name and the type of what each sets."""


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from variables.

    Examples
    --------
    >>> read_settings({"TEXTCLF_BUCKET": "scans", "TEXTCLF_KEEP_DAYS": "1"}).keep_days
    1.0
    """
    given = {
        name: _value(variable, text, kind)
        for variable, (name, kind) in VARIABLES.items()
        if (text := environment.get(variable, ""))
    }
    settings: Settings = build(Settings, given)
    return settings


def _value(variable: str, text: str, kind: Any) -> object:
    kind = get_args(kind)[0] if get_origin(kind) is UnionType else kind
    try:
        if kind is bool:
            return {"0": False, "1": True}[text]
        return kind(text) if kind in (int, float) else text
    except (KeyError, ValueError) as error:
        wanted = {bool: "0 or 1", int: "a whole number"}.get(kind, "a number")
        raise UsageError(f"is {text!r:.40}, not {wanted}", where=variable) from error


@cache
def settings() -> Settings:
    """Give the settings of this process."""
    return read_settings(os.environ)

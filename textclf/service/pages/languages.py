"""What the pages say, in each language, and which language a visitor reads."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType
from typing import Any

LANGUAGES = {"en": "English", "it": "Italiano"}
"""Languages of the pages, by code; the first is for everybody else."""
_PART = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9]{1,8})*\s*(?:;\s*q\s*=\s*([0-9.]{1,5})\s*)?")
_MAX_HEADER = 200


@cache
def strings(language: str) -> Mapping[str, Any]:
    """Give the table of a language: sections of names and texts."""
    file = resources.files(__package__) / "strings" / f"{language}.toml"
    return MappingProxyType(tomllib.loads(file.read_text(encoding="utf-8")))


def choose_language(accepted: str, chosen: object = None) -> str:
    """Give the language that a visitor chose, or else the first one of the header ``Accept-Language`` that there is.

    Examples
    --------
    >>> choose_language("de-DE, it;q=0.9, en;q=0.8"), choose_language("it", "en"), choose_language("")
    ('it', 'en', 'en')
    """
    if isinstance(chosen, str) and chosen in LANGUAGES:
        return chosen
    wanted: list[tuple[float, str]] = []
    for part in accepted[:_MAX_HEADER].split(","):
        if found := _PART.fullmatch(part):
            try:
                weight = float(found[2] or 1)
            except ValueError:
                continue
            wanted.append((-weight, found[1].lower()))
    # sorting keeps the order of those of the same weight
    for weight, code in sorted(wanted, key=lambda one: one[0]):
        if weight and code in LANGUAGES:
            return code
    return next(iter(LANGUAGES))

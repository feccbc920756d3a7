"""What a layout is: one issuer's way to write one kind of document."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Literal

from data.generator.pages import Page
from data.generator.people import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuer:
    """An issuer is in one split only, so that no layout of the test split was ever trained on."""

    slug: str
    language: Language | Literal[""]
    split: Literal["train", "test", "other"]
    count: int
    draw: Callable[[Random], list[Page]]

"""Dataclasses from plain values."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal

import pytest

from textclf.base.from_json import from_json


class Shape(StrEnum):
    ROUND = "round"
    SQUARE = "square"


@dataclass(frozen=True, kw_only=True)
class Inner:
    pairs: tuple[tuple[str, int], ...]
    shape: Shape


@dataclass(frozen=True, kw_only=True)
class Outer:
    inner: Inner
    size: float | None
    free: dict[str, Any]
    either: Inner | str = ""
    colour: Literal["red", "green"] = "red"


OUTER = Outer(inner=Inner(pairs=(("a", 1), ("b", 2)), shape=Shape.ROUND), size=2.5, free={"x": [1, None]})


@pytest.mark.parametrize("value", [OUTER, Outer(inner=OUTER.inner, size=None, free={}, either=OUTER.inner)])
def test_a_dataclass_survives_json(value):
    assert from_json(json.loads(json.dumps(asdict(value))), Outer) == value


@pytest.mark.parametrize(
    "change",
    [
        {"size": "2"},
        {"size": True},
        {"inner": {"pairs": [["a", True]], "shape": "round"}},
        {"colour": "blue"},
        {"colour": {}},
        {"inner": None},
        {"inner": {"pairs": [], "shape": "oval"}},
        {"inner": {"pairs": [["a"]], "shape": "round"}},
        {"inner": {"pairs": "ab", "shape": "round"}},
        {"free": []},
        {"unknown": 1},
        {"either": 5},
    ],
)
def test_what_does_not_fit_its_annotation_is_refused(change):
    with pytest.raises((TypeError, ValueError)):
        from_json(json.loads(json.dumps(asdict(OUTER))) | change, Outer)

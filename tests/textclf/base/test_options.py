"""Options that stand in dataclasses, with their bounds and choices."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import pytest

from textclf.base.errors import UsageError
from textclf.base.options import bounds, build, check_options, described, option


@dataclass(frozen=True, kw_only=True)
class Inner:
    pages: int = option(3, min=1, max=9, help="Pages.")
    pixels: int = option(5, min=1)

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True, kw_only=True)
class Outer:
    kind: Literal["a", "b"] = option("a", help="Kind.")
    names: tuple[str, ...] = option((), name="name", type=str, parse=lambda text: tuple(text.split("+")), help="Names.")
    inner: Inner = field(default_factory=Inner)

    def __post_init__(self) -> None:
        check_options(self)


def test_options_with_help_are_offered_and_those_within_too():
    assert [(one.name, kind) for one, _, kind in described(Outer)] == [
        ("kind", Literal["a", "b"]),
        ("names", str),
        ("pages", int),
    ]
    assert bounds(Inner, "pages") == (1, 9)
    assert bounds(Inner, "pixels") == (1, None)


def test_what_is_given_is_parsed_and_what_is_not_has_its_default():
    assert build(Outer, {"names": "x+y", "pages": 9}) == Outer(names=("x", "y"), inner=Inner(pages=9))
    assert build(Outer, {}) == Outer()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Inner(pages=0), "pages: must be 1 to 9"),
        (lambda: Inner(pages=10), "pages: must be 1 to 9"),
        (lambda: Inner(pages=float("nan")), "pages: must be 1 to 9"),
        (lambda: Inner(pixels=0), "pixels: must be 1 or more"),
        (lambda: Outer(kind="c"), "kind: must be a or b"),
    ],
)
def test_what_is_out_of_bounds_or_no_choice_is_refused(make, message):
    with pytest.raises(UsageError) as caught:
        make()
    assert str(caught.value) == message

"""A page as a list of things to draw, and the `Paper` that layouts write on.

Lengths are points (1/72 inch) from the upper left corner; a text's ``y`` is its baseline.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from math import cos, pi, radians, sin
from random import Random
from typing import Literal

from PIL import Image, ImageFont

FONTS = "/usr/share/fonts/truetype/"
# regular, bold and italic face of each family
FAMILIES = {
    "sans": ("liberation/LiberationSans-", "Regular", "Bold", "Italic"),
    "serif": ("liberation/LiberationSerif-", "Regular", "Bold", "Italic"),
    "mono": ("liberation/LiberationMono-", "Regular", "Bold", "Italic"),
    "dejavu": ("dejavu/DejaVuSans", "", "-Bold", "-Oblique"),
    "dejavuserif": ("dejavu/DejaVuSerif", "", "-Bold", "-Italic"),
    "condensed": ("dejavu/DejaVuSansCondensed", "", "-Bold", "-Oblique"),
    "dejavumono": ("dejavu/DejaVuSansMono", "", "-Bold", "-Oblique"),
    "freesans": ("freefont/FreeSans", "", "Bold", "Oblique"),
    "freeserif": ("freefont/FreeSerif", "", "Bold", "Italic"),
    "freemono": ("freefont/FreeMono", "", "Bold", "Oblique"),
}
A4 = (595.0, 842.0)
INK = "#16161a"

Align = Literal["left", "center", "right"]
Point = tuple[float, float]


def font_file(face: str) -> str:
    """File of a face such as ``sans-1`` (family and 0 regular, 1 bold, 2 italic)."""
    family, style = face.split("-")
    stem, *styles = FAMILIES[family]
    return f"{FONTS}{stem}{styles[int(style)]}.ttf"


@cache
def _measure(face: str) -> ImageFont.FreeTypeFont:
    # the basic layout is always there; raqm is not, and would move letters
    return ImageFont.truetype(font_file(face), 100, layout_engine=ImageFont.Layout.BASIC)


def text_width(text: str, face: str, size: float) -> float:
    return _measure(face).getlength(text) * size / 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Text:
    """One run of text; ``angle`` turns it counter-clockwise around its beginning."""

    x: float
    y: float
    text: str
    face: str
    size: float
    color: str
    angle: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """A line or an area through points."""

    points: tuple[Point, ...]
    fill: str | None = None
    outline: str | None = None
    width: float = 0.7
    closed: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    """Pixels in a box."""

    x: float
    y: float
    width: float
    height: float
    image: Image.Image


Item = Text | Shape | Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A finished page."""

    width: float
    height: float
    items: tuple[Item, ...]

    @property
    def text(self) -> str:
        """What is written on the page, in the order of writing; one line a baseline."""
        lines: list[list[str]] = []
        baseline = None
        for item in self.items:
            if isinstance(item, Text):
                if baseline is None or abs(item.y - baseline) > 1.5:
                    lines.append([])
                lines[-1].append(item.text)
                baseline = item.y
        return "\n".join(" ".join(line) for line in lines)


def ellipse(x: float, y: float, rx: float, ry: float) -> tuple[Point, ...]:
    """Points of an ellipse around (x, y)."""
    return tuple((x + rx * cos(2 * pi * i / 48), y + ry * sin(2 * pi * i / 48)) for i in range(48))


class Paper:
    """A page being written from top to bottom: ``y`` is where the next thing goes."""

    def __init__(
        self,
        rng: Random,
        *,
        size: Point = A4,
        family: str = "sans",
        text: float = 10.0,
        margin: float = 48.0,
        ink: str = INK,
    ) -> None:
        self.rng = rng
        self.width, self.height = size
        self.family = family
        self.size = text
        self.ink = ink
        self.left, self.right = margin, self.width - margin
        self.y = margin
        self.items: list[Item] = []

    @property
    def inner(self) -> float:
        """Width between the margins."""
        return self.right - self.left

    def page(self, *, cut: bool = False) -> Page:
        """End the page; ``cut`` tears the paper off below the last line."""
        return Page(width=self.width, height=self.y + 18 if cut else self.height, items=tuple(self.items))

    def put(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float | None = None,
        bold: bool = False,
        italic: bool = False,
        align: Align = "left",
        color: str | None = None,
        family: str | None = None,
        fit: float | None = None,
        angle: float = 0.0,
    ) -> None:
        """Write one line at a place; ``fit`` is the width it must not pass (it gets smaller)."""
        face = f"{family or self.family}-{1 if bold else 2 if italic else 0}"
        size = size or self.size
        width = text_width(text, face, size)
        if fit and width > fit:
            size, width = size * fit / width, fit
        # a turned line stays centred: its box moves along its own direction
        back = {"left": 0.0, "center": width / 2, "right": width}[align]
        x, y = x - back * cos(radians(angle)), y + back * sin(radians(angle))
        if text:
            self.items.append(Text(x=x, y=y, text=text, face=face, size=size, color=color or self.ink, angle=angle))

    def line(
        self,
        text: str = "",
        *,
        x: float | None = None,
        size: float | None = None,
        bold: bool = False,
        italic: bool = False,
        align: Align = "left",
        color: str | None = None,
        family: str | None = None,
        lead: float = 1.35,
    ) -> None:
        """Write a line and go to the next; without ``x`` from the margins."""
        size = size or self.size
        self.y += size
        place = x if x is not None else {"left": self.left, "center": self.width / 2, "right": self.right}[align]
        self.put(
            place,
            self.y,
            text,
            size=size,
            bold=bold,
            italic=italic,
            align=align,
            color=color,
            family=family,
            fit=self.inner if x is None else self.right - x if align == "left" else None,
        )
        self.y += size * (lead - 1)

    def lines(self, texts: Sequence[str], *, x: float | None = None, size: float | None = None) -> None:
        """Write lines one below the other."""
        for text in texts:
            self.line(text, x=x, size=size)

    def gap(self, height: float = 10.0) -> None:
        """Leave some room."""
        self.y += height

    def paragraph(
        self,
        text: str,
        *,
        x: float | None = None,
        width: float | None = None,
        size: float | None = None,
        bold: bool = False,
        italic: bool = False,
        lead: float = 1.3,
    ) -> None:
        """Write running text, broken at blanks."""
        x = self.left if x is None else x
        width = self.right - x if width is None else width
        size = size or self.size
        face = f"{self.family}-{1 if bold else 2 if italic else 0}"
        row = ""
        for word in [*text.split(), None]:
            longer = f"{row} {word}".strip() if word is not None else ""
            if row and (word is None or text_width(longer, face, size) > width):
                self.y += size
                self.put(x, self.y, row, size=size, bold=bold, italic=italic)
                self.y += size * (lead - 1)
                longer = word or ""
            row = longer

    def columns(self, texts: Sequence[str], count: int, *, size: float | None = None, gutter: float = 16.0) -> None:
        """Share paragraphs out over columns, about the same number of letters in each."""
        top, low = self.y, self.y
        width = (self.inner - gutter * (count - 1)) / count
        total = sum(len(t) for t in texts)
        column, done = 0, 0
        for text in texts:
            if column < count - 1 and done >= total * (column + 1) / count:
                column, self.y = column + 1, top
            self.paragraph(text, x=self.left + column * (width + gutter), width=width, size=size)
            self.y += 3
            low, done = max(low, self.y), done + len(text)
        self.y = low

    def fields(
        self,
        pairs: Sequence[tuple[str, str]],
        *,
        x: float | None = None,
        width: float | None = None,
        label: float = 0.36,
        style: Literal["plain", "dots", "ruled", "bold"] = "plain",
        size: float | None = None,
        lead: float = 1.5,
    ) -> None:
        """Write names and values side by side; ``label`` is the names' part of the width."""
        x = self.left if x is None else x
        width = self.right - x if width is None else width
        size = size or self.size
        for name, value in pairs:
            self.y += size
            self.put(x, self.y, name, size=size, bold=style == "bold", fit=width * label - 3)
            self.put(x + width * label, self.y, value, size=size, bold=style == "ruled", fit=width * (1 - label))
            if style in ("dots", "ruled"):
                self.rule(y=self.y + 2.5, x=x + (width * label if style == "dots" else 0), to=x + width, width=0.35)
            self.y += size * (lead - 1)

    def cells(
        self,
        pairs: Sequence[tuple[str, str]],
        *,
        per_row: int = 3,
        x: float | None = None,
        width: float | None = None,
        height: float = 27.0,
        label: float = 6.2,
        outline: str = "#333333",
        fill: str | None = None,
        mono: bool = False,
    ) -> None:
        """Draw the boxes of a form: a small name above, the value below."""
        x = self.left if x is None else x
        width = (self.right - x if width is None else width) / per_row
        for i, (name, value) in enumerate(pairs):
            left = x + (i % per_row) * width
            self.box(left, self.y, width, height, outline=outline, fill=fill)
            self.put(left + 3, self.y + label + 1.5, name, size=label, fit=width - 6)
            self.put(
                left + 4, self.y + height - 5, value, size=self.size, fit=width - 8, family="mono" if mono else None
            )
            if i % per_row == per_row - 1 or i == len(pairs) - 1:
                self.y += height
        self.y += 4

    def table(
        self,
        rows: Sequence[Sequence[str]],
        *,
        widths: Sequence[float],
        align: str,
        style: Literal["grid", "rules", "zebra", "bare"] = "rules",
        x: float | None = None,
        width: float | None = None,
        size: float | None = None,
        header: bool = True,
        shade: str = "#d9dde3",
        bold_last: bool = False,
        height: float = 1.75,
    ) -> None:
        """Draw a table; ``widths`` are shares, ``align`` has one of ``lcr`` for each column."""
        x = self.left if x is None else x
        width = self.right - x if width is None else width
        size = size or self.size
        step, unit = size * height, width / sum(widths)
        sides: dict[str, Align] = {"l": "left", "c": "center", "r": "right"}
        for i, row in enumerate(rows):
            first, last = header and i == 0, i == len(rows) - 1
            if (first and style != "bare") or (style == "zebra" and i % 2 == 0):
                self.box(x, self.y, width, step, fill=shade if first else "#eef0f3")
            left = x
            for text, part, side in zip(row, widths, align, strict=True):
                wide = part * unit
                place = {"l": left + 3, "c": left + wide / 2, "r": left + wide - 3}[side]
                self.put(
                    place,
                    self.y + step * 0.7,
                    text,
                    size=size,
                    bold=first or (last and bold_last),
                    align=sides[side],
                    fit=wide - 5,
                )
                if style == "grid":
                    self.box(left, self.y, wide, step, outline="#555555", line=0.5)
                left += wide
            self.y += step
            if style == "rules" or (style == "zebra" and last):
                self.rule(x=x, to=x + width, width=0.9 if first or last else 0.3)
        self.y += 4

    def rule(
        self,
        *,
        y: float | None = None,
        x: float | None = None,
        to: float | None = None,
        width: float = 0.7,
        color: str | None = None,
    ) -> None:
        """Draw a horizontal line, by default from margin to margin."""
        y = self.y if y is None else y
        x, to = self.left if x is None else x, self.right if to is None else to
        self.items.append(Shape(points=((x, y), (to, y)), outline=color or self.ink, width=width, closed=False))

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        *,
        fill: str | None = None,
        outline: str | None = None,
        line: float = 0.7,
    ) -> None:
        """Draw a rectangle."""
        corners = ((x, y), (x + width, y), (x + width, y + height), (x, y + height))
        self.items.append(Shape(points=corners, fill=fill, outline=outline, width=line))

    def disc(
        self,
        x: float,
        y: float,
        radius: float,
        *,
        fill: str | None = None,
        outline: str | None = None,
        line: float = 1.0,
        flat: float = 1.0,
    ) -> None:
        """Draw a circle, or an ellipse ``flat`` times as high as wide."""
        self.items.append(Shape(points=ellipse(x, y, radius, radius * flat), fill=fill, outline=outline, width=line))

    def footer(self, *texts: str, size: float = 6.8, align: Align = "center", rule: bool = True) -> None:
        """Small print at the foot of the page."""
        y = self.height - 30 - len(texts) * size * 1.35
        if rule:
            self.rule(y=y - 2, width=0.4)
        place = {"left": self.left, "center": self.width / 2, "right": self.right}[align]
        for text in texts:
            y += size * 1.35
            self.put(place, y, text, size=size, align=align, fit=self.inner)

"""Marks that stand on paper beside the text: logos, stamps, signatures, bar codes, portraits."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, radians, sin
from typing import Literal

from data.generator.pages import Paper, Shape, ellipse

Logo = Literal["bars", "rings", "peak", "drop", "shield", "square", "sun"]


def logo(paper: Paper, kind: Logo, x: float, y: float, size: float, color: str) -> None:
    """Draw a simple trade mark with its upper left corner at (x, y)."""
    s, middle = size, (x + size / 2, y + size / 2)
    if kind == "bars":
        for i in range(3):
            paper.box(x + i * s * 0.36, y + s * (0.5 - 0.25 * i), s * 0.26, s * (0.5 + 0.25 * i), fill=color)
    elif kind == "rings":
        for shift in (0.32, 0.68):
            paper.disc(x + s * shift, middle[1], s * 0.32, outline=color, line=s * 0.07)
    elif kind == "peak":
        for left, top in ((0.0, 0.15), (0.4, 0.4)):
            corners = ((x + s * left, y + s), (x + s * (left + 0.32), y + s * top), (x + s * (left + 0.64), y + s))
            paper.items.append(Shape(points=corners, fill=color))
    elif kind == "drop":
        paper.disc(middle[0], y + s * 0.64, s * 0.34, fill=color)
        corners = ((x + s * 0.2, y + s * 0.52), (middle[0], y), (x + s * 0.8, y + s * 0.52))
        paper.items.append(Shape(points=corners, fill=color))
    elif kind == "shield":
        crest = ((x, y), (x + s, y), (x + s * 0.93, y + s * 0.6), (middle[0], y + s), (x + s * 0.07, y + s * 0.6))
        paper.items.append(Shape(points=crest, outline=color, width=s * 0.09))
        paper.disc(middle[0], y + s * 0.42, s * 0.18, fill=color)
    elif kind == "square":
        paper.box(x, y, s, s, fill=color)
        paper.disc(middle[0], middle[1], s * 0.3, fill="#ffffff")
    else:
        paper.disc(*middle, s * 0.26, fill=color)
        for turn in range(0, 360, 45):
            c, d = cos(radians(turn)), sin(radians(turn))
            ends = (
                (middle[0] + c * s * 0.34, middle[1] + d * s * 0.34),
                (middle[0] + c * s / 2, middle[1] + d * s / 2),
            )
            paper.items.append(Shape(points=ends, outline=color, width=s * 0.07, closed=False))


def stamp(
    paper: Paper,
    texts: Sequence[str],
    x: float,
    y: float,
    *,
    radius: float = 40.0,
    kind: Literal["round", "box"] = "round",
    color: str = "#2b3f94",
    angle: float | None = None,
) -> None:
    """Set a rubber stamp around (x, y), never quite straight."""
    angle = paper.rng.uniform(-22, 22) if angle is None else angle
    c, d = cos(radians(angle)), sin(radians(angle))
    size = radius * (0.27 if kind == "round" else 0.32)
    if kind == "round":
        for part in (1.0, 0.88):
            paper.items.append(Shape(points=ellipse(x, y, radius * part, radius * part), outline=color, width=1.4))
    else:
        w, h = radius * 1.35, size * (0.5 + 0.72 * len(texts))
        corners = ((-w, -h), (w, -h), (w, h), (-w, h))
        turned = tuple((x + a * c + b * d, y - a * d + b * c) for a, b in corners)
        paper.items.append(Shape(points=turned, outline=color, width=1.8))
    for i, text in enumerate(texts):
        down = (i - (len(texts) - 1) / 2) * size * 1.3 + size * 0.35
        paper.put(
            x + down * d,
            y + down * c,
            text,
            size=size,
            bold=True,
            align="center",
            color=color,
            fit=radius * (1.6 if kind == "round" else 2.5),
            angle=angle,
        )


def signature(paper: Paper, x: float, y: float, width: float = 90.0, color: str = "#20305f") -> None:
    """Scribble a name on the line at ``y``."""
    rng, points = paper.rng, []
    px, loops = x, rng.randrange(5, 9)
    for i in range(loops):
        high = rng.uniform(5, 17) * (1.4 if i == 0 else 0.8)
        for part in range(8):
            turn = radians(part * 45)
            points.append((px + part * width / loops / 8 + sin(turn) * 4, y - 3 - high * (1 - cos(turn)) / 2))
        px += width / loops
    paper.items.append(Shape(points=tuple(points), outline=color, width=1.0, closed=False))


def bar_code(paper: Paper, x: float, y: float, width: float, height: float) -> None:
    place = x
    while place < x + width:
        bar = paper.rng.choice((0.8, 0.8, 1.6, 2.4))
        paper.box(place, y, bar, height, fill="#000000")
        place += bar + paper.rng.choice((0.8, 1.6, 2.4))


def square_code(paper: Paper, x: float, y: float, size: float, cells: int = 21) -> None:
    """Draw a square of random cells with three corner marks, like a two-dimensional code."""
    cell = size / cells
    for row in range(cells):
        for column in range(cells):
            corner = (row < 8 or row > cells - 9) and (column < 8 or column > cells - 9)
            if not (corner and not (row > cells - 9 and column > cells - 9)) and paper.rng.random() < 0.5:
                paper.box(x + column * cell, y + row * cell, cell, cell, fill="#000000")
    for row, column in ((0, 0), (0, cells - 7), (cells - 7, 0)):
        paper.box(x + column * cell, y + row * cell, 7 * cell, 7 * cell, fill="#000000")
        paper.box(x + (column + 1) * cell, y + (row + 1) * cell, 5 * cell, 5 * cell, fill="#ffffff")
        paper.box(x + (column + 2) * cell, y + (row + 2) * cell, 3 * cell, 3 * cell, fill="#000000")


def portrait(paper: Paper, x: float, y: float, width: float, height: float) -> None:
    """Draw head and shoulders of nobody."""
    rng = paper.rng
    paper.box(x, y, width, height, fill=rng.choice(("#c9d3dd", "#d8d4c8", "#bcc7c4")), outline="#666666")
    middle, skin = x + width / 2, rng.choice(("#d9b391", "#b98a66", "#e3c4a6", "#8a5f43"))
    hair = rng.choice(("#2b2018", "#5a4330", "#8d8a86", "#a47b45"))
    paper.disc(middle, y + height * 0.37, width * 0.27, fill=hair, flat=1.15)
    bottom, cloth = y + height - 1, rng.choice(("#3a4658", "#6b2f33", "#4e5b3f"))
    shoulders = [
        (middle + width * 0.42 * cos(radians(a)), bottom - height * 0.3 * sin(radians(a))) for a in range(0, 181, 9)
    ]
    paper.items.append(Shape(points=tuple(shoulders), fill=cloth))
    paper.box(middle - width * 0.08, y + height * 0.55, width * 0.16, height * 0.2, fill=skin)
    paper.disc(middle, y + height * 0.43, width * 0.21, fill=skin, flat=1.3)
    for side in (-1, 1):
        paper.disc(middle + side * width * 0.08, y + height * 0.4, width * 0.02, fill="#222222")
    mouth = ((middle - width * 0.06, y + height * 0.54), (middle + width * 0.06, y + height * 0.54))
    paper.items.append(Shape(points=mouth, outline="#7a3a3a", width=1.0, closed=False))

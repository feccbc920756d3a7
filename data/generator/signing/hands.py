"""Handwriting of invented hands, as the movements of a pen.

A hand moves by strokes whose speed is a log-normal function of time and whose direction turns evenly along an arc;
strokes that overlap in time add up to a smooth line (Plamondon 1995, "A kinematic theory of rapid human movements";
O'Reilly and Plamondon 2009, "Development of a Sigma-Lognormal representation for on-line signatures").
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from math import cos, erf, log, pi, radians, sin, sqrt
from random import Random

from data.generator.pages import Point, Shape

INKS = ("#1b2a6b", "#20305f", "#16161a", "#101014", "#27408b", "#33363b")
_STEP = 0.012
"""Seconds between two points of a line."""

_DIGITS: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "0": (((0.5, 1.0), (0.1, 0.7), (0.1, 0.3), (0.5, 0.0), (0.9, 0.3), (0.9, 0.7), (0.5, 1.0)),),
    "1": (((0.3, 0.75), (0.6, 1.0), (0.55, 0.0)),),
    "2": (((0.1, 0.8), (0.45, 1.0), (0.85, 0.75), (0.5, 0.35), (0.05, 0.02), (0.95, 0.05)),),
    "3": (((0.1, 0.9), (0.6, 1.0), (0.8, 0.75), (0.35, 0.55), (0.9, 0.3), (0.5, 0.0), (0.05, 0.12)),),
    "4": (((0.6, 1.0), (0.05, 0.35), (0.95, 0.38)), ((0.7, 0.7), (0.62, -0.1))),
    "5": (((0.85, 1.0), (0.25, 0.97), (0.2, 0.6), (0.75, 0.55), (0.85, 0.2), (0.4, 0.0), (0.05, 0.1)),),
    "6": (((0.7, 1.0), (0.2, 0.6), (0.1, 0.2), (0.5, 0.0), (0.85, 0.25), (0.5, 0.48), (0.15, 0.25)),),
    "7": (((0.05, 0.95), (0.9, 1.0), (0.4, 0.0)),),
    "8": (((0.5, 0.5), (0.15, 0.75), (0.5, 1.0), (0.85, 0.75), (0.15, 0.25), (0.5, 0.0), (0.85, 0.25), (0.5, 0.5)),),
    "9": (((0.85, 0.75), (0.4, 0.6), (0.2, 0.85), (0.55, 1.0), (0.85, 0.75), (0.7, 0.0)),),
    "/": (((0.9, 1.1), (0.1, -0.15)),),
    ".": (((0.4, 0.03), (0.5, 0.0)),),
    "-": (((0.1, 0.5), (0.8, 0.5)),),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Hand:
    """What stays the same in all that one person writes."""

    slant: float
    """Degrees by which letters lean to the right."""
    pace: float
    """Seconds from one stroke to the next; the fewer, the more the strokes melt into each other."""
    round: float
    """Degrees by which a stroke turns."""
    uneven: float
    """Share by which sizes vary."""
    rise: float
    """Degrees by which the line climbs."""
    narrow: float
    """Width of a letter, as a share of its height."""
    loops: float
    """Share of letters with a loop above or below the line."""
    flourish: float
    """Chance of a long last stroke."""
    pen: float
    """Width of the line in points."""
    ink: str


def hand(rng: Random) -> Hand:
    """Invent a hand."""
    return Hand(
        slant=rng.gauss(14, 14),
        pace=rng.uniform(0.055, 0.12),
        round=rng.uniform(70, 175),
        uneven=rng.uniform(0.1, 0.45),
        rise=rng.gauss(3, 4),
        narrow=rng.uniform(0.35, 1.1),
        loops=rng.uniform(0.15, 0.6),
        flourish=rng.uniform(0, 0.7),
        pen=rng.choice((0.6, 0.8, 0.9, 1.1, 1.4, 1.9)),
        ink=rng.choice(INKS),
    )


@dataclass(slots=True)
class _Stroke:
    length: float
    start: float
    end: float
    at: float
    mu: float
    sigma: float


def _line(strokes: list[_Stroke]) -> list[Point]:
    """Add up the movements of strokes into points."""
    points: list[Point] = []
    end = max(stroke.at for stroke in strokes) + 0.6
    for step in range(int(end / _STEP)):
        x = y = 0.0
        for stroke in strokes:
            time = step * _STEP - stroke.at
            if time <= 0:
                continue
            done = (1 + erf((log(time) - stroke.mu) / (stroke.sigma * sqrt(2)))) / 2
            turn = stroke.end - stroke.start
            if abs(turn) < 1e-3:
                x += stroke.length * done * cos(stroke.start)
                y += stroke.length * done * sin(stroke.start)
            else:
                angle = stroke.start + turn * done
                x += stroke.length / turn * (sin(angle) - sin(stroke.start))
                y += stroke.length / turn * (cos(stroke.start) - cos(angle))
        points.append((x, y))
    return points


def _word(hand: Hand, letters: int, rng: Random, *, capital: float, regular: float = 1.0) -> list[Point]:
    """Write a word of so many letters, each one stroke up and one down, in units of a small letter's height."""
    strokes: list[_Stroke] = []
    time = 0.0
    for number in range(letters):
        tall = capital if number == 0 else rng.choice((1.9, -1.4)) if rng.random() < hand.loops else 1.0
        spread = hand.uneven * (0.5 if regular > 1 else 1.0)
        size = max(0.25, abs(tall) * (1 + rng.gauss(0, spread)))
        # a hurried writer lets the later letters sink into a wave
        size *= 1 if regular > 1 or number == 0 else max(0.35, 1 - 0.1 * number * rng.random())
        lean = radians(90 - hand.slant + rng.gauss(0, 9))
        turn = radians(hand.round * rng.uniform(0.6, 1.2))
        advance = hand.narrow * rng.uniform(0.7, 1.3)
        up, down = (lean, lean - pi) if tall > 0 else (lean - pi, lean)
        for direction, sense in ((up, -1.0 if tall > 0 else 1.0), (down, 1.0 if tall > 0 else -1.0)):
            strokes.append(
                _Stroke(
                    length=size,
                    start=direction + sense * turn / 2,
                    end=direction - sense * turn / 2,
                    at=time,
                    mu=log(0.12) + rng.gauss(0, 0.12),
                    sigma=rng.uniform(0.18, 0.34),
                )
            )
            time += hand.pace * rng.uniform(0.8, 1.25)
        strokes.append(_Stroke(advance, radians(hand.rise), radians(hand.rise), time - hand.pace, log(0.12), 0.3))
    if rng.random() < hand.flourish and regular <= 1:
        way = radians(rng.choice((0, 8, 170, 185, -20)))
        strokes.append(_Stroke(rng.uniform(2, 7), way, way + radians(rng.gauss(0, 50)), time, log(0.16), 0.3))
    return _line(strokes)


def _placed(points: list[Point], x: float, y: float, size: float) -> tuple[Point, ...]:
    return tuple((x + px * size, y - py * size) for px, py in points)


def _thin(points: tuple[Point, ...]) -> tuple[Point, ...]:
    """Leave out points that are too close to see."""
    kept = [points[0]]
    for point in points[1:]:
        if abs(point[0] - kept[-1][0]) + abs(point[1] - kept[-1][1]) > 0.35:
            kept.append(point)
    return tuple(kept)


def _fitted(lines: list[tuple[Point, ...]], width: float, height: float) -> list[tuple[Point, ...]]:
    """Scale lines about their left end until they fit into that size, and are not much smaller."""
    xs, ys = [x for line in lines for x, _ in line], [y for line in lines for _, y in line]
    left, low = min(xs), max(ys)
    wide, high = max(xs) - left, low - min(ys)
    share = min(width / max(1e-6, wide), height / max(1e-6, high))
    share = min(share, max(1.0, 0.35 * width / max(1e-6, wide), 0.4 * height / max(1e-6, high)))
    return [tuple((left + (x - left) * share, low - (low - y) * share) for x, y in line) for line in lines]


def _shapes(lines: list[tuple[Point, ...]], hand: Hand) -> list[Shape]:
    return [
        Shape(points=_thin(line), outline=hand.ink, width=hand.pen, closed=False) for line in lines if len(line) > 1
    ]


def autograph(hand: Hand, rng: Random, x: float, y: float, width: float, height: float) -> list[Shape]:
    """Sign on the line at y, from x on, in at most that width and about that height."""
    initials = rng.random() < 0.15
    words = 1 if initials else rng.choice((1, 1, 2, 2, 2, 3))
    size = height * rng.uniform(0.18, 0.42)
    lines: list[tuple[Point, ...]] = []
    place = x
    for number in range(words):
        letters = rng.randrange(1, 3) if initials or (words == 3 and number == 1) else rng.randrange(3, 9)
        points = _word(hand, letters, rng, capital=rng.uniform(1.8, 3.6))
        line = _placed(points, place, y - rng.uniform(-0.15, 0.25) * size, size)
        lines.append(line)
        place = max(px for px, _ in line) + size * rng.uniform(-0.6, 0.9)
    if rng.random() < 0.25:
        # underlined in one go
        points = _line([_Stroke(1, radians(rng.gauss(3, 5)), radians(rng.gauss(3, 8)), 0, log(0.12), 0.3)])
        lines.append(_placed(points, x, y + 0.2 * size, (place - x) * rng.uniform(0.7, 1.1)))
    return _shapes(_fitted(lines, width, height * 1.4), hand)


def written(hand: Hand, rng: Random, text: str, x: float, y: float, width: float, size: float) -> list[Shape]:
    """Write words that nobody can read, or figures that anybody can, on the line at y."""
    lines: list[tuple[Point, ...]] = []
    lean = radians(hand.slant)
    place = x
    for word in text.split():
        if word[0].isdigit():
            for digit in word:
                wide = size * (0.35 if digit in "1/.-" else 0.62)
                for part in _DIGITS.get(digit, ()):
                    points = [
                        (
                            place + px * wide + py * size * sin(lean) * 0.6 + rng.gauss(0, 0.03) * size,
                            y - py * size + rng.gauss(0, 0.03) * size,
                        )
                        for px, py in _smooth(part)
                    ]
                    lines.append(tuple(points))
                place += wide * 1.25
        else:
            line = _placed(_word(hand, len(word), rng, capital=1.7, regular=2.0), place, y, size * 0.5)
            lines.append(line)
            place = max(px for px, _ in line)
        place += size * 0.6
    return _shapes(_fitted(lines, width, size * 2.5), hand)


def _smooth(corners: tuple[tuple[float, float], ...]) -> list[Point]:
    """Round a line of corners (Chaikin 1974)."""
    points: list[Point] = list(corners)
    for _ in range(2):
        cut: list[Point] = [points[0]]
        for (ax, ay), (bx, by) in pairwise(points):
            cut += [(0.75 * ax + 0.25 * bx, 0.75 * ay + 0.25 * by), (0.25 * ax + 0.75 * bx, 0.25 * ay + 0.75 * by)]
        points = [*cut, points[-1]]
    return points

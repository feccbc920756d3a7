"""Templates of texts: read from TOML, checked, and filled with draws from lists.

A page is a template. A line that begins with ``? `` appears half of the time, one that begins with ``3-8* `` three to
eight times. ``{name}`` draws from the list of that name, whose items may have slots too; ``{number:5}`` gives five
digits, ``{letters:2}`` two capital letters, and ``{int:1-28}`` a number in that range. ``{n}`` counts the copies of a
repeated line from 1, ``{n:3}`` from 3. Other braces stay as they are.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from random import Random
from string import ascii_uppercase, digits
from typing import Any

FOLDER = Path(__file__).parent

_SLOT = re.compile(r"\{(\w[^{}]*)\}")
_REPEATED = re.compile(r"^(\d+)-(\d+)\* ", re.MULTILINE)
_COUNT = re.compile(r"\{n(?::(\d+))?\}")
_NAME = re.compile(r"[a-z][a-z0-9_]*")

Lists = Mapping[str, list[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One kind of paper in one language: alternative pages, and the lists that their slots draw from."""

    kind: str
    language: str
    pages: tuple[str, ...]
    lists: Lists

    def text(self, rng: Random) -> str:
        """Draw one text."""
        lines = []
        decks: dict[str, list[str]] = {}
        for line in rng.choice(self.pages).strip("\n").split("\n"):
            pattern, times = _times(line, rng)
            lines += [self._filled(_counted(pattern, copy), rng, decks) for copy in range(times)]
        return "\n".join(lines)

    def check(self) -> None:
        """Raise a `ValueError` for a slot, a mark or a list with which no text can be drawn."""
        where = f"{self.kind} [{self.language}]"
        if not self.pages or not all(page.strip() for page in self.pages):
            raise ValueError(f"{where}: no text")
        pages = [_counted(page, 0) for page in self.pages]
        patterns = [*pages, *(item for items in self.lists.values() for item in items)]
        for slot in (slot for pattern in patterns for slot in _SLOT.findall(pattern)):
            if slot not in self.lists and _drawn(slot, Random(0)) is None:
                raise ValueError(f"{where}: unknown slot {{{slot}}}")
        for name, items in self.lists.items():
            if not items:
                raise ValueError(f"{where}: the list {name} is empty")
        for low, high in (mark.groups() for page in self.pages for mark in _REPEATED.finditer(page)):
            if int(low) > int(high):
                raise ValueError(f"{where}: a line cannot appear {low} to {high} times")
        try:
            TopologicalSorter({name: _SLOT.findall(" ".join(items)) for name, items in self.lists.items()}).prepare()
        except CycleError as error:
            raise ValueError(f"{where}: endless, {' is drawn from '.join(error.args[1])}") from None

    def _filled(self, pattern: str, rng: Random, decks: dict[str, list[str]]) -> str:
        def draw(slot: re.Match[str]) -> str:
            name = slot[1]
            if name not in self.lists:
                return _drawn(name, rng) or ""
            # no item comes twice before all have come once
            deck = decks.setdefault(name, [])
            if not deck:
                deck += rng.sample(self.lists[name], len(self.lists[name]))
            return self._filled(deck.pop(), rng, decks)

        return _SLOT.sub(draw, pattern)


def templates(folder: Path = FOLDER) -> Iterator[Template]:
    """Read all kinds, in the order of their names, one template a language; `ValueError` for what cannot be used."""
    shared = tomllib.loads((folder / "slots.toml").read_text(encoding="utf-8"))
    for path in sorted((folder / "kinds").glob("*.toml")):
        if not _NAME.fullmatch(path.stem):
            raise ValueError(f"{path.name}: the name of a kind is in lower case, with underscores")
        for language, table in sorted(tomllib.loads(path.read_text(encoding="utf-8")).items()):
            yield _template(path.stem, language, table, shared)


def _template(kind: str, language: str, table: Mapping[str, Any], shared: Mapping[str, Lists]) -> Template:
    pages, own = table.get("texts", [table.get("text")]), table.get("lists", {})
    if language not in shared or set(table) - {"lists"} not in ({"text"}, {"texts"}):
        raise ValueError(f"{kind} [{language}]: a table of a language has text or texts, and lists, and nothing else")
    unused = [name for name in own if f"{{{name}}}" not in str([*pages, own])]
    if unused:
        raise ValueError(f"{kind} [{language}]: nothing draws from {', '.join(unused)}")
    template = Template(kind=kind, language=language, pages=tuple(pages), lists={**shared[language], **own})
    template.check()
    return template


def _times(line: str, rng: Random) -> tuple[str, int]:
    """Take the mark from the beginning of a line; gives the rest, and how often it appears."""
    if line.startswith("? "):
        return line[2:], rng.randrange(2)
    if repeated := _REPEATED.match(line):
        return line[repeated.end() :], rng.randint(int(repeated[1]), int(repeated[2]))
    return line, 1


def _counted(pattern: str, copy: int) -> str:
    """Fill in the number of a copy, the first of which is 0."""
    return _COUNT.sub(lambda first: str(int(first[1] or 1) + copy), pattern)


def _drawn(slot: str, rng: Random) -> str | None:
    """Fill a slot that is a pattern; None if there is no such pattern."""
    name, _, size = slot.partition(":")
    if name in ("number", "letters") and size.isdecimal():
        return "".join(rng.choices(digits if name == "number" else ascii_uppercase, k=int(size)))
    ends = re.fullmatch(r"(\d+)-(\d+)", size)
    if name == "int" and ends and int(ends[1]) <= int(ends[2]):
        return str(rng.randint(int(ends[1]), int(ends[2])))
    return None

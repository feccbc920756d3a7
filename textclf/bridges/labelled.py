"""Labelled texts as they come from labelling tools, and the tables that are made of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from textclf.model.category_names import as_category

CONFLICT = "\0"
"""Stands for categories that annotators disagree about; no name holds it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledText:
    """A text of a labelling tool."""

    document_id: str
    text: str
    category: str
    """Empty if nobody has labelled it, `CONFLICT` if annotators disagree."""


def agreed(categories: Iterable[str]) -> str:
    """Give the category that all annotators chose; empty without any, `CONFLICT` if they differ.

    Examples
    --------
    >>> agreed(["letter", " letter "]), agreed([]), agreed(["letter", "invoice"]) == CONFLICT
    ('letter', '', True)
    """
    named = {name for name in map(as_category, categories) if name}
    return named.pop() if len(named) == 1 else CONFLICT if named else ""

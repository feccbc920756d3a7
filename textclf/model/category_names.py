"""Names of categories: what stands for none of them, and names that may be one, spelt in two ways."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from textclf.base.plurals import counted

NONE_OF_THESE = "none of these"
"""What stands in place of a category where a document belongs to none of those of the user."""
MIN_ONE_TYPO, MIN_TWO_TYPOS = 5, 10
"""Characters of a word from which one typing error, and from which two, are assumed."""


def as_category(cell: str) -> str:
    """Give the category that a cell or a folder name stands for: without spaces around it, empty if unknown.

    Examples
    --------
    >>> as_category(" Tax return "), as_category("None_of_these")
    ('Tax return', 'none of these')
    """
    return NONE_OF_THESE if " ".join(re.findall(r"[^\W_]+", cell.lower())) == NONE_OF_THESE else cell.strip()


def similar_names(counts: Mapping[str, int]) -> list[tuple[str, str]]:
    """Pair each category that may be a misspelt other one with that one: with `NONE_OF_THESE` or one of more documents.

    Examples
    --------
    >>> similar_names({"Invoice": 20, "Invocie": 1, "INVOICE": 2, "Letter": 9, "none of theese": 1})
    [('none of theese', 'none of these'), ('INVOICE', 'Invoice'), ('Invocie', 'Invoice')]
    """
    spellings = {_spelling(category) for category in counts}
    groups: dict[str, list[str]] = defaultdict(list)
    for category in sorted(counts.keys() - {NONE_OF_THESE}, key=lambda category: (-counts[category], category)):
        words = _words(category)
        initials = "".join(word[0] for word in words)
        # NY beside New York, and New York beside new_york
        groups[initials if len(words) > 1 and initials in spellings else _spelling(category)].append(category)
    names = [[NONE_OF_THESE]]
    for group in groups.values():
        # names with more documents come first, so that the rarer one is the typing error
        meant = next((other for other in names if _mistyped(group[0], other[0])), None)
        if meant is None:
            names.append(group)
        else:
            meant += group
    return [(category, first) for first, *others in names for category in others]


def similar_names_warnings(counts: Mapping[str, int]) -> list[str]:
    """Give a warning for each category that may be a misspelt other one."""
    return [
        f"category {category!r} ({counted(counts[category], 'document')}) is like {other!r} "
        + ("(papers of no category)" if other == NONE_OF_THESE else f"({counts[other]:,})")
        + ": if they are one, write one name"
        for category, other in similar_names(counts)
    ]


def meant_category(category: str, known: Iterable[str]) -> str:
    """Give the known category, or `NONE_OF_THESE`, that may be meant by an unknown one; empty if nothing is like it.

    Examples
    --------
    >>> meant_category("invocie", ["Invoice", "Letter"]), meant_category("memo", ["Letter"])
    ('Invoice', '')
    """
    spelt = {_spelling(other): other for other in (*known, NONE_OF_THESE)}
    near = (other for other in spelt.values() if _mistyped(category, other))
    return spelt.get(_spelling(category)) or next(near, "")


def _mistyped(one: str, other: str) -> bool:
    """Return whether a name differs from the other by typing errors only; numbers and short words must be the same."""
    words = _words(one), _words(other)
    if other == NONE_OF_THESE:
        # "none", "none of them" and "None of the above" are meant so too
        return words[0][:1] == ["none"] or _same_or_typo(_spelling(one), _spelling(other))
    return len(words[0]) == len(words[1]) and all(map(_same_or_typo, *words)) and words[0] != words[1]


def _same_or_typo(one: str, other: str) -> bool:
    from rapidfuzz.distance import OSA

    if one == other:
        return True
    shorter = min(len(one), len(other))
    if shorter < MIN_ONE_TYPO or re.search(r"\d", one + other):
        return False
    # an inserted, missing, different or transposed letter counts as one error each
    return OSA.distance(one, other, score_cutoff=2) <= 1 + (shorter >= MIN_TWO_TYPOS)


def _spelling(category: str) -> str:
    """Reduce a name to its letters and digits, without case and accents."""
    return "".join(_words(category)) or category


def _words(name: str) -> list[str]:
    # the commands need the name above for their help, and NumPy for nothing else then
    from features.tokens import tokenize

    return tokenize(name)

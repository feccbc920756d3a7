"""What looks like a word of a language, and what like OCR's reading of dirt."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from itertools import groupby, pairwise
from statistics import median

from ocr.documents import Word

MARKS = ".,;:!?()[]{}<>\"'“”‘’«»-–—/|*"
"""Punctuation that may stand round a word."""

_REAL_WORD = re.compile(r"(?:[^\W\d_]+['’])?([^\W\d_]{3,})")
_VOWEL = re.compile(r"[aeiouyàáâäèéêëìíîïòóôöùúûü]")
_OTHER_ALPHABET = re.compile(r"[^\W\d_\u0000-\u024f\u3000-\U0010ffff]")
_HARD = re.compile(r"(.)\1\1|[^aeiouyàáâäèéêëìíîïòóôöùúûü]{5}")


_WIDE_GAP = 1.6
"""Times the usual gap between spaced letters from which on it parts words."""


def line_text(words: Sequence[Word]) -> str:
    """Write the words of a line, a blank between two; between letters set apart, two where their gap is wide.

    Those two tell `ocr.cleaning.clean_text` where a word of spaced letters ends.

    Examples
    --------
    >>> edges = [(0, 9), (20, 29), (40, 49), (80, 89), (100, 109), (120, 129)]
    >>> letters = zip("DUEPER", edges, strict=True)
    >>> line_text([Word(text=text, confidence=90, box=(x, 0, end, 9), line=0) for text, (x, end) in letters])
    'D U E  P E R'
    """
    text = ""
    for spaced, run in groupby(words, key=lambda word: len(word.text) == 1 and word.text.isalpha()):
        members = list(run)
        gaps = [right.box[0] - left.box[2] for left, right in pairwise(members)]
        wide = _WIDE_GAP * median(gaps) if spaced and len(gaps) > 2 else math.inf
        text += " " + members[0].text
        for gap, word in zip(gaps, members[1:], strict=True):
            text += ("  " if gap > max(0.0, wide) else " ") + word.text
    return text[1:]


def is_real_word(word: str) -> bool:
    """Tell whether a word looks like one of a language rather than like what OCR makes of dirt.

    Without its punctuation it has three letters or more and nothing else (an elided article may go before), a
    vowel, no letter thrice in a row, no five consonants in a row; and it is lower case, upper case or capitalised.
    A word with a letter of another alphabet is taken for real: dirt is not read as such. Chinese characters are not:
    a text layer with a false table is full of them.

    Examples
    --------
    >>> [is_real_word(word) for word in ("Total:", "dell'anno", "aaaJt", "rn1l", "of", "счёт")]
    [True, True, False, False, False, True]
    """
    if _OTHER_ALPHABET.search(word):
        return True
    match = _REAL_WORD.fullmatch(word.strip(MARKS))
    if match is None:
        return False
    letters = match[1]
    lower = letters.lower()
    return (
        letters in (lower, letters.upper(), letters.capitalize())
        and _VOWEL.search(lower) is not None
        and _HARD.search(lower) is None
    )


def real_word_share(words: Iterable[Word]) -> float:
    """Share of real-looking words among those of three characters and more without a digit; 1 without any such."""
    long = [word.text for word in words if len(word.text) >= 3 and not any(map(str.isdigit, word.text))]
    return sum(map(is_real_word, long)) / len(long) if long else 1.0


def quality(words: Iterable[Word]) -> float:
    """Measure how much good text a reading holds, so that readings of one page can be compared.

    Returns
    -------
    float
        Sum over the real-looking words of length times squared confidence (0 to 1): squared, because an upside
        down page gives many letters with a middling confidence.
    """
    return sum(len(word.text) * (word.confidence / 100) ** 2 for word in words if is_real_word(word.text))

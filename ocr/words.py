"""Recognising words of a language among the noise that OCR reads into specks."""

from __future__ import annotations

import re

PUNCTUATION = ".,;:!?()[]{}<>\"'“”‘’«»-–—/|*"
"""Characters that may surround a word."""

_REAL_WORD = re.compile(r"(?:[^\W\d_]+['’])?([^\W\d_]{3,})")
_VOWEL = re.compile(r"[aeiouyàáâäèéêëìíîïòóôöùúûü]")
_OTHER_ALPHABET = re.compile(r"[^\W\d_\u0000-\u024f\u3000-\U0010ffff]")
_HARD = re.compile(r"(.)\1\1|[^aeiouyàáâäèéêëìíîïòóôöùúûü]{5}")


def is_real_word(word: str) -> bool:
    """Return whether a word looks like one of a language: letters with a vowel, in usual case, pronounceable."""
    # specks are never read as other alphabets, but wrongly mapped fonts give Chinese
    if _OTHER_ALPHABET.search(word):
        return True
    # an elided article may precede it
    match = _REAL_WORD.fullmatch(word.strip(PUNCTUATION))
    if match is None:
        return False
    letters = match[1]
    lower = letters.lower()
    return (
        letters in (lower, letters.upper(), letters.capitalize())
        and _VOWEL.search(lower) is not None
        and _HARD.search(lower) is None
    )

"""The one tokeniser: everything that a prediction needs stands on its words."""

from __future__ import annotations

from typing import NamedTuple

from features.characters import WORD, fold_character


class _Folding(dict[int, int]):
    """Character to folded character, worked out when first met (a table of all Unicode would be larger)."""

    def __missing__(self, code: int) -> int:
        self[code] = folded = ord(fold_character(chr(code)))
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Fold case and accents, one character for one, so that offsets stay.

    Parameters
    ----------
    text : str
        Any text; composed (NFC) text folds best.

    Returns
    -------
    str
        Lower-case text without accents, of the same length.

    Examples
    --------
    >>> fold("Società PERCHÉ")
    'societa perche'
    """
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def tokenize(text: str) -> list[str]:
    """Split a text into folded words: runs of letters and digits.

    Parameters
    ----------
    text : str
        Cleaned text.

    Returns
    -------
    list of str
        The words in order, lower-case and without accents; punctuation is left out.

    Examples
    --------
    >>> tokenize("Carta d’Identità, Mod.730")
    ['carta', 'd', 'identita', 'mod', '730']
    """
    return WORD.findall(fold(text))


class Token(NamedTuple):
    """A folded word and where it stands in the text: ``text[start:end]``."""

    word: str
    start: int
    end: int


def token_spans(text: str) -> list[Token]:
    """Split as `tokenize` does, with the place of each word.

    Parameters
    ----------
    text : str
        Cleaned text.

    Returns
    -------
    list of Token
        ``[t.word for t in token_spans(text)] == tokenize(text)``.

    Examples
    --------
    >>> token_spans("A 730")
    [Token(word='a', start=0, end=1), Token(word='730', start=2, end=5)]
    """
    return [Token(m.group(), m.start(), m.end()) for m in WORD.finditer(fold(text))]

"""The one tokeniser: everything that a prediction needs stands on its words."""

from __future__ import annotations

from features.text_batch import WORD, fold_character


class _Folding(dict[int, int]):
    """Character to folded character, worked out when first met (a table of all Unicode would be larger)."""

    def __missing__(self, code: int) -> int:
        self[code] = folded = ord(fold_character(chr(code)))
        return folded


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Fold case and accents, one character for one, so that offsets stay; composed (NFC) text folds best."""
    return text.lower() if text.isascii() else text.translate(_FOLDING)


def tokenize(text: str) -> list[str]:
    """Split a cleaned text into folded words: runs of letters and digits.

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

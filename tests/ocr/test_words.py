from __future__ import annotations

import pytest

from ocr.words import is_real_word


@pytest.mark.parametrize(
    ("word", "is_real"),
    [
        ("Total:", True),
        ("dell'anno", True),
        ("FATTURA", True),
        ("счёт", True),
        ("of", False),
        ("aaaJt", False),
        ("rn1l", False),
        ("xkcd", False),
        ("Schnnnee", False),
        ("arbtstv", False),
        ("䴀甀氀", False),
    ],
)
def test_words_of_a_language_are_real_and_specks_read_as_letters_are_not(word, is_real):
    assert is_real_word(word) == is_real

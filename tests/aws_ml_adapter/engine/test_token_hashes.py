from __future__ import annotations

from aws_ml_adapter.engine.token_hashes import strip_punctuation


def test_punctuation_goes_from_the_ends_of_words_only():
    assert strip_punctuation("“Fasten” your seat-belts! ¡ahora! -- 5.50€ $5 ...") == (
        "Fasten your seat-belts ahora 5.50€ 5"
    )

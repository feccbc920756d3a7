"""Which language a text is in, as far as its stop words tell."""

from __future__ import annotations

import pytest

from features.language_detection import MIN_WORDS, LanguageDetector, fit_language_detector
from features.tokens import tokenize

TEXTS = {
    "en": "We have received your letter of the third and will be happy to answer it when all the papers are here",
    "it": "Abbiamo ricevuto la vostra lettera del tre e saremo lieti di rispondere non appena tutte le carte sono qui",
    "de": "Wir haben Ihren Brief vom dritten erhalten und werden ihn gern beantworten, wenn alle Papiere bei uns sind",
    "fr": "Nous avons bien reçu votre lettre du trois et nous serons heureux d'y répondre dès que les papiers sont là",
}


@pytest.fixture(scope="module")
def english() -> LanguageDetector:
    return fit_language_detector([tokenize(TEXTS["en"])] * 20)


@pytest.mark.parametrize("language", ["it", "de", "fr"])
def test_a_language_not_trained_on_is_named(english, language):
    assert english.known == ("en",)
    assert english.foreign(tokenize(TEXTS[language])) == language
    assert english.foreign(tokenize(TEXTS["en"])) == ""


def test_languages_trained_on_are_known():
    both = fit_language_detector([tokenize(TEXTS[language]) for language in ("en", "it")] * 10)
    assert both.known == ("en", "it")
    assert both.foreign(tokenize(TEXTS["it"])) == ""
    assert both.foreign(tokenize(TEXTS["de"])) == "de"


def test_one_foreign_paper_among_fifty_makes_no_language_known():
    guess = fit_language_detector([tokenize(TEXTS["en"])] * 50 + [tokenize(TEXTS["de"])])
    assert guess.known == ("en",)


def test_short_texts_numbers_and_ocr_noise_are_of_no_language(english):
    assert english.foreign(tokenize(" ".join(TEXTS["de"].split()[: MIN_WORDS - 1]))) == ""
    assert english.foreign(tokenize("4711 0815 12.50 " * 20)) == ""
    assert english.foreign(tokenize("a te o ie ce la se ne ro i e tt ol " * 10)) == ""


def test_where_no_language_can_be_told_none_is_foreign():
    receipts = fit_language_detector([tokenize("MILK 1.20 BREAD 2.40 TOTAL 3.60 CASH 5.00")] * 10)
    assert receipts.known == ()
    assert receipts.foreign(tokenize(TEXTS["de"])) == ""


def test_more_languages_than_can_be_told_apart_are_refused():
    words = {f"{number:02}": ("and",) for number in range(33)}
    assert LanguageDetector(stop_words=dict(list(words.items())[:32]), known=()).foreign(["and"] * 9) == ""
    with pytest.raises(ValueError, match="at most 32 languages"):
        LanguageDetector(stop_words=words, known=())

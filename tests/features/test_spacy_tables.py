from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from features import keyword_learning, spacy_tables
from features.keyword_learning import compile_matcher
from features.keyword_matcher import KeywordMatcher
from features.lexicon import Lexicon, LexiconCategory
from features.spacy_tables import dictionary, function_words, inflected_forms
from features.tokens import tokenize

needs_lookups = pytest.mark.skipif(not find_spec("spacy_lookups_data"), reason="spacy-lookups-data is not installed")


def one_category(*keywords: str) -> Lexicon:
    return Lexicon(categories=(LexiconCategory(name="a", keywords=keywords),))


def finds(matcher: KeywordMatcher, text: str) -> bool:
    return bool(matcher.find(tokenize(text)))


def test_function_words_are_folded_words_of_both_languages() -> None:
    words = function_words()
    assert {"the", "and", "della", "dell", "perche", "don", "prof"} <= words
    assert all(tokenize(word) == [word] for word in words)
    assert not {"premium", "polizza", "tax", "conto"} & words


@needs_lookups
def test_a_keyword_is_found_in_its_inflected_forms() -> None:
    matcher = compile_matcher(one_category("polizza", "dichiarazione dei redditi", "insurance policy"))
    for text in ("le polizze", "dichiarazioni dei redditi", "insurance policies"):
        hits = matcher.find(tokenize(text))
        assert len(hits) == 1, text
        assert hits[0].exact


@needs_lookups
@pytest.mark.parametrize(
    ("word", "no_form"),
    [("fattura", "fatturare"), ("premio", "premiare"), ("statura", "stature"), ("netto", "nettissimo")],
)
def test_verbs_superlatives_and_words_of_the_other_language_are_no_forms(word: str, no_form: str) -> None:
    assert no_form not in inflected_forms({word}).get(word, ())


@needs_lookups
def test_words_of_the_dictionary_are_not_taken_for_a_keyword() -> None:
    matcher = compile_matcher(one_category("contratto", "insurance policy"))
    assert finds(matcher, "contratlo")
    assert not finds(matcher, "contatto")
    assert not finds(matcher, "insurance police")


def test_words_common_in_the_training_documents_are_not_taken_for_a_keyword() -> None:
    lexicon = one_category("bluetrade")
    assert finds(compile_matcher(lexicon), "bluetrado")
    assert finds(compile_matcher(lexicon, {"bluetrade": 10, "bluetrado": 2}), "bluetrado")
    assert not finds(compile_matcher(lexicon, {"bluetrade": 10, "bluetrado": 3}), "bluetrado")
    assert finds(compile_matcher(lexicon, {"bluetrade": 16, "bluetrado": 3}), "bluetrado")
    assert not finds(compile_matcher(lexicon, {"bluetrade": 15, "bluetrado": 3}), "bluetrado")


def test_a_common_confusion_stays_a_misreading() -> None:
    matcher = compile_matcher(one_category("insurance"), {"insurance": 10, "lnsurance": 9, "1nsurance": 9})
    assert finds(matcher, "lnsurance")
    assert finds(matcher, "1nsurance")


def test_without_the_lookup_tables_matching_works_with_less(monkeypatch: pytest.MonkeyPatch) -> None:
    from spacy.util import registry

    caches = (
        dictionary,
        keyword_learning._from_dictionary,
        keyword_learning._dictionaries,
        spacy_tables._groups_by_word,
    )
    for cached in caches:
        cached.cache_clear()
    with monkeypatch.context() as patch:
        patch.setattr(type(registry.lookups), "__contains__", lambda self, name: False)
        matcher = compile_matcher(one_category("polizza"))
        assert (matcher.known_words, matcher.forms) == (frozenset(), {})
        assert finds(matcher, "pollzza")
    for cached in caches:
        cached.cache_clear()


def test_importing_the_module_does_not_import_spacy() -> None:
    program = "import sys, features.spacy_tables, features.keyword_learning; print('spacy' in sys.modules)"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(root)}, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.strip() == b"False"

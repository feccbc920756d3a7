from __future__ import annotations

import csv
import json
import pickle
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from rapidfuzz.distance import Indel, Levenshtein

from features.core.words import skeletons
from features.keyword_matcher import (
    LETTERS_FOR_ONE_WRONG,
    KeywordHit,
    KeywordMatcher,
    _spellings,
    _words_and_numbers,
    common_words,
)
from features.lexicon import Lexicon, LexiconCategory, shipped_lexicon
from features.tokens import tokenize
from textclf.base.errors import BadModelError

SHARED = Path(__file__).resolve().parents[3] / "shared" / "datasets"


def one_category(*keywords: str) -> Lexicon:
    return Lexicon(categories=(LexiconCategory(name="a", keywords=keywords),))


def skeleton(word: str) -> str:
    return skeletons([word])[0]


def found(matcher: KeywordMatcher, text: str) -> list[str]:
    return [hit.keyword for hit in matcher.find(tokenize(text))]


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("Carta d’Identità", "Carta d'identità"),
        ("CARTA D' IDENTITA", "Carta d'identità"),
        ("carta\nd'identità", "Carta d'identità"),
        ("carta didentita", "Carta d'identità"),
        ("cartadidentita", "Carta d'identità"),
        ("Mod. 730", "Mod. 730"),
        ("Mod.730", "Mod. 730"),
        ("Mod 730", "Mod. 730"),
        ("MOD730", "Mod. 730"),
        ("P60", "P60"),
        ("P 60", "P60"),
        ("P-60", "P60"),
        ("bank statement", "bank statement"),
        ("Bank  STATEMENT", "bank statement"),
        ("bank\nstatement", "bank statement"),
        ("bank-statement", "bank statement"),
        ("bank state-\nment", "bank statement"),
        ("bankstatement", "bank statement"),
        ("bank\u00a0statement", "bank statement"),
    ],
)
def test_blanks_breaks_hyphens_apostrophes_case_and_accents_do_not_matter(
    matcher: KeywordMatcher, text: str, keyword: str
) -> None:
    hits = matcher.find(tokenize(f"xx {text} yy"))
    assert [(hit.keyword, hit.exact) for hit in hits] == [(keyword, True)]
    assert hits[0].start == 1
    assert hits[0].end == 1 + len(tokenize(text))


@pytest.mark.parametrize(
    ("text", "keyword"),
    [
        ("lnsurance", "insurance"),
        ("1nsurance", "insurance"),
        ("Certif1cazione Un1ca", "Certificazione Unica"),
        ("bank staternent", "bank statement"),
        ("8ank 5tatement", "bank statement"),
        ("bankstaternent", "bank statement"),
        ("p0lizza", "polizza"),
        ("po1i2za", "polizza"),
        ("contraeute", "contraente"),
        ("estralto couto", "estratto conto"),
        ("carta d'ldentila", "Carta d'identità"),
        ("M0d. 730", "Mod. 730"),
        ("CUcl", "CUD"),
    ],
)
def test_ocr_confusions_are_forgiven(matcher: KeywordMatcher, text: str, keyword: str) -> None:
    assert [(hit.keyword, hit.exact) for hit in matcher.find(tokenize(text))] == [(keyword, False)]


@pytest.mark.parametrize(
    "text",
    [
        "Mod. 731",
        "Mod. 73O 1",
        "7301 Mod",
        "P6O",
        "banks statement",
        "bank of statement",
        "statement bank",
        "reinsurance",
        "insurances",
        "polizzario",
        "cudd",
        "cod",
        "ins urance x",
        "contro",
        "",
    ],
)
def test_what_is_no_keyword_is_not_found(matcher: KeywordMatcher, text: str) -> None:
    words = tokenize(text)
    assert [hit.keyword for hit in matcher.find(words)] == (["insurance"] if text.startswith("ins ") else [])


def test_the_distance_grows_with_the_length() -> None:
    def strongest_forgiven(keyword: str) -> int:
        matcher = KeywordMatcher(one_category(keyword))
        # letters that stand in no keyword, spread over the word
        wrong, positions = list(keyword), [1, len(keyword) // 2, len(keyword) - 2]
        forgiven = 0
        for count, position in enumerate(positions, 1):
            wrong[position] = "q"
            forgiven = count if matcher.find(["".join(wrong)]) else forgiven
        return forgiven

    words = ("iban", "fatto", "fattur", "scontro", "contraent", "contratante")
    assert [strongest_forgiven(word) for word in words] == [0, 0, 1, 1, 1, 1]
    assert strongest_forgiven("contratttante") == 2


def test_a_phrase_forgives_more_than_one_of_its_words_but_not_in_all_of_them() -> None:
    matcher = KeywordMatcher(one_category("bank statement", "net pay"))
    assert found(matcher, "bqnk statement") == []  # under five letters
    assert found(matcher, "bank statqment") == ["bank statement"]
    assert found(matcher, "nel pay") == []


@given(st.data())
@settings(max_examples=60)
def test_every_misreading_within_the_tolerance_is_found(data: st.DataObject) -> None:
    keyword = data.draw(st.sampled_from(["fattura", "contraente", "dichiarazione", "identificazione", "scontrino"]))
    matcher = KeywordMatcher(one_category(keyword))
    letters = list(keyword)
    wrong = min(len(keyword) // LETTERS_FOR_ONE_WRONG, 1 if len(skeleton(keyword)) < 10 else 2)
    for _ in range(data.draw(st.integers(1, wrong))):
        at = data.draw(st.integers(0, len(letters) - 1))
        what = data.draw(st.sampled_from(["lost", "more", "other"]))
        letters[at : at + (what != "more")] = [] if what == "lost" else [data.draw(st.sampled_from("aeotzk"))]
    word = "".join(letters)
    assume(keyword not in word and skeleton(keyword) not in skeleton(word))
    # a letter that falls beside a confusable pair may cost more in the skeleton
    assume(Levenshtein.distance(skeleton(word), skeleton(keyword)) <= wrong)
    assert found(matcher, word) == [keyword]


@given(st.lists(st.sampled_from([" ", "\n", "  ", "-", "-\n", " - ", ". ", "’", "\t"]), min_size=40, max_size=40))
@settings(max_examples=40)
def test_what_stands_between_words_never_changes_what_is_found(matcher: KeywordMatcher, between: list[str]) -> None:
    text = "la carta d identità dell insurance mod 730 con estratto conto nato il 3 maggio certificazione unica"
    words = text.split()
    scattered = "".join(word + gap for word, gap in zip(words, between, strict=False))
    assert len(matcher.find(tokenize(scattered))) == 6
    assert matcher.find(tokenize(scattered)) == matcher.find(tokenize(text))


@given(st.lists(st.sampled_from([str.lower, str.upper, str.title, str.swapcase]), min_size=30, max_size=30))
@settings(max_examples=40)
def test_case_never_changes_what_is_found(shipped_matcher: KeywordMatcher, cases: list) -> None:
    text = "Carta d identità Mod 730 gross pay saldo contabile premium receipt fattura proforma kWh"
    changed = " ".join(case(word) for case, word in zip(cases, text.split(), strict=False))
    assert shipped_matcher.find(tokenize(changed)) == shipped_matcher.find(tokenize(text))


@given(
    st.sampled_from(["insurance", "polizza", "contraente", "contratto", "dichiarazione", "cud"]),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", max_size=4),
    st.text("abcdefghijklmnopqrstuvwxyz0123456789", max_size=4),
)
@settings(max_examples=100)
def test_never_inside_a_longer_word(matcher: KeywordMatcher, keyword: str, before: str, after: str) -> None:
    assume(before or after)
    assert keyword not in {hit.keyword for hit in matcher.find([before + keyword + after])}


@given(st.text(max_size=300))
@settings(max_examples=50)
def test_any_text_is_taken(shipped_matcher: KeywordMatcher, text: str) -> None:
    words = tokenize(text)
    for hit in shipped_matcher.find(words):
        assert 0 <= hit.start < hit.end <= len(words)


def test_a_word_of_a_million_letters_costs_nothing(matcher: KeywordMatcher) -> None:
    before = time.perf_counter()
    assert matcher.find(["x" * 1_000_000, "polizza"])[0].start == 1
    assert time.perf_counter() - before < 10


def test_known_words_and_other_keywords_are_never_taken_for_a_keyword() -> None:
    lexicon = one_category("contratto", "insurance policy")
    assert found(KeywordMatcher(lexicon), "contatto") == ["contratto"]
    careful = KeywordMatcher(lexicon, known_words=["contatto", "police"])
    assert found(careful, "contatto insurance police") == []
    assert found(careful, "contralto insurance pollcy") == ["contratto", "insurance policy"]
    assert found(KeywordMatcher(one_category("contratto", "contatto")), "contatto") == ["contatto"]


def test_inflected_forms_count_as_written() -> None:
    matcher = KeywordMatcher(one_category("polizza auto"), forms={"polizza": ["polizze"]})
    assert matcher.find(["polizze", "auto"]) == [KeywordHit(0, "polizza auto", 0, 2, True)]
    assert matcher.find(["p0lizze", "auto"]) == [KeywordHit(0, "polizza auto", 0, 2, False)]


def test_a_keyword_of_two_categories_counts_for_both_and_is_named_once() -> None:
    lexicon = Lexicon(
        categories=tuple(LexiconCategory(name=name, keywords=keywords) for name, keywords in
                         [("a", ("Mod. 730", "quadro")), ("b", ("mod 730",)), ("c", ())])
    )  # fmt: skip
    matcher = KeywordMatcher(lexicon)
    hits = matcher.find_all([tokenize("Quadro RP del Mod. 730, quadro C"), [], ["quadro"]])
    assert common_words(hits[0]) == "quadro mod_730"
    assert matcher.indicators(hits).tolist() == [[1, 1, 0], [0, 0, 0], [1, 0, 0]]


def test_indicators_are_small_integers_also_for_no_document(matcher: KeywordMatcher) -> None:
    assert matcher.indicators(matcher.find_all([])).shape == (0, 4)
    assert matcher.indicators(matcher.find_all([[]])).dtype == np.uint8


def test_common_words_are_tokens_without_blanks(shipped_matcher: KeywordMatcher) -> None:
    keywords = [keyword for category in shipped_lexicon().categories for keyword in category.keywords]
    hits = shipped_matcher.find(tokenize("\n".join(keywords)))
    assert {hit.keyword for hit in hits} >= set(keywords)
    assert len(common_words(hits).split(" ")) == len({"_".join(tokenize(keyword)) for keyword in keywords})


def test_an_empty_lexicon_finds_nothing() -> None:
    matcher = KeywordMatcher(Lexicon(categories=()))
    assert matcher.find(["a", "polizza"]) == []
    assert matcher.indicators(matcher.find_all([["a"]])).shape == (1, 0)


def test_a_matcher_survives_json_and_pickle(shipped_matcher: KeywordMatcher) -> None:
    text = "Carta d'1dentità, polizze, gross pay, contatto, Mod730, quietanze, bo1letta, fattvra"
    again = KeywordMatcher.from_dict(json.loads(json.dumps(shipped_matcher.to_dict())))
    copied = pickle.loads(pickle.dumps(shipped_matcher))
    assert found(shipped_matcher, text)
    for other in (again, copied):
        assert other.find(tokenize(text)) == shipped_matcher.find(tokenize(text))
        assert other.to_dict() == shipped_matcher.to_dict()


@pytest.mark.parametrize(
    "change",
    [{"lexicon": None}, {"known_words": "abc"}, {"known_words": [1]}, {"forms": []}, {"forms": {"a": "b"}},
     {"forms": {"a": [1]}}],
)  # fmt: skip
def test_what_is_no_keyword_table_is_refused(matcher: KeywordMatcher, change: dict[str, object]) -> None:
    with pytest.raises(BadModelError):
        KeywordMatcher.from_dict({**matcher.to_dict(), **change})
    with pytest.raises(BadModelError):
        KeywordMatcher.from_dict([])


def test_the_same_bytes_whatever_the_hash_seed() -> None:
    program = (
        "import json; from features.keyword_matcher import KeywordMatcher;"
        "from features.lexicon import shipped_lexicon;"
        "m = KeywordMatcher(shipped_lexicon(), known_words={'contatto', 'police', 'major'});"
        "print(json.dumps(m.to_dict()), m.find('gross pay fatlura saldo contabi1e polizza premio annuo lordo'.split()))"
    )
    root = Path(__file__).resolve().parents[2]
    outputs = {
        subprocess.run(
            [sys.executable, "-c", program], env={"PYTHONHASHSEED": seed, "PYTHONPATH": str(root)},
            capture_output=True, check=True, timeout=60,
        ).stdout
        for seed in ("1", "2")
    }  # fmt: skip
    assert len(outputs) == 1


def test_prediction_imports_numpy_and_the_standard_library_only() -> None:
    program = (
        "import sys; from features.keyword_matcher import KeywordMatcher; from features.lexicon import shipped_lexicon;"
        "KeywordMatcher(shipped_lexicon()).find(['fatlura']);"
        "print([m for m in ('spacy', 'sklearn', 'rapidfuzz', 'pandas', 'scipy', 'gensim') if m in sys.modules])"
    )
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", program], env={"PYTHONPATH": str(root)}, capture_output=True, check=True, timeout=60
    )
    assert done.stdout.strip() == b"[]"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sib200-it", "bbc-news"])
def test_clean_texts_about_other_things_are_left_alone(shipped_matcher: KeywordMatcher, name: str) -> None:
    file = SHARED / name / "documents.csv"
    if not file.exists():
        pytest.skip(f"{name} is not beside the checkout")
    csv.field_size_limit(10**7)
    with file.open(encoding="utf-8", newline="") as lines:
        found_in = [shipped_matcher.find(tokenize(row["text"])) for row in csv.DictReader(lines)]
    misread = [hits for hits in found_in if hits and not any(hit.exact for hit in hits)]
    assert len(misread) <= 0.005 * len(found_in)
    assert sum(map(bool, found_in)) <= 0.05 * len(found_in)


def test_a_last_word_that_also_begins_another_keyword_is_itself() -> None:
    matcher = KeywordMatcher(one_category("invoice", "invoiceable"))
    (hit,) = matcher.find(["an", "invoice"])
    assert (hit.keyword, hit.start, hit.end, hit.exact) == ("invoice", 1, 2, True)
    assert found(matcher, "an invoice able man") == ["invoice", "invoiceable"]


class PlainMatcher(KeywordMatcher):
    """Finds keywords step by step with dictionaries, as the matcher's own words say."""

    def _word_finder(self, parts, whole):
        self.whole = whole
        return super()._word_finder(parts, whole)

    def find_plainly(self, words):
        phrases = {}
        for number, category in enumerate(self.lexicon.categories):
            for keyword in dict.fromkeys(category.keywords):
                phrases.setdefault(_words_and_numbers(keyword), []).append((number, keyword))
        parts = dict.fromkeys(part for phrase in phrases for spelling in _spellings(phrase) for part in spelling)
        exact = {}
        for part in parts:
            for word in (part, *self.forms.get(part, ())):
                exact.setdefault(word, []).append(part)
        misread = self.misread(words)
        steps = [dict.fromkeys(exact.get(word, ()), (1, 0, True)) for word in words]
        breakable = {word for word in self.whole if len(word) >= 8 and word.isalpha()}
        for place, (left, right) in enumerate(pairwise(words)):
            if len(left) > 1 and len(right) > 1 and left + right in breakable:
                steps[place] |= dict.fromkeys(exact[left + right], (2, 0, True))
        for place, word in enumerate(words):
            for part in misread.get(word, ()):
                wrong = next(
                    number
                    for number, own in enumerate(self._misread)
                    if any(self._parts[one] == part and plainly_near(word, part, number, self.forms) for one in own)
                )
                steps[place][part] = (1, wrong, False)
        found = {}
        for start in range(len(words)):
            for number, phrase in enumerate(phrases):
                tolerance = sum(map(len, phrase)) // LETTERS_FOR_ONE_WRONG
                for spelling in _spellings(phrase):
                    at, wrong, as_written = start, 0, True
                    for part in spelling:
                        if at >= len(words) or part not in steps[at]:
                            break
                        width, more, letter_for_letter = steps[at][part]
                        at, wrong, as_written = at + width, wrong + more, as_written and letter_for_letter
                    else:
                        if wrong <= tolerance and (as_written or (start, number) not in found):
                            found[start, number] = (at, as_written)
        owners = list(phrases.values())
        return [
            KeywordHit(category, keyword, start, end, as_written)
            for (start, number), (end, as_written) in sorted(found.items())
            for category, keyword in owners[number]
        ]


def plainly_near(word, part, deletions, forms):
    shapes = [skeleton(one) for one in (word, part)]
    if deletions:
        return Indel.distance(*shapes) <= 2 * deletions
    return shapes[0] in {skeleton(one) for one in (part, *forms.get(part, ()))}


PIECES = st.sampled_from(
    [
        "mod",
        "730",
        "mod730",
        "quadro",
        "quadr0",
        "bank",
        "statement",
        "bankstatement",
        "state",
        "ment",
        "staternent",
        "state1ment",
        "carta",
        "identita",
        "ldentita",
        "iden",
        "tita",
        "d",
        "x",
        "polizza",
        "pol1zza",
        "po1i77a",
        "certificazione",
        "certlflcazlone",
        "unica",
        "un1ca",
        "le",
    ]
)
KEYWORDS = (
    "Mod. 730",
    "bank statement",
    "statement",
    "identita",
    "carta d'identita",
    "certificazione unica",
    "polizza",
)


@given(words=st.lists(PIECES, max_size=12), keywords=st.lists(st.sampled_from(KEYWORDS), min_size=1, unique=True))
@settings(max_examples=100)
def test_keywords_are_those_of_a_plain_search(words, keywords):
    lexicon = Lexicon(
        categories=(
            LexiconCategory(name="a", keywords=tuple(keywords)),
            LexiconCategory(name="b", keywords=tuple(keyword.upper() for keyword in keywords[:2])),
        )
    )
    matcher = PlainMatcher(
        lexicon, known_words=["statemen"], forms={"polizza": ["polizze"], "statement": ["statements"]}
    )
    assert matcher.find(words) == matcher.find_plainly(words)
    assert list(matcher.find_all([words, [], words])) == [matcher.find(words), [], matcher.find(words)]

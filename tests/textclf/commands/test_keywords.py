"""What a person sees of `textclf keywords`."""

from __future__ import annotations

import json

import numpy as np
import pytest

from features.lexicon import Lexicon, LexiconCategory
from textclf.base.errors import ExitCode
from textclf.checks.keyword_gain import MAX_CATEGORIES, _surrogate, keyword_gain


@pytest.fixture
def documents(corpus, table, tmp_path):
    return table(tmp_path / "documents.csv", corpus(8).rows())


def test_what_is_proposed_can_be_trained_with(textclf, documents, tmp_path):
    said = textclf("keywords", "suggest", documents, "-n", "3", "-o", tmp_path / "lexicon.toml")
    assert said.code == 0
    assert [line for line in said.out.splitlines() if not line.startswith(" ")] == ["invoice", "letter", "receipt"]
    options = ("--lexicon", tmp_path / "lexicon.toml", "--vectors", "none", "--no-diagnostics", "--jobs", "1")
    assert textclf("train", documents, "-o", tmp_path / "model.textclf", *options).code == 0
    info = json.loads(textclf("model", "info", tmp_path / "model.textclf", "--json").out)
    assert info["features"]["keywords"] == len(
        json.loads(textclf("keywords", "suggest", documents, "-n", "3", "--json").out)
    )


def test_a_check_shows_hits_and_what_keywords_add(textclf, documents, lexicon_file):
    said = textclf("keywords", "check", lexicon_file, documents, "--jobs", "1")
    assert said.code == 0
    assert "no keywords for receipt" in said.out
    assert "McNemar" in said.out
    assert [line.split()[0] for line in said.out.splitlines()[-3:]] == ["all", "invoice", "letter"]
    quick = json.loads(textclf("keywords", "check", lexicon_file, documents, "--no-gain", "--json").out)
    assert quick["gain"] == []
    assert [figures["category"] for figures in quick["categories"]] == ["invoice", "letter"]


def test_gains_and_losses_account_for_the_difference(corpus, lexicon_file):
    from features.lexicon import read_lexicon

    _, texts, categories = corpus(8)
    gains = keyword_gain(read_lexicon(lexicon_file), texts, categories)
    assert [(gain.keywords, gain.by) for gain in gains] == [
        ("all", "training"),
        ("invoice", "surrogate"),
        ("letter", "surrogate"),
    ]
    for gain in gains:
        difference = (gain.accuracy_with - gain.accuracy_without) * len(texts)
        assert gain.gained - gain.lost == pytest.approx(difference)
        assert 0 < gain.p_value <= 1


def test_a_check_says_that_keywords_chosen_on_these_documents_prove_nothing(textclf, documents, lexicon_file):
    said = textclf("keywords", "check", lexicon_file, documents, "--jobs", "1")
    assert "not chosen by looking at these documents" in said.err
    assert [line.split()[-1] for line in said.out.splitlines()[-3:]] == ["training", "surrogate", "surrogate"]


@pytest.mark.parametrize(("count", "rows"), [(MAX_CATEGORIES, MAX_CATEGORIES + 1), (MAX_CATEGORIES + 1, 1)])
def test_with_too_many_categories_only_the_whole_lexicon_is_measured(corpus, count, rows, caplog):
    _, texts, categories = corpus(4)
    lexicon = Lexicon(categories=tuple(LexiconCategory(name=f"c{i}", keywords=("vat",)) for i in range(count)))
    caplog.set_level("INFO")
    assert len(keyword_gain(lexicon, texts, categories)) == rows
    assert any("only the whole lexicon" in line for line in caplog.messages) == (rows == 1)


def test_a_keyword_that_tells_what_the_text_cannot_is_seen_to_add():
    draw = np.random.default_rng(0)
    labels = draw.integers(0, 2, 200)
    telling = labels[:, None] == 1
    found = _surrogate(draw.normal(size=(200, 2)), telling.astype(float), labels, 5)
    blind = _surrogate(draw.normal(size=(200, 2)), np.zeros((200, 0)), labels, 5)
    assert (found == labels).mean() > 0.95
    assert (blind == labels).mean() < 0.65


def test_wrong_input_is_one_line(textclf, documents, tmp_path):
    said = textclf("keywords", "suggest", documents, "-n", "0")
    assert (said.code, "-n" in said.error) == (ExitCode.USAGE, True)
    (tmp_path / "bad.toml").write_text("[invoice")
    assert textclf("keywords", "check", tmp_path / "bad.toml", documents).code == ExitCode.BAD_DATA


def test_the_gain_holds_for_new_groups(textclf, corpus, table, lexicon_file, tmp_path):
    ids, texts, categories = corpus(8)
    # each issuer has documents of one category, but for one category that has one issuer only
    issuers = ["one" if category == "receipt" else str(number // 2) for number, category in enumerate(categories)]
    header = ("document_id", "text", "category", "issuer")
    documents = table(tmp_path / "d.csv", list(zip(ids, texts, categories, issuers, strict=True)), header)
    said = textclf("keywords", "check", lexicon_file, documents, "--group", "issuer", "--jobs", "1")
    assert said.code == 0
    assert "category 'receipt': all documents are of group 'one'" in said.err
    assert [line.split()[0] for line in said.out.splitlines()[-3:]] == ["all", "invoice", "letter"]

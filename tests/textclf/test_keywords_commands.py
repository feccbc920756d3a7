"""What a person sees of `textclf keywords`."""

from __future__ import annotations

import json

import pytest

from textclf.errors import ExitCode
from textclf.keyword_gain import keyword_gain


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
    for gain in keyword_gain(read_lexicon(lexicon_file), texts, categories):
        difference = (gain.accuracy_with - gain.accuracy_without) * len(texts)
        assert gain.gained - gain.lost == pytest.approx(difference)
        assert 0 < gain.p_value <= 1


def test_wrong_input_is_one_line(textclf, documents, tmp_path):
    said = textclf("keywords", "suggest", documents, "-n", "0")
    assert (said.code, "-n" in said.error) == (ExitCode.USAGE, True)
    (tmp_path / "bad.toml").write_text("[invoice")
    assert textclf("keywords", "check", tmp_path / "bad.toml", documents).code == ExitCode.BAD_DATA

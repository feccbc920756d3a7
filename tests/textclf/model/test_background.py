"""The background of other kinds of paper: what ships, and which of it a model is trained with."""

from __future__ import annotations

import csv
from collections import defaultdict
from importlib.resources import files

import numpy as np
import pytest

from features.feature_set import FeatureSettings
from textclf import DocumentClassifier
from textclf.model.background import Background, background_texts, choose_background
from textclf.model.training_texts import observe_texts

SETTINGS = FeatureSettings(lexicon="none", vectors="none")


@pytest.fixture(scope="module")
def samples(pytestconfig):
    """Texts and categories of the training samples in ``data/``."""
    rows = {}
    for name in ("truth.csv", "labels.csv"):
        with (pytestconfig.rootpath / "data" / name).open(newline="", encoding="utf-8") as stream:
            for row in csv.DictReader(stream):
                rows[row["file"]] = rows.get(row["file"], {}) | row
    train = [row for row in rows.values() if row["split"] == "train"]
    return [row["text"] for row in train], [row["category"] for row in train]


def texts_of(kind: str, *languages: str) -> list[str]:
    return [text.text for text in background_texts() if text.kind == kind and text.language in languages]


def chosen(texts: list[str], names: list[str], languages: tuple[str, ...] = ("en", "it")) -> Background:
    categories, labels = np.unique(names, return_inverse=True)
    return choose_background(observe_texts(texts, SETTINGS), labels, categories.tolist(), languages, SETTINGS)


def test_sixty_kinds_in_two_languages_ship_in_less_than_a_megabyte():
    languages = defaultdict(set)
    for text in background_texts():
        languages[text.kind].add(text.language)
    assert sum({"en", "it"} <= found for found in languages.values()) >= 60
    assert sum(len(found) == 5 for found in languages.values()) >= 15
    assert len(background_texts()) == 1500
    assert len(files("textclf.model").joinpath("background.json.xz").read_bytes()) < 1_000_000


def test_a_kind_like_a_category_is_left_out(samples):
    texts, names = samples
    papers = texts_of("curriculum_vitae", "en", "it")
    found = chosen([*texts, *papers], [*names, *["application"] * len(papers)])
    assert found.used.left_out["curriculum_vitae"] == "application"
    assert "recipe" not in found.used.left_out
    assert 0 < found.used.texts == len(found.observed.words) <= len(texts) + len(papers)


def test_only_texts_in_the_languages_of_the_documents_are_used(samples):
    french = sum(text.language == "fr" for text in background_texts())
    found = chosen(samples[0] * 9, samples[1] * 9, ("fr",))
    assert 0 < found.used.texts <= french
    assert chosen(*samples, ("pl",)).used.texts == 0


def test_there_is_none_for_a_few_documents(samples):
    texts, names = samples[0][:39], samples[1][:39]
    assert chosen(texts, names).used.texts == 0


def test_a_model_turns_other_papers_away_and_says_what_it_learned_from(samples):
    others = texts_of("recipe", "en", "it")
    options = {"lexicon": "none", "vectors": "none", "augment": False}
    models = {
        background: DocumentClassifier(**options, background=background).fit(*samples).model_
        for background in (False, True)
    }
    assert models[False].training.background.texts == 0
    assert models[True].training.background.texts == len(samples[0])
    margins = {background: model.margins(others).max(axis=1).mean() for background, model in models.items()}
    assert margins[True] < margins[False]
    known = models[True].predict_proba(samples[0]).argmax(axis=1)
    assert [models[True].categories[i] for i in known] == samples[1]

"""From checked training data to all that fitting takes: labels, texts that were analysed, groups, and warnings."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSettings
from features.language_detection import LanguageDetector, fit_language_detector
from features.lexicon import Lexicon, shipped_lexicon
from textclf.base.errors import BadDataError
from textclf.base.look_format import NO_LOOK
from textclf.model.background import choose_background
from textclf.model.folds import group_numbers
from textclf.model.keyword_labels import label_by_keywords
from textclf.model.look import have_look, read_looks
from textclf.model.training_data import TrainingData, check_categories
from textclf.model.training_record import BackgroundUsed
from textclf.model.training_texts import TrainingTexts, observe_texts, observe_training


class TrainingInput(NamedTuple):
    """What a model is fitted to."""

    data: TrainingData  # the documents with text, labelled by keywords if none had a label
    empty: int  # documents left out because they had no text
    observed: TrainingTexts
    looks: NDArray[np.float32]  # of the documents, as `read_looks` gives them
    groups: NDArray[np.int64] | None  # that cross-validation keeps together
    languages: LanguageDetector
    background: BackgroundUsed
    warnings: list[str]


def prepare_training(data: TrainingData, settings: FeatureSettings, *, with_background: bool) -> TrainingInput:
    """Label, analyse and check training data; `BadDataError` if it cannot be trained on."""
    by_keywords = not data.texts
    data, warnings = _with_labels(data, settings)
    documents = observe_texts(data.texts, settings)
    with_text = np.flatnonzero([bool(words) for words in documents.words])
    empty = len(data.texts) - len(with_text)
    warnings += _check_with_text(data, with_text)
    data, documents = data.take(with_text.tolist()), documents.take(with_text)
    groups = None
    if data.groups is not None:
        groups, warned = group_numbers(data.groups, data.labels, data.categories)
        warnings += warned
    languages = fit_language_detector(documents.words)
    background = None
    if with_background:
        background = choose_background(documents, data.labels, data.categories, languages.known, settings)
    observed = observe_training(
        data.texts,
        data.labels,
        data.categories,
        settings,
        weights=data.weights,
        out_of_distribution=data.out_of_distribution,
        unlabelled=data.unlabelled,
        documents=documents,
        background=background and background.observed,
        by_keywords=by_keywords,
    )
    used = background.used if background else BackgroundUsed()
    looks = read_looks(data.looks)
    given = np.array([look not in ("", NO_LOOK) for look in data.looks], dtype=bool)
    if damaged := int((given & ~have_look(looks)).sum()):
        warnings.append(
            f"{damaged} of {len(looks)} cells of page_look are damaged, or of another version, and count as empty; "
            "read these documents again"
        )
    return TrainingInput(data, empty, observed, looks, groups, languages, used, warnings)


def _with_labels(data: TrainingData, settings: FeatureSettings) -> tuple[TrainingData, list[str]]:
    """Label documents by keywords if none has a label; give warnings."""
    if data.texts or not data.unlabelled:
        return data, []
    lexicon = shipped_lexicon() if settings.lexicon == "auto" else settings.lexicon
    if not isinstance(lexicon, Lexicon):
        raise BadDataError(
            "no document has a label", remedy="give some labels, or keywords of each category as lexicon"
        )
    return label_by_keywords(data, lexicon)


def _check_with_text(data: TrainingData, with_text: NDArray[np.int64]) -> list[str]:
    """Refuse data that cannot be trained on, given the documents with text; give warnings about the rest."""
    truths = data.truths
    counts = Counter(truths[i] for i in with_text)
    warnings = check_categories(counts)
    if without := [category for category in data.categories if category not in counts]:
        raise BadDataError(f"no document of category {without[0]!r} has text", remedy="remove the category")
    if empty := len(truths) - len(with_text):
        warnings.append(f"{empty} of {len(truths)} documents have no text and were left out")
    return warnings

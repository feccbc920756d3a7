"""Training without any label: keywords label what they surely find."""

from __future__ import annotations

import pytest

from features.lexicon import Lexicon, LexiconCategory
from textclf import DocumentClassifier
from textclf.base.errors import BadDataError
from textclf.model.keyword_labels import label_by_keywords
from textclf.model.training_data import read_training_data

LEXICON = Lexicon(
    categories=(
        LexiconCategory(name="invoice", keywords=("vat", "gross", "net")),
        LexiconCategory(name="letter", keywords=("sincerely", "dear")),
        LexiconCategory(name="memo", keywords=("memorandum",)),
    )
)


def test_documents_of_two_kinds_or_none_get_no_label_and_rare_categories_are_named():
    pile = ["vat gross", "net amount", "dear aunt", "yours sincerely", "vat dear", "nothing", "memorandum"]
    data, warned = label_by_keywords(read_training_data([], [], unlabelled=pile), LEXICON)
    assert dict(zip(data.texts, data.truths, strict=True)) == {
        "vat gross": "invoice",
        "net amount": "invoice",
        "dear aunt": "letter",
        "yours sincerely": "letter",
    }
    assert set(data.unlabelled) == {"vat dear", "nothing", "memorandum"}
    assert warned == ["left out, as keywords find fewer than 2 documents: 'memo'"]


def test_without_labels_and_hits_the_remedy_is_named():
    with pytest.raises(BadDataError, match="fewer than 2 documents: 'invoice', 'letter', 'memo'"):
        DocumentClassifier(lexicon=LEXICON).fit([], [], unlabelled=["nothing", "at all"])
    with pytest.raises(BadDataError, match="no document has a label"):
        DocumentClassifier(lexicon="learn").fit([], [], unlabelled=["vat", "dear"])


def test_a_model_of_keywords_predicts_other_words_and_accepts_nothing(corpus):
    _, texts, categories = corpus(20, categories=("invoice", "letter"))
    fitted = DocumentClassifier(lexicon=LEXICON, vectors="none", max_error=0.9).fit([], [], unlabelled=texts)
    record = fitted.model_.training
    assert record.by_keywords
    assert not record.acceptance.accepted
    assert list(record.documents) == ["invoice", "letter"]
    assert (fitted.predict(texts) == categories).mean() > 0.8
    # of words that are no keywords
    assert fitted.predict(["total due number", "madam kind aunt love"]).tolist() == ["invoice", "letter"]

"""Cuts of a stack with a model: what a change of kind says."""

from __future__ import annotations

import numpy as np
import pytest

from ocr.document import Document, Page, Word
from ocr.stack import Gap, page_cutter
from textclf.model.stacks import KIND_FEATURES, kind_features, stack_cutter

INVOICE = "invoice total due vat number net gross payment terms bank invoice vat total"
LETTER = "dear madam sincerely yours regards write answer kind aunt love dear regards"


def page(number, text):
    words = tuple(
        Word(text=word, confidence=95, box=(100 + 90 * n, 300, 180 + 90 * n, 324), line=0)
        for n, word in enumerate(text.split())
    )
    return Page(number=number, text=text, words=words, source="ocr" if words else "none", width=1240, height=1754)


def test_another_kind_speaks_for_a_cut(model):
    pages = [page(1, INVOICE), page(2, INVOICE), page(3, LETTER)]
    same, other = kind_features(model, pages, [Gap(0, 1), Gap(1, 2)])
    agree, differ = KIND_FEATURES.index("kinds agree"), KIND_FEATURES.index("kinds differ")
    assert same[agree] > other[agree] == 0
    assert other[differ] > same[differ] == 0
    scores = [cut.score for cut in stack_cutter(model).cuts(pages)]
    assert scores[1] > scores[0]


def test_pages_without_words_say_nothing(model):
    pages = [page(1, INVOICE), page(2, "")]
    assert kind_features(model, pages, [Gap(0, 1)]).tolist() == [[0.0] * len(KIND_FEATURES)]
    assert kind_features(model, pages, []).shape == (0, len(KIND_FEATURES))


@pytest.mark.parametrize("cutter", [page_cutter, None])
def test_the_weights_that_ship_fit_the_features(model, cutter):
    cutting = cutter() if cutter else stack_cutter(model)
    assert 0.5 < cutting.weights.sure < 1
    assert np.isfinite(list(cutting.weights.weights.values())).all()
    document = Document(document_id="a", pages=(page(1, INVOICE), page(2, LETTER)), page_count=2)
    assert 0 <= cutting.cuts(document.pages)[0].score <= 1

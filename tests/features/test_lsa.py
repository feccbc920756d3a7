"""Latent semantic analysis: rows whose cosine similarity compares what documents are about."""

from __future__ import annotations

import numpy as np

from features.feature_set import observe
from features.lsa import fit_lsa
from features.ngrams import VIEWS, take_rows
from features.tfidf import fit_tfidf

INVOICES = ["invoice total due", "invoice number total", "total due vat number", "invoice vat due"]
LETTERS = ["dear sir yours faithfully", "dear madam yours truly", "dear sir yours truly", "yours faithfully madam"]


def tfidf(texts, views=VIEWS):
    counts = observe(texts, views, layout=False).counts
    fitted = fit_tfidf(counts, views)
    return fitted.weigh(counts), int(fitted.starts[1])


def test_documents_about_the_same_are_close_and_others_are_not():
    rows, columns = tfidf([*INVOICES, *LETTERS])
    close = (lambda found: found @ found.T)(fit_lsa(rows, columns, dimensions=2).rows(rows))
    assert close[:4, :4].min() > 0.8 > 0.2 > np.abs(close[:4, 4:]).max()


def test_only_the_first_view_counts():
    texts = [*INVOICES, *LETTERS]
    (alone, columns), (beside_others, _) = tfidf(texts, VIEWS[:1]), tfidf(texts)
    one, other = fit_lsa(alone, columns), fit_lsa(beside_others, columns)
    assert np.array_equal(one.projection, other.projection)
    assert np.array_equal(one.rows(alone), other.rows(beside_others))


def test_a_row_is_the_same_alone_and_in_a_batch():
    rows, columns = tfidf([*INVOICES, *LETTERS])
    lsa = fit_lsa(rows, columns)
    together = lsa.rows(rows)
    assert np.allclose(np.linalg.norm(together, axis=1), 1)
    for i in range(len(together)):
        assert np.array_equal(lsa.rows(take_rows(rows, np.array([i])))[0], together[i])


def test_a_document_without_a_known_word_has_a_row_of_zeros():
    rows, columns = tfidf([*INVOICES, "nothing here", ""])
    assert not fit_lsa(rows, columns).rows(rows)[-2:].any()


def test_documents_without_a_common_word_have_no_dimensions():
    rows, columns = tfidf(["one", "two", "three"])
    assert fit_lsa(rows, columns).rows(rows).shape == (3, 0)

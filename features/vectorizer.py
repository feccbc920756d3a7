"""The n-grams of `features.ngrams` as a scikit-learn vectoriser."""

from __future__ import annotations

from collections.abc import Iterable
from numbers import Integral
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from features.ngrams import NgramView, SparseRows, count_ngrams
from features.text_arguments import iter_texts
from features.tfidf import fit_tfidf


class NgramVectorizer(TransformerMixin, BaseEstimator):  # type: ignore[misc]
    """TF-IDF rows of hashed n-grams, as the classifier makes them.

    The weights are those of scikit-learn's ``TfidfVectorizer(sublinear_tf=True)``. N-grams are numbered by one of
    ``2 ** 22`` buckets: on 995 scanned office pages, 0.8 % of the words and pairs of words that are kept share one with
    another, and 2.6 % of the characters' 2-5-grams (``benchmarks/bench_ngrams.py``, with what that costs). As with
    scikit-learn's ``HashingVectorizer`` a column has no name, so there is no ``get_feature_names_out``.

    Parameters
    ----------
    unit : {"word", "character"}, default "word"
        What n-grams are made of; see `features.ngrams.NgramView`.
    shortest, longest : int, default 1 and 2
        Bounds of n.
    min_documents : int, default 2
        Keep n-grams that occur in at least this many texts.

    Attributes
    ----------
    columns_ : NgramTfidf
        The kept buckets and their weights.

    Examples
    --------
    >>> vectorizer = NgramVectorizer(min_documents=1)
    >>> vectorizer.fit_transform(["to be or not to be", "to see"]).shape
    (2, 10)
    >>> vectorizer.transform(["not known: to be"]).nnz
    4
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "unit": [StrOptions({"word", "character"})],
        "shortest": [Interval(Integral, 1, None, closed="left")],
        "longest": [Interval(Integral, 1, None, closed="left")],
        "min_documents": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        unit: Literal["word", "character"] = "word",
        shortest: int = 1,
        longest: int = 2,
        min_documents: int = 2,
    ) -> None:
        self.unit = unit
        self.shortest = shortest
        self.longest = longest
        self.min_documents = min_documents

    def fit(self, X: Iterable[str], y: object = None) -> NgramVectorizer:  # noqa: N803
        """Choose the n-grams to keep; raises `BadDataError` for what is no list of strings."""
        self._fit(X)
        return self

    def fit_transform(self, X: Iterable[str], y: object = None) -> csr_matrix:  # noqa: N803
        """Do `fit` and `transform` on the same texts, which are counted once."""
        return self._weighed(self._fit(X))

    def transform(self, X: Iterable[str]) -> csr_matrix:  # noqa: N803
        """Give a row of length 1 for each text; one of zeros where no n-gram is known."""
        check_is_fitted(self)
        return self._weighed(_count(X, self.columns_.tables[0].view))

    def _fit(self, texts: Iterable[str]) -> SparseRows:
        self._validate_params()
        if self.shortest > self.longest:
            raise ValueError(f"no n-grams of {self.shortest} to {self.longest} {self.unit}s")
        view = NgramView(name="ngrams", unit=self.unit, shortest=self.shortest, longest=self.longest)
        counts = _count(texts, view)
        self.columns_ = fit_tfidf(counts, [view], min_documents=self.min_documents)
        return counts

    def _weighed(self, counts: SparseRows) -> csr_matrix:
        rows = self.columns_.weigh(counts)
        shape = (len(rows.starts) - 1, int(self.columns_.starts[-1]))
        return csr_matrix((rows.values, rows.indices, rows.starts.astype(np.int32)), shape=shape)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        # rows are of float32, whatever comes in
        tags.transformer_tags.preserves_dtype = []
        return tags


def _count(texts: Iterable[str], view: NgramView) -> SparseRows:
    return count_ngrams(iter_texts(texts), [view])

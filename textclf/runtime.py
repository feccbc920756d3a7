"""The trained model as it predicts: arrays and tables, numpy alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from features.columns import FeatureRows, FeatureSet
from features.ngrams import BATCH
from features.tokens import tokenize
from textclf.confidence import softmax
from textclf.prediction import Prediction, TrainingRecord

__all__ = ["LinearModel", "Runtime"]

MAX_TEXT = 1_000_000
"""Characters of a text that are looked at; what is beyond is left out and said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """Weights from features to margins, one block a feature group.

    Parameters
    ----------
    ngrams : tuple of ndarray of float32, each shape (m, k)
        Weights of the kept n-grams, one array a view.
    indicators : ndarray of float32, shape (c, k)
        Weights of the keyword indicators.
    vectors : ndarray of float32, shape (d, k)
        Weights of the document vector.
    intercept : ndarray of float32, shape (k,)
        Where every margin starts.
    """

    ngrams: tuple[NDArray[np.float32], ...]
    indicators: NDArray[np.float32]
    vectors: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def margins(self, rows: FeatureRows) -> NDArray[np.float64]:
        """Sum up what speaks for each category.

        Parameters
        ----------
        rows : FeatureRows
            Features of n documents.

        Returns
        -------
        ndarray of float64, shape (n, k)
            Signed distances; the largest in a row is the predicted category.
        """
        margins = np.empty((len(rows.indicators), len(self.intercept)))
        # row by row, so that a document's margins do not depend on the batch it came in
        for i in range(len(margins)):
            total = self.intercept.astype(np.float64)
            for weights, part in zip(self.ngrams, rows.ngrams, strict=True):
                span = slice(part.starts[i], part.starts[i + 1])
                total += part.values[span] @ weights[part.indices[span]]
            total += rows.indicators[i].astype(np.float32) @ self.indicators
            total += rows.vectors[i] @ self.vectors
            margins[i] = total
        return margins


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """A trained classifier that needs numpy only.

    Parameters
    ----------
    categories : tuple of str
        What it can predict, sorted.
    features : FeatureSet
        From text to features.
    model : LinearModel
        From features to margins.
    inverse_temperature : float
        Factor between margins and calibrated margins.
    training : TrainingRecord
        What training found out.
    settings : dict of str to str, int, float or None
        The options it was trained with.

    Examples
    --------
    >>> from textclf import DocumentClassifier
    >>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    >>> runtime = DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"]).runtime_
    >>> runtime.predict(["the invoice is due"])[0].predicted_category
    'invoice'
    """

    categories: tuple[str, ...]
    features: FeatureSet
    model: LinearModel
    inverse_temperature: float
    training: TrainingRecord
    settings: dict[str, str | int | float | None]

    def margins(self, texts: Sequence[str]) -> NDArray[np.float64]:
        """Margins before calibration.

        Parameters
        ----------
        texts : sequence of str, length n
            Cleaned texts.

        Returns
        -------
        ndarray of float64, shape (n, k)
            One column a category, in the order of `categories`.
        """
        return self.model.margins(self.features.rows(texts))

    def scores(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn margins into calibrated probabilities of each category.

        Parameters
        ----------
        margins : ndarray of float64, shape (n, k)
            From `margins`.

        Returns
        -------
        ndarray of float64, shape (n, k)
            Rows sum to 1.
        """
        return softmax(margins * self.inverse_temperature)

    def predict(self, texts: Sequence[str], document_ids: Sequence[str] | None = None) -> list[Prediction]:
        """Say what kind of document each text is.

        Parameters
        ----------
        texts : sequence of str, length n
            Cleaned texts.
        document_ids : sequence of str, length n, optional
            Names for the predictions; the position, from 0, without them.

        Returns
        -------
        list of Prediction, length n
            In the order of the texts. A text is for review with reason ``no text`` if it is empty, ``unknown kind``
            if none of its words is known, ``unsure between A and B`` if its score is under the threshold.
        """
        names = [str(i) for i in range(len(texts))] if document_ids is None else document_ids
        return list(self.iter_predictions(zip(names, texts, strict=True)))

    def iter_predictions(self, documents: Iterable[tuple[str, str]]) -> Iterator[Prediction]:
        """Predict a stream of documents in constant memory.

        Parameters
        ----------
        documents : iterable of (str, str)
            Id and cleaned text of each.

        Yields
        ------
        Prediction
            In the order of the documents.
        """
        stream = iter(documents)
        while batch := list(islice(stream, BATCH)):
            texts = [text[:MAX_TEXT] for _, text in batch]
            rows = self.features.rows(texts)
            scores = self.scores(self.model.margins(rows))
            known = np.diff(rows.ngrams[0].starts) > 0
            for (document_id, whole), text, row, familiar in zip(batch, texts, scores, known, strict=True):
                yield self._decide(document_id, text, row, familiar=bool(familiar), cut=len(text) < len(whole))

    def _decide(
        self, document_id: str, text: str, scores: NDArray[np.float64], *, familiar: bool, cut: bool
    ) -> Prediction:
        if not tokenize(text):
            return Prediction(document_id=document_id, reason="no text", status="skipped", error="the text is empty")
        first, second = np.argsort(-scores, kind="stable")[:2]
        score = float(scores[first])
        unsure = f"unsure between {self.categories[first]} and {self.categories[second]}"
        sure = score >= self.training.acceptance.threshold
        return Prediction(
            document_id=document_id,
            predicted_category=self.categories[first],
            score=score,
            decision="accept" if sure and familiar else "review",
            reason="unknown kind" if not familiar else "" if sure else unsure,
            scores=tuple(scores.tolist()),
            status="partial" if cut else "ok",
            error=f"only the first {MAX_TEXT:,} characters were looked at" if cut else "",
        )

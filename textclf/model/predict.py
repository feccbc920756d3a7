"""The trained model as it predicts: arrays and tables, numpy alone."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from features.columns import FeatureRows, FeatureSet
from features.languages import LanguageGuess
from features.ngrams import BATCH
from features.texts import as_texts, iter_texts
from ocr.words import is_real_word
from textclf.model.calibrate import softmax
from textclf.model.prediction import Label, Prediction, TrainingRecord
from textclf.model.summary import html_summary, one_line_summary
from textclf.model.typicality import Familiarity

MAX_TEXT = 1_000_000
"""Characters of a text that are looked at; what is beyond is left out and said."""
LEAST_FAMILIARITY = 0.02
"""A document less familiar is of an unknown kind; one in fifty of the known kinds is taken for one too."""
LEAST_CONFIDENCE = 60.0
"""OCR confidence under which a scan is poor."""
LEAST_REAL, FEWEST_LONG, LOOKED_AT = 0.5, 10, 20_000
"""Share of real-looking words under which a scan is poor, words needed to say so, characters looked at."""
_LONG_WORDS = re.compile(r"(?<!\S)[^\s\d]{3,50}(?!\S)")
_looks_real = lru_cache(1 << 15)(is_real_word)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """Weights from features to margins, one block a feature group.

    Parameters
    ----------
    ngrams : ndarray of float32, shape (m, k)
        Weights of the kept n-grams, one view under the other.
    page_shape : ndarray of float32, shape (s, k)
        Weights of how the page looks.
    indicators : ndarray of float32, shape (c, k)
        Weights of the keyword indicators.
    vectors : ndarray of float32, shape (d, k)
        Weights of the document vector.
    intercept : ndarray of float32, shape (k,)
        Where every margin starts.
    """

    ngrams: NDArray[np.float32]
    page_shape: NDArray[np.float32]
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
        starts, indices, values = rows.ngrams
        for i in range(len(margins)):
            total = self.intercept.astype(np.float64)
            span = slice(starts[i], starts[i + 1])
            total += values[span] @ self.ngrams.take(indices[span], axis=0)
            total += rows.page_shape[i] @ self.page_shape
            total += rows.indicators[i].astype(np.float32) @ self.indicators
            total += rows.vectors[i] @ self.vectors
            margins[i] = total
        return margins


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Runtime:
    """A trained classifier that needs numpy only.

    Parameters
    ----------
    categories : tuple of str
        Names of what it can predict, in the order of `labels`.
    labels : tuple of str, bool, int or float
        What training was given for each of them, sorted: the names themselves, or the numbers that they are made of.
    features : FeatureSet
        From text to features.
    model : LinearModel
        From features to margins.
    inverse_temperature : float
        Factor between margins and calibrated margins.
    familiarity : Familiarity
        How much a document is like the training documents.
    languages : LanguageGuess
        The languages of the training documents.
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
    labels: tuple[Label, ...]
    features: FeatureSet
    model: LinearModel
    inverse_temperature: float
    familiarity: Familiarity
    languages: LanguageGuess
    training: TrainingRecord
    settings: dict[str, str | int | float | None]

    def __repr__(self) -> str:
        return one_line_summary(self.training)

    def _repr_html_(self) -> str:
        return html_summary(self.training)

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

    def predict(
        self,
        texts: Sequence[str],
        document_ids: Sequence[str] | None = None,
        ocr_confidences: Sequence[float | None] | None = None,
    ) -> list[Prediction]:
        """Say what kind of document each text is.

        Parameters
        ----------
        texts : sequence of str, length n
            Cleaned texts.
        document_ids : sequence of str, length n, optional
            Names for the predictions; the position, from 0, without them.
        ocr_confidences : sequence of float or None, length n, optional
            How sure OCR was of each text, 0 to 100.

        Returns
        -------
        list of Prediction, length n
            In the order of the texts. A text is for review, with the first reason of these that holds: ``no text``;
            ``other language`` than those trained on; ``unknown kind`` if none of its words is known, or if 98 % of
            the training documents were more familiar; and under the threshold ``poor scan`` if OCR was unsure or the
            words look like dirt, else ``unsure between A and B``.
        """
        texts = as_texts(texts)
        names = [str(i) for i in range(len(texts))] if document_ids is None else as_texts(document_ids, name="id")
        sure = [None] * len(texts) if ocr_confidences is None else ocr_confidences
        return list(self.iter_predictions(zip(names, texts, sure, strict=True)))

    def iter_predictions(self, documents: Iterable[tuple[str, str, float | None]]) -> Iterator[Prediction]:
        """Predict a stream of documents in constant memory.

        Parameters
        ----------
        documents : iterable of (str, str, float or None)
            Id, cleaned text and OCR confidence of each.

        Yields
        ------
        Prediction
            In the order of the documents.
        """
        stream = iter(documents)
        while batch := list(islice(stream, BATCH)):
            texts = [text[:MAX_TEXT] for text in iter_texts(text for _, text, _ in batch)]
            observed = self.features.observe(texts)
            rows = self.features.rows_of(observed)
            margins = self.model.margins(rows)
            scores = self.scores(margins)
            familiarity = self.familiarity.of(rows.ngrams, margins).tolist()
            for (document_id, whole, sure), text, words, row, familiar in zip(
                batch, texts, observed.words, scores, familiarity, strict=True
            ):
                prediction = self._decide(document_id, text, words, row, familiar, sure)
                if len(text) < len(whole) and prediction.status == "ok":
                    note = f"only the first {MAX_TEXT:,} characters were looked at"
                    prediction = replace(prediction, status="partial", error=note)
                yield prediction

    def _decide(
        self,
        document_id: str,
        text: str,
        words: Sequence[str],
        scores: NDArray[np.float64],
        familiarity: float,
        ocr_confidence: float | None,
    ) -> Prediction:
        if not words:
            return Prediction(document_id=document_id, reason="no text", status="skipped", error="the text is empty")
        first, second = np.argsort(-scores, kind="stable")[:2].tolist()
        score = float(scores[first])
        threshold = self.training.acceptance.threshold
        if self.languages.foreign(words):
            reason = "other language"
        elif familiarity < LEAST_FAMILIARITY:
            reason = "unknown kind"
        elif score >= threshold:
            reason = ""
        elif _is_poor(text, ocr_confidence):
            reason = "poor scan"
        elif threshold > 1:
            reason = "nothing is accepted"
        else:
            reason = f"unsure between {self.categories[first]} and {self.categories[second]}"
        return Prediction(
            document_id=document_id,
            predicted_category=self.categories[first],
            score=score,
            familiarity=familiarity,
            decision="review" if reason else "accept",
            reason=reason,
            scores=tuple(scores.tolist()),
        )


def _is_poor(text: str, ocr_confidence: float | None) -> bool:
    """Tell whether a text looks like the reading of a bad scan."""
    if ocr_confidence is not None and ocr_confidence < LEAST_CONFIDENCE:
        return True
    long = _LONG_WORDS.findall(text[:LOOKED_AT])
    return len(long) >= FEWEST_LONG and sum(map(_looks_real, long)) < LEAST_REAL * len(long)

"""The trained model, which predicts with numpy alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, zip_longest
from numbers import Real
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.core.rows import RowMap
from features.feature_set import FeatureRows, FeatureSet
from features.language_detection import LanguageDetector
from features.text_arguments import iter_texts
from textclf.base.errors import UsageError
from textclf.model.accept import review_reason
from textclf.model.calibrate import softmax
from textclf.model.held_out import HeldOut
from textclf.model.look import ALONE, WITH_TEXT, LookModel, have_look, read_looks
from textclf.model.pages import PAGES_DISAGREE, pages_disagree, several_pages, without_page_breaks
from textclf.model.prediction import Label, Prediction
from textclf.model.training_record import TrainingRecord
from textclf.model.typicality import Typicality

BATCH = 32
"""Documents whose evidence is computed together."""
BY_LOOK = "no text was read: judged by its look"
MAX_TEXT = 1_000_000
"""Characters of a text that are used; the rest is left out, and the prediction says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearModel:
    """Weights from features to the margins of k categories, one block for each feature group."""

    ngrams: NDArray[np.float32]  # (m, k), the views one below the other
    layout: NDArray[np.float32]  # (s, k)
    indicators: NDArray[np.float32]  # (c, k)
    vectors: NDArray[np.float32]  # (d, k)
    intercept: NDArray[np.float32]  # (k,)
    _map: RowMap = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        dense = np.concatenate([self.layout, self.indicators, self.vectors])
        object.__setattr__(self, "_map", RowMap(self.ngrams, dense, self.intercept))

    def margins(self, rows: FeatureRows) -> NDArray[np.float64]:
        """Signed distances, shape (n, k); the largest in a row is the predicted category."""
        dense = np.concatenate([rows.layout, rows.indicators, rows.vectors], axis=1, dtype=np.float32)
        return self._map.map(*rows.ngrams, dense)


class Evidence(NamedTuple):
    """Features and margins of some texts, on which their predictions are based."""

    texts: list[str]  # up to MAX_TEXT characters of each
    words: Sequence[Sequence[str]]
    rows: FeatureRows
    # (n, k), before calibration, of the texts, and of the looks, with the text and alone: zeros where there is none
    by_text: NDArray[np.float64]
    by_look: tuple[NDArray[np.float64], NDArray[np.float64]]
    looks: NDArray[np.float32]  # as `read_looks` gives them

    @property
    def has_text(self) -> NDArray[np.bool_]:
        """Which of them have a word."""
        return np.array(list(map(len, self.words)), np.int64) > 0

    @property
    def margins(self) -> NDArray[np.float64]:
        """Margins before calibration, shape (n, k): of text and look together, of one where the other is missing."""
        has_text = self.has_text | ~have_look(self.looks)
        return np.where(has_text[:, None], self.by_text + self.by_look[WITH_TEXT], self.by_look[ALONE])


@dataclass(frozen=True, slots=True, kw_only=True, repr=False, eq=False)
class Model:
    """A trained classifier of documents, which needs numpy only.

    Like a spaCy model it gives a `Prediction` for each document (``model(text)``, ``model.pipe(texts)``); like a
    scikit-learn classifier it gives arrays (`predict`, `predict_proba`, `classes_`).

    Parameters
    ----------
    categories : tuple of str
        Names of the categories, in the order of `labels`.
    labels : tuple of str, bool, int or float
        The label of each as given to training, sorted: the name itself, or the number or boolean it is made of.
    features : features.feature_set.FeatureSet
        From text to features.
    linear : LinearModel
        From features to margins.
    held_out : textclf.model.held_out.HeldOut or None
        Margins of the unlabelled documents that the model was trained on, given in place of its own.
    look : textclf.model.look.LookModel or None
        From the look of a page to margins that add to those of the text.
    inverse_temperature : float
        Factor from margins to calibrated margins.
    typicality : textclf.model.typicality.Typicality
        From features and margins to familiarity.
    languages : features.language_detection.LanguageDetector
        The languages of the training documents.
    training : textclf.model.training_record.TrainingRecord
        Documents, cross-validation and threshold.
    settings : dict of str to str, int, float or None
        The options it was trained with.

    Examples
    --------
    >>> from textclf import DocumentClassifier
    >>> texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    >>> model = DocumentClassifier().fit(texts, ["invoice", "invoice", "letter", "letter"]).model_
    >>> model("the invoice is due").predicted_category
    'invoice'
    >>> [prediction.predicted_category for prediction in model.pipe(["dear sir", "vat"])]
    ['letter', 'invoice']
    >>> model.predict(["dear sir", "vat"]).tolist()
    ['letter', 'invoice']
    """

    categories: tuple[str, ...]
    labels: tuple[Label, ...]
    features: FeatureSet
    linear: LinearModel
    inverse_temperature: float
    typicality: Typicality
    languages: LanguageDetector
    training: TrainingRecord
    settings: dict[str, str | int | float | None]
    held_out: HeldOut | None = None
    look: LookModel | None = None

    def __repr__(self) -> str:
        return self.training.on_one_line()

    def _repr_html_(self) -> str:
        return self.training.to_html()

    def __call__(
        self,
        text: str,
        document_id: str = "0",
        ocr_confidence: float | None = None,
        *,
        look: str = "",
        max_error: float | None = None,
    ) -> Prediction:
        """Predict the category of one text.

        Parameters
        ----------
        text : str
            Cleaned text.
        document_id : str, default "0"
            Name for the prediction.
        ocr_confidence : float, optional
            How sure OCR was of the text, 0 to 100.
        look : str, default ""
            What its first page looks like, from the column ``page_look`` or `ocr.Document.look`.
        max_error : float, optional
            As for `pipe`.

        Returns
        -------
        Prediction
            As `pipe` gives it.
        """
        return next(self.pipe([text], [document_id], [ocr_confidence], [look], max_error=max_error))

    def pipe(
        self,
        texts: Iterable[str],
        document_ids: Iterable[str] | None = None,
        ocr_confidences: Iterable[float | None] | None = None,
        looks: Iterable[str] | None = None,
        *,
        max_error: float | None = None,
    ) -> Iterator[Prediction]:
        """Predict the category of each text of a stream, in constant memory.

        Parameters
        ----------
        texts : iterable of str
            Cleaned texts; where they have form feeds between pages, each page is predicted too.
        document_ids : iterable of str, optional
            Names for the predictions, one per text; the positions, from 0, if not given.
        ocr_confidences : iterable of float or None, optional
            How sure OCR was of each text, 0 to 100.
        looks : iterable of str, optional
            What the first page of each document looks like; an empty string where that is unknown. A model that was
            trained with looks judges by text and look, or by one where the other is missing, each with its threshold.
        max_error : float, optional
            Maximum error among accepted documents, above 0 and below 1; by default that of training.

        Yields
        ------
        Prediction
            In the order of the texts. A text is for review for the first of these reasons that applies: ``no text``
            (nor a look that the model can judge by);
            ``pages disagree`` if two pages, each by itself, would be accepted with different categories; ``other
            language`` than those trained on; ``unknown kind`` if none of its words is known, or if 98 % of the training
            documents are more typical; and below the threshold ``poor scan`` if OCR was unsure or few words look real,
            else ``unsure between A and B``.
        """
        model = self.with_max_error(max_error)
        return (prediction for prediction, _, _ in model.pipe_evidence(texts, document_ids, ocr_confidences, looks))

    def pipe_evidence(
        self,
        texts: Iterable[str],
        document_ids: Iterable[str] | None = None,
        ocr_confidences: Iterable[float | None] | None = None,
        looks: Iterable[str] | None = None,
    ) -> Iterator[tuple[Prediction, Evidence, int]]:
        """Predict as `pipe` does; each prediction comes with the evidence of its batch and its row in it."""
        rows = _iter_rows(
            iter_texts(texts),
            document_ids=None if document_ids is None else iter_texts(document_ids, name="id"),
            ocr_confidences=None if ocr_confidences is None else _iter_confidences(ocr_confidences),
            looks=None if looks is None else iter_texts(looks, name="look"),
        )
        return self._predictions(rows)

    def _predictions(
        self, stream: Iterator[tuple[str, str, float | None, str]]
    ) -> Iterator[tuple[Prediction, Evidence, int]]:
        while batch := list(islice(stream, BATCH)):
            evidence = self.evidence([text for text, *_ in batch], [look for *_, look in batch])
            judged = self._judge(evidence)
            for row, ((whole, document_id, ocr_confidence, _), one) in enumerate(zip(batch, judged, strict=True)):
                prediction = self._decide(
                    document_id, one, evidence.texts[row], ocr_confidence, cut=len(whole) > MAX_TEXT
                )
                yield self._with_pages(prediction, several_pages(whole[:MAX_TEXT])), evidence, row

    def _with_pages(self, prediction: Prediction, pages: Sequence[str]) -> Prediction:
        """Add the predictions of several pages; if they disagree, the document is for review."""
        if not pages or not prediction.predicted_category:
            return prediction
        found = tuple(self.pipe(pages, map(str, range(1, len(pages) + 1))))
        # pages are judged by their text
        if pages_disagree(found, self.training.acceptance_of(text=True, look=False).threshold):
            return replace(prediction, decision="review", reason=PAGES_DISAGREE, pages=found)
        return replace(prediction, pages=found)

    def decide(self, evidence: Evidence, *, cut: bool) -> Prediction:
        """Predict the one document of some evidence, which may have other features than its text, or was ``cut``."""
        (judged,) = self._judge(evidence)
        return self._decide("0", judged, evidence.texts[0], None, cut=cut)

    def with_max_error(self, max_error: float | None) -> Self:
        """Give the same model with the threshold that training would have chosen for another maximum error.

        Parameters
        ----------
        max_error : float or None
            Maximum error among accepted documents, above 0 and below 1; None changes nothing.

        Returns
        -------
        Model
            The confidence is that of training.

        Raises
        ------
        textclf.base.errors.UsageError
            If it is no such number, or the model file has an older format and was trained for another.
        """
        return replace(self, training=self.training.with_max_error(max_error))

    def evidence(self, texts: Sequence[str], looks: Sequence[str] | None = None) -> Evidence:
        """Compute features and margins of texts, from up to `MAX_TEXT` characters of each, and of looks."""
        texts = [without_page_breaks(text[:MAX_TEXT]) for text in iter_texts(texts)]
        rows = self.features.rows(texts)
        by_text = self._margins(texts, rows)
        seen = read_looks([""] * len(texts) if looks is None or self.look is None else looks)
        seen = self.look.usual(seen) if self.look else seen
        none = np.zeros_like(by_text)
        by_look = (
            (self.look.linear(WITH_TEXT).margins(seen), self.look.linear(ALONE).margins(seen))
            if self.look
            else (none, none)
        )
        return Evidence(texts, rows.words, rows, by_text, by_look, seen)

    @property
    def classes_(self) -> NDArray[Any]:
        """The k labels that training was given, sorted."""
        return np.array(self.labels)

    def predict(self, texts: ArrayLike) -> NDArray[Any]:
        """Most likely category of each text, also of texts that `pipe` gives none.

        Parameters
        ----------
        texts : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray, shape (n,)
            Labels as training was given them, from `classes_`.
        """
        return np.asarray(self.classes_[self.predict_proba(texts).argmax(axis=1)])

    def predict_proba(self, texts: ArrayLike) -> NDArray[np.float64]:
        """Calibrated scores of each text.

        Parameters
        ----------
        texts : array-like of str, shape (n,)
            Cleaned texts.

        Returns
        -------
        ndarray of float64, shape (n, k)
            Columns as `classes_`; rows sum to 1.
        """
        return self.scores(self.margins(texts))

    def margins(self, texts: ArrayLike) -> NDArray[np.float64]:
        """Margins before calibration, shape (n, k)."""
        whole = [without_page_breaks(text) for text in iter_texts(texts)]
        return self._margins(whole, self.features.rows(whole))

    def _margins(self, texts: Sequence[str], rows: FeatureRows) -> NDArray[np.float64]:
        margins = self.linear.margins(rows)
        return margins if self.held_out is None else self.held_out.put(texts, margins)

    def scores_of(self, evidence: Evidence) -> NDArray[np.float64]:
        """Give calibrated probabilities of each category, shape (n, k), by what is known of each document."""
        temperatures = np.full(len(evidence.texts), self.inverse_temperature)
        if self.look:
            seen = have_look(evidence.looks)
            temperatures[seen] = np.where(evidence.has_text, *self.look.inverse_temperatures)[seen]
        return softmax(evidence.margins * temperatures[:, None])

    def familiarity(self, evidence: Evidence) -> NDArray[np.float64]:
        """Share of the training documents that were less typical, by what is known of each document."""
        familiarity = self.typicality.familiarity(evidence.rows.ngrams, evidence.by_text)
        if self.look:
            seen, has_text = have_look(evidence.looks), evidence.has_text
            alone, both = seen & ~has_text, seen & has_text
            familiarity[alone] = self.look.familiarity(evidence.by_look[ALONE][alone])
            familiarity[both] = self.look.familiarity_with(familiarity[both], evidence.by_look[ALONE][both])
        return familiarity

    def scores(self, margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Turn margins into calibrated probabilities of each category; rows sum to 1."""
        return softmax(margins * self.inverse_temperature)

    def _judge(self, evidence: Evidence) -> Iterator[_Judged]:
        return map(
            _Judged,
            self.scores_of(evidence).tolist(),
            self.familiarity(evidence).tolist(),
            map(bool, self.languages.foreign_all(evidence.words)),
            evidence.has_text.tolist(),
            have_look(evidence.looks).tolist(),
        )

    def _decide(
        self, document_id: str, judged: _Judged, text: str, ocr_confidence: float | None, *, cut: bool
    ) -> Prediction:
        scores, familiarity, foreign, has_text, seen = judged
        if not has_text and not seen:
            return Prediction(document_id=document_id, reason="no text", status="skipped", error="the text is empty")
        reason = review_reason(
            self.categories,
            scores,
            self.training.acceptance_of(text=has_text, look=seen),
            foreign=foreign,
            familiarity=familiarity,
            text=text,
            ocr_confidence=ocr_confidence,
        )
        best = max(scores)
        return Prediction(
            document_id=document_id,
            predicted_category=self.categories[scores.index(best)],
            score=best,
            familiarity=familiarity,
            decision="review" if reason else "accept",
            reason=reason,
            scores=tuple(scores),
            status="partial" if cut or not has_text else "ok",
            error=f"only the first {MAX_TEXT:,} characters were looked at" if cut else "" if has_text else BY_LOOK,
        )


class _Judged(NamedTuple):
    """What decides about one document."""

    scores: list[float]
    familiarity: float
    foreign: bool
    has_text: bool
    seen: bool


def _iter_confidences(values: object) -> Iterator[float | None]:
    """Give OCR confidences one by one; `UsageError` for one that is no number from 0 to 100."""
    if not isinstance(values, Iterable):
        raise UsageError(f"is {values!r:.40}, not a list", where="ocr_confidences", remedy="give one per text")
    return (_confidence(value) for value in values)


def _confidence(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, Real) and 0 <= float(value) <= 100:
        return float(value)
    raise UsageError(
        f"is {value!r:.40}, not a number from 0 to 100", where="ocr_confidence", remedy="give None where there is none"
    )


def _iter_rows(texts: Iterator[str], **columns: Iterator[Any] | None) -> Iterator[tuple[str, str, float | None, str]]:
    """Give text, id, OCR confidence and look of each document, the last three as given, if they are.

    `UsageError` if a column has fewer or more values than there are texts.
    """
    missing = object()
    given = {"texts": texts} | {name: column for name, column in columns.items() if column is not None}
    for number, values in enumerate(zip_longest(*given.values(), fillvalue=missing)):
        if any(value is missing for value in values):
            without = [value is missing for value in values]
            wrong = next(name for name, short in zip(given, without, strict=True) if short != without[0])
            many = "more" if without[0] else "fewer"
            raise UsageError(f"{many} values than texts", where=wrong, remedy="give one per text")
        row = dict(zip(given, values, strict=True))
        yield row["texts"], row.get("document_ids", str(number)), row.get("ocr_confidences"), row.get("looks", "")

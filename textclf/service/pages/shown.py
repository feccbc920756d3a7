"""A document as the pages show it: its pages, the words that decided, and what it may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ocr.document import Document, Page
from textclf.data.word_places import PlacedWord, strongest_words
from textclf.model.accept import unsure_between
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.explain import explain_evidence
from textclf.service.pages.html import filled

if TYPE_CHECKING:
    from textclf.library.records import LabelIssue, StoredDocument, StoredPage, StoredPrediction
    from textclf.model.explain import Explanation
    from textclf.model.predict import Model
    from textclf.model.prediction import Prediction

MAX_PAGES = 100
"""Pages that can be shown of a document."""
MARKS = 24
"""Words that are lit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A word that is lit: its place as shares of the page; `weight` from -1, for the runner-up, to 1."""

    left: float
    top: float
    width: float
    height: float
    weight: float
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPage:
    """A page: the address of its picture, and the words lit on it."""

    number: int
    picture: str
    marks: tuple[Mark, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """A category that a document may be of."""

    category: str
    score: float | None
    # whether somebody decided so and is asked about it
    is_decided: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownDocument:
    """A document for a page of the desk."""

    id: int
    name: str
    pages: tuple[ShownPage, ...]
    category: str
    runner_up: str
    score: float | None
    decision: str
    reason: str
    suggestions: tuple[Suggestion, ...]
    error: str
    # what somebody decided that is asked about; empty if nothing is
    doubted: str = ""
    # the name under which the same file was there before; empty if it is new
    same_as: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExplainedPrediction:
    """What a model says of a document now."""

    prediction: Prediction
    explanation: Explanation | None


def explain(model: Model, document: StoredDocument, text: str, doubt: LabelIssue | None = None) -> ExplainedPrediction:
    """Predict a document of the library and explain it, or what speaks for a decision and against it."""
    confidence, look = document.reading.get("confidence"), document.reading.get("look", "")
    prediction, evidence, row = next(model.pipe_evidence([text], [document.name], [confidence], [look]))
    between = (doubt.decided, doubt.category) if doubt else None
    is_known = between is None or {*between} <= {*model.categories}
    found = explain_evidence(model, evidence, row, between) if prediction.predicted_category and is_known else None
    return ExplainedPrediction(prediction=prediction, explanation=found)


def show(
    document: StoredDocument,
    pages: Sequence[StoredPage],
    *,
    model: Model | None,
    judged: ExplainedPrediction | None,
    stored: StoredPrediction | None,
    counts: Mapping[str, int],
    reasons: Mapping[str, str],
) -> ShownDocument:
    """Put together what is shown; `counts` are decisions by category, `reasons` the texts of a language."""
    read = Document(
        document_id="",
        pages=tuple(
            Page(number=page.number, text=page.text, words=page.words, width=page.width, height=page.height)
            for page in pages
        ),
    )
    marks = _marks(read, judged.explanation) if judged and judged.explanation else {}
    category, reason, score, decision, runner_up = "", "", None, "review", ""
    if stored is not None:
        category, reason, score = stored.predicted_category, stored.reason, stored.score
        decision, runner_up = stored.decision, stored.runner_up
    scores: dict[str, float] = {}
    if judged and model and judged.prediction.scores:
        scores = dict(zip(model.categories, judged.prediction.scores, strict=True))
        category, score = judged.prediction.predicted_category, judged.prediction.score
        runner_up = judged.explanation.runner_up if judged.explanation else runner_up
    elif category:
        scores = {category: score or 0.0}
    count = max([document.page_count, 1, *(page.number for page in pages)])
    return ShownDocument(
        id=document.id,
        name=document.name,
        pages=_pages(count, partial(picture_address, document), marks),
        category=category,
        runner_up=runner_up,
        score=score,
        decision=decision,
        reason=_reason(reason, stored.predicted_category if stored else "", reasons),
        suggestions=tuple(suggest(scores, counts, model.categories if model else ())),
        error=document.error,
    )


def doubted(shown: ShownDocument, doubt: LabelIssue, question: str) -> ShownDocument:
    """Ask about a decision: what was decided comes first, then what the text reads like."""
    scores = {one.category: one.score for one in shown.suggestions}
    first = Suggestion(category=doubt.decided, score=scores.get(doubt.decided), is_decided=True)
    second = Suggestion(category=doubt.category, score=round(doubt.score, 4))
    others = [one for one in shown.suggestions if one.category not in (doubt.category, doubt.decided)]
    return replace(
        shown,
        category=doubt.decided,
        runner_up=doubt.category,
        score=first.score,
        reason=question,
        suggestions=(first, second, *others),
        doubted=doubt.decided,
    )


def show_dropped(
    document: Document,
    prediction: Prediction | None,
    explanation: Explanation | None,
    *,
    address: str,
    document_id: int | None,
    same_as: str,
    reasons: Mapping[str, str],
) -> ShownDocument:
    """Put together what is shown of a document that was just read; without a model it has no prediction."""
    marks = _marks(document, explanation) if explanation else {}
    category = prediction.predicted_category if prediction else ""
    shown = 0 if document.status == "failed" else max(document.page_count, 1)
    return ShownDocument(
        id=document_id or 0,
        name=document.document_id,
        pages=_pages(shown, lambda number: f"{address}/{number}.jpg", marks),
        category=category,
        runner_up=explanation.runner_up if explanation else "",
        score=prediction.score if prediction and category else None,
        decision=prediction.decision if prediction else "",
        reason=_reason(prediction.reason, category, reasons) if prediction else "",
        suggestions=(),
        error=document.error,
        same_as=same_as,
    )


def picture_address(document: StoredDocument, number: int) -> str:
    """Give the address of a page's picture; ids begin anew in another library, whose pictures a browser may still have.

    So the address has the beginning of the hash, too.
    """
    return f"/pages/{document.id}/{number}.jpg?{document.sha256[:12]}"


def _pages(count: int, address: Callable[[int], str], marks: Mapping[int, Sequence[Mark]]) -> tuple[ShownPage, ...]:
    return tuple(
        ShownPage(number=number, picture=address(number), marks=tuple(marks.get(number, ())))
        for number in range(1, min(count, MAX_PAGES) + 1)
    )


def suggest(scores: Mapping[str, float], counts: Mapping[str, int], known: Iterable[str] = ()) -> Iterator[Suggestion]:
    """Give categories by score, then the others, those that people gave most often first.

    Examples
    --------
    >>> [one.category for one in suggest({"letter": 0.2, "invoice": 0.8}, {"memo": 3, "letter": 2, "none of these": 9})]
    ['invoice', 'letter', 'memo']
    """
    for category, score in sorted(scores.items(), key=lambda one: (-one[1], one[0])):
        yield Suggestion(category=category, score=round(score, 4))
    others = {*counts, *known} - {*scores, NONE_OF_THESE}
    for category in sorted(others, key=lambda category: (-counts.get(category, 0), category)):
        yield Suggestion(category=category, score=None)


def _reason(reason: str, predicted: str, texts: Mapping[str, str]) -> str:
    if pair := unsure_between(reason, predicted):
        return filled(texts["unsure"], first=pair[0], second=pair[1])
    return texts.get(reason, reason)


def _marks(read: Document, explanation: Explanation) -> dict[int, list[Mark]]:
    """Place the words that decided on the pages."""
    found = [word for word in strongest_words(read, explanation, MARKS) if word.box is not None]
    strongest = max((abs(word.weight) for word in found), default=0.0) or 1.0
    marks: dict[int, list[Mark]] = {}
    for word in found:
        marks.setdefault(word.page, []).append(_mark(word, strongest))
    return marks


def _mark(word: PlacedWord, strongest: float) -> Mark:
    left, top, right, bottom = (min(max(edge, 0.0), 1.0) for edge in word.box or (0.0, 0.0, 0.0, 0.0))
    return Mark(
        left=round(left, 5),
        top=round(top, 5),
        width=round(max(right - left, 0), 5),
        height=round(max(bottom - top, 0), 5),
        weight=round(word.weight / strongest, 3),
        text=word.text,
    )

"""The result of a classification, as clients get it; `result.schema.json` is its JSON Schema."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ocr.source_file import HEAD, is_document, looks_like
from textclf.base.files import input_error
from textclf.base.problems import ProblemError
from textclf.data.word_places import strongest_words

if TYPE_CHECKING:
    from ocr.document import Document
    from textclf.model.explain import Explanation
    from textclf.model.predict import Model
    from textclf.model.prediction import Prediction

VERSION: Literal[1] = 1
"""Of the schema; it rises when a client that reads the former would be misled."""

_PDF_WITHIN = 1024
_Score = Field(ge=0, le=1, description="Calibrated probability that the category is right; null if none was scored.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedModel:
    """A model that can predict; `id` is the SHA-256 of its file, `version` that of the textclf that trained it."""

    id: str
    name: str
    version: str
    model: Model


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ModelOfResult(_Value):
    """The model that judged."""

    id: str = Field(description="SHA-256 of the model file.")
    name: str
    version: str = Field(description="Version of textclf that trained it.")


class RunnerUp(_Value):
    """The second most likely category."""

    docType: str  # noqa: N815 - the spelling of JSON
    confidence: float = Field(ge=0, le=1)


class PageResult(_Value):
    """A page that was read."""

    page: int = Field(ge=1)
    width: int = Field(description="Of the upright page, in pixels; for a page with a text layer, in points.")
    height: int
    docType: str | None = Field(description="The most likely category of the page by itself.")  # noqa: N815
    confidence: float | None = _Score
    decision: Literal["accept", "review"] | None
    reason: str
    error: str = Field(description="What of the page could not be read; empty if all was.")


class Evidence(_Value):
    """A word, or something else about the document, that spoke for or against the category."""

    page: int | None = Field(description="Null if it is about the whole document.")
    text: str
    box: tuple[float, float, float, float] | None = Field(
        description="Left, top, right and bottom edge of the word, as shares of the upright page; null if unknown."
    )
    weight: float = Field(description="Above 0 for the category, below 0 for the runner-up.")


class DocumentResult(_Value):
    """What was found of one document."""

    name: str
    sha256: str
    documentId: int | None = Field(description="Its id in the library; null if it is not kept.")  # noqa: N815
    docType: str | None = Field(description="The most likely category; null if nothing was scored.")  # noqa: N815
    confidence: float | None = _Score
    decision: Literal["accept", "review"] = Field(description="review: a person should look at the document.")
    reason: str = Field(description="Why it is for review; empty with accept.")
    runnerUp: RunnerUp | None  # noqa: N815
    familiarity: float | None = Field(
        ge=0, le=1, description="Share of the training documents that are less typical than this one."
    )
    pageCount: int = Field(description="Pages of the file; 0 if unknown.")  # noqa: N815
    pages: list[PageResult]
    evidence: list[Evidence]
    warnings: list[str] = Field(description="What is missing of the document, and why.")


class Result(_Value):
    """What was found of the documents of a request, in their order."""

    schemaVersion: Literal[1] = VERSION  # noqa: N815
    model: ModelOfResult
    documents: list[DocumentResult]


def result_schema() -> dict[str, Any]:
    """Give the JSON Schema of a result."""
    schema = Result.model_json_schema(mode="serialization")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:textclf:schema:classification:{VERSION}",
        **schema,
    }


def model_of_result(loaded: LoadedModel) -> ModelOfResult:
    """Describe a model that judges."""
    return ModelOfResult(id=loaded.id, name=loaded.name, version=loaded.version)


def document_result(
    name: str,
    document: Document,
    prediction: Prediction,
    explanation: Explanation | None,
    *,
    categories: Sequence[str],
    document_id: int | None,
) -> DocumentResult:
    """Make the result of a document."""
    is_scored = bool(prediction.predicted_category)
    ranked = sorted(zip(prediction.scores, categories, strict=False), key=lambda pair: -pair[0])
    others = [pair for pair in ranked if pair[1] != prediction.predicted_category]
    warnings = [document.error, prediction.error, *(page.error for page in document.pages)]
    return DocumentResult(
        name=name,
        sha256=document.sha256,
        documentId=document_id,
        docType=prediction.predicted_category or None,
        confidence=prediction.score if is_scored else None,
        decision=prediction.decision,
        reason=prediction.reason,
        runnerUp=RunnerUp(docType=others[0][1], confidence=others[0][0]) if others else None,
        familiarity=prediction.familiarity if is_scored else None,
        pageCount=document.page_count,
        pages=_pages(document, prediction),
        evidence=evidence_of(document, explanation),
        warnings=[*dict.fromkeys(filter(None, warnings))],
    )


def evidence_of(document: Document, explanation: Explanation | None) -> list[Evidence]:
    """List the words that decided, with their places, and whatever else did, the strongest first."""
    if explanation is None:
        return []
    words = [
        Evidence(page=word.page, text=word.text, box=word.box, weight=word.weight)
        for word in strongest_words(document, explanation)
    ]
    weakest = min((abs(word.weight) for word in words), default=0.0)
    others = [
        Evidence(page=None, text=feature.name, box=None, weight=feature.amount)
        for feature in explanation.features
        if abs(feature.amount) >= weakest
    ]
    return sorted([*words, *others], key=lambda one: -abs(one.weight))


def unless_all_failed(documents: Sequence[tuple[DocumentResult, ProblemError | None]]) -> list[DocumentResult]:
    """Give the results, unless no document could be read: that is a problem."""
    faults = [fault for _, fault in documents if fault is not None]
    if len(faults) < len(documents):
        return [result for result, _ in documents]
    first = faults[0]
    status, name = (415, "unsupported") if all(fault.status == 415 for fault in faults) else (422, "unreadable")
    details = [
        {"name": result.name, "detail": fault.detail} for (result, _), fault in zip(documents, faults, strict=True)
    ]
    more = f" (and {len(faults) - 1} more)" if len(faults) > 1 else ""
    raise ProblemError(status, name, f"{documents[0][0].name}: {first.detail}{more}", documents=details)


def reading_problem(path: Path, error: str) -> ProblemError:
    """Give the problem of a file that could not be read: of another format, or a bad scan."""
    try:
        with path.open("rb") as file:
            head = file.read(_PDF_WITHIN)
    except OSError as missing:
        return ProblemError(422, "unreadable", input_error(missing, path.name).what)
    is_scan = not head or is_document(head[:HEAD]) or b"%PDF-" in head or "image" in looks_like(head[:HEAD])
    return ProblemError(422, "unreadable", error) if is_scan else ProblemError(415, "unsupported", error)


def _pages(document: Document, prediction: Prediction) -> list[PageResult]:
    """Describe the pages; a document of one page is predicted as that page."""
    alone = {page.document_id: page for page in prediction.pages}
    if len(document.pages) == 1 and not alone:
        alone = {str(document.pages[0].number): prediction}
    found = []
    for page in document.pages:
        judged = alone.get(str(page.number))
        is_scored = judged is not None and bool(judged.predicted_category)
        found.append(
            PageResult(
                page=page.number,
                width=page.width,
                height=page.height,
                docType=judged.predicted_category if judged is not None and is_scored else None,
                confidence=judged.score if judged is not None and is_scored else None,
                decision=judged.decision if judged is not None else None,
                reason=judged.reason if judged is not None else "",
                error=page.error,
            )
        )
    return found

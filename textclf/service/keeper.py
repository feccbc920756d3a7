"""What becomes of a document that was judged: its result, and what of it the library keeps."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.problems import ProblemError
from textclf.data.results import DocumentResult, LoadedModel, document_result, evidence_of, reading_problem
from textclf.service.service_options import Keep
from textclf.service.uploads import SourceFile

if TYPE_CHECKING:
    from ocr.document import Document
    from textclf.library.library import Library
    from textclf.model.explain import Explanation
    from textclf.model.prediction import Prediction
    from textclf.service.metrics import Metrics


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A document that was read and predicted."""

    file: SourceFile
    document: Document
    prediction: Prediction
    explanation: Explanation | None
    loaded: LoadedModel


class Keeper:
    """Makes results, and lets the library keep documents for review, all, or none."""

    def __init__(self, library: Library, keep: Keep, metrics: Metrics) -> None:
        self._library, self.keep, self._metrics = library, keep, metrics

    def result(self, judged: Judged) -> tuple[DocumentResult, ProblemError | None]:
        """Give the result of a document, with the problem if it could not be read."""
        fault = reading_problem(judged.file.path, judged.document.error) if judged.document.status == "failed" else None
        is_wanted = self.keep == "all" or (self.keep == "review" and judged.prediction.decision == "review")
        document_id = None
        # what cannot be read cannot be reviewed either, and would fill the disk
        if is_wanted and fault is None:
            with self._metrics.timed("record"):
                document_id = self._record(judged)
        result = document_result(
            judged.file.name,
            judged.document,
            judged.prediction,
            judged.explanation,
            categories=judged.loaded.model.categories,
            document_id=document_id,
        )
        return result, fault

    def keep_unjudged(self, file: SourceFile, document: Document) -> int | None:
        """Let the library keep a document that no model judged, unless it keeps none; gives its id."""
        if self.keep == "none" or document.status == "failed":
            return None
        return self._add(file, document, datetime.now(UTC))

    def _record(self, judged: Judged) -> int:
        at = datetime.now(UTC)
        document_id = self._add(judged.file, judged.document, at)
        self._library.record_prediction(
            document_id,
            judged.loaded.id,
            judged.prediction,
            categories=judged.loaded.model.categories,
            max_error=judged.loaded.model.training.acceptance.max_error,
            evidence={"evidence": [one.model_dump() for one in evidence_of(judged.document, judged.explanation)]},
            at=at,
        )
        return document_id

    def _add(self, file: SourceFile, document: Document, at: datetime) -> int:
        path = "" if file.is_ours else str(file.path)
        if file.is_ours:
            self._library.keep_file(file.path, file.sha256, Path(file.name).suffix)
        stored, _ = self._library.add_document(sha256=file.sha256, name=file.name, size=file.size, at=at, path=path)
        self._library.record_reading(stored.id, document)
        return stored.id

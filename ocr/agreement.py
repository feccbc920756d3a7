"""How far two engines agree: the same scans read by both, text beside text and time beside time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rapidfuzz.distance import Levenshtein

from ocr.batch import Progress, iter_documents
from ocr.engines import OcrEngine
from ocr.reading_options import ReadingOptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """What two engines made of one document: similarity 0 to 1, confidences 0 to 100, seconds, and what went wrong."""

    document_id: str
    similarity: float
    confidences: tuple[float, float]
    seconds: tuple[float, float]
    errors: tuple[str, str]


def compare_engines(
    files: Sequence[tuple[str, Path]],
    engines: tuple[OcrEngine, OcrEngine],
    *,
    options: ReadingOptions | None = None,
    jobs: int | None = None,
    progress: Callable[[Progress], None] | None = None,
) -> Iterator[Agreement]:
    """Read documents with two engines, without a cache, first all with the one, then with the other."""
    first = list(iter_documents(files, options=options, engine=engines[0], jobs=jobs, progress=progress))
    second = iter_documents(files, options=options, engine=engines[1], jobs=jobs, progress=progress)
    for one, other in zip(first, second, strict=True):
        yield Agreement(
            document_id=one.document_id,
            similarity=text_similarity(one.text, other.text),
            confidences=(one.confidence, other.confidence),
            seconds=(one.seconds, other.seconds),
            errors=(one.error, other.error),
        )


def text_similarity(one: str, other: str) -> float:
    """Give one less the edit distance over the length of the longer text; white space counts as one blank."""
    return float(Levenshtein.normalized_similarity(" ".join(one.split()), " ".join(other.split())))

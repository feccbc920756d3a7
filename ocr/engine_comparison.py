"""Comparing two engines on the same scans: similarity of their texts, confidences and times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rapidfuzz.distance import Levenshtein

from ocr.batch import iter_documents
from ocr.engines import OcrEngine


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """The results of two engines for a document: similarity 0 to 1, confidences 0 to 100, seconds, and errors."""

    document_id: str
    similarity: float
    confidences: tuple[float, float]
    seconds: tuple[float, float]
    errors: tuple[str, str]


def compare_engines(
    files: Sequence[tuple[str, Path]], engines: tuple[OcrEngine, OcrEngine], **reading: Any
) -> Iterator[Agreement]:
    """Read documents, as `iter_documents` does, first all with one engine, then all with the other."""
    first, second = (iter_documents(files, engine=engine, **reading) for engine in engines)
    for one, other in zip(list(first), second, strict=True):
        yield Agreement(
            document_id=one.document_id,
            similarity=text_similarity(one.text, other.text),
            confidences=(one.confidence, other.confidence),
            seconds=(one.seconds, other.seconds),
            errors=(one.error, other.error),
        )


def text_similarity(one: str, other: str) -> float:
    """Give 1 minus the edit distance divided by the length of the longer text; whitespace counts as one space."""
    return float(Levenshtein.normalized_similarity(" ".join(one.split()), " ".join(other.split())))

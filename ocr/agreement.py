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
    """What two engines made of one document.

    Parameters
    ----------
    document_id : str
        Its name.
    similarity : float
        Of both cleaned texts, 0 to 1, see `text_similarity`.
    confidences : tuple of float
        Mean confidence of each engine's words, 0 to 100.
    seconds : tuple of float
        Time each engine took for all pages.
    errors : tuple of str
        What went wrong with each; empty if all was read.
    """

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
    """Read documents with two engines, without a cache, first all with the one, then with the other.

    Parameters
    ----------
    files : sequence of (str, pathlib.Path)
        Document ids and files; what stands in a PDF's text layer is read too if the options say so.
    engines : tuple of OcrEngine
        The two.
    options, jobs, progress
        As for `iter_documents`.

    Yields
    ------
    Agreement
        In the order of ``files``.
    """
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
    """One less the edit distance over the length of the longer text; white space counts as one blank.

    Returns
    -------
    float
        1 if the texts are equal, 0 if they have nothing in common
        (https://rapidfuzz.github.io/RapidFuzz/Usage/distance/Levenshtein.html).

    Examples
    --------
    >>> text_similarity("Total  due", "Tota1 due")
    0.888...
    """
    return float(Levenshtein.normalized_similarity(" ".join(one.split()), " ".join(other.split())))

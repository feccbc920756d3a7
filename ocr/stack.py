"""The cuts of a stack: where in the pages of one file a new document begins, and how sure that is."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ocr.document import Document, Page, Part
from ocr.gap_features import FEATURES, gap_features
from ocr.page_evidence import PageEvidence
from ocr.reading_state import page_faults


@dataclass(frozen=True, slots=True, kw_only=True)
class CutWeights:
    """A logistic regression from the features of a gap to the probability that a document begins after it.

    Parameters
    ----------
    weights : dict of str to float
        By name of the feature.
    intercept : float
        The log-odds without any of them.
    sure : float
        Least probability, of a cut or of none, at which a gap is sure; above .5.
    """

    weights: dict[str, float]
    intercept: float
    sure: float

    def score(self, features: NDArray[np.float64], names: Sequence[str]) -> float:
        """Give the probability of a cut."""
        logit = self.intercept + sum(self.weights[name] * value for name, value in zip(names, features, strict=True))
        return float(1 / (1 + np.exp(-np.clip(logit, -30, 30))))


class Gap(NamedTuple):
    """The gap between two written pages, by their positions in the stack; pages between them are blank."""

    before: int
    after: int


class Cut(NamedTuple):
    """The gap before a page, by the page's number: the probability that a document begins there."""

    page: int
    score: float


GapEvidence = Callable[[Sequence[Page], Sequence[Gap]], NDArray[np.float64]]
"""Further features of the gaps of a stack, shape (gaps, features), in the order of `more_features`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StackCutter:
    """Finds the cuts of stacks, by what the pages say and, where it is given, by further evidence.

    Parameters
    ----------
    weights : CutWeights
        Of all features.
    more_features : tuple of str
        Names of the further features.
    more : callable, optional
        Gives them.
    """

    weights: CutWeights
    more_features: tuple[str, ...] = ()
    more: GapEvidence | None = None

    def cuts(self, pages: Sequence[Page]) -> list[Cut]:
        """Give the score of each gap between two pages; a separator sheet is cut off on both sides.

        Nothing is cut before a blank page: it belongs to the document before it, or to the first one.
        """
        scores = dict.fromkeys(range(1, len(pages)), 0.0)
        start = 0
        for place, page in enumerate([*pages, None]):
            if page is None or page.is_separator:
                scores |= self._scores(pages[start:place], start)
                scores |= dict.fromkeys({place, place + 1} & scores.keys(), 1.0)
                start = place + 1
        return [Cut(pages[place].number, score) for place, score in scores.items()]

    def _scores(self, pages: Sequence[Page], start: int) -> dict[int, float]:
        evidence = [PageEvidence(page) for page in pages]
        written = [place for place, page in enumerate(evidence) if not page.is_blank]
        gaps = [Gap(*pair) for pair in pairwise(written)]
        more = self.more(pages, gaps) if self.more and gaps else np.zeros((len(gaps), 0))
        names = (*FEATURES, *self.more_features)
        return {
            start + gap.after: self.weights.score(np.concatenate([gap_features(evidence, *gap), further]), names)
            for gap, further in zip(gaps, more, strict=True)
        }

    def split(self, document: Document) -> list[Document]:
        """Split a document into those that its pages are; one without pages is given as it is."""
        pages = document.pages
        cuts = self.cuts(pages)
        starts = [0, *(place for place, cut in enumerate(cuts, 1) if cut.score >= 0.5), len(pages)]
        runs = [run for run in pairwise(starts) if pages and not pages[run[0]].is_separator]
        certain = [max(cut.score, 1 - cut.score) for cut in cuts]
        # where the last document ends is unknown if pages beyond the limit were not read
        sure = all(score >= self.weights.sure for score in certain) and document.page_count <= len(pages)
        scores = [min([1.0, *certain[max(0, first - 1) : last]]) for first, last in runs]
        return parts_of(document, runs, scores, sure=sure)


def each_page(document: Document) -> list[Document]:
    """Split a document into its pages."""
    runs = [(place, place + 1) for place in range(len(document.pages))]
    return parts_of(document, runs, [1.0] * len(runs), sure=True)


def parts_of(
    document: Document, runs: Sequence[tuple[int, int]], scores: Sequence[float], *, sure: bool
) -> list[Document]:
    """Make a document of each run of pages, given by first position and that after the last, with its score."""
    several = document.page_count > 1
    parts: list[Document] = []
    for (start, end), score in zip(runs, scores, strict=True):
        pages = document.pages[start:end]
        first, last = pages[0].number, pages[-1].number
        part = Part(of=document.document_id, first_page=first, last_page=last, score=score, is_sure=sure)
        if pages == document.pages:
            return [replace(document, part=part)]
        faults = page_faults(pages, several=several)
        parts.append(
            Document(
                document_id=f"{document.document_id}#{first}" + (f"-{last}" if last > first else ""),
                file=document.file,
                sha256=document.sha256,
                pages=pages,
                page_count=len(pages),
                status="ok"
                if not faults
                else "failed"
                if all(page.status == "failed" for page in pages)
                else "partial",
                error="; ".join(faults),
                seconds=sum(page.seconds for page in pages),
                part=part,
            )
        )
    # what is missing besides flaws of pages is mostly the pages beyond the limit, after the last
    if parts and document.error != "; ".join(page_faults(document.pages, several=several)):
        status = "failed" if parts[-1].status == "failed" else document.status
        parts[-1] = replace(parts[-1], status=status, error=document.error)
    return parts or [document]


@cache
def page_cutter() -> StackCutter:
    """Give the cutter that knows no categories."""
    return StackCutter(weights=read_weights("ocr", "stack_weights.json"))


def read_weights(package: str, name: str) -> CutWeights:
    """Read weights that ship with a package; ``benchmarks/learn_stack_weights.py`` makes them."""
    table = json.loads(files(package).joinpath(name).read_text(encoding="utf-8"))
    return CutWeights(weights=table["weights"], intercept=table["intercept"], sure=table["sure"])

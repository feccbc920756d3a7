"""The pages of a document: their texts and predictions, and whether these disagree."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

from textclf.model.prediction import Prediction

PAGE_BREAK = "\f"
"""Between the texts of two pages, as in the output of Tesseract and pdftotext."""
PAGES_DISAGREE = "pages disagree"
"""Reason why a document is for review."""
FEW_PAGES = 4
"""Pages up to which each counts that would be accepted by itself; chosen on joined pages, see `bench_pages`."""


def several_pages(text: str) -> tuple[str, ...]:
    r"""Split the text of a document at its page breaks, one of which may end the last page; empty for a single page.

    Examples
    --------
    >>> several_pages("one\f\fthree\f")
    ('one', '', 'three')
    >>> several_pages("one")
    ()
    """
    pages = text.removesuffix(PAGE_BREAK).split(PAGE_BREAK)
    return tuple(pages) if len(pages) > 1 else ()


def join_pages(pages: Iterable[str]) -> str:
    r"""Join the texts of pages so that `several_pages` finds as many.

    Examples
    --------
    >>> join_pages(["one", ""]), several_pages("one\f\f")
    ('one\x0c\x0c', ('one', ''))
    """
    text = PAGE_BREAK.join(pages)
    # one at the end only ends the last page
    return text + PAGE_BREAK if text.endswith(PAGE_BREAK) else text


def without_page_breaks(text: str) -> str:
    r"""Join the pages of a text, an empty line between two.

    Examples
    --------
    >>> without_page_breaks("one\f\fthree\f")
    'one\n\nthree'
    """
    return "\n\n".join(filter(None, text.split(PAGE_BREAK))) if PAGE_BREAK in text else text


def accepted_at(prediction: Prediction, threshold: float) -> bool:
    """Return whether a prediction, made with any threshold, would be accepted with this one."""
    # which imports numpy, and commands import this module for their help
    from textclf.model.accept import MIN_FAMILIARITY, below_threshold

    if not prediction.predicted_category or prediction.score < threshold:
        return False
    if prediction.reason == PAGES_DISAGREE:
        # the reason may hide that it is of an unknown kind
        known = prediction.familiarity >= MIN_FAMILIARITY
    else:
        known = not prediction.reason or below_threshold(prediction.reason)
    return known and not pages_disagree(prediction.pages, threshold)


def pages_disagree(pages: Sequence[Prediction], threshold: float) -> bool:
    """Return whether two pages, each by itself, would be accepted, with different categories.

    The more pages there are, the more likely one of them is wrong; beyond `FEW_PAGES` their scores may miss 1 by less.
    """
    with_text = sum(page.status != "skipped" for page in pages)
    enough = 1 - (1 - threshold) * min(1, FEW_PAGES / max(1, with_text))
    sure = {page.predicted_category for page in pages if accepted_at(page, enough)}
    return len(sure) > 1


def page_runs(pages: Iterable[Prediction]) -> list[str]:
    """List the categories of pages: neighbours of the same category together, with their lowest and highest score.

    Examples
    --------
    >>> pages = [Prediction(document_id="1", predicted_category="letter", score=0.9), Prediction(document_id="2")]
    >>> pages += [Prediction(document_id=f"{n}", predicted_category="invoice", score=n / 10) for n in (3, 4)]
    >>> page_runs(pages)
    ['1 letter 90%', '2 no text', '3-4 invoice 30-40%']
    """
    return [_run_text(list(run)) for _, run in groupby(pages, lambda page: page.predicted_category)]


def _run_text(run: Sequence[Prediction]) -> str:
    numbers = "-".join(dict.fromkeys((run[0].document_id, run[-1].document_id)))
    if not run[0].predicted_category:
        return f"{numbers} no text"
    scores = "-".join(dict.fromkeys(f"{100 * edge(page.score for page in run):.0f}" for edge in (min, max)))
    return f"{numbers} {run[0].predicted_category} {scores}%"

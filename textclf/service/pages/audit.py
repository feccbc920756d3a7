"""Audit: a random sample of what was accepted, whether the promised maximum error is kept, and drift."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from textclf.library.audit import Drift, Sampled, draw_sample, measure_drift, month_of, months_before
from textclf.library.claims import claim_first
from textclf.library.library import CLAIM
from textclf.model.accept import MIN_FAMILIARITY
from textclf.service.pages.html import page
from textclf.service.pages.requests import TheState, TheVisitor
from textclf.service.pages.review import Held, keep_claims, review_values, unless_closed

SAMPLE = 60
"""Documents of a month to look at: as many, all right, as show with 95 % confidence that fewer than 5 % are wrong."""
MONTHS = 12
TOPS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Ends of the axis of the chart."""
CONFIDENCE = 0.9
"""Of the interval; each of its ends alone holds with 95 %."""

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What is known of the documents that were accepted in a month."""

    begin: datetime
    sample: int
    looked_at: int
    wrong: int
    # of the error among accepted documents; None if nobody looked at any
    interval: tuple[float, float] | None
    drift: Drift

    @property
    def error(self) -> float:
        """Share of those looked at that are wrong."""
        return self.wrong / self.looked_at if self.looked_at else 0.0

    def verdict(self, promised: float) -> str:
        """Say what the interval says of a promised maximum error: ``kept``, ``broken``, or ``open``."""
        if self.interval is None:
            return "open"
        low, high = self.interval
        return "broken" if low > promised else "kept" if high <= promised else "open"


def clopper_pearson(wrong: int, documents: int) -> tuple[float, float]:
    """Give the interval of an error rate (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934).

    Examples
    --------
    >>> clopper_pearson(0, 60)[0], round(clopper_pearson(0, 60)[1], 3)
    (0.0, 0.049)
    """
    from scipy.stats import binomtest

    found = binomtest(wrong, documents).proportion_ci(CONFIDENCE, method="exact")
    return float(found.low), float(found.high)


def summarise(begin: datetime, sample: list[Sampled], drift: Drift) -> Month:
    """Sum up a month."""
    looked_at = sum(bool(one.decided) for one in sample)
    wrong = sum(one.is_wrong for one in sample)
    interval = clopper_pearson(wrong, looked_at) if looked_at else None
    return Month(begin=begin, sample=len(sample), looked_at=looked_at, wrong=wrong, interval=interval, drift=drift)


@router.get("/audit")
def audit_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the months, the sample of this one, and the promise."""
    with state.library.database.reading() as session:
        months = []
        sample: list[Sampled] = []
        for begin in months_before(month_of(state.clock()), MONTHS):
            sample = draw_sample(session, begin, SAMPLE)
            months.append(summarise(begin, sample, measure_drift(session, begin, unfamiliar_below=MIN_FAMILIARITY)))
    first = next((place for place, one in enumerate(months) if one.drift.predicted or one.drift.decided), MONTHS - 1)
    duty = state.duty.current
    promised = duty.model.training.acceptance.max_error if duty else None
    highest = max([one.interval[1] for one in months if one.interval], default=0.1)
    return page(
        "audit.html",
        visitor,
        section="audit",
        months=months[first:],
        now=months[-1],
        wrong=[one for one in sample if one.is_wrong],
        promised=promised,
        keep=state.desk.keeper.keep,
        expected_unfamiliar=MIN_FAMILIARITY,
        top_share=next(top for top in TOPS if top >= max(highest, 1.2 * (promised or 0.0)) or top == TOPS[-1]),
    )


@router.get("/audit/look")
def look_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the documents of the sample, one after the other."""
    return page("review.html", visitor, section="audit", source="/audit", **review_values(state))


@router.post("/audit/next")
def next_document(held: Held, state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Claim the next document of the sample that nobody looked at."""
    now = state.clock()
    keep_claims(state, held.held, visitor.name)
    passed_over = {*held.held, *held.skipped}
    with state.library.database.writing() as session:
        sample = draw_sample(session, month_of(now), SAMPLE)
        left = [one.document_id for one in sample if not one.decided and one.document_id not in passed_over]
        claimed = claim_first(session, left, by=visitor.name, at=now, until=now + CLAIM)
    claimed = unless_closed(state, held, claimed, visitor.name)
    shown = state.shown(claimed, visitor) if claimed is not None else None
    return {"document": shown.to_dict() if shown else None, "waiting": max(len(left) - (claimed is not None), 0)}

"""Audit: a random sample of what was accepted, whether the promised maximum error is kept, and drift."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from textclf.library.audit import Sampled, draw_sample, measure_drift, month_of, months_before
from textclf.library.claims import claim_first
from textclf.library.library import CLAIM
from textclf.model.accept import MIN_FAMILIARITY
from textclf.service.pages.audit_figures import summarise
from textclf.service.pages.html import page
from textclf.service.pages.languages import strings
from textclf.service.pages.requests import TheState, TheVisitor
from textclf.service.pages.review import Held, keep_claims, review_values, unless_closed

SAMPLE = 60
"""Documents of a month to look at: as many, all right, as show with 95 % confidence that fewer than 5 % are wrong."""
MONTHS = 12
TOPS = (0.1, 0.2, 0.4, 0.6, 0.8, 1.0)
"""Ends of the axis of the chart."""

router = APIRouter(include_in_schema=False)


@router.get("/audit")
def audit_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the months, the sample of this one, and the promise."""
    with state.library.database.reading() as session:
        months = []
        sample: list[Sampled] = []
        for begin in months_before(month_of(state.clock()), MONTHS):
            drawn = draw_sample(session, begin, SAMPLE + 1)
            sample, drift = drawn[:SAMPLE], measure_drift(session, begin, unfamiliar_below=MIN_FAMILIARITY)
            months.append(summarise(begin, sample, drift, is_all=len(drawn) <= SAMPLE))
    first = next((place for place, one in enumerate(months) if one.drift.predicted or one.drift.decided), MONTHS - 1)
    highest = max([one.interval[1] for one in months if one.interval], default=0.1)
    highest = max([highest, *(1.2 * one.promised for one in months if one.promised is not None)])
    return page(
        "audit.html",
        visitor,
        section="audit",
        months=months[first:],
        now=months[-1],
        wrong=[one for one in sample if one.is_wrong],
        keep=state.desk.keeper.keep,
        expected_unfamiliar=MIN_FAMILIARITY,
        top_share=next(top for top in TOPS if top >= highest or top == TOPS[-1]),
    )


@router.get("/audit/look")
def look_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the documents of the sample, one after the other."""
    done = strings(visitor.language)["audit"]["all_looked_at"]
    return page("review.html", visitor, section="audit", source="/audit", **review_values(state, done))


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

"""First labels: the groups of a pile that nobody labelled, and one document of each to label first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from textclf.base.errors import UsageError
from textclf.library.claims import claim_first
from textclf.library.library import CLAIM
from textclf.library.undecided import count_undecided, undecided_of
from textclf.service.pages.html import page
from textclf.service.pages.languages import strings
from textclf.service.pages.requests import TheState, TheVisitor
from textclf.service.pages.review import Held, keep_claims, review_values, unless_closed
from textclf.service.pages.shown import picture_address
from textclf.service.pages.teach import is_enough, seconds_of, something_runs

if TYPE_CHECKING:
    from textclf.service.pages.state import PageState

MIN_PILE = 4
"""Documents from which groups can be made."""
MOST_GROUPS = 60

router = APIRouter(include_in_schema=False)


@router.get("/first-labels")
def first_labels_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the groups, and what they were named."""
    with state.library.database.reading() as session:
        undecided = count_undecided(session)
    counts = state.counts()
    running = state.jobs.running()
    found = _groups(state)
    documents = {one["document_id"]: state.library.document(one["document_id"]) for one in found}
    groups = [one for one in found if documents[one["document_id"]] is not None]
    named = {one["document_id"]: state.library.decision(one["document_id"]) for one in groups}
    return page(
        "first_labels.html",
        visitor,
        section="first_labels",
        undecided=undecided,
        counts=counts,
        decided=sum(counts.values()),
        is_enough=is_enough(counts),
        has_pile=undecided >= MIN_PILE,
        failure=state.failure("groups"),
        running=running,
        seconds=seconds_of(running),
        groups=sorted(groups, key=lambda one: int(one["number"])),
        named={number: decision.category for number, decision in named.items() if decision is not None},
        pictures={one.id: picture_address(one, 1) for one in documents.values() if one is not None},
        suggested=min(MOST_GROUPS, max(MIN_PILE, min(30, undecided // 3))),
        most=MOST_GROUPS,
    )


@router.post("/first-labels/group")
def group(state: TheState, visitor: TheVisitor, number: Annotated[int, Form(ge=MIN_PILE, le=MOST_GROUPS)]) -> Response:
    """Start to group the documents that nobody decided."""
    try:
        state.jobs.start("groups", by=visitor.name, request={"n": number})
    except UsageError as error:
        raise something_runs() from error
    return RedirectResponse("/first-labels", 303)


@router.get("/first-labels/name")
def name_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show one document of each group, the most useful first."""
    done = strings(visitor.language)["first_labels"]["all_named"]
    return page("review.html", visitor, section="first_labels", source="/first-labels", **review_values(state, done))


@router.post("/first-labels/next")
def next_document(held: Held, state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Claim the document of the next group that nobody named."""
    now = state.clock()
    keep_claims(state, held.held, visitor.name)
    passed_over = {*held.held, *held.skipped}
    groups = {int(one["document_id"]): one for one in _groups(state)}
    with state.library.database.writing() as session:
        left = undecided_of(session, [*groups])
        order = [one for one in groups if one in left and one not in passed_over]
        claimed = claim_first(session, order, by=visitor.name, at=now, until=now + CLAIM)
    claimed = unless_closed(state, held, claimed, visitor.name)
    shown = state.shown(claimed, visitor) if claimed is not None else None
    told = None
    if shown is not None and claimed is not None:
        found = groups[claimed]
        told = {**shown.to_dict(), "group": {"words": found["words"], "documents": found["documents"]}}
    return {"document": told, "waiting": max(len(order) - (told is not None), 0)}


def _groups(state: PageState) -> list[dict[str, Any]]:
    """Give the groups found last, the one to name first first."""
    done = [job for job in state.jobs.list_jobs("groups") if job.state == "success"]
    groups: list[dict[str, Any]] = done[-1].result["groups"] if done else []
    return groups

"""Review: the queue of documents for a person to look at, one after the other, by keyboard."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, HTTPException
from pydantic import BaseModel, Field
from starlette.responses import Response

from textclf.base.errors import BadDataError
from textclf.library.claims import ClaimedError, claimed_by, keep_claim, take_claim
from textclf.library.decisions import decide as decide_in
from textclf.library.decisions import decided_by_another
from textclf.library.decisions import undo as undo_last
from textclf.library.label_issues import count_label_issues
from textclf.library.library import CLAIM
from textclf.library.queue import count_for_review
from textclf.library.records import Decision
from textclf.library.rows import record
from textclf.model.category_names import meant_category
from textclf.service.pages.html import page
from textclf.service.pages.languages import strings
from textclf.service.pages.requests import Id, TheState, TheVisitor, valid_category
from textclf.service.pages.state import PageState

MAX_PASSED_OVER = 5_000
"""Documents that a person may hold or have skipped."""
Ids = Annotated[list[Id], Field(max_length=MAX_PASSED_OVER)]

router = APIRouter(include_in_schema=False)


class Held(BaseModel):
    """Documents that the page of a person shows or has ready, and those skipped."""

    held: Ids = []
    skipped: Ids = []
    # names this visit of the page
    page: str = Field(default="", max_length=64)


class Decided(BaseModel):
    """What a person decided."""

    document: Id
    category: str = Field(max_length=1_000)
    sure: bool = True


class Given(BaseModel):
    """Documents that a person gives back."""

    documents: Ids
    # given if the page is closed
    page: str = Field(default="", max_length=64)


@router.get("/review")
def review_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the page; its script asks for documents."""
    texts = strings(visitor.language)
    done = texts["review"]["done_text"] if state.duty.current else texts["common"]["no_model_text"]
    return page("review.html", visitor, section="review", source="/review", **review_values(state, done))


@router.post("/review/next")
def next_document(held: Held, state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Claim the next document, and keep those that the page has for longer."""
    now = state.clock()
    keep_claims(state, held.held, visitor.name)
    claimed = state.queue.next(by=visitor.name, passed_over={*held.held, *held.skipped})
    found = unless_closed(state, held, claimed, visitor.name)
    shown = state.shown(found, visitor) if found is not None else None
    with state.library.database.reading() as session:
        # of those skipped nobody else may be looking at some
        waiting = count_for_review(session, now) + count_label_issues(session, at=now)
    return {"document": shown.to_dict() if shown else None, "waiting": waiting}


@router.post("/review/decide")
def decide(decided: Decided, state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Keep a decision; a new category that is like another is asked back once."""
    try:
        category = valid_category(decided.category)
    except BadDataError as error:
        raise HTTPException(422, str(error)) from error
    if not decided.sure and (like := meant_category(category, state.categories())) and like != category:
        return {"like": like}
    try:
        with state.library.database.writing() as session:
            if other := decided_by_another(session, decided.document, by=visitor.name):
                raise HTTPException(409, other)
            decide_in(session, decided.document, category, by=visitor.name, at=state.clock())
    except ClaimedError as error:
        with state.library.database.reading() as session:
            by = claimed_by(session, decided.document, at=state.clock())
        raise HTTPException(409, by) from error
    except BadDataError as error:
        raise HTTPException(404, error.what) from error
    return {"category": category}


@router.post("/review/undo")
def undo(state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Take back the last decision of a person, who looks at the document again, unless somebody else does so."""
    now = state.clock()
    with state.library.database.writing() as session:
        row = undo_last(session, by=visitor.name, at=now)
        if row is None:
            return {"document": None}
        undone = record(Decision, row)
        if not take_claim(session, undone.document_id, by=visitor.name, at=now, until=now + CLAIM):
            raise HTTPException(409, claimed_by(session, undone.document_id, at=now))
    shown = state.shown(undone.document_id, visitor)
    return {"document": shown.to_dict() if shown else None, "category": undone.category}


@router.post("/review/keep")
def keep(given: Given, state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Keep the documents of a page for longer, while its person looks at one."""
    keep_claims(state, given.documents, visitor.name)
    return {}


@router.post("/review/release")
def release(given: Given, state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Give documents back, so that others get them."""
    if given.page and (last := state.closed.close(given.page)) is not None:
        state.library.release(last, by=visitor.name)
    return {"released": sum(state.library.release(one, by=visitor.name) for one in given.documents)}


def review_values(state: PageState, done: str) -> dict[str, Any]:
    """Give what the template needs, whatever the documents are that it shows; `done` is said when none is left."""
    return {"categories": state.categories(), "done": done}


def unless_closed(state: PageState, held: Held, document_id: int | None, by: str) -> int | None:
    """Give the document that was claimed for a page, unless the page was closed meanwhile, which frees it."""
    if document_id is None or not held.page or state.closed.give(held.page, document_id):
        return document_id
    state.library.release(document_id, by=by)
    return None


def keep_claims(state: PageState, documents: list[int], by: str) -> None:
    """Keep what a page has for longer."""
    now = state.clock()
    with state.library.database.writing() as session:
        for document_id in documents:
            keep_claim(session, document_id, by=by, at=now, until=now + CLAIM)

"""Pictures of the pages of documents in the library."""

from __future__ import annotations

from fastapi import APIRouter, HTTPException
from starlette.responses import Response

from textclf.base.errors import TextclfError
from textclf.service.pages.html import picture_answer
from textclf.service.pages.requests import Id, TheState, TheVisitor

router = APIRouter(include_in_schema=False)


@router.get("/pages/{document_id}/{number}.jpg")
def picture(document_id: Id, number: Id, state: TheState, visitor: TheVisitor) -> Response:
    """Give the picture of a page."""
    document = state.library.document(document_id)
    if document is None or not 1 <= number <= max(document.page_count, 1):
        raise HTTPException(404, "there is no such page")
    pages = {page.number: page for page in state.library.pages(document_id)}
    try:
        drawn = state.pictures.picture(document, number, pages[number].rotation if number in pages else 0)
    except TextclfError as error:
        raise HTTPException(404, "the page cannot be shown") from error
    return picture_answer(drawn)

"""Drop: scans are read and judged at once, and shown with the words that decided."""

from __future__ import annotations

import asyncio
import uuid
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, HTTPException, Request
from starlette.responses import Response

from textclf.base.errors import TextclfError
from textclf.service.forms import receive_files
from textclf.service.pages.dropped import DroppedFile
from textclf.service.pages.html import page, picture_answer
from textclf.service.pages.languages import strings
from textclf.service.pages.requests import Id, TheState, TheVisitor
from textclf.service.pages.shown import show_dropped

if TYPE_CHECKING:
    from textclf.service.pages.state import PageState
    from textclf.service.pages.visitors import Visitor
    from textclf.service.uploads import SourceFile

router = APIRouter(include_in_schema=False)


@router.get("/drop")
def drop_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the page."""
    has_model = state.duty.current is not None
    return page("drop.html", visitor, section="drop", has_model=has_model, keep=state.desk.keeper.keep)


@router.post("/drop")
async def drop(request: Request, state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Read and judge one file; without a model on duty the library keeps it for later."""
    desk, token = state.desk, f"drop-{uuid.uuid4().hex}"
    with desk.place() as admit:
        async with desk.uploads.lasting(token) as folder:
            limits = {"max_bytes": desk.limits.max_bytes, "max_files": 1}
            (file,) = await receive_files(request, folder, **limits, admit=admit)
            same_as = await asyncio.to_thread(_same_as, state, file, visitor)
            if desk.duty.current is None:
                read, prediction, explanation = await desk.read(file), None, None
                document_id = await asyncio.to_thread(desk.keeper.keep_unjudged, file, read)
            else:
                judged = await desk.judge(file, desk.duty.current)
                read, prediction, explanation = judged.document, judged.prediction, judged.explanation
                result, _ = await asyncio.to_thread(desk.keeper.result, judged)
                document_id = result.documentId
    rotations = {page.number: page.rotation for page in read.pages}
    dropped = DroppedFile(by=visitor.name, file=file, rotations=rotations)
    await asyncio.to_thread(state.dropped.keep, token, dropped)
    document = await asyncio.to_thread(
        show_dropped,
        read,
        prediction,
        explanation,
        address=f"/drop/{token}",
        document_id=document_id,
        same_as=same_as,
        reasons=strings(visitor.language)["reasons"],
    )
    return {"document": document.to_dict()}


@router.get("/drop/{token}/{number}.jpg")
def picture(token: str, number: Id, state: TheState, visitor: TheVisitor) -> Response:
    """Give the picture of a page of a file that this visitor dropped."""
    dropped = state.dropped.get(token, visitor.name)
    if dropped is None or number < 1:
        raise HTTPException(404, "there is no such page")
    try:
        rotation = dropped.rotations.get(number, 0)
        return picture_answer(state.pictures.of_file(dropped.file.path, dropped.file.sha256, number, rotation))
    except TextclfError as error:
        raise HTTPException(404, "the page cannot be shown") from error


def _same_as(state: PageState, file: SourceFile, visitor: Visitor) -> str:
    """Name the same file if this visitor dropped it before, or else if the library has it."""
    if before := state.dropped.name_of(file.sha256, visitor.name):
        return before
    stored = state.library.document_of(file.sha256)
    return stored.name if stored else ""

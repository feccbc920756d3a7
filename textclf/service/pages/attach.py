"""Adding the pages to the application of the service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textclf.service.pages import audit, drop, entrance, first_labels, review, teach

if TYPE_CHECKING:
    from fastapi import FastAPI

    from textclf.service.pages.state import PageState


def add_pages(app: FastAPI, state: PageState) -> None:
    """Add the pages to an application; whoever made their state closes it when the application ends."""
    app.state.pages = state
    for room in (entrance, drop, review, first_labels, teach, audit):
        app.include_router(room.router)
    app.mount(entrance.STATIC, entrance.static_files)

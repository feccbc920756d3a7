"""Adding the pages to the application of the service."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.staticfiles import StaticFiles

from textclf.service.pages import audit, drop, entrance, first_labels, pictures, review, teach

if TYPE_CHECKING:
    from fastapi import FastAPI

    from textclf.service.pages.state import PageState


def add_pages(app: FastAPI, state: PageState) -> None:
    """Add the pages to an application; whoever made their state closes it when the application ends."""
    app.state.pages = state
    for subject in (entrance, pictures, drop, review, first_labels, teach, audit):
        app.include_router(subject.router)
    app.mount("/pages/static", StaticFiles(directory=Path(__file__).parent / "static"))

"""What the routes of pages take from a request: the state of the pages, and who asks."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import quote, urlsplit

from fastapi import Depends, HTTPException, Request
from pydantic import Field
from starlette.requests import HTTPConnection

from textclf.base.errors import BadDataError
from textclf.base.problems import ProblemError
from textclf.model.category_names import as_category
from textclf.service.pages.languages import choose_language
from textclf.service.pages.state import PageState
from textclf.service.pages.visitors import LANGUAGE, SESSION, Visitor, local_path

MAX_CATEGORY = 100
"""Characters of the name of a category."""

Id = Annotated[int, Field(ge=-(2**63), lt=2**63)]
"""An id or a number that a client names: no more than what databases take."""


def state_of(request: Request) -> PageState:
    """Give the state of the pages."""
    state: PageState = request.app.state.pages
    return state


TheState = Annotated[PageState, Depends(state_of)]


def language_of(request: HTTPConnection) -> str:
    """Give the language in which to answer."""
    return choose_language(request.headers.get("accept-language", ""), request.cookies.get(LANGUAGE))


def page_before(request: HTTPConnection) -> str:
    """Give the path of the page of this server from which a request came; the first page for any other."""
    try:
        before = urlsplit(request.headers.get("referer", ""))
    except ValueError:
        return "/"
    return local_path(before.path) if before.netloc == request.headers.get("host") else "/"


def visitor_of(request: Request, state: TheState) -> Visitor:
    """Give who asks; whoever has not signed in is sent to do so."""
    name = state.sessions.name(request.cookies.get(SESSION))
    if name is None:
        if request.method in ("GET", "HEAD"):
            target = f"/sign-in?then={quote(request.url.path, safe='')}"
            raise HTTPException(303, "sign in", {"Location": target})
        raise ProblemError(401, "no-session", "sign in again")
    return Visitor(name=name, language=language_of(request))


def valid_category(given: str) -> str:
    """Give the category that a person typed.

    Examples
    --------
    >>> valid_category("  Tax   return ")
    'Tax return'
    """
    category = as_category(" ".join(given.split()))
    if not category or len(category) > MAX_CATEGORY or not category.isprintable():
        raise BadDataError(f"is no name of a category: give 1 to {MAX_CATEGORY} letters that can be seen")
    return category


TheVisitor = Annotated[Visitor, Depends(visitor_of)]

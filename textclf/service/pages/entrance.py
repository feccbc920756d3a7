"""The way in: signing in and out, and the language."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from starlette.responses import RedirectResponse, Response

from textclf.service.pages.html import page
from textclf.service.pages.languages import LANGUAGES
from textclf.service.pages.requests import TheState, TheVisitor, language_of, page_before
from textclf.service.pages.state import PageState
from textclf.service.pages.visitors import LANGUAGE, MAX_AGE, SESSION, Visitor, clean_name, local_path

router = APIRouter(include_in_schema=False)


@router.get("/")
def first_page(state: TheState, visitor: TheVisitor) -> Response:
    """Go to the page that people use all day; to begin with, there is no model yet."""
    return RedirectResponse("/first-labels" if state.duty.current is None else "/review", 303)


@router.get("/sign-in")
def sign_in_page(request: Request, state: TheState, then: str = "/") -> Response:
    """Ask for the name, and for the key if there is one."""
    return _sign_in(request, state, then)


@router.post("/sign-in")
def sign_in(
    request: Request,
    state: TheState,
    name: Annotated[str, Form(max_length=1_000)] = "",
    key: Annotated[str, Form(max_length=1_000)] = "",
    then: Annotated[str, Form(max_length=1_000)] = "/",
) -> Response:
    """Begin a session."""
    user = "" if state.keys is None else state.keys.user({"x-api-key": key})
    if user is None:
        return _sign_in(request, state, then, name=name, error="wrong_key", status=403)
    who = user or clean_name(name)
    if not user and state.keys is not None and state.keys.is_named(who):
        return _sign_in(request, state, then, name=name, error="name_taken", status=403)
    if not who:
        return _sign_in(request, state, then, error="no_name", status=422)
    answer = RedirectResponse(local_path(then), 303)
    token = state.sessions.token(who)
    # a proxy says in a header of its own how the browser came; whoever invents one can only harm himself
    came_by = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    is_https = "https" in (request.url.scheme, came_by)
    answer.set_cookie(SESSION, token, max_age=MAX_AGE, httponly=True, samesite="strict", secure=is_https)
    return answer


@router.post("/sign-out")
def sign_out() -> Response:
    """End a session."""
    answer = RedirectResponse("/sign-in", 303)
    answer.delete_cookie(SESSION, httponly=True, samesite="strict")
    return answer


@router.post("/language")
def choose(request: Request, language: Annotated[str, Form(max_length=8)]) -> Response:
    """Choose the language of the pages, and stay on the page."""
    if language not in LANGUAGES:
        raise HTTPException(422, "there is no such language")
    answer = RedirectResponse(page_before(request), 303)
    answer.set_cookie(LANGUAGE, language, max_age=365 * 24 * 3600, httponly=True, samesite="strict")
    return answer


def _sign_in(
    request: Request, state: PageState, then: str, *, name: str = "", error: str = "", status: int = 200
) -> Response:
    visitor = Visitor(name="", language=language_of(request))
    values = {"then": local_path(then), "name": clean_name(name), "error": error, "with_key": state.keys is not None}
    return page("sign_in.html", visitor, section="sign_in", status=status, **values)

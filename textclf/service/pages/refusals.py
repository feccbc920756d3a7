"""What a browser is told whose request was refused: a page in the language of its visitor, with a way on."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from textclf.service.pages.html import filled, page
from textclf.service.pages.languages import strings
from textclf.service.pages.requests import language_of, page_before
from textclf.service.pages.visitors import SESSION, Visitor
from textclf.service.problems import problem_response

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection
    from starlette.responses import Response

    from textclf.base.problems import ProblemError
    from textclf.service.pages.state import PageState


def answer_problem(asked: HTTPConnection, problem: ProblemError) -> Response:
    """Answer with a problem: for people as a page, for programs as JSON."""
    is_page = "text/html" in asked.headers.get("accept", "") and not asked.url.path.startswith("/v1/")
    if problem.status < 400 or not is_page:
        return problem_response(problem)
    state: PageState = asked.app.state.pages
    language = language_of(asked)
    visitor = Visitor(name=state.sessions.name(asked.cookies.get(SESSION)) or "", language=language)
    texts = strings(language)["refused"]
    names = (problem.name.replace("-", "_"), {401: "no_session", 404: "not_found"}.get(problem.status, ""))
    said = next((texts[name] for name in names if name in texts), None)
    back = page_before(asked)
    answer = page(
        "refused.html",
        visitor,
        section="refused",
        status=problem.status,
        said=said or filled(texts["other"], reason=problem.detail),
        back=f"/sign-in?then={quote(back, safe='')}" if problem.status == 401 else back,
        way=texts["sign_in"] if problem.status == 401 else texts["back"],
    )
    answer.headers.update(problem.headers)
    return answer

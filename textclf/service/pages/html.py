"""Pages from templates: every value is escaped, and nothing but files of this server is loaded or run."""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse, Response

from textclf.service.pages.languages import LANGUAGES, strings
from textclf.service.pages.visitors import Visitor

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: a file name that holds HTML could not run anything even if it were not escaped."""
HEADERS = {
    "Content-Security-Policy": POLICY,
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
SECTIONS = ("drop", "review", "first_labels", "teach", "audit")
"""Pages of the navigation, in its order."""


def page(template: str, visitor: Visitor, *, section: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """Make a page; strings of its section are there as ``t`` and for its script."""
    return HTMLResponse(render(template, visitor, section=section, **values), status, HEADERS)


def picture_answer(drawn: bytes) -> Response:
    """Make the answer with a picture; what an address shows never changes, as it names the content of the document."""
    headers = {**HEADERS, "Cache-Control": "private, max-age=86400, immutable"}
    return Response(drawn, media_type="image/jpeg", headers=headers)


def render(template: str, visitor: Visitor, *, section: str = "", **values: Any) -> str:
    """Give the HTML of a template."""
    table = strings(visitor.language)
    own = table.get(section, {})
    for_script = {
        name: table[name] for name in {"common", "sheet", "teach", "review", "first_labels", section} & table.keys()
    }
    found = _environment().get_template(template)
    return found.render(
        language=visitor.language,
        languages=LANGUAGES,
        visitor=visitor,
        section=section,
        sections=SECTIONS,
        c=table["common"],
        t=own,
        s=table,
        strings=json.dumps(for_script, ensure_ascii=False),
        **values,
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader(__package__ or "", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["filled"] = filled
    environment.filters["percent"] = percent
    environment.globals["version"] = _version()
    return environment


def filled(text: str, **values: object) -> str:
    """Put values into a text of the tables.

    Examples
    --------
    >>> filled("Page {page} of {pages}", page=1, pages=2)
    'Page 1 of 2'
    """
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


def percent(share: float, digits: int = 0) -> str:
    """Give a share in percent.

    Examples
    --------
    >>> percent(0.123, 1), percent(1)
    ('12.3%', '100%')
    """
    return f"{100 * share:.{digits}f}%"


def _version() -> str:
    """Change with the static files, so that a browser does not use those of an older version."""
    from textclf.base.hashing import hash_bytes

    files = sorted((resources.files(__package__ or "") / "static").iterdir(), key=lambda file: file.name)
    return hash_bytes(b"".join(file.read_bytes() for file in files if file.is_file()))[:12]

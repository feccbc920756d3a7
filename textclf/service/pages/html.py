"""Pages from templates: every value is escaped, and nothing but files of this server is loaded or run."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context
from jinja2.runtime import Context
from starlette.responses import HTMLResponse, Response

from textclf.service.pages.languages import LANGUAGES, strings
from textclf.service.pages.visitors import Visitor
from textclf.service.rendering import environment

if TYPE_CHECKING:
    from jinja2 import Environment

SECTIONS = ("drop", "review", "first_labels", "teach", "audit")
"""Pages of the navigation, in its order."""


def page(template: str, visitor: Visitor, *, section: str = "", status: int = 200, **values: Any) -> HTMLResponse:
    """Make a page; strings of its section are there as ``t`` and for its script."""
    return HTMLResponse(render(template, visitor, section=section, **values), status)


def picture_answer(drawn: bytes) -> Response:
    """Make the answer with a picture; what an address shows never changes, as it names the content of the document."""
    headers = {"Cache-Control": "private, max-age=86400, immutable"}
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
    found = environment(__package__ or "")
    found.filters |= {"filled": filled, "percent": _percent, "decimal": _decimal}
    return found


def filled(text: str, **values: object) -> str:
    """Put values into a text of the tables.

    Examples
    --------
    >>> filled("{first} or {second}", first="{second}", second="memo")
    '{second} or memo'
    """
    return re.sub(r"\{(\w+)\}", lambda found: str(values.get(found[1], found[0])), text)


def percent(share: float, digits: int | str = 0, language: str = "en") -> str:
    """Give a share in percent, with so many digits after the point, or as a format such as "3g" has it.

    Examples
    --------
    >>> percent(0.123, 1), percent(1), percent(0.025, "3g"), percent(0.653, 1, "it")
    ('12.3%', '100%', '2.5%', '65,3%')
    """
    form = digits if isinstance(digits, str) else f"{digits}f"
    return f"{decimal(100 * share, form, language)}%"


def decimal(number: float, form: str = "2g", language: str = "en") -> str:
    """Give a number with the decimal mark of a language."""
    written = format(number, form if form == "g" else f".{form}")
    return written.replace(".", ",") if language == "it" else written


@pass_context
def _percent(context: Context, share: float, digits: int | str = 0) -> str:
    return percent(share, digits, context["language"])


@pass_context
def _decimal(context: Context, number: float) -> str:
    return decimal(number, language=context["language"])

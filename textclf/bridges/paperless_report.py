"""The page that shows a trial on an archive."""

from __future__ import annotations

from pathlib import Path

from textclf.base.files import write_aside
from textclf.base.overwrite_guard import REPORT_FOLDER, check_output
from textclf.base.plurals import counted
from textclf.bridges.paperless_trial import Trial

SHOWN = 200
"""Documents that the page lists at most."""


def check_report(path: Path) -> None:
    """Refuse a path before any work, if a page cannot be written there or would take the place of a foreign file."""
    check_output(path, REPORT_FOLDER["report.html"])


def write_report(path: Path, trial: Trial, *, created: str) -> None:
    """Write the page: one file that loads nothing."""
    with write_aside(path) as aside:
        aside.write_text(render_report(trial, created=created), encoding="utf-8")


def render_report(trial: Trial, *, created: str) -> str:
    """Give the page as HTML; all names and titles are escaped."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("textclf"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "counted": counted,
        "share": lambda part, whole: f"{part / whole:.1%}" if whole else "–",
    }
    return environment.get_template("paperless.html").render(trial=trial, created=created, most=SHOWN)

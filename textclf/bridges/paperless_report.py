"""A trial on an archive for people: as lines, and as a page."""

from __future__ import annotations

from collections.abc import Iterator
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


def trial_lines(trial: Trial) -> Iterator[str]:
    """Give the figures of a trial as lines for people."""
    yield from trial.archive
    yield f"textclf, judging documents that it was not trained on: right in {_of(trial.right, trial.documents)}"
    if trial.new_senders:
        yield "(nor on any other of the same correspondent: of senders that the archive knows, more will be right)"
    else:
        yield "(but on others of the same senders: of new senders, fewer will be right, which --new-senders shows)"
    if own := trial.own:
        yield (
            f"paperless-ngx itself, asked about {counted(own.documents, 'document')} of these: right in "
            f"{_of(own.right, own.documents)}, wrong in {own.wrong}, no suggestion for {own.none}"
        )
        yield f"textclf on these {own.documents}: right in {_of(own.textclf_right, own.documents)}"
        yield "(paperless-ngx has learned from these very documents, textclf has not: of new ones, it knows fewer)"
    yield ""
    yield f"{'maximum error':<15}{'would be set':>20}{'of them wrong':>20}{'in the inbox':>20}"
    total = trial.documents + trial.rare
    for step in trial.steps:
        yield (
            f"{step.max_error:<15g}{_of(step.accepted, total):>20}{_of(step.wrong, step.accepted):>20}"
            f"{_of(step.inbox, trial.inbox):>20}"
        )
    yield ""
    width = max(14, *(len(one.name) for one in trial.types)) + 2
    yield f"{'document type':<{width}}{'documents':>10}{'right':>10}{'set':>10}{'set wrongly':>14}"
    for one in trial.types:
        yield f"{one.name:<{width}}{one.documents:>10}{one.right:>10}{one.accepted:>10}{one.accepted_wrongly:>14}"
    if trial.disagreements:
        yield ""
        yield "filed as one type, would have been set to another; look at these first, as either may be wrong:"
        for judged in trial.disagreements[:10]:
            yield f"  {judged.id}: {judged.category}, set to {judged.predicted} ({judged.score:.1%}): {judged.title}"


def _of(part: int, whole: int) -> str:
    return f"{part} of {whole} ({part / whole:.1%})" if whole else "-"

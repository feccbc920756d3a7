"""The report of an evaluation: a page for people, and the same figures for programs."""

from __future__ import annotations

import json
import operator
import warnings
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from textclf.base.files import write_aside
from textclf.base.overwrite_guard import SOFTWARE
from textclf.base.plurals import counted
from textclf.base.tables import csv_writer, safe_cell, write_rows
from textclf.evaluation.reliability import RiskCoverage
from textclf.evaluation.results import EvaluationReport
from textclf.model.training_record import TrainingRecord

if TYPE_CHECKING:
    from jinja2 import Environment
    from matplotlib.figure import Figure

NOT_PREDICTED = "(not predicted)"
MAX_ERRORS = (0.01, 0.02, 0.05, 0.1)
"""Maximum errors for which the report gives the number of documents that could be accepted."""
CURVE_POINTS = 300
MISTAKE_COLUMNS = (
    "documents_of_pair",
    "document_id",
    "category",
    "predicted_category",
    "score",
    "decision",
    "error",
    "snippet",
    "given_category",
)
PNG_NAME_LENGTH = 32
PNG_PIXELS = 4000
PNG_RIGHT = (31, 95, 191)
PNG_WRONG = (217, 95, 14)


def write_report(
    report: EvaluationReport,
    folder: str | Path,
    *,
    title: str,
    training: TrainingRecord | None,
    model_name: str,
    created: str,
) -> list[Path]:
    """Write the report's files: the same input gives the same bytes.

    Parameters
    ----------
    report : EvaluationReport
        The figures.
    folder : str or pathlib.Path
        Folder for the files; created if missing.
    title : str
        Heading of the page.
    training : TrainingRecord or None
        Threshold, learning curve and feature groups of the model; without it the page leaves them out.
    model_name : str
        Name of the model in the page, such as its file name.
    created : str
        Date of the evaluation, as shown.

    Returns
    -------
    list of pathlib.Path
        ``report.html`` (self-contained), ``metrics.json``, ``confusion.csv``, ``confusion.png`` and
        ``confused_pairs.csv`` (every wrong document; the predicted category is empty if there is none).

    Raises
    ------
    textclf.base.errors.OutputError
        If a file cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from textclf.evaluation.evaluate import evaluate_predictions
    >>> from textclf.model.prediction import Prediction
    >>> said = [Prediction(document_id="a", predicted_category="invoice", score=0.9, decision="accept")]
    >>> report = evaluate_predictions(["invoice", "letter"], ["invoice"], said, texts=None)
    >>> paths = write_report(
    ...     report, tempfile.mkdtemp(), title="Test", training=None, model_name="m.textclf", created="2026-01-01"
    ... )
    >>> paths[0].name, "1 of 1 document got the right category" in paths[0].read_text(encoding="utf-8")
    ('report.html', True)
    """
    names = ("report.html", "metrics.json", "confusion.csv", "confusion.png", "confused_pairs.csv")
    paths = [Path(folder) / name for name in names]
    page, facts, confusion, picture, mistakes = paths
    about = {"title": title, "model": model_name, "created": created}
    _write_text(page, _page(report, training, about))
    _write_text(
        facts, json.dumps(_metrics(report, training, about), indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    )
    _write_confusion(report, confusion)
    _write_picture(report, picture)
    _write_mistakes(report, mistakes)
    return paths


def _metrics(report: EvaluationReport, training: TrainingRecord | None, about: dict[str, str]) -> dict[str, object]:
    """Give the figures for ``metrics.json``, which has ids of documents but no texts."""
    values = asdict(report)
    rows, columns = values.pop("true_categories"), values.pop("predicted_categories")
    error_names = ("document_id", "category", "predicted_category", "score")
    return {
        **about,
        **values,
        "accepted_share": report.accepted_share,
        "accepted_accuracy": report.accepted_accuracy,
        "accepted_error_bound_95": report.accepted_error_bound_95,
        "not_predicted": [mistake.document_id for mistake in report.not_predicted],
        "unknown_categories": {figures.category: figures.support for figures in report.unknown_categories},
        "confusion": {
            "true_categories": rows,
            "predicted_categories": columns,
            "documents": report.confusion.tolist(),
        },
        "confused_pairs": [
            pair | {"documents": [mistake["document_id"] for mistake in pair["documents"]]}
            for pair in values["confused_pairs"]
        ],
        "risk_coverage": report.risk_coverage and _curve_figures(report.risk_coverage),
        "confident_errors": [{name: mistake[name] for name in error_names} for mistake in values["confident_errors"]],
        "label_issues": [
            {name: value for name, value in issue.items() if name != "snippet"} for issue in values["label_issues"]
        ],
        "training": training and asdict(training),
    }


def _curve_figures(curve: RiskCoverage) -> dict[str, object]:
    points = curve.thinned(CURVE_POINTS)
    return {
        "aurc": curve.area,
        "accepted_at": [asdict(curve.accepted_at(error)) for error in MAX_ERRORS],
        "thresholds": points.thresholds.tolist(),
        "accepted": points.accepted.tolist(),
        "error": points.error.tolist(),
        "error_bound_95": points.upper.tolist(),
    }


@cache
def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("textclf"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "counted": counted}
    return environment


def _page(report: EvaluationReport, training: TrainingRecord | None, about: dict[str, str]) -> str:
    tested = [figures for figures in report.categories if figures.support]
    by_f1 = sorted(tested, key=lambda figures: figures.f1)
    curve = report.risk_coverage
    return (
        _environment()
        .get_template("report.html")
        .render(
            **about,
            report=report,
            training=training,
            groups=[
                (column, list(groups)) for column, groups in groupby(report.groups, key=lambda group: group.column)
            ],
            tested=len(tested),
            trained=sum(training.documents.values()) if training else 0,
            threshold=training.acceptance.threshold if training and training.acceptance.threshold <= 1 else None,
            weakest=[figures for figures in by_f1 if figures.known and figures.f1 < 1][:3],
            accepted_at=[curve.accepted_at(error) for error in MAX_ERRORS] if curve else [],
            risk_points=curve.thinned(CURVE_POINTS) if curve else None,
            **_axes(report, training),
        )
    )


def _axes(report: EvaluationReport, training: TrainingRecord | None) -> dict[str, Sequence[object]]:
    """Ticks of the charts: documents as whole numbers, shares within 0 and 1."""
    from matplotlib.ticker import MaxNLocator

    def counts(highest: int, ticks: int) -> list[int]:
        return [round(tick) for tick in MaxNLocator(ticks, integer=True, min_n_ticks=1).tick_values(0, highest)]

    def shares(lowest: float, highest: float) -> list[float]:
        ticks = MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(max(lowest, 0.0), min(highest, 1.0))
        return [round(float(tick), 6) for tick in ticks if 0 <= tick <= 1]

    axes: dict[str, Sequence[object]] = dict.fromkeys(("familiarity_axis", "risk_axis", "reliability_axis"), ())
    for name, histogram in (("score_axis", report.score_histogram), ("familiarity_axis", report.familiarity_histogram)):
        if histogram:
            axes[name] = counts(max(1, *map(operator.add, histogram.right, histogram.wrong)), 4)
    if report.risk_coverage:
        # the bound of few documents may exceed the axis
        max_error = training.acceptance.max_error if training else 0.0
        axes["risk_axis"] = shares(0, max(1.25 * float(report.risk_coverage.error[-1]), 2 * max_error, 0.05))
    if report.calibration:
        axes["reliability_axis"] = shares(
            min(0.8, *(min(group.score, group.interval[0]) for group in report.calibration.bins)), 1
        )
    if training and training.curve:
        lowest = min(min(point.accuracy, point.macro_f1) for point in training.curve)
        axes["curve_axes"] = counts(training.curve[-1].documents, 8), shares(min(lowest, 0.9), 1)
    return axes


def _percent(share: float, digits: int = 1) -> str:
    if share in (0, 1):
        return f"{share:.0%}"
    # all but one of 10,000 must not be shown as 100%
    return f"{min(max(share, 0.001), 0.999):.{digits}%}"


def _write_text(path: Path, text: str) -> None:
    with write_aside(path) as aside:
        # a file name may contain bytes that are not text; they become question marks
        aside.write_bytes(text.encode("utf-8", errors="replace"))


def _write_confusion(report: EvaluationReport, path: Path) -> None:
    with write_aside(path) as aside, aside.open("w", encoding="utf-8", errors="replace", newline="") as file:
        writer = csv_writer(file.write)
        writer.writerow(["true category", *(safe_cell(name or NOT_PREDICTED) for name in report.predicted_categories)])
        for name, row in zip(report.true_categories, report.confusion.tolist(), strict=True):
            writer.writerow([safe_cell(name), *row])


def _write_picture(report: EvaluationReport, path: Path) -> None:
    from matplotlib import style

    # The user's matplotlib settings would change the picture. A name with characters that the font lacks would cause
    # a warning: it is drawn as boxes, and is complete in the page and the CSV.
    with style.context("default"), warnings.catch_warnings(), write_aside(path) as aside:
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        # the library's version in the file would change its bytes
        _confusion_figure(report).savefig(aside, format="png", metadata={"Software": SOFTWARE})


def _write_mistakes(report: EvaluationReport, path: Path) -> None:
    groups = [*(pair.documents for pair in report.confused_pairs), report.not_predicted]
    rows = (
        asdict(mistake) | {"documents_of_pair": len(group), "given_category": mistake.category}
        for group in groups
        for mistake in group
    )
    write_rows(path, MISTAKE_COLUMNS, rows, formulas_safe=True)


def _confusion_figure(report: EvaluationReport) -> Figure:
    from matplotlib.figure import Figure

    counts = report.confusion
    rows, columns = counts.shape
    cell = min(0.5, max(0.24, 12 / columns))
    width, height = 3.2 + cell * columns, 2.9 + cell * rows
    # a matrix of hundreds of categories may be less sharp, but must not fill the memory
    dpi = min(150.0, PNG_PIXELS / max(width, height))
    figure = Figure(figsize=(width, height), dpi=dpi, layout="constrained")
    axes = figure.add_subplot()
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    hit = np.array(report.true_categories)[:, None] == np.array(report.predicted_categories)[None, :]
    # the colours of the page, blended on white, light enough for black figures
    alpha = np.where(counts > 0, np.where(hit, 0.08 + 0.52 * share, 0.12 + 0.48 * share), 0.0)[:, :, None]
    colours = 255 * (1 - alpha) + alpha * np.where(hit[:, :, None], PNG_RIGHT, PNG_WRONG)
    axes.imshow(colours.round().astype(np.uint8), interpolation="nearest")
    for row, column in np.argwhere(counts):
        axes.text(column, row, str(counts[row, column]), ha="center", va="center", fontsize=min(9, 24 * cell))

    size = 8 if cell > 0.3 else 7
    axes.set_xticks(range(columns), [_short(name) for name in report.predicted_categories], rotation=90, fontsize=size)
    axes.set_yticks(range(rows), [_short(name) for name in report.true_categories], fontsize=size)
    for label in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        # a dollar sign in a name does not begin a formula
        label.set_parse_math(False)
    axes.vlines(np.arange(columns + 1) - 0.5, -0.5, rows - 0.5, color="#e2e5e9", linewidth=0.6)
    axes.hlines(np.arange(rows + 1) - 0.5, -0.5, columns - 0.5, color="#e2e5e9", linewidth=0.6)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("predicted category", color="#59616b", fontsize=9)
    axes.set_ylabel("true category", color="#59616b", fontsize=9)
    return figure


def _short(name: str) -> str:
    name = " ".join((name or NOT_PREDICTED).encode("utf-8", errors="replace").decode().split())
    return name if len(name) <= PNG_NAME_LENGTH else f"{name[: PNG_NAME_LENGTH - 1]}…"

"""A model shown to the person who has loaded it, on one line and as HTML."""

from __future__ import annotations

import textwrap
from html import escape

from textclf.model.prediction import TrainingRecord

NAMES_WIDTH = 100
"""Characters of the categories' names that are shown."""


def one_line_summary(training: TrainingRecord) -> str:
    """Say what a model knows and how good it found itself, on a line that fits a screen."""
    return f"<textclf model: {'; '.join(f'{name} {value}' for name, value in _facts(training))}>"


def html_summary(training: TrainingRecord) -> str:
    """Say the same as a small table for a notebook; names of categories are escaped."""
    rows = "".join(f"<tr><th>{name}</th><td>{escape(value)}</td></tr>" for name, value in _facts(training))
    return f"<table><caption>textclf model</caption>{rows}</table>"


def _facts(training: TrainingRecord) -> list[tuple[str, str]]:
    names = textwrap.shorten(", ".join(map(repr, training.documents)), NAMES_WIDTH, placeholder=" …")
    if not training.acceptance.accepted:
        accepted = "nothing"
    else:
        accepted = f"{training.acceptance.accepted:.0%} from score {training.acceptance.threshold:.3f}"
    return [
        (f"{len(training.documents)} categories", f"({names})"),
        ("documents", f"{sum(training.documents.values()):,}"),
        ("accuracy", f"{training.groups[-1].accuracy:.3f} cross-validated"),
        ("accepts", accepted),
    ]

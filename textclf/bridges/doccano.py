"""Texts and labels as doccano writes and reads them: a JSON object a line, for text classification."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from textclf.base.errors import BadDataError
from textclf.bridges.labelled import LabelledText, agreed

_LABELS = ("label", "labels", "category")


def as_line(document_id: str, text: str, category: str = "") -> str:
    """Give a document as a line to import; the id comes back in the export.

    Examples
    --------
    >>> as_line("a.pdf", "Total due", "invoice")
    '{"text": "Total due", "label": ["invoice"], "document_id": "a.pdf"}'
    """
    row = {"text": text, "label": [category] if category else [], "document_id": document_id}
    return json.dumps(row, ensure_ascii=False)


def read_lines(lines: Iterable[str]) -> Iterator[LabelledText]:
    """Read an export in JSON lines.

    Raises
    ------
    textclf.base.errors.BadDataError
        If a line is no JSON object with a text.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or not isinstance(text := row.get("text", row.get("data")), str):
            raise BadDataError(
                f"line {number} is no JSON object with a text", remedy="export it as JSONL for text classification"
            )
        given = row.get("meta")
        meta = given if isinstance(given, dict) else {}
        yield LabelledText(
            document_id=str(row.get("document_id") or meta.get("document_id") or f"line-{row.get('id', number)}"),
            text=text,
            category=agreed(_labels(row)),
        )


def _labels(row: dict[str, Any]) -> list[str]:
    for name in _LABELS:
        value = row.get(name)
        if isinstance(value, str):
            return [value]
        if isinstance(value, list):
            return [one for one in value if isinstance(one, str)]
    return []

"""``textclf classify``: reads scans and predicts their categories."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import BadInputError, UsageError
from textclf.base.overwrite_guard import PICTURE, check_output, picture_paths
from textclf.commands.application import Option
from textclf.commands.arguments import AsJson, ModelFile, Scans, Strict, check_strict, load_to_accept
from textclf.commands.console import print_lines, show_reading
from textclf.data.scans import ScanOptions, find_scans, source_of
from textclf.model.pages import page_runs
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from ocr.document import Document
    from textclf.model.explain import Explanation
    from textclf.model.prediction import Prediction

MAX_RUNS = 6
"""Runs of pages of the same category that the line of a document lists; ``--why`` lists all."""

_log = logging.getLogger(__name__)


def classify(
    model: ModelFile,
    paths: Scans,
    *,
    as_json: AsJson = False,
    why: Annotated[bool, Option("--why", help="Also name the words and features that spoke for and against.")] = False,
    explain: Annotated[
        Path | None,
        Option(
            "--explain",
            metavar="PNG",
            help="Draw the words that spoke for and against on the page; a folder for several documents.",
        ),
    ] = None,
    signatures: Annotated[
        bool, Option("--signatures", help="With --json: also say which places for signatures are signed.")
    ] = False,
    strict: Strict = False,
    accepting: AcceptanceOptions,
    scans: ScanOptions,
) -> None:
    """Predict the category of each scan: one line per document, or one JSON object per line.

        textclf classify model.textclf new.pdf photo.jpg --why

    Prints category, score, accept or review, the document and, for review, the reason.
    """
    from textclf.data.predictions import as_json as json_line
    from textclf.data.predictions import classify_files

    if signatures and not as_json:
        raise UsageError("--signatures is a part of the JSON", remedy="add --json, or use textclf signatures")
    loaded = load_to_accept(model, accepting)
    pictures = {} if explain is None else _check_pictures(explain, model, paths, scans)
    failed = total = 0
    explained = why or explain is not None
    for document, prediction, found in classify_files(loaded, paths, replace(scans, show=show_reading), why=explained):
        total += 1
        failed += document.status != "ok"
        if as_json:
            more = {"why": None if found is None else found.to_dict()} if why else {}
            if signatures:
                from textclf.data.signatures import as_dict, signatures_of

                more["signatures"] = as_dict(signatures_of(document, scans))
            print_lines(json_line(prediction, loaded, **_reading(document), **more))
        else:
            print_lines(_line(document, prediction))
            if why and found is not None:
                print_lines(*(f"    {line}" for line in found.to_lines()))
                print_lines(*(f"    page {run}" for run in page_runs(prediction.pages)))
        if explain is not None and found is None:
            _log.warning(f"{document.document_id}: no picture, as nothing was predicted")
        if explain is not None and found is not None:
            _draw(document, found, pictures.get(document.document_id) or _picture(explain, document), scans)
    check_strict(failed, total, "were not read in full", strict=strict)


def _check_pictures(explain: Path, model: Path, paths: Sequence[Path], scans: ScanOptions) -> dict[str, Path]:
    """Check the paths of the pictures before anything is read; gives one per file."""
    found = find_scans(paths)
    if explain.suffix and (len(found) > 1 or scans.split != "none"):
        raise UsageError(f"{explain} is one file", where="--explain", remedy="give a folder for several documents")
    if not explain.suffix and explain.exists() and not explain.is_dir():
        raise UsageError(f"{explain} is no folder", where="--explain", remedy="give a folder, or a name with .png")
    pictures = picture_paths(explain, (one.document_id for one in found))
    for picture in pictures.values():
        check_output(picture, PICTURE, inputs=[model, *(one.file for one in found)])
    return pictures


def _picture(explain: Path, part: Document) -> Path:
    """Give the path of the picture of a part of a file, which is known once the file is split."""
    picture = picture_paths(explain, [part.document_id])[part.document_id]
    check_output(picture, PICTURE)
    return picture


def _reading(document: Document) -> dict[str, object]:
    return {
        "pages": document.page_count,
        "pages_read": round(document.pages_read, 2),
        "ocr_confidence": round(document.confidence, 1),
        "ocr_engine": document.engine,
        **source_of(document),
        **_part(document),
    }


def _part(document: Document) -> dict[str, object]:
    if not (part := document.part):
        return {}
    cut = {"cut_score": round(part.score, 4), "cuts": "accept" if part.is_sure else "review"}
    return {"part_of": part.of, "first_page": part.first_page, "last_page": part.last_page, **cut}


def _line(document: Document, prediction: Prediction) -> str:
    unread = document.pages_read < document.page_count and not prediction.error
    part = f"read {document.pages_read:.1f} of {document.page_count} pages" if unread else ""
    reason = prediction.reason if prediction.predicted_category else ""
    runs = page_runs(prediction.pages)
    pages = f"pages: {', '.join([*runs[:MAX_RUNS], *(['…'] if runs[MAX_RUNS:] else [])])}" if runs else ""
    note = "; ".join(filter(None, (prediction.error, reason, pages, part)))
    return (
        f"{prediction.predicted_category or '-':<24} {prediction.score:6.1%}  {prediction.decision:<6}  "
        f"{document.document_id}{f'  ({note})' if note else ''}"
    )


def _draw(document: Document, found: Explanation, picture: Path, scans: ScanOptions) -> None:
    from textclf.data.drawing import draw_explanation

    try:
        for path in draw_explanation(document, found, picture, scans.reading.limits, scans.reading.password):
            _log.info(f"{path}")
    except BadInputError as error:
        _log.warning(str(error))

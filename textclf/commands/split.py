"""``textclf split``: writes the documents of a stack as files of their own."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import SomeFailedError
from textclf.base.plurals import counted
from textclf.commands.application import Option, Options
from textclf.commands.arguments import AsJson, OutputFolder, Scans
from textclf.commands.console import print_lines, show_reading
from textclf.data.scans import ScanOptions, find_scans

if TYPE_CHECKING:
    from ocr.document import Document
    from textclf.model.prediction import Prediction

NO_KIND = "document"
"""Name of the files of documents whose kind is unknown."""

_log = logging.getLogger(__name__)


def split(
    paths: Scans,
    output: OutputFolder,
    *,
    model: Annotated[
        Path | None,
        Option(metavar="MODEL", help="A model file, which helps to cut; the files are named by its categories."),
    ] = None,
    unsure: Annotated[bool, Option("--unsure", help="Also write the documents of stacks with a doubtful cut.")] = False,
    as_json: AsJson = False,
    scans: Annotated[ScanOptions, Options(without=("effort", "split"))],
) -> None:
    """Split stacks into their documents: each becomes a file, with its pages as they are in the stack.

        textclf split stack.pdf -o parts/ --model model.textclf

    Prints a line per document: its pages, the score of its cuts, its kind and file. A stack with a doubtful cut is
    printed but not written; then, and where a file cannot be read, the exit code is 8. Files that are there already are
    never overwritten: names are numbered.
    """
    from textclf.data.part_files import write_part

    found = _documents(paths, model, replace(scans, split="auto", show=show_reading))
    doubtful = failed = total = 0
    for _, group in groupby(found, lambda pair: pair[0].file):
        parts = list(group)
        total += 1
        sure = all(document.part is None or document.part.is_sure for document, _ in parts)
        doubtful += not sure
        failed += any(document.status == "failed" for document, _ in parts)
        for document, prediction in parts:
            file = None
            if (sure or unsure) and document.pages:
                kind = prediction.predicted_category if prediction else ""
                file = write_part(document, output, kind or NO_KIND, scans.reading.limits, scans.reading.password)
            print_lines(*_lines(document, prediction, file, as_json=as_json))
    _check(doubtful=0 if unsure else doubtful, failed=failed, total=total)


def _documents(
    paths: list[Path], model: Path | None, scans: ScanOptions
) -> Iterable[tuple[Document, Prediction | None]]:
    if model is None:
        return ((document, None) for document in scans.iter_documents(find_scans(paths)))
    from textclf.data.predictions import classify_files
    from textclf.model.file import load_model

    return ((document, prediction) for document, prediction, _ in classify_files(load_model(model), paths, scans))


def _lines(document: Document, prediction: Prediction | None, file: Path | None, *, as_json: bool) -> list[str]:
    part = document.part
    pages = (part.first_page, part.last_page) if part else (0, 0)
    if as_json:
        import json

        cells = {
            "document_id": document.document_id,
            "part_of": part.of if part else document.document_id,
            "first_page": pages[0],
            "last_page": pages[1],
            "cut_score": round(part.score, 4) if part else None,
            "cuts": None if part is None else "accept" if part.is_sure else "review",
            "predicted_category": prediction.predicted_category if prediction else "",
            "score": round(prediction.score, 6) if prediction else None,
            "decision": prediction.decision if prediction else "",
            "file": None if file is None else str(file),
            "status": document.status,
            "error": document.error,
        }
        return [json.dumps(cells, ensure_ascii=False)]
    span = "-".join(dict.fromkeys(map(str, pages))) if part else "-"
    kind = f"{prediction.predicted_category or '-'} {prediction.score:.1%}" if prediction else "-"
    doubt = "" if part is None or part.is_sure else "  (doubtful stack)"
    note = f"  ({document.error})" if document.error else ""
    score = part.score if part else 0.0
    return [f"{span:<9} {score:6.1%}  {kind:<30}  {document.document_id}  {file or 'not written'}{doubt}{note}"]


def _check(*, doubtful: int, failed: int, total: int) -> None:
    if doubtful:
        if failed:
            _log.warning(f"{failed} of {counted(total, 'file')} could not be read")
        raise SomeFailedError(
            f"where to cut {doubtful} of {counted(total, 'file')} is doubtful, and nothing of them was written",
            remedy="look at the pages with the lowest scores; --unsure writes them as they were cut",
        )
    if failed:
        raise SomeFailedError(f"{failed} of {counted(total, 'file')} could not be read", remedy="see the lines above")

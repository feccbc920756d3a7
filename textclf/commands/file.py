"""``textclf file``: puts scans into the folders of their categories."""

from __future__ import annotations

import json
import logging
from collections import Counter
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import OutputError, SomeFailedError, UsageError
from textclf.base.plurals import counted
from textclf.commands.application import Argument, Option, Options
from textclf.commands.arguments import AsJson, Strict, load_to_accept
from textclf.commands.console import print_lines, show_reading
from textclf.data.scans import ScanOptions
from textclf.folders.options import Destinations, FilingOptions
from textclf.library.options import LibraryOptions
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from textclf.folders.filing import Filed
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)
NOTHING_TO_UNDO = "there is no run to undo"

Into = Annotated[Path, Option("--into", metavar="FOLDER", help="Where the folders of the categories are.")]
FilingModel = Annotated[
    Path | None,
    Option("--model", metavar="MODEL", help="A model file; by default the model on duty in the library."),
]
FilingScans = Annotated[ScanOptions, Options(without=("split", "dask"))]


def file(
    paths: Annotated[
        list[Path] | None, Argument(metavar="INBOX", help="Folders in which scans wait, and files; not with --undo.")
    ] = None,
    *,
    into: Into,
    model: FilingModel = None,
    undo: Annotated[bool, Option("--undo", help="Put the files of the last run back where they were.")] = False,
    dry_run: Annotated[bool, Option("--dry-run", help="Only tell where each file would go.")] = False,
    as_json: AsJson = False,
    strict: Strict = False,
    filing: FilingOptions,
    keeping: LibraryOptions,
    accepting: AcceptanceOptions,
    scans: FilingScans,
) -> None:
    """Put scans into a folder for each category; those of which the model is not sure go to one for review.

        textclf file inbox/ --into cabinet/ --model model.textclf
        textclf file --undo --into cabinet/

    Prints a line per file: category, score, and where it went. Nothing is ever overwritten. What was done is told in
    the log of the day, below .textclf/log. A run that was interrupted, even by a power cut, is put right by the next.
    """
    destinations = Destinations.of(into, filing)
    if undo:
        if paths or dry_run:
            raise UsageError("--undo takes no files, and is no trial", remedy="give --into alone")
        _undo(destinations, keeping, as_json=as_json)
        return
    if not paths:
        raise UsageError("no folder is given in which scans wait", remedy="name one, or give --undo")
    from textclf.folders.filing import Filer
    from textclf.folders.filing_folder import check_inboxes, keep_model, known_library, open_filing_folder
    from textclf.folders.inbox import waiting_files

    check_inboxes(paths)
    destinations.check(paths, once=True)
    path, loaded = load_filing_model(model, destinations, keeping, accepting)
    counts = Counter[str]()
    with ExitStack() as stack:
        mover = None if dry_run else stack.enter_context(open_filing_folder(destinations, keeping, utc_now, "file"))
        library = mover.library if mover else stack.enter_context(known_library(destinations, keeping))
        model_id = keep_model(mover.library, path, at=utc_now()) if mover else ""
        filer = Filer(
            loaded, model_id, destinations=destinations, options=filing, mover=mover, library=library, now=utc_now
        )
        waiting = waiting_files(paths, destinations)
        if mover and waiting:
            mover.begin()
        for filed in filer.run(waiting, replace(scans, show=show_reading)):
            counts[filed.result] += 1
            print_lines(line_of(filed, as_json=as_json, dry_run=dry_run))
    _log.info(summary(counts, destinations, dry_run=dry_run))
    if counts["stayed"]:
        raise OutputError(
            f"{counts['stayed']} of {counted(counts.total(), 'file')} stayed where they were", remedy="see their lines"
        )
    if strict and counts["failed"]:
        raise SomeFailedError(
            f"{counts['failed']} of {counted(counts.total(), 'file')} could not be read", remedy="see their lines"
        )


def load_filing_model(
    model: Path | None, destinations: Destinations, keeping: LibraryOptions, accepting: AcceptanceOptions
) -> tuple[Path, Model]:
    """Load a model, or without one that on duty in the library, before anything is made; gives its file too."""
    from textclf.folders.filing_folder import known_library, model_file

    with known_library(destinations, keeping) as library:
        path = model_file(model, library)
    return path, load_to_accept(path, accepting)


def _undo(destinations: Destinations, keeping: LibraryOptions, *, as_json: bool) -> None:
    from textclf.folders.filing_folder import check_library, open_filing_folder
    from textclf.folders.undo import undo_last_run

    check_library(destinations, keeping)
    counts = Counter[str]()
    with open_filing_folder(destinations, keeping, utc_now, "file") as mover:
        journal, into = mover.library.journal, str(destinations.into)
        if idle := journal.forget_idle_runs(into):
            then, before = NOTHING_TO_UNDO, journal.last_run(into)
            if before and (run := journal.run(before[0].run)):
                files = counted(len(before), "file")
                then = f"--undo once more takes back the run of {_local(run.started_at)}, {files}"
            _log.info(f"the last run, of {_local(idle.started_at)}, moved no file; {then}")
            return
        for filed in undo_last_run(mover.library, destinations.into, mover.log, utc_now):
            counts[filed.result] += 1
            print_lines(line_of(filed, as_json=as_json))
    done = {
        "put back": f"put back {counted(counts['put back'], 'file')}",
        "removed": f"removed {counted(counts['removed'], 'copy', 'copies')}",
    }
    _log.info(", ".join(told for result, told in done.items() if counts[result]) or NOTHING_TO_UNDO)
    if remaining := counts["stayed"] + counts["gone"]:
        raise OutputError(f"{counted(remaining, 'file')} could not be put back", remedy="see their lines")


def _local(at: datetime) -> str:
    return f"{at.astimezone():%Y-%m-%d %H:%M}"


def utc_now() -> datetime:
    """Give the time."""
    return datetime.now(UTC)


def line_of(filed: Filed, *, as_json: bool, dry_run: bool = False) -> str:
    """Tell on one line what became of a file, or would."""
    target = None if filed.target is None else str(filed.target)
    if as_json:
        cells = {
            "document_id": filed.document_id,
            "source": str(filed.source),
            "target": target,
            "result": filed.result,
            "predicted_category": "" if filed.is_decided else filed.category,
            "decided_category": filed.category if filed.is_decided else None,
            "score": round(filed.score, 6) if filed.category and not filed.is_decided else None,
            "note": filed.note,
            "dry_run": dry_run,
        }
        return json.dumps(cells, ensure_ascii=False)
    score = f"{filed.score:6.1%}" if filed.category and not filed.is_decided else "     -"
    result = "would file" if dry_run and filed.target not in (None, filed.source) else filed.result
    return (
        f"{filed.category or '-':<24} {score}  {result:<9}  {filed.document_id}"
        f"{f' -> {target}' if target else ''}{f'  ({filed.note})' if filed.note else ''}"
    )


def summary(counts: Counter[str], destinations: Destinations, *, dry_run: bool = False) -> str:
    """Tell in one line what became of all files, or would."""
    if not counts:
        return "no scan waits"
    words = {
        "filed": "to be filed" if dry_run else "filed",
        "review": "for review",
        "failed": "cannot be read",
        "duplicate": "filed before",
        "stayed": "stayed",
    }
    told = ", ".join(f"{counts[result]:,} {said}" for result, said in words.items() if counts[result])
    end = "dry run: nothing was changed" if dry_run else f"what was done is told in {destinations.private / 'log'}"
    return f"{counted(counts.total(), 'file')}: {told}; {end}"

"""From scans to a table of documents: reading them for a command, and cleaning tables that others have read."""

from __future__ import annotations

import hashlib
import logging
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.finding import FoundFile, find_documents
from textclf.base.encodings import AUTO
from textclf.base.errors import BadDataError, BadInputError, OutputError, UsageError
from textclf.base.files import refuse_unwritable_folder
from textclf.base.outputs import DOCUMENTS, check_output, table_kind
from textclf.base.tables import read_rows, write_rows
from textclf.data.labels import labels_from_folders as folders_as_labels
from textclf.data.labels import match_labels, read_labels
from textclf.data.sources import (
    InputDocument,
    TableOptions,
    check_folder,
    document_cells,
    read_texts,
    write_documents,
)

if TYPE_CHECKING:
    from ocr.batch import Progress
    from ocr.cache import PageCache
    from ocr.documents import Document
    from ocr.engines import OcrEngine
    from ocr.reading_options import Effort, ReadingOptions
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)

_NAMED = 5
"""How many documents are named that could not be read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How scans are read by a command.

    Parameters
    ----------
    options : ocr.reading_options.ReadingOptions
        What is read and how.
    jobs : int, optional
        Worker processes; as many as cores and memory bear without it.
    cache : ocr.cache.PageCache, optional
        Where pages that were read are kept.
    show : callable, optional
        Opens what shows how far reading is: `textclf.commands.console.show_reading`.
    dask : str
        Address of a Dask scheduler to read on its cluster, or ``local``; empty for processes of this machine.
    engine : ocr.engines.OcrEngine, optional
        What reads; `ocr.engines.open_engine` chooses without it.
    effort : {"full", "balanced", "fast"}
        How much of a document is read; other than ``full`` needs ``how_sure``.
    how_sure : callable, optional
        Tells of a text and its OCR confidence how sure it makes; from 1 on no more is read.
    """

    options: ReadingOptions
    jobs: int | None = None
    cache: PageCache | None = None
    show: Callable[[], AbstractContextManager[Callable[[Progress], None] | None]] = nullcontext
    dask: str = ""
    engine: OcrEngine | None = None
    effort: Effort = "full"
    how_sure: Callable[[str, float], float] | None = None

    def iter_documents(self, files: Sequence[tuple[str, Path]]) -> Iterator[Document]:
        """Read documents in input order."""
        from ocr.batch import iter_documents

        with ExitStack() as stack:
            cluster = None
            if self.dask:
                from textclf.base.cluster import open_cluster

                cluster = stack.enter_context(open_cluster(self.dask))
            for document in iter_documents(
                files,
                options=self.options,
                engine=self.engine,
                jobs=self.jobs,
                cache=self.cache,
                progress=stack.enter_context(self.show()),
                effort=self.effort,
                how_sure=self.how_sure,
                cluster=cluster,
            ):
                how = document.engine or "text layer"
                _log.debug(
                    f"{document.document_id}: {document.page_count} pages, {document.seconds:.2f} s, {how}, "
                    f"{document.status}"
                )
                yield document


def until_accepted(reading: Reading, effort: Effort, model: Model) -> Reading:
    """Read of each document no more than a model needs to accept what it says of it.

    Whoever asks after every page is sooner wrong once than who asks at the end. So with ``balanced`` the doubt must be
    half of what the model bears. With ``fast`` the threshold itself is enough.

    Parameters
    ----------
    reading : Reading
        How to read else.
    effort : {"full", "balanced", "fast"}
        See `ocr.batch.iter_documents`.
    model : Model
        The model.

    Returns
    -------
    Reading
        With `effort` and `how_sure`.
    """
    threshold = model.training.acceptance.threshold
    enough = threshold if effort == "fast" else (1 + threshold) / 2

    def how_sure(text: str, confidence: float) -> float:
        prediction = model(text, ocr_confidence=confidence)
        sure = prediction.score / enough
        return sure if prediction.decision == "accept" else min(sure, 0.999)

    return replace(reading, effort=effort, how_sure=how_sure)


def default_cache() -> Path | None:
    """Name the folder where pages that were read are kept: ``textclf/pages`` in the user's cache folder (XDG).

    Returns
    -------
    pathlib.Path or None
        None where there is no home, or nothing can be written to it: then nothing is kept.
    """
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # a relative one does not count (XDG Base Directory Specification)
        folder = (Path(base) if os.path.isabs(base) else _home() / ".cache") / "textclf" / "pages"  # noqa: PTH117
        refuse_unwritable_folder(folder)
    except (RuntimeError, OutputError) as error:
        _log.warning(f"pages that are read are not kept for another run ({error}); --cache names a folder for them")
        return None
    return folder


def _home() -> Path:
    home = Path.home()
    if not home.is_dir():
        raise RuntimeError(f"there is no {home}")
    return home


def find_scans(paths: Sequence[Path]) -> list[FoundFile]:
    """List the scans under files and folders, as `ocr.finding.find_documents` does; none is an error."""
    files = find_documents(paths)
    if not files:
        raise BadInputError(
            "no scan found", where=", ".join(map(str, paths)), remedy="name images, PDFs or folders that hold some"
        )
    return files


def read_scans(
    paths: Sequence[Path],
    output: Path,
    reading: Reading,
    *,
    labels: Path | None = None,
    labels_from_folders: bool = False,
    encoding: str = AUTO,
) -> dict[str, int]:
    """Read scans and write ``documents.csv``.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files and folders.
    output : pathlib.Path
        The CSV file.
    reading : Reading
        How to read.
    labels : pathlib.Path, optional
        CSV with the columns ``file`` and ``category``.
    labels_from_folders : bool, default False
        Take the first folder under the one given for the category.
    encoding : str
        How the bytes of the labels file stand for characters, or ``auto``.

    Returns
    -------
    dict of str to int
        How many documents ended with each status; ``without text``: how many of all have none.

    Raises
    ------
    textclf.base.errors.BadInputError
        There is no document.
    textclf.base.errors.UsageError
        Both ways to label are asked for.
    """
    if labels is not None and labels_from_folders:
        raise UsageError("--labels and --labels-from-folders exclude each other", remedy="give one of them")
    files = find_scans(paths)
    check_output(output, DOCUMENTS, inputs=[*([] if labels is None else [labels]), *(found.file for found in files)])
    rows = None if labels is None else read_labels(labels, encoding=encoding)
    known = None
    if labels is not None and rows is not None:
        known = match_labels(labels, rows, files)
    elif labels_from_folders:
        known = folders_as_labels(files)
    counts = dict.fromkeys(("ok", "partial", "failed", "skipped", "without text"), 0)

    def counted(documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            counts[document.status] += 1
            counts["without text"] += not document.text
            yield document

    documents = reading.iter_documents([found[:2] for found in files])
    write_documents(output, counted(documents), labels=known)
    return counts


def clean_table(
    source: Path,
    output: Path,
    *,
    variants: Path | None = None,
    table: TableOptions,
) -> int:
    """Clean the texts of a documents CSV as those of scans are cleaned; all other columns stay.

    Returns
    -------
    int
        Number of rows.
    """
    from ocr.cleaning import clean_text, read_variants

    kind = table_kind(f"a CSV with the column {table.text_column!r}", table.text_column)
    check_output(output, kind, inputs=[source, *([] if variants is None else [variants])])
    known = () if variants is None else read_variants(variants)
    rows = read_rows(source, required={table.text_column: "--text-column"}, encoding=table.encoding)
    first = next(rows)

    def cleaned() -> Iterator[dict[str, object]]:
        for row in chain([first], rows):
            if row.error:
                raise BadDataError(f"line {row.line}: {row.error}", where=source, remedy="mend the row")
            yield {**row.values, table.text_column: clean_text(row.values[table.text_column], variants=known)}

    return write_rows(output, list(first.values), cleaned(), formulas_safe=False)


def read_folder(folder: Path, reading: Reading | None, *, need_category: bool) -> Iterator[InputDocument]:
    """Read the scans and ``.txt`` files of a folder, as rows of the table that ``textclf ocr`` would make of it.

    Parameters
    ----------
    folder : pathlib.Path
        The folder; the first folder on the way to a file is its category.
    reading : Reading, optional
        How scans are read; with all defaults if not given.
    need_category : bool
        Whether it must hold a folder per category. What stands beside those is then not read.

    Yields
    ------
    InputDocument
        First texts, then scans, each by id, which is the path under the folder.

    Raises
    ------
    textclf.base.errors.BadInputError, textclf.base.errors.BadDataError
        If there is no folder per category where it must be, or no document.
    """
    from ocr.documents import Document
    from ocr.reading_options import ReadingOptions

    if need_category:
        check_folder(folder)
    found = find_documents([folder], texts=True)
    if not any(where.folder or not need_category for where in found):
        inside = " in its folders" if need_category else ""
        raise BadDataError(f"no scan and no .txt file{inside}", where=folder, remedy="put documents there")
    blank = dict.fromkeys(document_cells(Document(document_id=""), ""), "")

    def row(where: FoundFile, text: str) -> InputDocument:
        of_file = document_cells(Document(document_id=where.document_id, file=str(where.file)), where.folder)
        named = {name: of_file[name] for name in ("document_id", "category", "file", "path")}
        with where.file.open("rb") as file:
            cells = {**blank, **named, "text": text, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
        return InputDocument(document_id=where.document_id, text=text, category=where.folder, values=cells)

    wanted = []
    for where in found:
        if where.folder or not need_category:
            wanted.append(where)
        else:
            # counted as one without a category
            yield InputDocument(document_id=where.document_id, text="", values={**blank})
    scans = {where.document_id: where for where in wanted if where.file.suffix.lower() != ".txt"}
    for where, text in read_texts(where for where in wanted if where.document_id not in scans):
        yield row(where, text)
    failed: defaultdict[str, list[str]] = defaultdict(list)
    documents = (reading or Reading(options=ReadingOptions())).iter_documents([where[:2] for where in scans.values()])
    for document in documents:
        if document.status == "failed":
            failed[document.error].append(document.document_id)
        category = scans[document.document_id].folder
        partial = document.status == "partial"
        yield InputDocument(
            document_id=document.document_id,
            text=document.text,
            category=category,
            values=document_cells(document, category),
            error=document.error if document.status == "failed" else "",
            note=document.error if partial else "",
            cut=partial,
        )
    for error, names in failed.items():
        named = ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")
        _log.warning(f"{folder}: could not be read, {error} ({len(names)}): {named}")

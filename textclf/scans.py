"""From scans to a table of documents: reading them for a command, and cleaning tables that others have read."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from features.csv_files import read_rows, write_rows
from textclf.documents import (
    InputDocument,
    TableOptions,
    check_folder,
    document_cells,
    folder_category,
    read_labels,
    text_files,
    write_documents,
)
from textclf.errors import BadDataError, BadInputError, UsageError

if TYPE_CHECKING:
    from ocr.batch import Progress
    from ocr.cache import PageCache
    from ocr.documents import Document
    from ocr.engines import OcrEngine
    from ocr.reading import ReadingOptions
    from ocr.steps import Effort
    from textclf.runtime import Runtime

__all__ = [
    "Reading",
    "clean_table",
    "default_cache",
    "find_scans",
    "read_folder",
    "read_scans",
    "until_accepted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How scans are read by a command.

    Parameters
    ----------
    options : ocr.reading.ReadingOptions
        What is read and how.
    jobs : int, optional
        Worker processes; as many as cores and memory bear without it.
    cache : ocr.cache.PageCache, optional
        Where pages that were read are kept.
    show : callable, optional
        Opens what shows how far reading is: `textclf.console.show_reading`.
    tell : callable, optional
        Told of each document that was read.
    dask : str
        Address of a Dask scheduler to read on its cluster, or ``local``; empty for processes of this machine.
    engine : ocr.engines.OcrEngine, optional
        What reads; `ocr.tesserocr_engine.open_engine` chooses without it.
    effort : {"full", "balanced", "fast"}
        How much of a document is read; other than ``full`` needs ``how_sure``.
    how_sure : callable, optional
        Tells of a text and its OCR confidence how sure it makes; from 1 on no more is read.
    """

    options: ReadingOptions
    jobs: int | None = None
    cache: PageCache | None = None
    show: Callable[[], AbstractContextManager[Callable[[Progress], None] | None]] = nullcontext
    tell: Callable[[Document], None] = lambda document: None
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
                from ocr.cluster import open_cluster

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
                self.tell(document)
                yield document


def until_accepted(reading: Reading, effort: Effort, model: Runtime) -> Reading:
    """Read of each document no more than a model needs to accept what it says of it.

    Whoever asks after every page is sooner wrong once than who asks at the end. So with ``balanced`` the doubt must be
    half of what the model bears. With ``fast`` the threshold itself is enough.

    Parameters
    ----------
    reading : Reading
        How to read else.
    effort : {"full", "balanced", "fast"}
        See `ocr.batch.iter_documents`.
    model : Runtime
        The model.

    Returns
    -------
    Reading
        With `effort` and `how_sure`.
    """
    threshold = model.training.acceptance.threshold
    enough = threshold if effort == "fast" else (1 + threshold) / 2

    def how_sure(text: str, confidence: float) -> float:
        (prediction,) = model.predict([text], None, [confidence])
        sure = prediction.score / enough
        return sure if prediction.decision == "accept" else min(sure, 0.999)

    return replace(reading, effort=effort, how_sure=how_sure)


def default_cache() -> Path:
    """Folder where pages that were read are kept: ``textclf/pages`` in the user's cache folder (XDG)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "textclf" / "pages"


def find_scans(paths: Sequence[Path]) -> list[tuple[str, Path]]:
    """List the scans under files and folders, as `ocr.finding.find_files` does; none is an error."""
    from ocr.finding import find_files

    files = find_files(paths)
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
    warn: Callable[[str], None] = lambda message: None,
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
    warn : callable, optional
        Told what the user should know.

    Returns
    -------
    dict of str to int
        How many documents ended with each status.

    Raises
    ------
    textclf.errors.BadInputError
        There is no document.
    textclf.errors.UsageError
        Both ways to label are asked for.
    """
    if labels is not None and labels_from_folders:
        raise UsageError("--labels and --labels-from-folders exclude each other", remedy="give one of them")
    known = None if labels is None else read_labels(labels)
    files = find_scans(paths)
    if known is not None and (without := sum(file.resolve() not in known for _, file in files)):
        warn(f"{labels}: {without} of {len(files)} documents do not stand there and get no category")
    counts = dict.fromkeys(("ok", "partial", "failed", "skipped"), 0)

    def counted(documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            counts[document.status] += 1
            yield document

    write_documents(output, counted(reading.iter_documents(files)), labels=known, from_folders=labels_from_folders)
    return counts


def clean_table(source: Path, output: Path, *, variants: Path | None = None, table: TableOptions) -> int:
    """Clean the texts of a documents CSV as those of scans are cleaned; all other columns stay.

    Returns
    -------
    int
        Number of rows.
    """
    from ocr.cleaning import clean_text, read_variants

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
    textclf.errors.BadInputError, textclf.errors.BadDataError
        If there is no folder per category where it must be, or no document.
    """
    from ocr.documents import Document
    from ocr.finding import find_files
    from ocr.reading import ReadingOptions

    blank = dict.fromkeys(document_cells(Document(document_id=""), ""), "")
    found = False
    for name, text, _ in text_files(check_folder(folder) if need_category else [folder]):
        found = True
        document_id = name if need_category else name.partition("/")[2]
        category = folder_category(document_id)
        cells = {**blank, "document_id": document_id, "text": text, "category": category}
        yield InputDocument(document_id=document_id, text=text, category=category, values=cells)
    files = find_files([folder])
    beside = [name for name, _ in files if need_category and not folder_category(name)]
    for name in beside:
        yield InputDocument(document_id=name, text="", values={**blank, "document_id": name})
    files = [(name, file) for name, file in files if name not in beside]
    if not found and not files:
        where = " in its folders" if need_category else ""
        raise BadDataError(f"no scan and no .txt file{where}", where=folder, remedy="put documents there")
    for document in (reading or Reading(options=ReadingOptions())).iter_documents(files):
        category = folder_category(document.document_id)
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

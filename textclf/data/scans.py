"""From scans to a documents CSV, and the cleaning of tables that other programs have read."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.barcodes import can_read_barcodes
from ocr.cleaning import Variants, clean_text, joined_pages
from ocr.engines import ENGINES, EngineName, OcrEngine
from ocr.file_search import FoundFile, find_documents, printable
from ocr.reading_options import Effort, ReadingOptions, Split
from textclf.base.encodings import AUTO
from textclf.base.errors import BadDataError, BadInputError, OutputError, UsageError, how_to_install
from textclf.base.files import refuse_unwritable_folder
from textclf.base.options import check_options, option
from textclf.base.overwrite_guard import DOCUMENTS, check_output, table_kind
from textclf.base.resources import MAX_JOBS
from textclf.base.tables import read_rows, write_rows
from textclf.data.labels import Labels, labels_by_folder, read_labels, refuse_filled_in
from textclf.model.category_names import as_category
from textclf.model.pages import join_pages, several_pages

if TYPE_CHECKING:
    from ocr.batch import Progress
    from ocr.cache import PageCache
    from ocr.document import Document
    from ocr.stack import StackCutter

_log = logging.getLogger(__name__)

SOURCE_COLUMNS = ("path", "sha256")
"""Columns that identify the file of a document, independent of its id."""
OCR_COLUMNS = (
    *("file", *SOURCE_COLUMNS, "pages", "ocr_confidence", "ocr_confidence_low"),
    *("ocr_engine", "status", "error", "seconds", "page_look"),
)
"""Columns written beside ``document_id, text, category``."""
PART_COLUMNS = ("part_of", "first_page", "last_page", "cut_score", "cuts")
"""Columns that follow where files were split; ``cuts`` is ``review`` if a cut of the file is doubtful."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """Options for reading scans: engine, effort, processes, cache, cluster."""

    reading: ReadingOptions = field(default_factory=ReadingOptions)
    engine: OcrEngine | EngineName = option(
        "auto",
        type=EngineName,
        help=f"{', '.join(f'{name} {kind.help}' for name, kind in ENGINES.items())}; auto: the first that can be used.",
    )
    effort: Effort = option(
        "full",
        help="full: read everything. balanced: read page by page, the last along with the first, until the model "
        "accepts the document. fast: read first a quarter of the lines of each page, then half. glance: read nothing "
        "where the look of the pages alone is accepted; else as fast.",
    )
    split: Split = option(
        "none",
        help="none: a file is one document. auto: find the documents of a stack; where that is doubtful, they are for "
        "review. each-page: each page is a document.",
    )
    jobs: int | None = option(
        None,
        min=1,
        max=MAX_JOBS,
        help="Processes that read, and threads that predict; by default as many as cores and memory allow.",
    )
    cache: Path | None = option(
        None,
        help="Folder for pages that were read; by default in the user's cache folder, but serve and worker keep pages "
        "only where this is given.",
    )
    no_cache: bool = option(False, help="Do not keep pages that were read; a stopped run starts again.")
    dask: str = option(
        "",
        metavar="ADDRESS",
        help="Work on a Dask cluster: the address of its scheduler, such as tcp://10.0.0.1:8786, or local.",
    )
    # context that shows progress: `textclf.commands.console.show_reading`
    show: Callable[[], AbstractContextManager[Callable[[Progress], None] | None]] = nullcontext

    def __post_init__(self) -> None:
        check_options(self)
        if self.no_cache and self.cache is not None:
            raise UsageError(
                "--cache and --no-cache exclude each other",
                remedy="give one of them, on the command line, in the settings or in an environment variable",
            )
        if self.split != "none" and self.effort != "full":
            raise UsageError("a stack is split once all of it is read", where="effort", remedy="leave out --effort")

    def open_engine(self) -> OcrEngine:
        """Give the engine, or open the named one."""
        from ocr.engines import open_engine

        return open_engine(self.engine) if isinstance(self.engine, str) else self.engine

    def page_cache(self) -> PageCache | None:
        """Open the cache; None with ``no_cache``, or if the user's cache folder is not writable."""
        from ocr.cache import PageCache

        if self.no_cache:
            return None
        if self.cache is not None:
            refuse_unwritable_folder(self.cache)
        folder = self.cache or default_cache()
        return None if folder is None else PageCache(folder.absolute())

    def iter_documents(
        self,
        files: Iterable[FoundFile],
        how_sure: Callable[[Document], float] | None = None,
        cutter: StackCutter | None = None,
    ) -> Iterator[Document]:
        """Read documents in input order; with `split`, those that each file holds, cut by `cutter` if it is given."""
        from ocr.batch import iter_documents

        reading = self.reading
        if self.split == "auto":
            if can_read_barcodes():
                reading = replace(reading, separators=True)
            else:
                _log.info(f"separator sheets are not looked for; {how_to_install('barcodes')}")
        with self.show() as progress:
            for document in iter_documents(
                [(found.document_id, found.file) for found in files],
                options=reading,
                engine=self.open_engine(),
                jobs=self.jobs,
                cache=self.page_cache(),
                progress=progress,
                effort=self.effort,
                how_sure=how_sure,
                cluster=self.dask,
            ):
                how = document.engine or "text layer"
                _log.debug(
                    f"{document.document_id}: {document.page_count} pages, {document.seconds:.2f} s, {how}, "
                    f"{document.status}"
                )
                yield from self._split(document, cutter)

    def _split(self, document: Document, cutter: StackCutter | None) -> Iterator[Document]:
        if self.split == "none":
            yield document
            return
        from ocr.stack import each_page, page_cutter

        yield from each_page(document) if self.split == "each-page" else (cutter or page_cutter()).split(document)


def default_cache() -> Path | None:
    """Give the folder for pages that were read, in the user's cache folder (XDG); None if it is not writable."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    try:
        # the XDG Base Directory Specification ignores relative paths
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
    """List scans by paths of files and folders, as `ocr.file_search.find_documents` does; none is an error."""
    files = find_documents(paths)
    if not files:
        raise BadInputError(
            "no scan found", where=", ".join(map(str, paths)), remedy="name images, PDFs or folders that hold some"
        )
    return files


def read_scans(
    paths: Sequence[Path],
    output: Path,
    scans: ScanOptions,
    *,
    labels: Path | None = None,
    labels_from_folders: bool = False,
    encoding: str = AUTO,
) -> dict[str, int]:
    """Read scans into a documents CSV; gives the number of documents by status, and of those ``without text``."""
    if labels is not None and labels_from_folders:
        raise UsageError("--labels and --labels-from-folders exclude each other", remedy="give one of them")
    files = find_scans(paths)
    check_output(output, DOCUMENTS, inputs=[*([] if labels is None else [labels]), *(found.file for found in files)])
    known = labels_by_folder(files) if labels_from_folders else {}
    if labels is not None:
        known = read_labels(labels, files, encoding=encoding)
    labelled = ((name, as_category(label.get("category", ""))) for name, label in known.items())
    refuse_filled_in(output, labelled, in_folders=labels_from_folders)
    counts = dict.fromkeys(("ok", "partial", "failed", "skipped", "without text"), 0)

    def counted() -> Iterator[Document]:
        for document in scans.iter_documents(files):
            counts[document.status] += 1
            counts["without text"] += not document.text
            yield document

    write_documents(output, counted(), labels=known, parts=scans.split != "none")
    return counts


def write_documents(
    path: str | Path, documents: Iterable[Document], *, labels: Labels | None = None, parts: bool = False
) -> None:
    """Write documents as a documents CSV, with category and further columns from the labels of their files."""
    labels = labels or {}
    taken = ("document_id", "text", "category", *OCR_COLUMNS, *(PART_COLUMNS if parts else ()))
    further = [name for name in next(iter(labels.values()), {}) if name not in taken]

    def row(document: Document) -> dict[str, str]:
        label = labels.get(document.part.of if document.part else document.document_id, {})
        cells = document_cells(document, label.get("category", ""))
        if parts:
            cells = dict.fromkeys(PART_COLUMNS, "") | cells
        return cells | {name: label.get(name, "") for name in further}

    # the CSV is read by textclf again, so cells are not escaped for spreadsheets
    write_rows(path, [*taken, *further], map(row, documents), formulas_safe=False)


def source_of(document: Document) -> dict[str, str]:
    """Identify the file of a document by its absolute path and the SHA-256 of its content."""
    path = printable(os.path.abspath(document.file)) if document.file else ""  # noqa: PTH100 - keeps links as given
    return dict(zip(SOURCE_COLUMNS, (path, document.sha256), strict=True))


def document_cells(document: Document, category: str) -> dict[str, str]:
    """Give the cells of a document by column."""
    return {
        "document_id": document.document_id,
        "text": document.paged_text,
        "category": category,
        "file": printable(document.file),
        **source_of(document),
        "pages": str(document.page_count),
        "ocr_confidence": f"{document.confidence:.1f}",
        "ocr_confidence_low": f"{document.confidence_low:.1f}",
        "ocr_engine": document.engine,
        "status": document.status,
        "error": document.error,
        "seconds": f"{document.seconds:.2f}",
        "page_look": document.look,
        **part_cells(document),
    }


def part_cells(document: Document) -> dict[str, str]:
    """Say which pages of its file a document is, by column; empty if the file was not split."""
    if not (part := document.part):
        return {}
    decision = "accept" if part.is_sure else "review"
    values = (printable(part.of), str(part.first_page), str(part.last_page), f"{part.score:.4f}", decision)
    return dict(zip(PART_COLUMNS, values, strict=True))


def clean_table(source: Path, output: Path, *, variants: Variants, text_column: str, encoding: str) -> int:
    """Clean the texts of a documents CSV like those of scans; gives their number. All other columns stay."""
    check_output(output, table_kind(f"a CSV with the column {text_column!r}", text_column), inputs=[source])
    rows = read_rows(source, required={text_column: "--text-column"}, encoding=encoding)
    first = next(rows)

    def cleaned() -> Iterator[dict[str, object]]:
        for row in chain([first], rows):
            if row.error:
                raise BadDataError(f"line {row.line}: {row.error}", where=source, remedy="fix the row")
            given = several_pages(row.values[text_column]) or (row.values[text_column],)
            pages = [clean_text(page, variants=variants) for page in given]
            yield {**row.values, text_column: join_pages(joined_pages(pages))}

    return write_rows(output, list(first.values), cleaned(), formulas_safe=False)

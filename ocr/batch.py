"""Reading many documents: their pages in parallel, results in input order, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, get_args

from ocr.cache import PageCache
from ocr.document import Document
from ocr.engines import OcrEngine
from ocr.reading_options import Effort, ReadingOptions
from ocr.reading_state import OpenDocument
from ocr.reading_tasks import GRACE, MAX_HELD_PAGES, MAX_TASKS, ReadingTask, ReadingTasks
from ocr.source_file import Source
from textclf.base.errors import SomeFailedError, UsageError
from textclf.base.executor import Executor, in_process, open_executor
from textclf.base.resources import usable_jobs

if TYPE_CHECKING:
    from distributed import Client

_MAX_OPEN_DOCUMENTS = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """The progress of a batch.

    Parameters
    ----------
    documents_done, documents_total : int
        Documents, read and in total.
    pages_done, pages_known : int
        Pages, read and in total; those of documents that were not opened yet are unknown.
    failures : int
        Documents done that are ``failed`` or ``partial``.
    current : tuple of str
        Ids of the documents that are being read.
    """

    documents_done: int
    documents_total: int
    pages_done: int
    pages_known: int
    failures: int
    current: tuple[str, ...]


def read_document(
    source: str | Path | bytes,
    *,
    options: ReadingOptions | None = None,
    engine: OcrEngine | None = None,
    cache: PageCache | None = None,
    document_id: str | None = None,
) -> Document:
    """Read one document, in this process.

    The engine's time is limited here too, but only worker processes (`iter_documents`) protect against a decoder that
    hangs or takes all memory.

    Parameters
    ----------
    source : str, pathlib.Path or bytes
        A file or its content.
    options : ReadingOptions, optional
        Choices about reading.
    engine : OcrEngine, optional
        By default the one that `open_engine` chooses.
    cache : PageCache, optional
        Where pages are kept once they are read.
    document_id : str, optional
        By default the file's name, or ``document`` for bytes.

    Returns
    -------
    Document
        With status ``failed`` and an error if it cannot be read; no document raises an exception.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If the engine or a language is not installed.

    """
    source = Path(source) if isinstance(source, str) else source
    if document_id is None:
        document_id = "document" if isinstance(source, bytes) else source.name
    batch = _Batch([(document_id, source)], options, engine, cache)
    return next(batch.run(nullcontext(in_process())))


def iter_documents(
    files: Sequence[tuple[str, Source]],
    *,
    options: ReadingOptions | None = None,
    engine: OcrEngine | None = None,
    cache: PageCache | None = None,
    jobs: int | None = None,
    cluster: str | Client = "",
    progress: Callable[[Progress], None] | None = None,
    strict: bool = False,
    effort: Effort = "full",
    how_sure: Callable[[Document], float] | None = None,
) -> Iterator[Document]:
    """Read documents, their pages in parallel on all cores, with the results of `read_document`.

    Each worker process has one page at a time: if it dies, that page is tried once more, then marked failed, and
    all others are read. Where no processes can be started, all is read in this one.

    Parameters
    ----------
    files : sequence of (str, pathlib.Path or bytes)
        Document ids and files, such as `find_files` gives.
    options : ReadingOptions, optional
        Choices about reading.
    engine : OcrEngine, optional
        By default the one that `open_engine` chooses.
    cache : PageCache, optional
        Each page is kept there as soon as it is read, so that a batch that was stopped continues where it was.
    jobs : int, optional
        Worker processes; by default as many as `usable_jobs` allows.
    cluster : str or distributed.Client
        Read on this Dask cluster instead: the address of its scheduler, or ``local``. Its workers need Tesseract, and
        the files and the cache at the same paths; where they have no access to files, give their content.
    progress : callable, optional
        Called with a `Progress` after every page and document, in this process.
    strict : bool, optional
        Raise at the end if any document is not ``ok``.
    effort : {"full", "balanced", "fast", "glance"}
        ``full`` reads all pages. ``balanced`` reads page after page, and ``fast`` the first quarter of each page, the
        second and then the rest, until ``how_sure`` ends the reading; ``glance`` measures only the look before that.
        The last page is read along with the first. Idle
        workers read ahead, which does not change the result.
    how_sure : callable, optional
        Rates a document, as far as it was read, whether that is enough; called in this process. Reading ends at 1 or
        more, and when a further page does not raise the value, unless it is 0.

    Yields
    ------
    Document
        In the order of ``files``, each as soon as it and all before it are done.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        At once, if the engine or a language is not installed.
    textclf.base.errors.OutputError
        If the cache cannot be written.
    textclf.base.errors.UsageError
        If there is no such effort, or it needs ``how_sure`` and there is none.
    textclf.base.errors.SomeFailedError
        With ``strict``, after the last document.
    """
    if effort not in get_args(Effort):
        raise UsageError("must be glance, fast, balanced or full", where="effort")
    if effort != "full" and how_sure is None:
        raise UsageError(f"effort {effort!r} needs how_sure", remedy="give it, or read with effort='full'")
    batch = _Batch(files, options, engine, cache, effort, how_sure)
    executor = open_executor(
        jobs or usable_jobs(),
        isolate=True,
        dask=cluster,
        max_memory=batch.tasks.limits.max_memory,
        max_tasks=MAX_TASKS,
        seconds=batch.tasks.limits.seconds_per_page + GRACE,
        verb="read",
    )
    # with a cluster, one process would hash the documents of a thousand
    return batch.run(executor, progress, strict=strict, look_up=not cluster)


class _Batch:
    """The state of a batch: the open documents, and what is to be read next."""

    def __init__(
        self,
        files: Sequence[tuple[str, Source]],
        options: ReadingOptions | None,
        engine: OcrEngine | None,
        cache: PageCache | None,
        effort: Effort = "full",
        how_sure: Callable[[Document], float] | None = None,
    ) -> None:
        self.tasks = ReadingTasks(options, engine, cache, effort, how_sure)
        self.total = len(files)
        self.upcoming = iter(files)
        self.open: deque[OpenDocument] = deque()
        self.documents_done = self.failures = 0

    def run(
        self,
        opening: AbstractContextManager[Executor],
        progress: Callable[[Progress], None] | None = None,
        *,
        strict: bool = False,
        look_up: bool = True,
    ) -> Iterator[Document]:
        """Yield all documents, in order; with ``look_up``, what is in the cache is taken in this process."""
        if not self.total:
            return
        with opening as executor:
            while True:
                while executor.has_room() and (task := self._next_task()):
                    # quicker than to send it to another process and back
                    if look_up and (outcome := self.tasks.cached(task)):
                        self.tasks.settle(outcome)
                    else:
                        self.tasks.begin(executor, task)
                if progress:
                    progress(self._progress(executor))
                if self.open and self.open[0].is_done():
                    yield self._close(self.open.popleft())
                elif self.open:
                    for outcome in executor.collect():
                        self.tasks.settle(outcome)
                else:
                    break
        if strict and self.failures:
            raise SomeFailedError(f"{self.failures} of {self.total} documents were not read in full")

    def _next_task(self) -> ReadingTask | None:
        """Choose the next task: first what is certainly needed, last what may turn out not to be."""
        return (
            self._next_step(one_by_one=self.tasks.how_sure is not None)
            or self._next_survey()
            or self._next_step(one_by_one=False)
        )

    def _next_step(self, *, one_by_one: bool) -> ReadingTask | None:
        for document in self.open:
            if step := document.next_step(one_by_one=one_by_one):
                return ReadingTask(document, step)
        return None

    def _next_survey(self) -> ReadingTask | None:
        held = sum(document.held() for document in self.open)
        # bounded, because documents after a slow one pile up in memory
        if len(self.open) >= _MAX_OPEN_DOCUMENTS or held >= MAX_HELD_PAGES:
            return None
        for document_id, source in self.upcoming:
            document = OpenDocument(document_id=document_id, source=source)
            self.open.append(document)
            return ReadingTask(document)
        return None

    def _close(self, document: OpenDocument) -> Document:
        read = document.closed(self.tasks.limits)
        self.documents_done += 1
        self.failures += read.status != "ok"
        return read

    def _progress(self, executor: Executor) -> Progress:
        return Progress(
            documents_done=self.documents_done,
            documents_total=self.total,
            pages_done=self.tasks.pages_done,
            pages_known=self.tasks.pages_known,
            failures=self.failures,
            current=tuple(dict.fromkeys(document.document_id for document, _ in executor.running())),
        )

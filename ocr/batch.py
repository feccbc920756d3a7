"""Reading many documents: by pages over all cores, results in input order, in bounded memory."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from ocr.cache import PageCache
from ocr.document_reading import OpenDocument, ReadingStep, Strip, failed_page, reading_steps
from ocr.documents import Document, Page
from ocr.engines import OcrEngine, choose_languages, open_engine
from ocr.file_content import Source, Survey
from ocr.reading_options import Effort, ReadingOptions
from textclf.base.cluster import cluster_workers
from textclf.base.errors import BadInputError, SomeFailedError, TextclfError, UsageError
from textclf.base.workers import InProcess, Worker, usable_jobs, workers

if TYPE_CHECKING:
    from distributed import Client

_MAX_OPEN_DOCUMENTS = 64
_MAX_HELD_PAGES = 256
_GRACE = 20.0
"""Seconds beyond `seconds_per_page` after which a page that does not even time out is ended from outside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a batch is.

    Parameters
    ----------
    documents_done, documents_total : int
        Documents, in all.
    pages_done, pages_known : int
        Pages; those of documents that were not yet opened are not known.
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

    The engine's time is bounded here too; that a decoder takes all memory or hangs, only worker processes prevent
    (`iter_documents`).

    Parameters
    ----------
    source : str, pathlib.Path or bytes
        A file or its content.
    options : ReadingOptions, optional
        Choices about reading.
    engine : OcrEngine, optional
        What `open_engine` chooses, if not given.
    cache : PageCache, optional
        Where what was read is kept.
    document_id : str, optional
        Its name; the file's name if not given, ``document`` for bytes.

    Returns
    -------
    Document
        With status ``failed`` and an error if it cannot be read; nothing about a document raises.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If the engine or a language is not installed.

    """
    source = Path(source) if isinstance(source, str) else source
    if document_id is None:
        document_id = "document" if isinstance(source, bytes) else source.name
    batch = _Batch([(document_id, source)], options, engine, cache)
    return next(batch.documents([InProcess()], None))


def iter_documents(
    files: Sequence[tuple[str, Source]],
    *,
    options: ReadingOptions | None = None,
    engine: OcrEngine | None = None,
    cache: PageCache | None = None,
    jobs: int | None = None,
    cluster: Client | None = None,
    progress: Callable[[Progress], None] | None = None,
    strict: bool = False,
    effort: Effort = "full",
    how_sure: Callable[[str, float], float] | None = None,
) -> Iterator[Document]:
    """Read documents, page by page over all cores.

    Each worker process has one page at a time: if it dies, that page is tried once more, then marked failed, and
    all others are read. Where the system has no processes to give, all is read in this one. What `read_document`
    gives for each file, this gives too.

    Parameters
    ----------
    files : sequence of (str, pathlib.Path or bytes)
        Document ids and files, such as `find_files` gives.
    options : ReadingOptions, optional
        Choices about reading.
    engine : OcrEngine, optional
        What `open_engine` chooses, if not given.
    cache : PageCache, optional
        Each page goes there as soon as it is read: a batch that was stopped, however, goes on where it was.
    jobs : int, optional
        Worker processes; as many as `usable_jobs` finds the machine to bear, if not given.
    cluster : distributed.Client, optional
        Read on this Dask cluster instead. Its workers need Tesseract, and the files and the cache at the same paths;
        give the content of files where they have none of them.
    progress : callable, optional
        Called with a `Progress` after every page and document, in this process.
    strict : bool, optional
        Raise at the end if any document is not ``ok``.
    effort : {"full", "balanced", "fast"}
        ``full`` reads all pages. ``balanced`` reads page after page, ``fast`` of each page one quarter of its text
        after the other and then the rest, until that will do, as ``how_sure`` tells. Where nothing else is to be done,
        workers read ahead; what they find does not change the result.
    how_sure : callable, optional
        Given the text that was read of a document so far, and its confidence, tells how sure that makes, called in this
        process. From 1 on no more is read; nor if a further page makes no surer, unless nothing is known yet (0).

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
        If there is no such effort, or nothing that tells how sure one is.
    textclf.base.errors.SomeFailedError
        With ``strict``, after the last document.
    """
    if effort not in get_args(Effort):
        raise UsageError("must be fast, balanced or full", where="effort")
    if effort != "full" and how_sure is None:
        raise UsageError(f"effort {effort!r} needs how_sure", remedy="give it, or read with effort='full'")
    batch = _Batch(files, options, engine, cache, effort, how_sure)
    return batch.run(
        lambda: cluster_workers(cluster) if cluster else workers(jobs or usable_jobs(), batch.limits.max_memory),
        progress,
        strict=strict,
    )


@dataclass(kw_only=True)
class _Task:
    """A step of reading, or without one the survey of a document."""

    document: OpenDocument
    step: ReadingStep | None = None
    tried: int = 0
    started: float = 0.0


class _Batch:
    """The state of one batch."""

    def __init__(
        self,
        files: Sequence[tuple[str, Source]],
        options: ReadingOptions | None,
        engine: OcrEngine | None,
        cache: PageCache | None,
        effort: Effort = "full",
        how_sure: Callable[[str, float], float] | None = None,
    ) -> None:
        self.engine = engine or open_engine()
        options = options or ReadingOptions()
        self.options = replace(options, languages=choose_languages(self.engine, options.languages))
        self.limits = options.limits
        self.cache = cache
        self.effort = effort
        self.how_sure = how_sure if effort != "full" else None
        self.total = len(files)
        self.upcoming = iter(files)
        self.open: deque[OpenDocument] = deque()
        self.again: deque[_Task] = deque()
        self.running: dict[Future[Any], tuple[Worker, _Task]] = {}
        self.documents_done = self.pages_done = self.pages_known = self.failures = 0

    def run(
        self, start: Callable[[], list[Worker]], progress: Callable[[Progress], None] | None, *, strict: bool
    ) -> Iterator[Document]:
        """Yield all documents, and leave no process behind, however it ends."""
        if not self.total:
            return
        team = start()
        try:
            yield from self.documents(team, progress)
        finally:
            for worker in team:
                worker.kill()
        if strict and self.failures:
            raise SomeFailedError(f"{self.failures} of {self.total} documents were not read in full")

    def documents(self, team: list[Worker], progress: Callable[[Progress], None] | None) -> Iterator[Document]:
        """Yield all documents, in order."""
        while True:
            self._hand_out(team)
            if progress:
                progress(self._progress())
            if self.open and self.open[0].is_done():
                yield self._close(self.open.popleft())
            elif self.open:
                self._collect()
            else:
                break
        if progress:
            progress(self._progress())

    def _hand_out(self, team: list[Worker]) -> None:
        busy = {id(worker) for worker, _ in self.running.values()}
        for worker in team:
            if id(worker) in busy:
                continue
            task = self._next_task()
            if task is None:
                return
            task.started = time.perf_counter()
            document = task.document
            # a worker may have another working folder
            source = document.source if isinstance(document.source, bytes) else document.source.absolute()
            future: Future[Any]
            if task.step:
                future = worker.submit(
                    _read_page,
                    source,
                    task.step.number,
                    task.step.strip,
                    document.sha256,
                    self.options,
                    self.engine,
                    self.cache,
                )
            else:
                future = worker.submit(_survey, source, self.options)
            self.running[future] = (worker, task)

    def _next_task(self) -> _Task | None:
        """Choose what to do: first what is needed, last what may turn out not to be."""
        if self.again:
            return self.again.popleft()
        return (
            self._next_step(one_by_one=self.how_sure is not None)
            or self._next_survey()
            or self._next_step(one_by_one=False)
        )

    def _next_step(self, *, one_by_one: bool) -> _Task | None:
        for document in self.open:
            if step := document.next_step(one_by_one=one_by_one):
                return _Task(document=document, step=step)
        return None

    def _next_survey(self) -> _Task | None:
        held = sum(document.held() for document in self.open)
        # a slow document at the front must not let those behind it pile up without bound
        if len(self.open) >= _MAX_OPEN_DOCUMENTS or held >= _MAX_HELD_PAGES:
            return None
        for document_id, source in self.upcoming:
            document = OpenDocument(document_id=document_id, source=source)
            self.open.append(document)
            return _Task(document=document)
        return None

    def _collect(self) -> None:
        """Wait for the next task to end, and take in what it gave."""
        limit = self.limits.seconds_per_page + _GRACE
        first = min(task.started for _, task in self.running.values())
        ended, _ = wait(
            self.running, timeout=max(0.0, first + limit - time.perf_counter()), return_when=FIRST_COMPLETED
        )
        for future in ended:
            worker, task = self.running.pop(future)
            try:
                result = future.result()
            except BrokenExecutor:
                worker.kill()
                task.tried += 1
                if task.tried < 2:
                    self.again.append(task)
                else:
                    self._fail(task, BadInputError("the process that read it died"))
            except BadInputError as error:
                self._fail(task, error)
            except TextclfError:
                raise
            except Exception as error:  # noqa: BLE001 - the boundary of one document
                self._fail(task, error)
            else:
                self._take(task, result)
        for future, (worker, task) in list(self.running.items()):
            if time.perf_counter() >= task.started + limit and not future.done():
                del self.running[future]
                worker.kill()
                self._fail(task, BadInputError(f"took longer than {limit:g} s and was stopped"))

    def _take(self, task: _Task, result: Survey | Page) -> None:
        document = task.document
        if isinstance(result, Survey):
            pages = min(result.page_count, self.limits.max_pages)
            document.seconds = time.perf_counter() - task.started
            document.page_count, document.sha256 = result.page_count, result.sha256
            if result.attachments:
                files = "1 attached file is" if result.attachments == 1 else f"{result.attachments} attached files are"
                document.error = f"{files} not read; save what matters out of the PDF, and give it too"
            document.steps = reading_steps(self.effort, pages)
            self.pages_known += pages
            return
        if task.step is None:
            return
        known = len(document.pages)
        for page in document.settle(task.step, result):
            if self.how_sure and page.status != "failed" and not document.is_done():
                read = Document(document_id=document.document_id, pages=tuple(document.pages.values()))
                if document.is_enough(self.how_sure(read.text, read.confidence), page):
                    self.pages_known -= document.stop()
                    break
        self.pages_done += len(document.pages) - known

    def _fail(self, task: _Task, error: Exception) -> None:
        page = failed_page(task.step.number if task.step else 0, error, time.perf_counter() - task.started)
        if task.step:
            self._take(task, page)
        else:
            task.document.error = page.error
            task.document.seconds = page.seconds
            task.document.steps = []

    def _close(self, document: OpenDocument) -> Document:
        read = document.closed(self.limits)
        self.documents_done += 1
        self.failures += read.status != "ok"
        return read

    def _progress(self) -> Progress:
        current = dict.fromkeys(task.document.document_id for _, task in self.running.values())
        return Progress(
            documents_done=self.documents_done,
            documents_total=self.total,
            pages_done=self.pages_done,
            pages_known=self.pages_known,
            failures=self.failures,
            current=tuple(current),
        )


def _survey(source: Source, options: ReadingOptions) -> Survey:
    # loaded where pages are read, not where they are handed out
    from ocr.opening import survey

    # Dask shows the arguments of a task that fails, and options do not show the password
    return survey(source, options.limits, options.password)


def _read_page(
    source: Source,
    number: int,
    strip: Strip,
    sha256: str,
    options: ReadingOptions,
    engine: OcrEngine,
    cache: PageCache | None,
) -> Page:
    from ocr.page_reading import read_page

    return read_page(source, number, strip=strip, sha256=sha256, options=options, engine=engine, cache=cache)

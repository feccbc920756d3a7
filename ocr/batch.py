"""Reading many documents: their pages in parallel, results in input order, in bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, get_args

from ocr.cache import PageCache
from ocr.document import Document, Page
from ocr.engines import OcrEngine, choose_languages, open_engine
from ocr.reading_options import Effort, ReadingOptions
from ocr.reading_state import OpenDocument, ReadingStep, failed_page, reading_steps
from ocr.source_file import Source, Survey
from textclf.base.errors import BadInputError, LostTaskError, SomeFailedError, TextclfError, UsageError
from textclf.base.executor import Executor, Outcome, in_process, open_executor
from textclf.base.resources import usable_jobs

if TYPE_CHECKING:
    from distributed import Client

_MAX_OPEN_DOCUMENTS = 64
_MAX_HELD_PAGES = 256
_GRACE = 20.0
"""Seconds beyond `seconds_per_page` after which the process of a page is killed that did not time out by itself."""
_MAX_TASKS = 200
"""Tasks after which a process is replaced, because libraries leak."""


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
        max_memory=batch.limits.max_memory,
        max_tasks=_MAX_TASKS,
        seconds=batch.limits.seconds_per_page + _GRACE,
        verb="read",
    )
    return batch.run(executor, progress, strict=strict)


class _Task(NamedTuple):
    """A reading step, or without one the survey of a document."""

    document: OpenDocument
    step: ReadingStep | None = None


class _Shared(NamedTuple):
    """What all tasks share."""

    options: ReadingOptions
    engine: OcrEngine
    cache: PageCache | None


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
        engine, options = engine or open_engine(), options or ReadingOptions()
        options = replace(options, languages=choose_languages(engine, options.languages))
        self.shared, self.limits = _Shared(options, engine, cache), options.limits
        self.effort = effort
        self.how_sure = how_sure if effort != "full" else None
        self.total = len(files)
        self.upcoming = iter(files)
        self.open: deque[OpenDocument] = deque()
        self.documents_done = self.pages_done = self.pages_known = self.failures = 0

    def run(
        self,
        opening: AbstractContextManager[Executor],
        progress: Callable[[Progress], None] | None = None,
        *,
        strict: bool = False,
    ) -> Iterator[Document]:
        """Yield all documents, in order."""
        if not self.total:
            return
        with opening as executor:
            while True:
                while executor.has_room() and (task := self._next_task()):
                    document, step = task
                    # workers may have another working directory
                    source = document.source if isinstance(document.source, bytes) else document.source.absolute()
                    executor.submit(task, _perform, self.shared, source, document.sha256, step)
                if progress:
                    progress(self._progress(executor))
                if self.open and self.open[0].is_done():
                    yield self._close(self.open.popleft())
                elif self.open:
                    for outcome in executor.collect():
                        self._settle(outcome)
                else:
                    break
        if strict and self.failures:
            raise SomeFailedError(f"{self.failures} of {self.total} documents were not read in full")

    def _next_task(self) -> _Task | None:
        """Choose the next task: first what is certainly needed, last what may turn out not to be."""
        return (
            self._next_step(one_by_one=self.how_sure is not None)
            or self._next_survey()
            or self._next_step(one_by_one=False)
        )

    def _next_step(self, *, one_by_one: bool) -> _Task | None:
        for document in self.open:
            if step := document.next_step(one_by_one=one_by_one):
                return _Task(document, step)
        return None

    def _next_survey(self) -> _Task | None:
        held = sum(document.held() for document in self.open)
        # bounded, because documents after a slow one pile up in memory
        if len(self.open) >= _MAX_OPEN_DOCUMENTS or held >= _MAX_HELD_PAGES:
            return None
        for document_id, source in self.upcoming:
            document = OpenDocument(document_id=document_id, source=source)
            self.open.append(document)
            return _Task(document)
        return None

    def _settle(self, outcome: Outcome) -> None:
        """Process the outcome of a task."""
        document, step = outcome.key
        result = outcome.result
        if error := outcome.error:
            if isinstance(error, TextclfError) and not isinstance(error, BadInputError | LostTaskError):
                raise error
            result = failed_page(step.number if step else 0, error, outcome.seconds)
        if step:
            self._take_page(document, step, result)
        elif isinstance(result, Survey):
            self._take_survey(document, result, outcome.seconds)
        else:
            document.error, document.seconds, document.steps = result.error, result.seconds, []

    def _take_survey(self, document: OpenDocument, found: Survey, seconds: float) -> None:
        pages = min(found.page_count, self.limits.max_pages)
        document.seconds, document.page_count, document.sha256 = seconds, found.page_count, found.sha256
        if found.attachments:
            files = "1 attached file is" if found.attachments == 1 else f"{found.attachments} attached files are"
            document.error = f"{files} not read; save what matters out of the PDF, and give it too"
        document.steps = reading_steps(self.effort, pages)
        self.pages_known += pages

    def _take_page(self, document: OpenDocument, step: ReadingStep, found: Page) -> None:
        known = len(document.pages)
        for page in document.settle(step, found):
            if not self.how_sure or page.status == "failed" or document.is_done():
                continue
            if document.both_ends_are_known():
                pages = tuple(document.pages[number] for number in sorted(document.pages))
                read = Document(document_id=document.document_id, pages=pages)
                if document.is_enough(self.how_sure(read), page):
                    self.pages_known -= document.stop()
                    break
        self.pages_done += len(document.pages) - known

    def _close(self, document: OpenDocument) -> Document:
        read = document.closed(self.limits)
        self.documents_done += 1
        self.failures += read.status != "ok"
        return read

    def _progress(self, executor: Executor) -> Progress:
        return Progress(
            documents_done=self.documents_done,
            documents_total=self.total,
            pages_done=self.pages_done,
            pages_known=self.pages_known,
            failures=self.failures,
            current=tuple(dict.fromkeys(document.document_id for document, _ in executor.running())),
        )


def _perform(shared: _Shared, source: Source, sha256: str, step: ReadingStep | None) -> Survey | Page:
    # imported only in the processes that read pages
    from ocr.page_content import survey
    from ocr.page_reading import read_page

    options, engine, cache = shared
    if step is None:
        return survey(source, options.limits, options.password)
    return read_page(source, step.number, strip=step.strip, sha256=sha256, options=options, engine=engine, cache=cache)

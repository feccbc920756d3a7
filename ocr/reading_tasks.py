"""Reading as tasks for worker processes: what each does, and what its outcome means for its document."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from ocr.cache import PageCache
from ocr.cached_reading import cached_survey, finished_page, keep_survey
from ocr.document import Document, Page
from ocr.engines import OcrEngine, choose_languages, open_engine
from ocr.reading_options import Effort, ReadingOptions
from ocr.reading_state import WHOLE, OpenDocument, ReadingStep, failed_page, reading_steps
from ocr.source_file import Source, Survey
from textclf.base.errors import BadInputError, LostTaskError, TextclfError
from textclf.base.executor import Executor, Outcome

GRACE = 20.0
"""Seconds beyond `seconds_per_page` after which the process of a page is killed that did not time out by itself."""
MAX_TASKS = 200
"""Tasks after which a process is replaced, because libraries leak."""
MAX_HELD_PAGES = 256
"""Pages held in memory beyond which no further document is opened."""


class ReadingTask(NamedTuple):
    """A reading step, or without one the survey of a document."""

    document: OpenDocument
    step: ReadingStep | None = None


class _Shared(NamedTuple):
    """What all tasks share."""

    options: ReadingOptions
    engine: OcrEngine
    cache: PageCache | None


class ReadingTasks:
    """Gives the tasks of documents to an executor, and enters their outcomes into the documents.

    The parameters are those of `ocr.batch.iter_documents`.
    """

    def __init__(
        self,
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
        self.pages_done = self.pages_known = 0

    def warm_up(self, page: bytes) -> Callable[[], object]:
        """Give what a worker does first, so that its first task waits for nothing: read a page."""
        return partial(_perform, self.shared._replace(cache=None), page, "", ReadingStep(0, 1, WHOLE))

    def cached(self, task: ReadingTask) -> Outcome | None:
        """Give the outcome of a task from the cache, or None."""
        (options, engine, cache), (document, step) = self.shared, task
        if not cache:
            return None
        started = time.perf_counter()
        found: Survey | Page | None
        if step is None:
            found = cached_survey(document.source, options, cache)
        else:
            found = finished_page(document.sha256, step.number, step.strip, options, engine, cache)
        return None if found is None else Outcome(task, time.perf_counter() - started, found)

    def begin(self, executor: Executor, task: ReadingTask) -> None:
        """Give a task to a worker."""
        document, step = task
        # workers may have another working directory
        source = document.source if isinstance(document.source, bytes) else document.source.absolute()
        executor.submit(task, _perform, self.shared, source, document.sha256, step)

    def settle(self, outcome: Outcome) -> None:
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


def _perform(shared: _Shared, source: Source, sha256: str, step: ReadingStep | None) -> Survey | Page:
    # imported only in the processes that read pages
    from ocr.page_content import survey
    from ocr.page_reading import read_page

    options, engine, cache = shared
    if step is None:
        found = survey(source, options.limits, options.password)
        if cache:
            keep_survey(found, options, cache)
        return found
    return read_page(source, step.number, strip=step.strip, sha256=sha256, options=options, engine=engine, cache=cache)

"""The desk: from files to results, with a bounded queue; what the library must keep, it keeps."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING

from ocr.live_reading import LiveReader
from ocr.reading_options import Limits
from ocr.sample_page import sample_page
from textclf.base.errors import LostTaskError
from textclf.base.problems import ProblemError, stopping
from textclf.bridges.label_studio import model_version
from textclf.data.predictions import predict_scan, until_accepted
from textclf.data.results import DocumentResult, LoadedModel, Result, model_of_result, unless_all_failed
from textclf.data.scans import ScanOptions
from textclf.service.database_watch import DatabaseWatch
from textclf.service.duty import ModelOnDuty
from textclf.service.keeper import Judged, Keeper
from textclf.service.metrics import Metrics
from textclf.service.service_options import Keep
from textclf.service.uploads import SourceFile, UploadFolder

if TYPE_CHECKING:
    from ocr.document import Document
    from ocr.live_reading import Reading
    from textclf.library.library import Library
    from textclf.model.predict import Model
    from textclf.model.prediction import Prediction

_TEXTS_AT_ONCE = 100

_log = logging.getLogger(__name__)


class Desk:
    """What the service works with, one of each.

    Parameters
    ----------
    library : Library
        Models, documents for review, tasks.
    scans : ScanOptions
        How documents are read.
    duty : ModelOnDuty
        Who judges them.
    metrics : Metrics
        Who counts.
    queue : int
        Most documents that wait or are read for clients that wait.
    keep : {"review", "all", "none"}
        Which documents the library keeps.
    """

    def __init__(
        self, library: Library, scans: ScanOptions, duty: ModelOnDuty, metrics: Metrics, *, queue: int, keep: Keep
    ) -> None:
        self.library, self.duty, self.metrics = library, duty, metrics
        self.tracing = metrics.tracing
        self.uploads = UploadFolder(library.folder)
        self.queue = queue
        self.keeper = Keeper(library, keep, metrics)
        self.stopping = asyncio.Event()
        self._stops_since = 0.0
        self.trouble: str | None = "the self-test has not ended"
        """Why the service is not ready, if it is not."""
        self.has_lost_a_part = False
        """Whether something that runs in the background has ended by itself."""
        self.taken = 0
        self._seconds = 1.0
        self._predicting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="prediction")
        how_sure = None if scans.effort == "full" else self._how_sure(scans)
        engine = scans.open_engine()
        self.engine = f"{engine.name} {engine.version}"
        self.reader = LiveReader(
            options=scans.reading,
            engine=engine,
            cache=scans.page_cache(),
            jobs=scans.jobs,
            effort=scans.effort,
            how_sure=how_sure,
            warm_up=sample_page(),
        )
        self.limits: Limits = scans.reading.limits
        self.database = DatabaseWatch(library.database)

    def close(self) -> None:
        """Stop reading and predicting; who waits is told."""
        self.reader.close()
        self._predicting.shutdown()
        self.database.close()

    def begin_to_stop(self) -> None:
        """Begin nothing new."""
        if not self.stopping.is_set():
            self._stops_since = time.monotonic()
            self.stopping.set()

    def seconds_left(self, grace: float) -> float:
        """Give what is left of the seconds that documents have after the service began to stop."""
        return max(0.0, self._stops_since + grace - time.monotonic())

    def why_not_ready(self) -> str | None:
        """Say why no document can be classified now; None if all is well."""
        if self.stopping.is_set():
            return "the service stops"
        if self.has_lost_a_part:
            return "a part of the service has ended; the log says why, and a new start mends it"
        if not self.reader.is_alive:
            return "reading has ended; the log says why, and a new start mends it"
        if not self.database.is_up:
            return "the database cannot be used; the log says why"
        return self.trouble

    def loaded(self) -> LoadedModel:
        """Give the model on duty.

        Raises
        ------
        textclf.service.problems.ProblemError
            If there is none.
        """
        if self.duty.current is None:
            raise ProblemError(503, "no-model", "no model is on duty; start the service with --model")
        return self.duty.current

    def model_version(self) -> str:
        """Name the model on duty, with the beginning of its id."""
        loaded = self.loaded()
        return model_version(loaded.name, loaded.id)

    @contextmanager
    def place(self) -> Iterator[Callable[[], None]]:
        """Take a place in the queue, and further ones by calling what is given; all are free after the block.

        Raises
        ------
        textclf.service.problems.ProblemError
            If the queue is full, or the service stops.
        """
        taken = 0

        def take() -> None:
            nonlocal taken
            if self.stopping.is_set():
                raise stopping()
            if self.taken >= self.queue:
                raise ProblemError(
                    429, "queue-full", f"{self.queue} documents wait already", headers=self.retry_after(self.taken)
                )
            self.taken += 1
            taken += 1

        try:
            take()
            yield take
        finally:
            self.taken -= taken

    def retry_after(self, waiting: int) -> dict[str, str]:
        """Estimate in how many seconds a part of the queue is done."""
        return {"Retry-After": str(min(60, max(1, math.ceil(self._seconds * waiting / self.reader.jobs / 4))))}

    async def classify(self, files: Sequence[SourceFile], *, one_by_one: asyncio.Semaphore | None = None) -> Result:
        """Classify files.

        Parameters
        ----------
        files : sequence of SourceFile
            At least one.
        one_by_one : asyncio.Semaphore, optional
            Held while a file is worked on, so that others get their turn.

        Returns
        -------
        Result
            With a document for each file, in their order; one that cannot be read spoils no other.

        Raises
        ------
        textclf.service.problems.ProblemError
            If none of them can be read, no model is on duty, or the service stops.
        """
        loaded = self.loaded()
        under_way = [asyncio.create_task(self._classify(file, loaded, one_by_one)) for file in files]
        try:
            documents = unless_all_failed(await asyncio.gather(*under_way))
        finally:
            for task in under_way:
                task.cancel()
        return Result(model=model_of_result(loaded), documents=documents)

    async def _classify(
        self, file: SourceFile, loaded: LoadedModel, one_by_one: asyncio.Semaphore | None
    ) -> tuple[DocumentResult, ProblemError | None]:
        async with one_by_one or nullcontext():
            judged = await self.judge(file, loaded)
            return await asyncio.to_thread(self.keeper.result, judged)

    async def judge(self, file: SourceFile, loaded: LoadedModel) -> Judged:
        """Read and predict a file; the library keeps nothing of it yet."""
        document = await self.read(file)
        begun = time.perf_counter()
        loop = asyncio.get_running_loop()
        prediction, explanation = await loop.run_in_executor(self._predicting, predict_scan, loaded.model, document)
        self.metrics.stage("predict", begun)
        self.metrics.document(prediction)
        return Judged(file=file, document=document, prediction=prediction, explanation=explanation, loaded=loaded)

    async def predict_texts(self, texts: Sequence[str]) -> list[Prediction]:
        """Predict texts that need no reading; the library keeps none of them."""
        model, loop = self.loaded().model, asyncio.get_running_loop()
        predictions: list[Prediction] = []
        # some at a time, so that others get their turn
        for begin in range(0, len(texts), _TEXTS_AT_ONCE):
            some = texts[begin : begin + _TEXTS_AT_ONCE]
            predictions += await loop.run_in_executor(self._predicting, _predicted, model, some)
        return predictions

    async def read(self, file: SourceFile) -> Document:
        """Read a file.

        Raises
        ------
        textclf.service.problems.ProblemError
            If the service stops.
        """
        submitted = time.perf_counter()
        try:
            reading = self.reader.submit(file.name, file.path)
            document = await _unless_cancelled(reading)
        except LostTaskError as error:
            raise stopping() from error
        self.metrics.stage("wait", submitted, reading.begun)
        self.metrics.stage("read", reading.begun)
        # of the last documents, the older the less
        self._seconds += 0.1 * (document.seconds - self._seconds)
        return document

    def _how_sure(self, scans: ScanOptions) -> Callable[[Document], float]:
        def how_sure(document: Document) -> float:
            loaded = self.duty.current
            if loaded is None:
                return 0.0
            threshold = loaded.model.training.acceptance.threshold
            return until_accepted(lambda found: predict_scan(loaded.model, found)[0], threshold, scans.effort)(document)

        return how_sure


def _predicted(model: Model, texts: Sequence[str]) -> list[Prediction]:
    return list(model.pipe(texts))


async def _unless_cancelled(reading: Reading) -> Document:
    try:
        return await asyncio.wrap_future(reading.future)
    except asyncio.CancelledError:
        reading.abandon()
        raise

"""Reads and classifies documents, in processes that stay warm from one call to the next."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeoutError
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.engines import open_engine
from ocr.live_reading import LiveReader
from ocr.reading_options import Limits, ReadingOptions
from ocr.sample_page import sample_page
from textclf.base.problems import ProblemError
from textclf.data.predictions import predict_scan, until_accepted
from textclf.data.results import (
    LoadedModel,
    Result,
    document_result,
    model_of_result,
    reading_problem,
    unless_all_failed,
)

if TYPE_CHECKING:
    from aws_ml_adapter.serverless.settings import Settings
    from ocr.document import Document
    from textclf.model.prediction import Prediction

_LOOK = 0.2
"""Seconds after which a caller that waits is asked whether it still does."""


class Classifier:
    """A model, and the reader of the documents that it judges.

    Parameters
    ----------
    loaded : LoadedModel
        The model.
    options : Settings
        How documents are read.
    """

    def __init__(self, loaded: LoadedModel, options: Settings) -> None:
        self.loaded = loaded
        self._predicting = threading.Lock()
        limits = Limits(
            max_bytes=options.max_bytes,
            max_pages=options.max_pages,
            max_memory=options.max_memory,
            seconds_per_page=options.seconds_per_page,
        )
        self._reader = LiveReader(
            options=ReadingOptions(languages=tuple(filter(None, options.lang.split("+"))), limits=limits),
            engine=open_engine(),
            effort=options.effort,
            how_sure=self._how_sure(options),
            warm_up=sample_page(),
        )

    @property
    def jobs(self) -> int:
        """How many pages are read at a time."""
        return self._reader.jobs

    @property
    def is_alive(self) -> bool:
        """Whether documents are read."""
        return self._reader.is_alive

    def close(self) -> None:
        """Stop; what is being read is lost."""
        self._reader.close()

    def read(self, name: str, path: Path, *, seconds: float, goes_on: Callable[[], bool] = lambda: True) -> Document:
        """Read a file.

        Raises
        ------
        textclf.base.problems.ProblemError
            If it takes longer than ``seconds``.
        InterruptedError
            Once ``goes_on`` returns False.
        """
        reading, end = self._reader.submit(name, path), time.monotonic() + seconds
        while True:
            try:
                return reading.future.result(timeout=min(_LOOK, max(0.01, end - time.monotonic())))
            except FutureTimeoutError:
                if reading.future.done():
                    raise
                if time.monotonic() >= end:
                    reading.abandon()
                    detail = f"{name} took longer than the {seconds:.0f} s that a worker has for it"
                    raise ProblemError(422, "too-slow", f"{detail}; send fewer pages at a time") from None
                if not goes_on():
                    reading.abandon()
                    raise InterruptedError from None

    def classify(
        self,
        name: str,
        path: Path,
        *,
        seconds: float,
        goes_on: Callable[[], bool] = lambda: True,
        ended: Callable[[str], None] = lambda _: None,
    ) -> Result:
        """Read and predict a file; raises as `read`, and the problem of one that cannot be read.

        ``ended`` is called after each of the two.
        """
        document = self.read(name, path, seconds=seconds, goes_on=goes_on)
        ended("read")
        with self._predicting:
            prediction, explanation = predict_scan(self.loaded.model, document)
        result = document_result(
            name, document, prediction, explanation, categories=self.loaded.model.categories, document_id=None
        )
        fault = reading_problem(path, document.error) if document.status == "failed" else None
        documents = unless_all_failed([(result, fault)])
        ended("predict")
        return Result(model=model_of_result(self.loaded), documents=documents)

    def _how_sure(self, options: Settings) -> Callable[[Document], float] | None:
        if options.effort == "full":
            return None
        threshold = self.loaded.model.training.acceptance.threshold
        return until_accepted(self._predicted, threshold, options.effort)

    def _predicted(self, document: Document) -> Prediction:
        with self._predicting:
            return predict_scan(self.loaded.model, document)[0]

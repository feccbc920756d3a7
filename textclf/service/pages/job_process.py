"""The process of a job: ``python -m textclf.service.pages.job_process``, which reads from stdin what to do."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from textclf.base.errors import TextclfError
from textclf.base.packages import missing_package
from textclf.library.library import Library
from textclf.service.pages.jobs import FOLDER, MODEL, Job, Progress, read_job, write_job
from textclf.service.pages.learning import train
from textclf.service.pages.pile import find_groups, predict_anew

_NICE = 5
_WRITE_EVERY = 0.5


class _State:
    """The state of the job, written while it goes on."""

    def __init__(self, folder: Path, job: Job) -> None:
        self._folder, self.job, self._written = folder, job, 0.0

    def tell(self, **changes: Any) -> None:
        """Change it; written at once if it is another step, else twice a second."""
        is_new = "step" in changes or "state" in changes
        self.job = replace(self.job, **changes)
        now = time.monotonic()
        if is_new or now - self._written > _WRITE_EVERY:
            self._written = now
            write_job(self._folder, self.job)


class _Details(logging.Handler):
    def __init__(self, state: _State) -> None:
        super().__init__(logging.INFO)
        self._state = state

    def emit(self, record: logging.LogRecord) -> None:
        """Show the line."""
        self._state.tell(detail=record.getMessage()[:300])


def main() -> None:
    """Do the job."""
    given = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    with suppress(OSError):
        os.nice(_NICE)
    folder = Path(given["library"], FOLDER, given["job"])
    job = read_job(folder)
    if job is None:
        raise SystemExit(1)
    state = _State(folder, job)
    logger = logging.getLogger("textclf")
    logger.setLevel(logging.INFO)
    logger.addHandler(_Details(state))
    try:
        with Library.open(given["library"], given["database"]) as library:
            result = _do(library, job, folder, state.tell)
    except TextclfError as error:
        state.tell(state="failure", error=str(error), finished_at=datetime.now(UTC).isoformat())
    except Exception as error:
        missing = missing_package(error)
        told = str(missing or f"{type(error).__name__}: {error}")
        state.tell(state="failure", error=told, finished_at=datetime.now(UTC).isoformat())
        if not missing:
            raise
    else:
        state.tell(state="success", result=result, detail="", finished_at=datetime.now(UTC).isoformat())


def _do(library: Library, job: Job, folder: Path, progress: Progress) -> dict[str, Any]:
    match job.kind:
        case "train":
            return train(library, folder / MODEL, started_at=job.started_at, progress=progress, **job.request)
        case "groups":
            return find_groups(library, progress=progress, **job.request)
        case "predict":
            return predict_anew(library, progress=progress, **job.request)


def _end_with_the_service() -> None:
    """End when the pipe from the service is closed, however the service ended."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()

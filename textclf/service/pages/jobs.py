"""Work that takes minutes, in a process of its own: training, comparing, grouping, predicting anew."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import uuid
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, get_args

from textclf.base.errors import UsageError
from textclf.base.files import write_aside

if TYPE_CHECKING:
    from textclf.library.library import Library

Kind = Literal["train", "groups", "predict"]
State = Literal["running", "success", "failure"]
FOLDER, STATE, MODEL = "jobs", "job.json", "model.textclf"
KEPT = 20
"""Jobs of each kind that are kept."""
_STOPPED = "it was stopped"


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job and how far it came: `step` of several, `done` of `total` in it, and the line logged last."""

    id: str
    kind: Kind
    by: str
    started_at: str
    state: State = "running"
    finished_at: str = ""
    step: str = ""
    done: int = 0
    total: int = 0
    detail: str = ""
    error: str = ""
    request: dict[str, Any] = field(default_factory=dict)
    result: dict[str, Any] = field(default_factory=dict)


class Progress(Protocol):
    """Told how far a job came."""

    def __call__(self, **changes: Any) -> None:
        """Change some fields of the job."""


def read_job(folder: Path) -> Job | None:
    """Read the state of a job; None if it cannot be read."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        job = Job(**json.loads((folder / STATE).read_text(encoding="utf-8")))
        if job.kind in get_args(Kind) and job.state in get_args(State):
            return job
    return None


def write_job(folder: Path, job: Job) -> None:
    """Write the state of a job."""
    with write_aside(folder / STATE, private=True) as aside:
        aside.write_text(json.dumps(asdict(job), ensure_ascii=False), encoding="utf-8")


class Jobs:
    """The jobs of a library, one at a time; their results lie in its folder.

    Whoever holds `lock` can be sure that nobody else starts or stops a job meanwhile.
    """

    def __init__(self, library: Library) -> None:
        self.folder = library.folder / FOLDER
        self._library = library
        self.lock = threading.RLock()
        self._process: subprocess.Popen[bytes] | None = None
        self._running = ""

    def start(self, kind: Kind, *, by: str, request: dict[str, Any] | None = None) -> Job:
        """Start a job; `UsageError` if another one runs."""
        with self.lock:
            if self.running() is not None:
                raise UsageError("something else runs already", remedy="wait until it has ended")
            self._let_go()
            job = Job(id=uuid.uuid4().hex, kind=kind, by=by, started_at=_now(), request=request or {})
            folder = self.folder / job.id
            folder.mkdir(mode=0o700, parents=True)
            write_job(folder, job)
            self._forget(kind)
            # unlike arguments, what comes by a pipe cannot be read by other users; it is closed when this process ends
            address = self._library.database.engine.url.render_as_string(hide_password=False)
            given = {"library": str(self._library.folder.absolute()), "database": address, "job": job.id}
            # -P: a folder named textclf in the working folder is not this package
            command = [sys.executable, "-P", "-m", "textclf.service.pages.job_process"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE, start_new_session=True)  # noqa: S603
            if self._process.stdin is not None:
                self._process.stdin.write(json.dumps(given).encode() + b"\n")
                self._process.stdin.flush()
            self._running = job.id
            return job

    def running(self) -> Job | None:
        """Give the job that runs; one whose process died has failed."""
        with self.lock:
            if not self._running:
                return None
            # looked at first: its last act is to write how it ended
            has_ended = self._process is not None and self._process.poll() is not None
            job = read_job(self.folder / self._running)
            if self._process is not None and has_ended:
                if job is not None and job.state == "running":
                    self._fail(job, f"its process ended with code {self._process.returncode}")
                self._let_go()
                job = None
            return job if job is not None and job.state == "running" else None

    def latest(self, kind: Kind) -> Job | None:
        """Give the job of a kind that was started last; one that a former service began was stopped."""
        with self.lock:
            running = self.running()
            found = max(self._of(kind), key=lambda job: job.started_at, default=None)
            if found is not None and found.state == "running" and (running is None or running.id != found.id):
                return self._fail(found, _STOPPED)
            return found

    def last_started(self) -> str:
        """Give the id of the job that was started last, of any kind; empty if there was none."""
        jobs = [job for kind in get_args(Kind) for job in self._of(kind)]
        return max(jobs, key=lambda job: job.started_at).id if jobs else ""

    def list_jobs(self, kind: Kind) -> list[Job]:
        """List the jobs of a kind, oldest first."""
        return sorted(self._of(kind), key=lambda job: job.started_at)

    def update(self, job: Job) -> None:
        """Keep a job that has ended as it is now."""
        write_job(self.folder / job.id, job)

    def model_path(self, job: Job) -> Path:
        """Give the place of the model that a job trained."""
        return self.folder / job.id / MODEL

    def stop(self) -> None:
        """Stop the job that runs."""
        with self.lock:
            job = self.running()
            if self._process is not None and self._process.poll() is None:
                with suppress(ProcessLookupError, PermissionError):
                    os.killpg(self._process.pid, 9)
                self._process.wait()
            if job is not None:
                self._fail(job, _STOPPED)
            self._let_go()

    def _let_go(self) -> None:
        """Close the pipe to a process that has done its work, which ends it if it has not ended yet."""
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            self._process.wait()
        self._process, self._running = None, ""

    def _fail(self, job: Job, error: str) -> Job:
        failed = Job(**{**asdict(job), "state": "failure", "finished_at": _now(), "error": error})
        self.update(failed)
        return failed

    def _of(self, kind: Kind) -> list[Job]:
        folders = [*self.folder.iterdir()] if self.folder.is_dir() else []
        return [job for folder in folders if (job := read_job(folder)) is not None and job.kind == kind]

    def _forget(self, kind: Kind) -> None:
        # what decides which documents are kept out of training must stay
        untaken = [job for job in self.list_jobs(kind) if not job.result.get("taken")]
        for job in untaken[:-KEPT]:
            shutil.rmtree(self.folder / job.id, ignore_errors=True)


def _now() -> str:
    return datetime.now(UTC).isoformat()

"""Runs the jobs of unfinished objects in worker processes, oldest first, once their parents are completed."""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import shutil
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.batch_output import manifest_location, result_locations
from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.api.storage import FolderStorage, StorageOptions
from aws_ml_adapter.server.entities import Entities, Entity
from aws_ml_adapter.server.job_spec import Job, folder_of, objects_folder
from aws_ml_adapter.server.worker import MESSAGE_LIMIT, work
from textclf.base.errors import TextclfError

MAX_DEATHS = 3
"""The number of worker deaths after which an object fails."""

MAX_ATTEMPTS = 10
"""The number of interruptions of a job, by the death of its worker or of the server, after which its object fails;
otherwise a job that crashes the server would do so for ever."""

MAX_SECONDS = 7 * 24 * 3600
"""Maximum duration of a job: https://docs.aws.amazon.com/machine-learning/latest/dg/system-limits.html."""

_RETRY_SECONDS = 1.0
# a crash before that is not attributed to the job
_ATTEMPT_SECONDS = 1.0
_IDLE_SECONDS = 60.0
_ONCE_FIXED = " (once that is fixed, delete this object or use another id: repeating the request does nothing)"


@dataclass(slots=True, kw_only=True)
class _Running:
    entity: Entity
    process: BaseProcess
    pipe: Connection
    begun: float
    counted: bool = False


class Scheduler:
    """A thread that starts jobs, up to ``max_jobs`` at once, and records their outcomes.

    Trainings, which may take hours, have a limit of their own, so that other jobs, most of them short, do not wait for
    them.

    All state is in SQLite. An object in progress without a worker was interrupted by the end of an earlier server, and
    its job is started again; jobs are idempotent. Two workers never run the same job: a worker exits when its server
    does, only the server records outcomes, and the lock on the data directory allows one server at a time.
    """

    def __init__(
        self,
        entities: Entities,
        *,
        data_dir: Path,
        storage: StorageOptions,
        max_jobs: int,
        best_answer: bool,
        ended: Callable[[int], None],
    ) -> None:
        self._entities = entities
        self._data_dir = data_dir
        self._storage = storage
        self._max_jobs = max_jobs
        self._best_answer = best_answer
        self._ended = ended
        self._running: dict[int, _Running] = {}
        self._deaths: dict[int, int] = {}
        self._stopping = False
        # serial numbers of deleted objects, or None if a new object was created
        self._orders, self._order = multiprocessing.Pipe(duplex=False)
        # the fork server has no threads and has imported everything, so workers start in milliseconds
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["aws_ml_adapter.server.run_job"])
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Remove files of deleted objects, temporary files and unfinished results, and start the thread."""
        kept = {str(serial) for serial in self._entities.serials()}
        for folder in objects_folder(self._data_dir).glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
            else:
                _remove_temporary(folder)
        self._remove_unfinished(set().union(*map(_places, self._entities.select(Kind.BATCH_PREDICTION, "1", (), -1))))
        forkserver.ensure_running()
        self._thread.start()

    def stop(self) -> None:
        """Stop all workers; the next server starts their jobs again."""
        self._stopping = True
        self.wake()
        self._thread.join()
        self._orders.close()
        self._order.close()

    def wake(self) -> None:
        """Look for jobs, because an object was created."""
        self._send(None)

    def discard(self, serial: int) -> None:
        """Stop the job of a deleted object, and remove its files."""
        self._send(serial)

    def _send(self, serial: int | None) -> None:
        # if the server is stopping, the next one removes the files
        with contextlib.suppress(OSError):
            self._order.send(serial)

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._discard()
                self._start_jobs()
                self._wait()
            # jobs must continue when the cause, such as a full disk, is gone: the state is read again
            except Exception:
                logging.getLogger(__name__).exception("error in the scheduler, trying again")
                time.sleep(_RETRY_SECONDS)
        for serial, running in list(self._running.items()):
            self._end(serial)
            if running.counted:
                self._entities.add_attempts(serial, -1)

    def _wait(self) -> None:
        pipes = {running.pipe: serial for serial, running in self._running.items()}
        counted = all(running.counted for running in self._running.values())
        ready = wait([self._orders, *pipes], timeout=_IDLE_SECONDS if counted else _ATTEMPT_SECONDS)
        for pipe, serial in pipes.items():
            if pipe in ready:
                self._collect(serial)
        for serial, running in list(self._running.items()):
            seconds = time.monotonic() - running.begun
            if seconds > MAX_SECONDS:
                self._end(serial)
                self._fail(serial, "the job ran for more than seven days")
            elif seconds > _ATTEMPT_SECONDS and not running.counted:
                self._entities.add_attempts(serial, 1)
                running.counted = True

    def _start_jobs(self) -> None:
        for entity in self._entities.unfinished():
            is_training = entity.kind is Kind.MODEL
            alike = sum((each.entity.kind is Kind.MODEL) is is_training for each in self._running.values())
            if entity.serial in self._running or alike >= self._max_jobs:
                continue
            parents = self._entities.by_serial(entity.details["parents"])
            if lost := _lost(entity, parents):
                self._fail(entity.serial, lost)
            elif entity.details.get("attempts", 0) >= MAX_ATTEMPTS:
                self._fail(entity.serial, f"the job was interrupted {MAX_ATTEMPTS} times: is memory short?")
            elif all(parent.status is Status.COMPLETED for parent in parents):
                self._begin(entity, parents)

    def _begin(self, entity: Entity, parents: list[Entity]) -> None:
        if not self._entities.begin(entity.serial):
            return
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=work, args=(self._job(entity, parents), sender), daemon=True)
        process.start()
        sender.close()
        self._running[entity.serial] = _Running(entity=entity, process=process, pipe=receiver, begun=time.monotonic())

    def _job(self, entity: Entity, parents: list[Entity]) -> Job:
        by_kind = {each.kind: each for each in (entity, *parents)}
        return Job(
            entity=entity,
            source=by_kind[Kind.DATA_SOURCE],
            model=by_kind.get(Kind.MODEL),
            data_dir=self._data_dir,
            storage=self._storage,
            best_answer=self._best_answer,
        )

    def _collect(self, serial: int) -> None:
        try:
            outcome = json.loads(self._running[serial].pipe.recv_bytes())
        except (EOFError, OSError):
            code = self._end(serial)
            self._deaths[serial] = self._deaths.get(serial, 0) + 1
            if self._deaths[serial] >= MAX_DEATHS:
                self._fail(serial, f"the worker died {MAX_DEATHS} times (exit code {code}): is memory short?")
            return
        self._end(serial)
        self._finish(serial, Status(outcome["status"]), outcome["record"])

    def _fail(self, serial: int, message: str) -> None:
        self._finish(serial, Status.FAILED, {"Message": message})

    def _finish(self, serial: int, status: Status, record: Mapping[str, Any]) -> None:
        if status is Status.FAILED:
            message = str(record["Message"])[: MESSAGE_LIMIT - len(_ONCE_FIXED)]
            record = {**record, "Message": message + _ONCE_FIXED}
        self._entities.finish(serial, status, record)
        self._ended(serial)

    def _discard(self) -> None:
        while self._orders.poll():
            if (serial := self._orders.recv()) is not None:
                if serial in self._running:
                    self._end(serial)
                shutil.rmtree(folder_of(self._data_dir, serial), ignore_errors=True)

    def _end(self, serial: int) -> int | None:
        """Kill a worker, remove its unfinished files, and return its exit code."""
        running = self._running.pop(serial)
        running.pipe.close()
        running.process.kill()
        running.process.join()
        _remove_temporary(folder_of(self._data_dir, serial))
        others = (_places(other.entity) for other in self._running.values())
        self._remove_unfinished(_places(running.entity).difference(*others))
        return running.process.exitcode

    def _remove_unfinished(self, folders: set[str]) -> None:
        if self._storage.endpoint is not None:
            return
        storage = FolderStorage(Path(self._storage.root or "."))
        for folder in folders:
            # files that cannot be removed do no harm
            with contextlib.suppress(TextclfError, OSError):
                storage.remove_unfinished(f"{folder}/any")


def _remove_temporary(folder: Path) -> None:
    """Remove all folders in an object's folder, where only files are kept."""
    for path in folder.glob("*/"):
        shutil.rmtree(path, ignore_errors=True)


def _places(entity: Entity) -> set[str]:
    """Return the URLs of the folders in storage that an object's job writes to."""
    if entity.kind is not Kind.BATCH_PREDICTION:
        return set()
    output = entity.request["OutputUri"]
    urls = [manifest_location(output, ""), *result_locations(output, "", ["any"]).values()]
    return {url.rpartition("/")[0] for url in urls}


def _lost(entity: Entity, parents: list[Entity]) -> str | None:
    """Return the reason why a parent will never be completed; None if it may be."""
    for parent in parents:
        if parent.status in (Status.FAILED, Status.DELETED):
            return f"{parent.kind} {parent.id}, which it needs, is {parent.status}"
    if len(parents) < len(entity.details["parents"]):
        return "an object that it needs was deleted"
    return None

"""Runs the jobs of unfinished objects in worker processes, in the order in which they can begin."""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import shutil
import socket
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from queue import Empty, SimpleQueue

from aws_ml_adapter.batch_output import manifest_location, result_locations
from aws_ml_adapter.service.databases import Query
from aws_ml_adapter.service.entities import Entities, Entity, Kind, Status
from aws_ml_adapter.service.job import Data, Job, folder_of
from aws_ml_adapter.service.storage import FolderStorage, StorageOptions
from aws_ml_adapter.service.worker import run_job

__all__ = ["Jobs"]

MOST_ATTEMPTS = 3
"""How often a worker may die over one object before the object fails."""

MOST_SECONDS = 7 * 24 * 3600
"""How long a job may run: https://docs.aws.amazon.com/machine-learning/latest/dg/system-limits.html."""

_RETRY_SECONDS = 1.0
_IDLE_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Running:
    process: BaseProcess
    pipe: Connection
    deadline: float


class Jobs:
    """A thread that begins what can begin, at most so many at once, and notes how it ended.

    SQLite holds all there is to know. An object in progress whose worker is not a child of this server was interrupted
    by the end of an earlier one, and is begun anew; what a job writes is the same each time. A worker ends itself when
    its server is gone, and only its own server writes down what it did: there is never more than one, by the lock on
    the data directory. So the lease of a job is the life of its server.

    Parameters
    ----------
    entities : Entities
    data_dir : pathlib.Path
    storage : StorageOptions
    most : int
        Jobs at once.
    databases : mapping of str to str
        ``IDENTIFIER/NAME``, as requests call a database, to its URL.
    best_answer : bool
        Whether batch predictions of multiclass models have a column ``bestAnswer``.
    """

    def __init__(
        self,
        entities: Entities,
        *,
        data_dir: Path,
        storage: StorageOptions,
        most: int,
        databases: Mapping[str, str],
        best_answer: bool,
    ) -> None:
        self._entities = entities
        self._data_dir = data_dir
        self._storage = storage
        self._most = most
        self._databases = databases
        self._best_answer = best_answer
        self._running: dict[int, _Running] = {}
        self._deaths: dict[int, int] = {}
        self._discarded: SimpleQueue[int] = SimpleQueue()
        self._stopping = False
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        # a fork of a process without threads that has imported everything already starts in milliseconds
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload(["aws_ml_adapter.service.work"])
        self._thread = threading.Thread(target=self._run, name="jobs", daemon=True)

    def start(self) -> None:
        """Remove files of objects that are gone, and those that were half written, and begin."""
        kept = {str(serial) for serial in self._entities.serials()}
        for folder in folder_of(self._data_dir, 0).parent.glob("*"):
            if folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)
        if self._storage.endpoint is None:
            storage = FolderStorage(Path(self._storage.root or "."))
            for url in _written(self._entities):
                storage.remove_unfinished(url)
        forkserver.ensure_running()
        self._thread.start()

    def stop(self) -> None:
        """End all workers; what they did not finish begins anew with the next server."""
        self._stopping = True
        self.wake()
        self._thread.join()
        self._wake_reader.close()
        self._wake_writer.close()

    def wake(self) -> None:
        """Look for work, as an object was made or deleted."""
        # where the pipe is full it will wake already, where it is closed it need not
        with contextlib.suppress(OSError):
            self._wake_writer.send(b"!")

    def discard(self, serial: int) -> None:
        """End the job of an object that was deleted, and remove its files."""
        self._discarded.put(serial)
        self.wake()

    def _run(self) -> None:
        while not self._stopping:
            try:
                self._discard()
                self._begin_what_can()
                self._wait()
            # whatever it is, such as a full disk, jobs must go on when it is over: the state is read anew
            except Exception:
                logging.getLogger(__name__).exception("looking for jobs is tried again")
                time.sleep(_RETRY_SECONDS)
        for running in self._running.values():
            _end(running)

    def _wait(self) -> None:
        pipes = {running.pipe: serial for serial, running in self._running.items()}
        ready = wait([self._wake_reader, *pipes], timeout=_IDLE_SECONDS)
        if self._wake_reader in ready:
            with contextlib.suppress(BlockingIOError):
                self._wake_reader.recv(4096)
        for pipe in ready:
            if isinstance(pipe, Connection):
                self._collect(pipes[pipe])
        for serial, running in list(self._running.items()):
            if time.monotonic() > running.deadline:
                _end(self._running.pop(serial))
                self._fail(serial, "the job ran for more than seven days")

    def _begin_what_can(self) -> None:
        for entity in self._entities.unfinished():
            if len(self._running) >= self._most:
                return
            if entity.serial in self._running:
                continue
            parents = self._entities.by_serial(entity.details["parents"])
            if lost := _lost(entity, parents):
                self._fail(entity.serial, lost)
            elif all(parent.status is Status.COMPLETED for parent in parents):
                self._begin(entity, parents)

    def _begin(self, entity: Entity, parents: list[Entity]) -> None:
        if not self._entities.begin(entity.serial):
            return
        receiver, sender = self._context.Pipe(duplex=False)
        process = self._context.Process(target=run_job, args=(self._job(entity, parents), sender), daemon=True)
        process.start()
        sender.close()
        self._running[entity.serial] = _Running(
            process=process, pipe=receiver, deadline=time.monotonic() + MOST_SECONDS
        )

    def _job(self, entity: Entity, parents: list[Entity]) -> Job:
        by_kind = {parent.kind: parent for parent in (entity, *parents)}
        source, model = by_kind[Kind.DATA_SOURCE], by_kind.get(Kind.MODEL)
        return Job(
            kind=entity.kind,
            request=entity.request,
            record=entity.record,
            folder=folder_of(self._data_dir, entity.serial),
            storage=self._storage,
            data=Data(
                spec=source.details["spec"],
                schema=source.record.get("DataSourceSchema"),
                folder=folder_of(self._data_dir, source.serial),
                query=self._query(entity),
            ),
            model_folder=folder_of(self._data_dir, model.serial) if model else None,
            threshold=model.record.get("ScoreThreshold", 0.5) if model else 0.5,
            best_answer=self._best_answer,
        )

    def _query(self, entity: Entity) -> Query | None:
        if (name := entity.details.get("database")) is None:
            return None
        return Query(database=name, url=self._databases.get(name), sql=entity.details["sql"])

    def _collect(self, serial: int) -> None:
        running = self._running.pop(serial)
        try:
            outcome = json.loads(running.pipe.recv_bytes())
        except (EOFError, OSError):
            _end(running)
            self._deaths[serial] = self._deaths.get(serial, 0) + 1
            if self._deaths[serial] >= MOST_ATTEMPTS:
                code = running.process.exitcode
                self._fail(serial, f"the worker died {MOST_ATTEMPTS} times (exit code {code}): is memory short?")
            return
        _end(running)
        self._entities.finish(serial, Status(outcome["status"]), outcome["record"])

    def _fail(self, serial: int, message: str) -> None:
        self._entities.finish(serial, Status.FAILED, {"Message": message})

    def _discard(self) -> None:
        while True:
            try:
                serial = self._discarded.get_nowait()
            except Empty:
                return
            if serial in self._running:
                _end(self._running.pop(serial))
            shutil.rmtree(folder_of(self._data_dir, serial), ignore_errors=True)


def _written(entities: Entities) -> set[str]:
    """Give a URL in each place that jobs write to."""
    outputs = {entity.request["OutputUri"] for entity in entities.select(Kind.BATCH_PREDICTION, "1", (), -1)}
    staged = {
        entity.details["spec"]["DataLocationS3"]
        for entity in entities.select(Kind.DATA_SOURCE, "1", (), -1)
        if "sql" in entity.details
    }
    results = {url for output in outputs for url in result_locations(output, "", ["any"]).values()}
    return staged | results | {manifest_location(output, "") for output in outputs}


def _lost(entity: Entity, parents: list[Entity]) -> str | None:
    """Say which parent will never be ready, if there is one."""
    for parent in parents:
        if parent.status in (Status.FAILED, Status.DELETED):
            return f"{parent.kind} {parent.id} that it needs is {parent.status}"
    if len(parents) < len(entity.details["parents"]):
        return "an object that it needs was deleted"
    return None


def _end(running: _Running) -> None:
    running.pipe.close()
    running.process.kill()
    running.process.join()

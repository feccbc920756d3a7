"""Creation and removal of a client's objects in the service and files in S3, each recorded in the state file first."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_ml_adapter.api.batch_output import manifest_location
from aws_ml_adapter.api.kinds import Kind, Status
from aws_ml_adapter.api.storage import Storage
from aws_ml_adapter.client.answers import ResultRow, parse_manifest, read_results
from aws_ml_adapter.client.client_options import Place
from aws_ml_adapter.client.service_calls import AmazonMLError, Service, open_objects, refusal_code
from aws_ml_adapter.client.state import ClientState, Created, Source, StateFile
from features.datasource import schema_path
from textclf.base.errors import TextclfError

_log = logging.getLogger(__name__)

_AGAIN = "-again-"
"""Separates the id of a failed object from the number of the new attempt."""
_MANIFEST_LIMIT = 1_000_000


class Workspace:
    """Idempotent creation, and removal, of a model's objects and files."""

    def __init__(self, file: StateFile, place: Place, *, timeout: float) -> None:
        self.file = file
        self._place = place
        self._timeout = timeout

    @property
    def state(self) -> ClientState:
        """The current state."""
        return self.file.state

    @cached_property
    def service(self) -> Service:
        """The client of the service."""
        return Service(self._place, timeout=self._timeout)

    @cached_property
    def objects(self) -> Storage:
        """S3, or the folder used instead."""
        return open_objects(self._place)

    def create(self, item: Created, *, again: bool = False) -> Created:
        """Create an object unless it exists; ``again`` replaces a failed one by a new one with another id."""
        held = self._held(item)
        failed = held if held and again and self._status(held) == Status.FAILED else None
        if failed:
            number = int(failed.id.removeprefix(f"{item.id}{_AGAIN}")) + 1 if failed.id != item.id else 2
            item, held = replace(item, request=item.request | {f"{item.kind}Id": f"{item.id}{_AGAIN}{number}"}), None
        item = held or item
        if not held:
            self.file.update(lambda state: replace(state, created=(*state.created, item)))
        if failed:
            self._remove(failed)
        try:
            self.service.call(item.operation, **item.request)
        except AmazonMLError as error:
            if not held and refusal_code(error):
                self._forget(item)
            raise
        return item

    def _held(self, item: Created) -> Created | None:
        """Return the object that was created for the same item last."""
        for each in reversed(self.state.created):
            if each.kind == item.kind and (each.id == item.id or each.id.startswith(f"{item.id}{_AGAIN}")):
                return each
        return None

    def _forget(self, item: Created) -> None:
        self.file.update(
            lambda state: replace(state, created=tuple(each for each in state.created if each.id != item.id))
        )

    def _remove(self, item: Created) -> None:
        _log.info(f"deleting {item.kind} {item.id}")
        self.service.delete(item.kind, item.id)
        if item.kind is Kind.BATCH_PREDICTION:
            # an unfinished batch prediction may leave results without a manifest
            for url in self.state.output_files(item):
                self.objects.delete(url)
        self._forget(item)

    def upload(self, path: Path, source: Source) -> None:
        """Upload a datasource and its schema, unless they exist."""
        url = self.state.data_url(source)
        for part, place in ((schema_path(path), f"{url}.schema"), (path, url)):
            if self.objects.size(place) == part.stat().st_size:
                continue
            _log.info(f"uploading {place}")
            self._record(place, there=True)
            try:
                with self.objects.write(place) as aside:
                    shutil.copyfile(part, aside)
            except TextclfError:
                with suppress(TextclfError):
                    if self.objects.size(place) is None:
                        self._record(place, there=False)
                raise

    def _record(self, place: str, *, there: bool) -> None:
        def change(state: ClientState) -> ClientState:
            others = tuple(file for file in state.files if file != place)
            return replace(state, files=(*others, place) if there else others)

        self.file.update(change)

    @contextmanager
    def downloaded(self, source: Source) -> Iterator[Path]:
        """Download an uploaded datasource and its schema to a temporary folder."""
        url = self.state.data_url(source)
        with TemporaryDirectory() as folder:
            path = Path(folder) / url.rpartition("/")[2]
            for part, place in ((schema_path(path), f"{url}.schema"), (path, url)):
                with self.objects.open(place) as stream, part.open("wb") as file:
                    shutil.copyfileobj(stream, file)
            yield path

    def results(self, predictor: Created, categories: Sequence[str]) -> Iterator[ResultRow | None]:
        """Wait for a batch prediction, and yield its results."""
        self.service.wait(predictor)
        output = predictor.request["OutputUri"]
        manifest = manifest_location(output, predictor.id)
        with self.objects.open(manifest) as stream:
            text = stream.read(_MANIFEST_LIMIT).decode("utf-8", errors="replace")
        for url in parse_manifest(text, folder=output, where=manifest).values():
            with self.objects.open(url) as stream:
                yield from read_results(stream, categories, where=url)

    def delete(self) -> None:
        """Remove everything recorded, in reverse order, and finally the state file."""
        created = self.state.created
        # a single object may have been deleted just before an interruption
        if len(created) > 1 and not any(map(self._status, created)):
            raise AmazonMLError(
                f"knows none of the {len(created)} objects of this model",
                where=self.service.url,
                remedy="give the --endpoint-url of the server that has them; if it no longer exists, remove "
                f"{self.file.path} and the files in S3 that it names by hand",
            )
        while self.state.created:
            self._remove(self.state.created[-1])
        while self.state.files:
            place = self.state.files[-1]
            self.objects.delete(place)
            self._record(place, there=False)
        self.file.path.unlink()

    def _status(self, item: Created) -> str:
        """Return the status of an object; empty if it does not exist."""
        try:
            return str(self.service.get(item.kind, item.id)["Status"])
        except AmazonMLError as error:
            if refusal_code(error) == "ResourceNotFoundException":
                return ""
            raise

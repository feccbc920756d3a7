"""All that a client makes, in the service and in S3: written down first, made then, removed in the end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_ml_adapter.batch_output import manifest_location
from aws_ml_adapter.client_state import ClientState, Created, Place, Source, StateFile
from aws_ml_adapter.results import ResultRow, parse_manifest, read_results
from aws_ml_adapter.s3_objects import Objects, open_objects
from aws_ml_adapter.service.entities import Kind
from aws_ml_adapter.service_calls import AmazonMLError, Service, refusal_code
from aws_ml_adapter.training_plan import data_url, output_files
from features.datasource import schema_path
from textclf.errors import TextclfError

__all__ = ["Workspace"]

_MANIFEST_LIMIT = 1_000_000
_BLOCK = 1 << 20


class Workspace:
    """Makes objects and files, each once however often it is asked.

    Parameters
    ----------
    file : StateFile
        Where they are written down.
    place : Place
        How to reach service and S3 now.
    talk : callable
        Told what is going on.
    timeout : float
        Seconds that one job may take.
    """

    def __init__(self, file: StateFile, place: Place, *, talk: Callable[[str], None], timeout: float) -> None:
        self.file = file
        self._place = place
        self._talk = talk
        self._timeout = timeout

    @property
    def state(self) -> ClientState:
        """What is written down."""
        return self.file.state

    @cached_property
    def service(self) -> Service:
        """The service."""
        return Service(self._place, talk=self._talk, timeout=self._timeout)

    @cached_property
    def objects(self) -> Objects:
        """S3."""
        return open_objects(self._place)

    def create(self, item: Created) -> Created:
        """Create an object.

        Parameters
        ----------
        item : Created
            What is asked for.

        Returns
        -------
        Created
            What was asked for the first time, if there was one: only the same request again is known for a repetition.

        Raises
        ------
        aws_ml_adapter.service_calls.AmazonMLError
            The service refused, and the object is written down no more; or it could not be reached.
        """
        held = [each for each in self.state.created if (each.kind, each.id) == (item.kind, item.id)]
        if held:
            item = held[0]
        else:
            self.file.update(created=(*self.state.created, item))
        try:
            self.service.call(item.operation, **item.request)
        except AmazonMLError as error:
            if not held and refusal_code(error):
                self.file.update(created=self.state.created[:-1])
            raise
        return item

    def upload(self, path: Path, source: Source) -> None:
        """Upload a datasource and its schema, unless they are there.

        Parameters
        ----------
        path : pathlib.Path
            The CSV.
        source : Source
            What is known of it; its hash is part of the URL.
        """
        url = data_url(self.state, source)
        for part, place in ((schema_path(path), f"{url}.schema"), (path, url)):
            if self.objects.size(place) == part.stat().st_size:
                continue
            self._talk(f"uploading {place}")
            before = tuple(file for file in self.state.files if file != place)
            self.file.update(files=(*before, place))
            try:
                self.objects.put(part, place)
            except TextclfError:
                with suppress(TextclfError):
                    if self.objects.size(place) is None:
                        self.file.update(files=before)
                raise

    @contextmanager
    def downloaded(self, source: Source) -> Iterator[Path]:
        """Give a datasource that was uploaded.

        Parameters
        ----------
        source : Source
            What is known of it.

        Yields
        ------
        pathlib.Path
            The CSV with its schema beside it, until the context ends.
        """
        url = data_url(self.state, source)
        with TemporaryDirectory() as folder:
            path = Path(folder) / url.rpartition("/")[2]
            for part, place in ((schema_path(path), f"{url}.schema"), (path, url)):
                with self.objects.open(place) as stream, part.open("wb") as file:
                    while block := stream.read(_BLOCK):
                        file.write(block)
            yield path

    def results(self, predictor: Created, categories: Sequence[str]) -> Iterator[ResultRow | None]:
        """Wait for a batch prediction, and read its results.

        Parameters
        ----------
        predictor : Created
            The batch prediction.
        categories : sequence of str
            Whose scores are wanted.

        Yields
        ------
        ResultRow or None
            As `aws_ml_adapter.results.read_results` gives them.
        """
        self.service.wait(predictor)
        output = predictor.request["OutputUri"]
        manifest = manifest_location(output, predictor.id)
        with self.objects.open(manifest) as stream:
            text = stream.read(_MANIFEST_LIMIT).decode("utf-8", errors="replace")
        for url in parse_manifest(text, folder=output, where=manifest).values():
            with self.objects.open(url) as stream:
                yield from read_results(stream, categories, where=url)

    def delete(self) -> None:
        """Remove all that is written down, the last first, and the state file in the end."""
        while self.state.created:
            item = self.state.created[-1]
            self._talk(f"deleting {item.kind} {item.id}")
            self.service.delete(item.kind, item.id)
            if item.kind is Kind.BATCH_PREDICTION:
                # an unfinished one has results without a manifest
                for url in output_files(self.state, item):
                    self.objects.delete(url)
            self.file.update(created=self.state.created[:-1])
        while self.state.files:
            self.objects.delete(self.state.files[-1])
            self.file.update(files=self.state.files[:-1])
        self.file.path.unlink()

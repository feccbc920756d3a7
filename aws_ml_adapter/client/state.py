"""The record of what a client creates in Amazon ML; written first, so that nothing is lost or created twice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.batch_output import manifest_location, result_locations
from aws_ml_adapter.api.kinds import Kind
from aws_ml_adapter.api.rearrangement import Rearrangement, SplitStrategy
from aws_ml_adapter.client.client_options import Place
from textclf.base.errors import BadModelError
from textclf.base.files import input_error, output_error, write_aside
from textclf.base.from_json import from_json
from textclf.base.overwrite_guard import json_kind
from textclf.model.accept import Acceptance

FORMAT = 1
STATE = json_kind("what amazon-ml train writes", "format", "place")

_LIMIT = 200_000_000
"""Maximum bytes of a state file; each predicted table needs about 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The description of a datasource CSV."""

    name: str
    sha256: str
    size: int
    rows: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """An object of the service, with the request that creates it, which is idempotent."""

    kind: Kind
    operation: str
    request: dict[str, Any]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.request[f"{self.kind}Id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientState:
    """One model and everything that belongs to it."""

    run: str
    place: Place
    source: Source
    features: str
    recipe: str
    parameters: dict[str, str]
    train_percent: int
    seed: str
    created: tuple[Created, ...] = ()
    files: tuple[str, ...] = ()
    endpoint: bool = False
    acceptance: Acceptance | None = None

    def named(self, part: str) -> str:
        """Id of an object of this run."""
        return f"textclf-{self.run}-{part}"

    @property
    def model_id(self) -> str:
        """Id of the model."""
        return self.named("model")

    def url(self, key: str) -> str:
        """URL of a file of this run."""
        prefix = [self.place.prefix] if self.place.prefix else []
        return "s3://" + "/".join([self.place.bucket, *prefix, self.run, key])

    def data_url(self, source: Source) -> str:
        """Return the URL of an uploaded datasource; that of its schema has ``.schema`` appended."""
        return self.url(f"datasource-{source.sha256[:8]}.csv")

    def split(self, *, complement: bool) -> Rearrangement:
        """Return the share to train on, or its complement."""
        return Rearrangement(
            end=self.train_percent, strategy=SplitStrategy.RANDOM, complement=complement, seed=self.seed
        )

    def output_files(self, predictor: Created) -> tuple[str, ...]:
        """Return the URLs of the results and the manifest of a batch prediction."""
        source_id, output = predictor.request["BatchPredictionDataSourceId"], predictor.request["OutputUri"]
        inputs = [
            item.request["DataSpec"]["DataLocationS3"]
            for item in self.created
            if item.kind is Kind.DATA_SOURCE and item.id == source_id
        ]
        return (*result_locations(output, predictor.id, inputs).values(), manifest_location(output, predictor.id))

    def trains_as(self, other: ClientState) -> bool:
        """Return whether another run would train the same model in the same bucket."""

        def asked(state: ClientState) -> tuple[object, ...]:
            place, data = state.place, state.source
            where = (place.bucket, place.prefix, place.region)
            return where, data.sha256, state.recipe, state.parameters, state.train_percent, state.seed

        return asked(self) == asked(other)

    def to_json(self) -> str:
        """Serialise as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str | Path | None = None) -> ClientState:
        """Parse the result of `to_json`; raises `BadModelError`."""
        damaged = BadModelError(
            "is not what amazon-ml train writes", where=where, remedy="give the file that train wrote with -o"
        )
        try:
            content = json.loads(text)
            if content.pop("format") != FORMAT:
                raise BadModelError("has another format", where=where, remedy="use the version that wrote it")
            state: ClientState = from_json(content, cls)
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as error:
            raise damaged from error
        if not all(f"Create{item.kind}" in item.operation for item in state.created):
            raise damaged
        return state


class StateFile:
    """A state file with atomic writes, to which several processes may write at once."""

    def __init__(self, path: Path, state: ClientState) -> None:
        self.path = path
        self.state = state

    @classmethod
    def open(cls, path: str | Path) -> StateFile:
        """Read a state file; raises `BadInputError` or `BadModelError`."""
        path = Path(path)
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(_LIMIT + 1)
        except OSError as error:
            raise input_error(error, path, "give the file that amazon-ml train wrote with -o") from error
        except UnicodeDecodeError:
            text = ""
        if len(text) > _LIMIT:
            raise BadModelError(
                f"is over {_LIMIT:,} bytes", where=path, remedy="give the file that amazon-ml train wrote with -o"
            )
        return cls(path, ClientState.from_json(text, where=path))

    def update(self, change: Callable[[ClientState], ClientState]) -> None:
        """Read the current state from the file, change it, and write it."""
        with _locked_folder(self.path):
            held = StateFile.open(self.path).state if self.path.exists() else self.state
            state = change(held)
            with write_aside(self.path) as aside:
                aside.write_text(state.to_json(), encoding="utf-8")
        self.state = state


@contextmanager
def _locked_folder(path: Path) -> Iterator[None]:
    """Lock a file against changes by other processes."""
    try:
        import fcntl
    # there is no fcntl on Windows
    except ImportError:
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # the folder is locked, because each write replaces the file
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise output_error(error, path) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)

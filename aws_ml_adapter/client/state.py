"""What a client of Amazon ML has made there: written down before it is made, so that nothing is lost or made twice."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, fields, is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

from aws_ml_adapter.api.kinds import Kind
from textclf.base.errors import BadInputError, BadModelError
from textclf.base.files import output_error, write_aside
from textclf.base.outputs import json_kind
from textclf.model.prediction import Acceptance

FORMAT = 1
STATE = json_kind("what amazon-ml train writes", "format", "place")

_LIMIT = 200_000_000
"""Bytes of a state file; a table that was predicted takes about 1,000."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the data and the service are; a URL that is None is chosen by boto3."""

    bucket: str
    prefix: str
    region: str
    endpoint_url: str | None = None
    s3_endpoint_url: str | None = None
    s3_root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What a client must know of a datasource CSV."""

    name: str
    sha256: str
    size: int
    rows: int
    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Created:
    """An object of the service, with the request that made it: the same again does nothing."""

    kind: Kind
    operation: str
    request: dict[str, Any]

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.request[f"{self.kind}Id"])


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientState:
    """One model and all that belongs to it."""

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

    def trains_as(self, other: ClientState) -> bool:
        """Whether another run would train the same model in the same bucket."""

        def asked(state: ClientState) -> tuple[object, ...]:
            place, data = state.place, state.source
            where = (place.bucket, place.prefix, place.region)
            return where, data.sha256, state.recipe, state.parameters, state.train_percent, state.seed

        return asked(self) == asked(other)

    def to_json(self) -> str:
        """Write as JSON."""
        return json.dumps({"format": FORMAT, **asdict(self)}, ensure_ascii=False, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str, *, where: str | Path | None = None) -> ClientState:
        """Read what `to_json` wrote; raises `BadModelError`."""
        state: ClientState | None = None
        try:
            content = json.loads(text)
            if content.pop("format") != FORMAT:
                raise BadModelError("is of another format", where=where, remedy="use the version that wrote it")
            source, acceptance = content["source"], content["acceptance"]
            state = cls(
                **content
                | {
                    "place": Place(**content["place"]),
                    "source": Source(**source | {"categories": tuple(source["categories"])}),
                    "created": tuple(Created(**entry | {"kind": Kind(entry["kind"])}) for entry in content["created"]),
                    "files": tuple(content["files"]),
                    "acceptance": None if acceptance is None else Acceptance(**acceptance),
                }
            )
        except (AttributeError, KeyError, TypeError, ValueError, RecursionError):
            pass
        if (
            state is None
            or not _fits(state, cls)
            or not all(f"Create{item.kind}" in item.operation for item in state.created)
        ):
            raise BadModelError(
                "is not what amazon-ml train writes", where=where, remedy="give the file that train wrote with -o"
            )
        return state


def _fits(value: object, hint: Any) -> bool:
    """Whether a value from a file is of the type that a dataclass names."""
    inner = get_args(hint)
    if hint is Any:
        return True
    if get_origin(hint) is UnionType:
        return any(_fits(value, one) for one in inner)
    if get_origin(hint) is dict:
        return isinstance(value, dict) and all(
            _fits(key, inner[0]) and _fits(each, inner[1]) for key, each in value.items()
        )
    if get_origin(hint) is tuple:
        return isinstance(value, tuple) and all(_fits(each, inner[0]) for each in value)
    if isinstance(hint, type) and is_dataclass(hint):
        types = get_type_hints(hint)
        return isinstance(value, hint) and all(
            _fits(getattr(value, each.name), types[each.name]) for each in fields(hint)
        )
    return isinstance(value, (int, float) if hint is float else hint)


class StateFile:
    """A state in a file that is always whole, and to which several processes may add at once."""

    def __init__(self, path: Path, state: ClientState) -> None:
        self.path = path
        self.state = state

    @classmethod
    def open(cls, path: str | Path) -> StateFile:
        """Read a file; raises `BadInputError` or `BadModelError`."""
        path = Path(path)
        try:
            with path.open(encoding="utf-8") as file:
                text = file.read(_LIMIT + 1)
        except OSError as error:
            raise BadInputError(
                f"cannot be read ({(error.strerror or str(error)).lower()})",
                where=path,
                remedy="give the file that amazon-ml train wrote with -o",
            ) from error
        except UnicodeDecodeError:
            text = ""
        if len(text) > _LIMIT:
            raise BadModelError(
                f"is over {_LIMIT:,} bytes", where=path, remedy="give the file that amazon-ml train wrote with -o"
            )
        return cls(path, ClientState.from_json(text, where=path))

    def update(self, change: Callable[[ClientState], ClientState]) -> None:
        """Change the state as it stands in the file now, and write it."""
        with _alone(self.path):
            held = StateFile.open(self.path).state if self.path.exists() else self.state
            state = change(held)
            with write_aside(self.path) as aside:
                aside.write_text(state.to_json(), encoding="utf-8")
        self.state = state


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Let no other process change a file in the meantime."""
    try:
        import fcntl
    # Windows has none
    except ImportError:
        yield
        return
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # the folder is locked, as the file itself is another after every change
        folder = os.open(path.parent, os.O_RDONLY)
    except OSError as error:
        raise output_error(error, path) from error
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)

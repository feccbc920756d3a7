"""What a client asks of Amazon ML for a training: the options, and the requests that follow from them."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.kinds import CLASS_LIMIT, Kind
from aws_ml_adapter.api.parameters import PASSES_RANGE, SIZE_RANGE, Parameters, parse_parameters
from aws_ml_adapter.api.rearrangement import Rearrangement
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.api.storage import split_url
from aws_ml_adapter.client.datasources import describe_source
from aws_ml_adapter.client.state import ClientState, Created, Place, Source
from features.datasource import read_datasource_schema
from features.schema import AttributeType, Schema
from textclf.base.errors import BadDataError, BadInputError, UsageError
from textclf.base.options import check_options, option


def _read_recipe(path: Path) -> str:
    try:
        with path.open(encoding="utf-8") as file:
            # the service takes no longer one, and a device has no end
            return file.read(1_000_000)
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError("cannot be read", where=path, remedy="check the path given with --recipe") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """How a model is trained."""

    train_percent: int = option(
        70, min=1, max=100, help="Share of the documents to train on; the rest is held out for evaluate."
    )
    seed: str = option("0", help="Chooses the documents to train on.")
    ngrams: int = option(1, min=1, max=10, help="Words of the longest n-gram.")
    bins: int = option(0, min=0, max=1_000, help="Quantile bins of each dimension of the vectors; 0 leaves them out.")
    recipe: str | None = option(None, type=Path, parse=_read_recipe, help="File with a recipe of your own.")
    passes: int = option(10, min=PASSES_RANGE[0], max=PASSES_RANGE[1], help="Passes over the training data at most.")
    max_size: int = option(104_857_600, min=SIZE_RANGE[0], max=SIZE_RANGE[1], help="Bytes that the model may have.")
    l1: float = option(0.0, min=0, help="Amount of L1 regularisation; excludes --l2.")
    l2: float | None = option(None, min=0, show_default="1e-6 without --l1", help="Amount of L2 regularisation.")

    def __post_init__(self) -> None:
        check_options(self)

    @property
    def parameters(self) -> Parameters:
        """All of them, so that no default of the service matters."""
        l2 = (0.0 if self.l1 else 1e-6) if self.l2 is None else self.l2
        return Parameters(max_size=self.max_size, max_passes=self.passes, shuffle=True, l1=self.l1, l2=l2)


def write_recipe(schema: Schema, *, ngrams: int, bins: int) -> str:
    """Return the recipe for a datasource: lower-cased words or n-grams, indicators, and numbers in bins if any."""
    types = {kind for _, kind in schema.attributes}
    outputs = [
        f"ngram(lowercase({name}),{ngrams})" if ngrams > 1 else f"lowercase({name})"
        for name, kind in schema.attributes
        if kind is AttributeType.TEXT
    ]
    outputs += ["ALL_BINARY"] if AttributeType.BINARY in types else []
    outputs += [f"quantile_bin(ALL_NUMERIC,{bins})"] if bins and AttributeType.NUMERIC in types else []
    return json.dumps({"groups": {}, "assignments": {}, "outputs": outputs}, indent=2)


def new_state(path: Path, options: TrainingOptions, place: Place, *, beside: Path) -> ClientState:
    """Begin a run: check datasource, options and place, and name it."""
    _check_place(place)
    source = describe_source(path)
    if "" in source.categories:
        raise BadDataError("a document has no category", where=path, remedy="leave it out")
    if not 2 <= len(source.categories) <= CLASS_LIMIT:
        raise BadDataError(
            f"has {len(source.categories)} categories, not 2 to {CLASS_LIMIT}",
            where=path,
            remedy="the limits of Amazon ML; join the rare ones",
        )
    schema = read_datasource_schema(path)
    recipe = options.recipe or write_recipe(schema, ngrams=options.ngrams, bins=options.bins)
    parse_recipe(recipe, schema)
    # only answers name the algorithm, not requests
    parameters = {name: value for name, value in options.parameters.to_strings().items() if name != "algorithm"}
    parse_parameters(parameters)
    return ClientState(
        run=secrets.token_hex(4),
        place=place,
        source=source,
        features=os.path.relpath((path.parent / "features").resolve(), beside.resolve().parent),
        recipe=recipe,
        parameters=parameters,
        train_percent=options.train_percent,
        seed=options.seed,
    )


def _check_place(place: Place) -> None:
    """Refuse what the service would refuse only after the upload, or after training."""
    try:
        split_url(f"s3://{place.bucket}/")
    except RequestFault as error:
        raise UsageError(
            f"{place.bucket!r} is no name of a bucket", where="--bucket", remedy="give 3 to 63 of a-z, 0-9, . and -"
        ) from error
    try:
        # less than 200 bytes are appended, and manifests cannot name keys with a colon
        split_url(f"s3://{place.bucket}/{place.prefix}")
        fits = ":" not in place.prefix and len(place.prefix.encode()) <= 800
    except RequestFault:
        fits = False
    if not fits:
        raise UsageError(
            f"{place.prefix[:64]!r} is no prefix",
            where="--prefix",
            remedy="give up to 800 bytes without a colon, a backslash or empty parts",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What training would write and create."""

    files: tuple[str, ...]
    creations: tuple[Created, ...]


def training_requests(state: ClientState) -> tuple[Created, Created]:
    """Return the requests of training: the data source, and the model."""
    split = None if state.train_percent == 100 else state.split(complement=False)
    data = data_source_request(state, "training", state.source, split, statistics=True)
    return data, _request(
        Kind.MODEL,
        state.model_id,
        state.source.name,
        MLModelType="MULTICLASS",
        TrainingDataSourceId=data.id,
        Recipe=state.recipe,
        Parameters=state.parameters,
    )


def data_source_request(
    state: ClientState, part: str, source: Source, split: Rearrangement | None, *, statistics: bool = False
) -> Created:
    """Return the request for a data source of an uploaded datasource, or of a share of it."""
    url = state.data_url(source)
    spec = {"DataLocationS3": url, "DataSchemaLocationS3": f"{url}.schema"}
    if split is not None:
        spec["DataRearrangement"] = split.to_json()
    name = f"{source.name}, {part}"
    return _request(Kind.DATA_SOURCE, state.named(part), name, DataSpec=spec, ComputeStatistics=statistics)


def evaluation_request(state: ClientState, source_id: str) -> Created:
    """Return the request for an evaluation on a data source."""
    members = {"MLModelId": state.model_id, "EvaluationDataSourceId": source_id}
    return _request(Kind.EVALUATION, f"{source_id}-evaluation", "evaluation", **members)


def prediction_request(state: ClientState, source_id: str) -> Created:
    """Return the request for a batch prediction of a data source."""
    members = {"MLModelId": state.model_id, "BatchPredictionDataSourceId": source_id}
    id_ = f"{source_id}-predictions"
    return _request(Kind.BATCH_PREDICTION, id_, "batch prediction", **members, OutputUri=state.url("results/"))


def _request(kind: Kind, id_: str, name: str, **members: Any) -> Created:
    operation = "CreateDataSourceFromS3" if kind is Kind.DATA_SOURCE else f"Create{kind}"
    return Created(kind=kind, operation=operation, request={f"{kind}Id": id_, f"{kind}Name": name[:1_024], **members})

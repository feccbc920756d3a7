"""What a client asks of Amazon ML for a training: the options, and the requests that follow from them."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.batch_output import manifest_location, result_locations
from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.kinds import CLASS_LIMIT, Kind
from aws_ml_adapter.api.parameters import Parameters, parse_parameters
from aws_ml_adapter.api.rearrangement import Rearrangement, SplitStrategy
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.api.storage import split_url
from aws_ml_adapter.client.datasources import describe_source
from aws_ml_adapter.client.state import ClientState, Created, Place, Source
from features.datasource import read_datasource_schema
from features.schema import AttributeType, Schema
from textclf.base.errors import BadDataError, UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """How a model is trained."""

    # of the documents, 1 to 100; the rest is held out for the evaluation
    train_percent: int = 70
    seed: str = "0"
    # words of the longest n-gram, 1 to 10
    ngrams: int = 1
    # quantile bins of each dimension of the vectors, 2 to 1,000; 0 leaves the vectors out
    bins: int = 0
    # used instead of the one that is written from the schema
    recipe: str | None = None
    # all are sent, so that no default of the service matters
    parameters: Parameters = field(default_factory=lambda: Parameters(max_size=104_857_600, shuffle=True, l2=1e-6))


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What training would write and create."""

    files: tuple[str, ...]
    creations: tuple[Created, ...]


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
    if not 1 <= options.train_percent <= 100:
        raise UsageError(f"{options.train_percent} % to train on", remedy="give 1 to 100")
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
    # answers of the service carry the algorithm, requests do not
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
        # what is appended takes less than 200 bytes; manifests cannot name keys with a colon
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


def training_plan(state: ClientState) -> Plan:
    """Say what training would write and create."""
    url = data_url(state, state.source)
    return Plan(files=(f"{url}.schema", url), creations=training_requests(state))


def training_requests(state: ClientState) -> tuple[Created, ...]:
    """Return the data source and the model, in order."""
    split = None if state.train_percent == 100 else split_of(state, complement=False)
    data = data_source_request(state, "training", state.source, split, statistics=True)
    model = request_for(
        Kind.MODEL,
        "CreateMLModel",
        state.model_id,
        state.source.name,
        MLModelType="MULTICLASS",
        TrainingDataSourceId=data.id,
        Recipe=state.recipe,
        Parameters=state.parameters,
    )
    return data, model


def data_source_request(
    state: ClientState, part: str, source: Source, split: Rearrangement | None, *, statistics: bool
) -> Created:
    """Return the request for a data source of an uploaded datasource, or of a share of it."""
    url = data_url(state, source)
    spec = {"DataLocationS3": url, "DataSchemaLocationS3": f"{url}.schema"}
    if split is not None:
        spec["DataRearrangement"] = split.to_json()
    return request_for(
        Kind.DATA_SOURCE,
        "CreateDataSourceFromS3",
        state.named(part),
        f"{source.name}, {part}",
        DataSpec=spec,
        ComputeStatistics=statistics,
    )


def request_for(kind: Kind, operation: str, id_: str, name: str, **request: Any) -> Created:
    """Return a request that creates an object."""
    return Created(kind=kind, operation=operation, request={f"{kind}Id": id_, f"{kind}Name": name[:1_024], **request})


def data_url(state: ClientState, source: Source) -> str:
    """Where a datasource is uploaded to; the schema goes beside it."""
    return state.url(f"datasource-{source.sha256[:8]}.csv")


def split_of(state: ClientState, *, complement: bool) -> Rearrangement:
    """Return the share to train on, or its complement."""
    return Rearrangement(
        begin=0, end=state.train_percent, strategy=SplitStrategy.RANDOM, complement=complement, seed=state.seed
    )


def output_files(state: ClientState, predictor: Created) -> tuple[str, ...]:
    """Where a batch prediction puts its results, and its manifest."""
    source_id, output = predictor.request["BatchPredictionDataSourceId"], predictor.request["OutputUri"]
    inputs = [
        item.request["DataSpec"]["DataLocationS3"]
        for item in state.created
        if item.kind is Kind.DATA_SOURCE and item.id == source_id
    ]
    return (*result_locations(output, predictor.id, inputs).values(), manifest_location(output, predictor.id))

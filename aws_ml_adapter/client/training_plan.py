"""The requests that a client sends to Amazon ML for training, evaluation and prediction."""

from __future__ import annotations

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.kinds import CLASS_LIMIT, Kind
from aws_ml_adapter.api.parameters import parse_parameters
from aws_ml_adapter.api.rearrangement import Rearrangement
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.api.storage import split_url
from aws_ml_adapter.client.client_options import Place, TrainingOptions
from aws_ml_adapter.client.datasources import describe_source
from aws_ml_adapter.client.state import ClientState, Created, Source
from features.datasource import read_datasource_schema
from features.schema import AttributeType, Schema
from textclf.base.errors import BadDataError, UsageError


def write_recipe(schema: Schema, *, ngrams: int, bins: int) -> str:
    """Return the recipe for a datasource: lower-cased words or n-grams, indicators, and numbers in ``bins``, if any."""
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
    """Check datasource, options and place, and return the state of a new run."""
    _check_place(place)
    source, _ = describe_source(path)
    if "" in source.categories:
        raise BadDataError("a document has no category", where=path, remedy="leave it out")
    if not 2 <= len(source.categories) <= CLASS_LIMIT:
        raise BadDataError(
            f"has {len(source.categories)} categories, not 2 to {CLASS_LIMIT}",
            where=path,
            remedy="merge rare ones: these are the limits of Amazon ML",
        )
    schema = read_datasource_schema(path)
    recipe = options.recipe or write_recipe(schema, ngrams=options.ngrams, bins=options.bins)
    parse_recipe(recipe, schema)
    # the algorithm appears in answers only
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
    """Raise `UsageError` for names that the service would refuse only after the upload or training."""
    try:
        split_url(f"s3://{place.bucket}/")
    except RequestFault as error:
        raise UsageError(
            f"{place.bucket!r} is not a name of a bucket", where="--bucket", remedy="give 3 to 63 of a-z, 0-9, . and -"
        ) from error
    try:
        # up to 200 bytes are appended, and keys with a colon are not possible in manifests
        split_url(f"s3://{place.bucket}/{place.prefix}")
        fits = ":" not in place.prefix and len(place.prefix.encode()) <= 800
    except RequestFault:
        fits = False
    if not fits:
        raise UsageError(
            f"{place.prefix[:64]!r} is not a valid prefix",
            where="--prefix",
            remedy="give up to 800 bytes without a colon, a backslash or empty parts",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The files and objects that training would create."""

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

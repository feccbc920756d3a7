"""The operations of the service, on requests that are already validated."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

from aws_ml_adapter.api.batch_output import manifest_location
from aws_ml_adapter.api.faults import DataFault, RequestFault
from aws_ml_adapter.api.kinds import Kind, ModelType, Status, check_target
from aws_ml_adapter.api.parameters import parse_parameters
from aws_ml_adapter.api.rearrangement import parse_rearrangement
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.api.storage import Storage, split_url
from aws_ml_adapter.server.entities import Entities, Entity
from aws_ml_adapter.server.error_answers import ServiceError
from aws_ml_adapter.server.listing import DATA_SOURCE_MEMBER, describe
from aws_ml_adapter.server.realtime import NO_ENDPOINT, REMOVED, RealTime
from aws_ml_adapter.server.scheduler import Scheduler
from aws_ml_adapter.server.schemas_and_recipes import (
    ALL_INPUTS,
    RECIPE_LIMIT,
    SCHEMA_LIMIT,
    compact_schema,
    parse_schema,
    pretty_recipe,
    read_text,
    without_mark,
)
from aws_ml_adapter.server.signatures import is_signed, link_signature
from aws_ml_adapter.server.validation import service_model
from features.schema import Schema

MAX_TAGS = 50
"""Maximum number of tags of an object: https://docs.aws.amazon.com/machine-learning/latest/dg/tagging-objects.html."""

_VERBOSE_ONLY = {"DataSourceSchema", "Recipe", "Schema"}

Request = Mapping[str, Any]
Answer = dict[str, Any]
Prepare = Callable[[Request], tuple[Any, ...]]
"""Returns the record of a new object, followed by the objects it depends on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """The ARN of the caller, and the scheme, host and port under which the server was reached."""

    base_url: str
    user: str


class Operations:
    """All operations except Predict, which is in `realtime`."""

    def __init__(
        self, entities: Entities, scheduler: Scheduler, realtime: RealTime, *, storage: Storage, secret: bytes
    ) -> None:
        self._entities = entities
        self._scheduler = scheduler
        self._realtime = realtime
        self._storage = storage
        self._secret = secret
        self._handlers: dict[str, Callable[[Request, Caller], Answer]] = {
            "CreateDataSourceFromS3": partial(self._create, Kind.DATA_SOURCE, self._data_source),
            "CreateDataSourceFromRedshift": _refuse_database,
            "CreateDataSourceFromRDS": _refuse_database,
            "CreateMLModel": partial(self._create, Kind.MODEL, self._model),
            "CreateEvaluation": partial(self._create, Kind.EVALUATION, self._evaluation),
            "CreateBatchPrediction": partial(self._create, Kind.BATCH_PREDICTION, self._batch_prediction),
            "CreateRealtimeEndpoint": self._create_endpoint,
            "DeleteRealtimeEndpoint": self._delete_endpoint,
            "AddTags": self._add_tags,
            "DeleteTags": self._delete_tags,
            "DescribeTags": self._describe_tags,
        }
        for kind in Kind:
            self._handlers |= {
                f"Get{kind}": partial(self._get, kind),
                f"Describe{kind}s": partial(self._describe, kind),
                f"Update{kind}": partial(self._update, kind),
                f"Delete{kind}": partial(self._delete, kind),
            }

    def answer(self, operation: str, request: Request, caller: Caller) -> Answer:
        """Carry out an operation; the request must have been validated against the service's description."""
        return self._handlers[operation](request, caller)

    def log_serial(self, serial: str, given: str) -> int | None:
        """Return the serial number of the object whose log a URL names; None if the signature is invalid."""
        return int(serial) if serial.isdecimal() and is_signed(self._secret, serial, given) else None

    # --- creating

    def _create(self, kind: Kind, prepare: Prepare, request: Request, caller: Caller) -> Answer:
        """Create an object; idempotent, so that a retry neither fails nor starts a second job."""
        id_ = request[f"{kind}Id"]
        held = self._entities.get(kind, id_)
        if held is None or held.status is Status.DELETED:
            record, *parents = prepare(request)
            record |= {"Name": request.get(f"{kind}Name"), "CreatedByIamUser": caller.user}
            record = {name: value for name, value in record.items() if value is not None}
            details = {"parents": [parent.serial for parent in parents]}
            held, is_new = self._entities.create(kind, id_, dict(request), record, details)
            if is_new:
                self._scheduler.wake()
        if held.request != request:
            raise ServiceError(
                "IdempotentParameterMismatchException", f"{kind} {id_} exists and was created with other parameters"
            )
        return {f"{kind}Id": id_}

    def _data_source(self, request: Request) -> tuple[Answer]:
        spec = request["DataSpec"]
        parse_rearrangement(spec.get("DataRearrangement"))
        split_url(spec["DataLocationS3"])
        schema = self._schema_of(spec)
        record = {
            "DataLocationS3": spec["DataLocationS3"],
            "DataRearrangement": spec.get("DataRearrangement"),
            "ComputeStatistics": request.get("ComputeStatistics", False),
            "DataSourceSchema": compact_schema(schema) if schema else None,
        }
        return (record,)

    def _model(self, request: Request) -> tuple[Answer, Entity]:
        parameters = parse_parameters(request.get("Parameters", {}))
        source = self._parent(Kind.DATA_SOURCE, request["TrainingDataSourceId"])
        if not source.record["ComputeStatistics"]:
            raise RequestFault(
                f"DataSource {source.id} has no statistics", remedy="create one with ComputeStatistics true"
            )
        schema = _known_schema(source)
        if schema is not None:
            check_target(schema, ModelType(request["MLModelType"]))
        recipe = self._recipe_of(request)
        if recipe is not None and schema is not None:
            parse_recipe(recipe, schema)
            recipe = pretty_recipe(recipe)
        record = {
            "TrainingDataSourceId": source.id,
            "InputDataLocationS3": source.record["DataLocationS3"],
            "TrainingParameters": parameters.to_strings(),
            "Algorithm": "sgd",
            "MLModelType": request["MLModelType"],
            "EndpointInfo": NO_ENDPOINT,
            "Recipe": recipe,
            "Schema": source.record.get("DataSourceSchema"),
        }
        return record, source

    def _evaluation(self, request: Request) -> tuple[Answer, Entity, Entity]:
        record, model, source = self._of_model_and_data(Kind.EVALUATION, request)
        schema = _known_schema(source)
        if schema is not None and schema.target is None:
            raise RequestFault(f"the schema of DataSource {source.id} names no target")
        return record, model, source

    def _batch_prediction(self, request: Request) -> tuple[Answer, Entity, Entity]:
        output = request["OutputUri"]
        if ":" in split_url(output)[1]:
            raise RequestFault("the key has a colon", where=f"OutputUri {output}")
        # the keys of the results must be valid as well
        split_url(manifest_location(output, request["BatchPredictionId"]))
        record, model, source = self._of_model_and_data(Kind.BATCH_PREDICTION, request)
        return record | {"OutputUri": output}, model, source

    def _of_model_and_data(self, kind: Kind, request: Request) -> tuple[Answer, Entity, Entity]:
        model = self._parent(Kind.MODEL, request["MLModelId"])
        member = DATA_SOURCE_MEMBER[kind]
        source = self._parent(Kind.DATA_SOURCE, request[member])
        location = source.record["DataLocationS3"]
        return {"MLModelId": model.id, member: source.id, "InputDataLocationS3": location}, model, source

    def _parent(self, kind: Kind, id_: str) -> Entity:
        parent = self._entities.get(kind, id_)
        if parent is None:
            raise RequestFault(f"No {kind} with id {id_} exists")
        if parent.status in (Status.FAILED, Status.DELETED):
            raise RequestFault(f"{kind} {id_} is {parent.status}")
        return parent

    def _schema_of(self, spec: Request) -> Schema | None:
        """Return the schema given in a request or read from S3; None if there is no such object (yet)."""
        inline, location = spec.get("DataSchema"), spec.get("DataSchemaLocationS3")
        if inline is not None and location is not None:
            raise RequestFault("both DataSchema and DataSchemaLocationS3 are given", remedy="give one of them")
        if inline is not None:
            return parse_schema(inline, where="DataSchema")
        beside = "s3://{}/{}.schema".format(*split_url(spec["DataLocationS3"]))
        text = self._read(location or beside, SCHEMA_LIMIT)
        if text is None and location is None:
            raise RequestFault(
                f"neither DataSchema nor DataSchemaLocationS3 is given, and there is no {beside}", remedy="give one"
            )
        return parse_schema(text, where=location or beside) if text is not None else None

    def _recipe_of(self, request: Request) -> str | None:
        """Return the recipe given in a request or read from S3; None if there is none, or no such object (yet)."""
        if "Recipe" in request and "RecipeUri" in request:
            raise RequestFault("both Recipe and RecipeUri are given", remedy="give one of them")
        if "RecipeUri" in request:
            return self._read(request["RecipeUri"], RECIPE_LIMIT)
        return without_mark(request["Recipe"]) if "Recipe" in request else None

    def _read(self, url: str, limit: int) -> str | None:
        """Read an object from storage; None if it does not exist (yet)."""
        try:
            return read_text(self._storage, url, limit)
        except DataFault as error:
            raise RequestFault(error.what, where=error.where, remedy=error.remedy) from error

    # --- reading, changing, deleting

    def _get(self, kind: Kind, request: Request, caller: Caller) -> Answer:
        entity = self._existing(kind, request[f"{kind}Id"])
        hidden = set() if request.get("Verbose") else _VERBOSE_ONLY
        return self._shown(entity, f"Get{kind}Output", caller, hidden)

    def _describe(self, kind: Kind, request: Request, caller: Caller) -> Answer:
        entities, token = describe(self._entities, kind, request)
        results = [self._shown(entity, str(kind), caller) for entity in entities]
        return {"Results": results} | ({"NextToken": token} if token else {})

    def _update(self, kind: Kind, request: Request, _caller: Caller) -> Answer:
        entity = self._changeable(kind, request[f"{kind}Id"])
        record: Answer = {}
        if f"{kind}Name" in request:
            record["Name"] = request[f"{kind}Name"]
        if "ScoreThreshold" in request:
            record |= _threshold(entity, request["ScoreThreshold"])
        # UpdateMLModel requires neither; with none of them nothing changes, not even LastUpdatedAt
        if record:
            self._entities.update(entity.serial, record)
        if "ScoreThreshold" in record:
            self._realtime.set_threshold(entity)
        return {f"{kind}Id": entity.id}

    def _delete(self, kind: Kind, request: Request, _caller: Caller) -> Answer:
        entity = self._existing(kind, request[f"{kind}Id"])
        if entity.status is not Status.DELETED:
            # before unloading, so that no one can load it again
            self._entities.update(
                entity.serial, {"Status": Status.DELETED} | ({"EndpointInfo": REMOVED} if kind is Kind.MODEL else {})
            )
            if kind is Kind.MODEL:
                self._realtime.unload(entity)
            self._scheduler.discard(entity.serial)
        return {f"{kind}Id": entity.id}

    def _create_endpoint(self, request: Request, caller: Caller) -> Answer:
        entity = self._changeable(Kind.MODEL, request["MLModelId"])
        return {"MLModelId": entity.id, "RealtimeEndpointInfo": _with_url(self._realtime.create(entity), caller)}

    def _delete_endpoint(self, request: Request, _caller: Caller) -> Answer:
        entity = self._changeable(Kind.MODEL, request["MLModelId"])
        return {"MLModelId": entity.id, "RealtimeEndpointInfo": self._realtime.delete(entity)}

    # --- tags

    def _add_tags(self, request: Request, _caller: Caller) -> Answer:
        entity = self._tagged(request)
        tags = {tag.get("Key"): tag.get("Value") for tag in request["Tags"]}
        if None in tags or len(tags) < len(request["Tags"]):
            raise ServiceError("InvalidTagException", "A tag has no key, or two have the same")
        _check_keys(tags)
        if not self._entities.add_tags(entity.serial, tags, limit=MAX_TAGS):
            raise ServiceError("TagLimitExceededException", f"{entity.id} would have more than {MAX_TAGS} tags")
        return {"ResourceId": entity.id, "ResourceType": str(entity.kind)}

    def _delete_tags(self, request: Request, _caller: Caller) -> Answer:
        entity = self._tagged(request)
        _check_keys(request["TagKeys"])
        self._entities.delete_tags(entity.serial, request["TagKeys"])
        return {"ResourceId": entity.id, "ResourceType": str(entity.kind)}

    def _describe_tags(self, request: Request, _caller: Caller) -> Answer:
        entity = self._existing(Kind(request["ResourceType"]), request["ResourceId"])
        tags = [
            {"Key": key} | ({} if value is None else {"Value": value})
            for key, value in self._entities.tags(entity.serial).items()
        ]
        return {"ResourceId": entity.id, "ResourceType": str(entity.kind), "Tags": tags}

    def _tagged(self, request: Request) -> Entity:
        return self._changeable(Kind(request["ResourceType"]), request["ResourceId"])

    # --- shared

    def _existing(self, kind: Kind, id_: str) -> Entity:
        entity = self._entities.get(kind, id_)
        if entity is None:
            raise ServiceError("ResourceNotFoundException", f"No {kind} with id {id_} exists")
        return entity

    def _changeable(self, kind: Kind, id_: str) -> Entity:
        entity = self._existing(kind, id_)
        if entity.status is Status.DELETED:
            raise RequestFault(f"{kind} {id_} is {Status.DELETED}")
        return entity

    def _shown(self, entity: Entity, shape: str, caller: Caller, hidden: Set[str] = frozenset()) -> Answer:
        record = {f"{entity.kind}Id": entity.id, **entity.record}
        if entity.kind is Kind.MODEL and entity.status is Status.FAILED:
            # it failed before a recipe was suggested, but Verbose promises one
            record.setdefault("Recipe", pretty_recipe(ALL_INPUTS))
        if "EndpointInfo" in record:
            record["EndpointInfo"] = _with_url(record["EndpointInfo"], caller)
        if "StartedAt" in record and entity.status is not Status.DELETED:
            signed = link_signature(self._secret, str(entity.serial))
            record["LogUri"] = f"{caller.base_url}/logs/{entity.serial}?signature={signed}"
        shown = _members(shape) - hidden
        return {name: value for name, value in record.items() if name in shown}


def _refuse_database(_request: Request, _caller: Caller) -> Answer:
    raise RequestFault(
        "this server reads no databases",
        remedy="store the query's result as CSV in S3 and call CreateDataSourceFromS3",
    )


@cache
def _members(shape: str) -> frozenset[str]:
    return frozenset(service_model().shape_for(shape).members)


def _known_schema(source: Entity) -> Schema | None:
    text = source.record.get("DataSourceSchema")
    return Schema.from_json(text) if text is not None else None


def _threshold(entity: Entity, threshold: float) -> Answer:
    if entity.record["MLModelType"] != "BINARY" or entity.status is not Status.COMPLETED:
        raise RequestFault(f"MLModel {entity.id} is not a completed BINARY model, and only these have a ScoreThreshold")
    if not 0 <= threshold <= 1:
        raise RequestFault(f"ScoreThreshold {threshold:g} is not from 0 to 1")
    return {"ScoreThreshold": threshold, "ScoreThresholdLastUpdatedAt": round(time.time(), 3)}


def _with_url(endpoint: Answer, caller: Caller) -> Answer:
    return endpoint | ({"EndpointUrl": caller.base_url} if "CreatedAt" in endpoint else {})


def _check_keys(keys: Mapping[str, Any] | list[str]) -> None:
    if reserved := [key for key in keys if key.lower().startswith("aws:")]:
        raise ServiceError("InvalidTagException", f"The key '{reserved[0]}' is reserved for AWS")

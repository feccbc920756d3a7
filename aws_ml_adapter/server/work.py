"""What a worker process does for one object: read its data, learn, evaluate, predict."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

from aws_ml_adapter.api.batch_output import manifest_location, manifest_text, result_locations
from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.kinds import Kind, ModelType
from aws_ml_adapter.api.parameters import parse_parameters
from aws_ml_adapter.api.rearrangement import parse_rearrangement
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.api.storage import Storage, open_storage
from aws_ml_adapter.engine.batch_predictions import write_predictions
from aws_ml_adapter.engine.csv_data import Batch, DataFile, read_batches
from aws_ml_adapter.engine.learner import train
from aws_ml_adapter.engine.model import MLModel, load_model, save_model
from aws_ml_adapter.engine.performance import evaluate, other_target
from aws_ml_adapter.engine.statistics import compute_statistics
from aws_ml_adapter.engine.suggestion import suggest_recipe
from aws_ml_adapter.engine.targets import unused_rows
from aws_ml_adapter.server.job import EVALUATION, LOG, MODEL, STATISTICS, Job
from aws_ml_adapter.server.texts import RECIPE_LIMIT, SCHEMA_LIMIT, compact_schema, pretty_recipe, read_text
from features.schema import Schema
from textclf.base.errors import TextclfError
from textclf.base.files import write_aside

_CHUNK = 1 << 20
Log = Callable[[str], None]


def perform(job: Job) -> dict[str, Any]:
    """Do the job; gives what the object's record gets, or raises what its ``Message`` will say."""
    storage = open_storage(job.storage)
    begun = time.process_time()
    with (job.folder / LOG).open("a", encoding="utf-8", buffering=1) as stream:
        log = partial(_log, stream.write)
        log(f"began: {job.kind} {job.request[f'{job.kind}Id']}")
        try:
            members = _DO[job.kind](job, storage, log)
        except Exception as error:
            log(f"failed: {error}")
            if isinstance(error, DataFault) and error.where is None:
                where = job.spec["DataLocationS3"]
                raise DataFault(error.what, where=where, remedy=error.remedy) from error
            raise
        log("finished")
    if job.kind is not Kind.DATA_SOURCE or job.request.get("ComputeStatistics"):
        members["ComputeTime"] = round((time.process_time() - begun) * 1000)
    return members


def _data_source(job: Job, storage: Storage, log: Log) -> dict[str, Any]:
    schema = _schema(job, storage)
    files = _files(job, storage)
    log(f"reading {len(files)} files of {sum(file.size for file in files)} bytes")
    doubts: list[str] = []
    batches = _batches(files, job, schema, warn=doubts.append)
    if job.request.get("ComputeStatistics"):
        statistics = compute_statistics(_with_rows(batches, job, doubts), schema)
        log(f"rows={statistics.rows} rejected={statistics.rejected}")
        with write_aside(job.folder / STATISTICS) as path:
            path.write_text(statistics.to_json(), encoding="utf-8")
    else:
        next(_with_rows(batches, job, doubts))
    return {
        "DataSourceSchema": compact_schema(schema),
        "DataSizeInBytes": sum(file.size for file in files),
        "NumberOfFiles": len(files),
        **_warned(doubts, log),
    }


def _with_rows(batches: Iterator[Batch], job: Job, doubts: list[str]) -> Iterator[Batch]:
    """Give batches on, and insist on a row that can be read; what was doubtful tells why there is none."""
    readable = 0
    for batch in batches:
        readable += len(batch.rows) - batch.rejected
        yield batch
    if readable:
        return
    if doubts:
        raise DataFault(f"not one row could be read: {doubts[-1]}", remedy="correct the data or the schema")
    if "DataRearrangement" in job.spec:
        remedy = "mend percentBegin, percentEnd and complement"
        raise DataFault("there is no row in the share that DataRearrangement takes", remedy=remedy)
    raise DataFault("there is not one row")


def _ml_model(job: Job, storage: Storage, log: Log) -> dict[str, Any]:
    schema = _schema(job, storage)
    files = _files(job, storage)

    def read() -> Iterator[Batch]:
        return _batches(files, job, schema)

    recipe_text = _recipe(job, schema, storage, read)
    model = train(
        read,
        schema=schema,
        recipe=parse_recipe(recipe_text, schema),
        model_type=ModelType(job.request["MLModelType"]),
        parameters=parse_parameters(job.request.get("Parameters", {})),
        log=log,
    )
    path = job.folder / MODEL
    save_model(model, path)
    members = {
        "SizeInBytes": path.stat().st_size,
        "Recipe": pretty_recipe(recipe_text),
        "Schema": compact_schema(schema),
        **_warned([unused_rows(model.target.name, model.target.rows, model.target.invalid_rows)], log),
    }
    return members | ({"ScoreThreshold": 0.5} if model.type is ModelType.BINARY else {})


def _evaluation(job: Job, storage: Storage, log: Log) -> dict[str, Any]:
    schema = _schema(job, storage)
    batches = _batches(_files(job, storage), job, schema)
    model = _model(job)
    evaluation = evaluate(model, batches, schema)
    for name, value in evaluation.properties.items():
        log(f"{name}={value}")
    with write_aside(job.folder / EVALUATION) as path:
        path.write_text(evaluation.to_json(), encoding="utf-8")
    doubts = [
        other_target(model, schema),
        unused_rows(model.target.name, evaluation.rows, evaluation.invalid_rows),
    ]
    return {"PerformanceMetrics": {"Properties": evaluation.properties}, **_warned(doubts, log)}


def _batch_prediction(job: Job, storage: Storage, log: Log) -> dict[str, Any]:
    schema = _schema(job, storage)
    model = _model(job)
    output, id_ = job.request["OutputUri"], job.request["BatchPredictionId"]
    files = _files(job, storage)
    results = result_locations(output, id_, [file.name for file in files])
    total = invalid = 0
    for file in files:
        batches = _batches(files, job, schema, only=file)
        with storage.write(results[file.name]) as path, path.open("wb") as stream:
            counts = write_predictions(
                model, batches, stream, schema=schema, threshold=job.threshold, best_answer=job.best_answer
            )
        log(f"{file.name}: records={counts.total} invalid={counts.invalid}")
        total, invalid = total + counts.total, invalid + counts.invalid
    with storage.write(manifest_location(output, id_)) as path:
        path.write_text(manifest_text(results), encoding="utf-8")
    return {"TotalRecordCount": total, "InvalidRecordCount": invalid}


_DO: dict[Kind, Callable[[Job, Storage, Log], dict[str, Any]]] = {
    Kind.DATA_SOURCE: _data_source,
    Kind.MODEL: _ml_model,
    Kind.EVALUATION: _evaluation,
    Kind.BATCH_PREDICTION: _batch_prediction,
}


def _schema(job: Job, storage: Storage) -> Schema:
    return Schema.from_json(job.schema or _existing(storage, job.spec["DataSchemaLocationS3"], SCHEMA_LIMIT))


def _recipe(job: Job, schema: Schema, storage: Storage, read: Callable[[], Iterator[Batch]]) -> str:
    """Give the recipe of the request, or read the one that it names, or suggest one."""
    if (text := job.record.get("Recipe")) is not None:
        return str(text)
    if "RecipeUri" in job.request:
        return _existing(storage, job.request["RecipeUri"], RECIPE_LIMIT)
    return suggest_recipe(schema, read, ModelType(job.request["MLModelType"]))


def _existing(storage: Storage, url: str, limit: int) -> str:
    text = read_text(storage, url, limit)
    if text is None:
        raise DataFault("there is no such object", where=url)
    return text


def _files(job: Job, storage: Storage) -> list[DataFile]:
    return [
        DataFile(name=file.url, size=file.size, chunks=partial(_chunks, storage, file.url))
        for file in storage.files(job.spec["DataLocationS3"])
    ]


def _batches(
    files: list[DataFile],
    job: Job,
    schema: Schema,
    *,
    only: DataFile | None = None,
    warn: Callable[[str], object] = lambda doubt: None,
) -> Iterator[Batch]:
    rearrangement = parse_rearrangement(job.spec.get("DataRearrangement"))
    return read_batches(files, schema, rearrangement=rearrangement, only=only, warn=warn)


def _warned(doubts: Sequence[str | None], log: Log) -> dict[str, str]:
    """Tell all doubts to the log, and make a Message of the first."""
    told = [doubt for doubt in doubts if doubt]
    for doubt in told:
        log(f"warning: {doubt}")
    others = f" (and {len(told) - 1:,} more: see the log)" if len(told) > 1 else ""
    return {"Message": f"warning: {told[0]}{others}"} if told else {}


def _chunks(storage: Storage, url: str) -> Iterator[bytes]:
    with storage.open(url) as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _model(job: Job) -> MLModel:
    name = f"MLModel {job.request['MLModelId']}"
    if job.model_folder is None or not (path := job.model_folder / MODEL).is_file():
        raise DataFault("the model is no longer there", where=name)
    try:
        return load_model(path)
    except TextclfError as error:
        raise DataFault(error.what, where=name, remedy=error.remedy) from error


def _log(write: Callable[[str], object], line: str) -> None:
    # whoever reads the service's own lines may count their blanks
    write(f"{time.strftime('%y/%m/%d %H:%M:%S', time.gmtime())} INFO: {' '.join(line.splitlines())}\n")

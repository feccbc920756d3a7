"""Running the job of one object in a worker process: reading its data, training, evaluating, predicting."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from functools import cached_property, partial
from typing import Any, TextIO

from aws_ml_adapter.api.batch_output import manifest_location, manifest_text, result_locations
from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.kinds import Kind, ModelType
from aws_ml_adapter.api.parameters import parse_parameters
from aws_ml_adapter.api.rearrangement import parse_rearrangement
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.api.storage import open_storage
from aws_ml_adapter.engine.batch_predictions import write_predictions
from aws_ml_adapter.engine.csv_data import DataFile, Rows, read_batches
from aws_ml_adapter.engine.ml_model import MLModel, load_ml_model, save_ml_model
from aws_ml_adapter.engine.performance import evaluate, other_target
from aws_ml_adapter.engine.statistics import compute_statistics
from aws_ml_adapter.engine.suggestion import suggest_recipe
from aws_ml_adapter.engine.targets import unused_rows
from aws_ml_adapter.server.job_spec import EVALUATION, LOG, MODEL, STATISTICS, Job, folder_of
from aws_ml_adapter.server.schemas_and_recipes import (
    RECIPE_LIMIT,
    SCHEMA_LIMIT,
    compact_schema,
    pretty_recipe,
    read_text,
)
from features.schema import Schema
from textclf.base.errors import TextclfError
from textclf.base.files import write_aside
from textclf.base.packages import missing_package

_CHUNK = 1 << 20


def run_job(job: Job) -> dict[str, Any]:
    """Run a job and return new members of the object's record; an error becomes the object's ``Message``."""
    begun = time.process_time()
    kind, request = job.entity.kind, job.entity.request
    with (job.folder / LOG).open("a", encoding="utf-8", buffering=1) as stream:
        work = _Work(job, stream)
        work.log(f"began: {kind} {request[f'{kind}Id']}")
        try:
            members = _DO[kind](work)
        except Exception as error:
            work.log(f"failed: {error}")
            if missing := missing_package(error):
                raise missing from error
            if isinstance(error, DataFault) and error.where is None:
                raise DataFault(error.what, where=work.spec["DataLocationS3"], remedy=error.remedy) from error
            raise
        work.log("finished")
    if kind is not Kind.DATA_SOURCE or request.get("ComputeStatistics"):
        members["ComputeTime"] = round((time.process_time() - begun) * 1000)
    return members


class _Work:
    """One job; the method for each kind of object returns the new members of its record."""

    def __init__(self, job: Job, stream: TextIO) -> None:
        self._job = job
        self._stream = stream
        self._storage = open_storage(job.storage)
        self._request = job.entity.request
        self.spec = job.source.request["DataSpec"]

    def log(self, line: str) -> None:
        """Write a line in exactly the service's format, which programs may parse by position."""
        now = time.strftime("%y/%m/%d %H:%M:%S", time.gmtime())
        self._stream.write(f"{now} INFO: {' '.join(line.splitlines())}\n")

    def data_source(self) -> dict[str, Any]:
        """Read the data and compute their statistics."""
        schema = self._schema
        size = sum(file.size for file in self._files)
        self.log(f"reading {len(self._files)} files of {size} bytes")
        warnings: list[str] = []
        batches = self._with_rows(warnings)
        if self._request.get("ComputeStatistics"):
            statistics = compute_statistics(batches, schema)
            self.log(f"rows={statistics.rows} rejected={statistics.rejected}")
            with write_aside(self._job.folder / STATISTICS) as path:
                path.write_text(statistics.to_json(), encoding="utf-8")
        else:
            next(batches)
        return {
            "DataSourceSchema": compact_schema(schema),
            "DataSizeInBytes": size,
            "NumberOfFiles": len(self._files),
            **self._warned(*warnings),
        }

    def ml_model(self) -> dict[str, Any]:
        """Train a model."""
        # an installation that only predicts lacks SciPy
        from aws_ml_adapter.engine.learner import train

        model_type = ModelType(self._request["MLModelType"])
        recipe = self._recipe(model_type)
        model = train(
            self._batches,
            schema=self._schema,
            recipe=parse_recipe(recipe, self._schema),
            model_type=model_type,
            parameters=parse_parameters(self._request.get("Parameters", {})),
            log=self.log,
        )
        path = self._job.folder / MODEL
        save_ml_model(model, path)
        members = {
            "SizeInBytes": path.stat().st_size,
            "Recipe": pretty_recipe(recipe),
            "Schema": compact_schema(self._schema),
            **self._warned(unused_rows(model.target.name, model.target.rows, model.target.invalid_rows)),
        }
        return members | ({"ScoreThreshold": 0.5} if model_type is ModelType.BINARY else {})

    def evaluation(self) -> dict[str, Any]:
        """Evaluate a model."""
        batches, model = self._batches(), self._load_model()
        evaluation = evaluate(model, batches, self._schema)
        for name, value in evaluation.properties.items():
            self.log(f"{name}={value}")
        with write_aside(self._job.folder / EVALUATION) as path:
            path.write_text(evaluation.to_json(), encoding="utf-8")
        unused = unused_rows(model.target.name, evaluation.rows, evaluation.invalid_rows)
        message = self._warned(other_target(model, self._schema), unused)
        return {"PerformanceMetrics": {"Properties": evaluation.properties}, **message}

    def batch_prediction(self) -> dict[str, Any]:
        """Predict the data, file by file."""
        output, id_ = self._request["OutputUri"], self._request["BatchPredictionId"]
        results = result_locations(output, id_, [file.name for file in self._files])
        model = self._load_model()
        assert self._job.model is not None  # noqa: S101
        threshold = self._job.model.record.get("ScoreThreshold", 0.5)
        total = invalid = 0
        for file in self._files:
            with self._storage.write(results[file.name]) as path, path.open("wb") as stream:
                counts = write_predictions(
                    model,
                    self._batches(only=file),
                    stream,
                    schema=self._schema,
                    threshold=threshold,
                    best_answer=self._job.best_answer,
                )
            self.log(f"{file.name}: records={counts.total} invalid={counts.invalid}")
            total, invalid = total + counts.total, invalid + counts.invalid
        with self._storage.write(manifest_location(output, id_)) as path:
            path.write_text(manifest_text(results), encoding="utf-8")
        return {"TotalRecordCount": total, "InvalidRecordCount": invalid}

    @cached_property
    def _schema(self) -> Schema:
        known = self._job.source.record.get("DataSourceSchema")
        return Schema.from_json(known or self._read(self.spec["DataSchemaLocationS3"], SCHEMA_LIMIT))

    @cached_property
    def _files(self) -> list[DataFile]:
        return [
            DataFile(name=file.url, size=file.size, chunks=partial(self._chunks, file.url))
            for file in self._storage.files(self.spec["DataLocationS3"])
        ]

    def _chunks(self, url: str) -> Iterator[bytes]:
        with self._storage.open(url) as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    def _batches(
        self, *, only: DataFile | None = None, warn: Callable[[str], object] = lambda warning: None
    ) -> Iterator[Rows]:
        share = parse_rearrangement(self.spec.get("DataRearrangement"))
        return read_batches(self._files, self._schema, rearrangement=share, only=only, warn=warn)

    def _with_rows(self, warnings: list[str]) -> Iterator[Rows]:
        """Yield batches; raises `DataFault` if no row could be read, with the last warning as the reason."""
        readable = 0
        for batch in self._batches(warn=warnings.append):
            readable += len(batch) - batch.count(None)
            yield batch
        if readable:
            return
        if warnings:
            raise DataFault(f"no row could be read: {warnings[-1]}", remedy="correct the data or the schema")
        if "DataRearrangement" in self.spec:
            remedy = "correct percentBegin, percentEnd and complement"
            raise DataFault("no row is in the share that DataRearrangement selects", remedy=remedy)
        raise DataFault("the data have no rows")

    def _recipe(self, model_type: ModelType) -> str:
        """Return the recipe given in the request, or read it from S3, or suggest one."""
        if (text := self._job.entity.record.get("Recipe")) is not None:
            return str(text)
        if "RecipeUri" in self._request:
            return self._read(self._request["RecipeUri"], RECIPE_LIMIT)
        return suggest_recipe(self._schema, self._batches, model_type)

    def _read(self, url: str, limit: int) -> str:
        if (text := read_text(self._storage, url, limit)) is None:
            raise DataFault("there is no such object", where=url)
        return text

    def _load_model(self) -> MLModel:
        name = f"MLModel {self._request['MLModelId']}"
        parent = self._job.model
        if parent is None or not (path := folder_of(self._job.data_dir, parent.serial) / MODEL).is_file():
            raise DataFault("the model is no longer there", where=name)
        try:
            return load_ml_model(path)
        except TextclfError as error:
            raise DataFault(error.what, where=name, remedy=error.remedy) from error

    def _warned(self, *warnings: str | None) -> dict[str, str]:
        """Log all warnings, and return a Message with the first."""
        given = [warning for warning in warnings if warning]
        for warning in given:
            self.log(f"warning: {warning}")
        others = f" (and {len(given) - 1:,} more: see the log)" if len(given) > 1 else ""
        return {"Message": f"warning: {given[0]}{others}"} if given else {}


_DO = {
    Kind.DATA_SOURCE: _Work.data_source,
    Kind.MODEL: _Work.ml_model,
    Kind.EVALUATION: _Work.evaluation,
    Kind.BATCH_PREDICTION: _Work.batch_prediction,
}

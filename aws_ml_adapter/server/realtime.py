"""Real-time predictions: loaded models, their rate limits, and their answers."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.kinds import Kind, ModelType, Status
from aws_ml_adapter.engine.ml_model import MLModel, load_ml_model
from aws_ml_adapter.server.entities import Entities, Entity
from aws_ml_adapter.server.error_answers import ServiceError
from aws_ml_adapter.server.job_spec import MODEL, folder_of
from textclf.base.errors import TextclfError

NO_ENDPOINT: dict[str, Any] = {"EndpointStatus": "NONE", "PeakRequestsPerSecond": 0}
"""``EndpointInfo`` of a model without an endpoint:
https://docs.aws.amazon.com/machine-learning/latest/dg/requesting-real-time-predictions.html."""

REMOVED: dict[str, Any] = NO_ENDPOINT | {"CreatedAt": None}
"""The update of a record that results in `NO_ENDPOINT`."""

MEMORY = 10 * 2**30
"""Maximum bytes of all loaded models: https://docs.aws.amazon.com/machine-learning/latest/dg/system-limits.html."""


class LoadedModel:
    """A loaded model, limited to ``rate`` predictions per second by a token bucket of ``rate`` tokens."""

    def __init__(self, model: MLModel, *, threshold: float, rate: float, clock: Callable[[], float]) -> None:
        self._model = model
        self.threshold = threshold
        self._rate = rate
        self._clock = clock
        self._allowance = rate
        self._last = clock()
        self._details = {"PredictiveModelType": str(model.type), "Algorithm": "SGD"}

    def predict(self, record: Mapping[str, str]) -> dict[str, Any]:
        """Return the ``Prediction`` of a record, with scores in single precision.

        A binary model has one score, the probability of 1, under the predicted label:
        https://docs.aws.amazon.com/machine-learning/latest/dg/requesting-real-time-predictions.html.
        """
        self._take()
        scores = self._model.predict_record(record).tolist()
        match self._model.type:
            case ModelType.REGRESSION:
                return {"predictedValue": scores[0], "details": self._details}
            case ModelType.BINARY:
                label = "1" if scores[0] >= self.threshold else "0"
                by_label = {label: scores[0]}
            case _:
                by_label = dict(zip(self._model.target.classes, scores, strict=True))
                label = max(by_label, key=by_label.__getitem__)
        return {"predictedLabel": label, "predictedScores": by_label, "details": self._details}

    def _take(self) -> None:
        now = self._clock()
        self._allowance = min(self._rate, self._allowance + (now - self._last) * self._rate)
        self._last = now
        if self._allowance < 1:
            raise ServiceError(
                "LimitExceededException", f"The endpoint's limit of {self._rate:g} predictions per second is exceeded"
            )
        self._allowance -= 1


class RealTime:
    """The real-time endpoints of all models, each limited to ``rate`` predictions per second."""

    def __init__(self, entities: Entities, *, data_dir: Path, rate: float) -> None:
        self._entities = entities
        self._data_dir = data_dir
        self._rate = rate
        self._models: dict[str, LoadedModel] = {}
        self._lock = threading.Lock()
        self._loader = ThreadPoolExecutor(max_workers=1, thread_name_prefix="load")

    def start(self) -> None:
        """Load the models whose endpoints were ready or being created when the previous server stopped."""
        for entity in self._endpoints():
            self._loader.submit(self._load_and_settle, entity.id)

    def stop(self) -> None:
        """Stop loading models."""
        self._loader.shutdown(cancel_futures=True)

    def loaded(self, model_id: str) -> LoadedModel | None:
        """Return a loaded model, or None, without blocking."""
        return self._models.get(model_id)

    async def find(self, model_id: str) -> LoadedModel:
        """Return a loaded model; awaits the loading of one whose endpoint is ready."""
        loading = await asyncio.to_thread(self._load_again, model_id)
        if loading is not None:
            # not awaited directly, because it is cancelled when the server stops
            await asyncio.wait([asyncio.wrap_future(loading)])
        if (model := self._models.get(model_id)) is None:
            raise ServiceError("PredictorNotMountedException", f"MLModel {model_id} has no endpoint that is ready")
        return model

    def settle(self, serial: int) -> None:
        """Continue creating an endpoint whose model has finished training."""
        for entity in self._entities.by_serial([serial]):
            if entity.kind is Kind.MODEL and _has_endpoint(entity):
                self._loader.submit(self._load_and_settle, entity.id)

    def create(self, entity: Entity) -> dict[str, Any]:
        """Create an endpoint unless there is one, and return its record; the model is loaded once it is completed."""
        with self._lock:
            entity = self._existing(entity)
            endpoint: dict[str, Any] = entity.record["EndpointInfo"]
            if _has_endpoint(entity):
                return endpoint
            if entity.status is Status.FAILED:
                raise ServiceError("InvalidInputException", f"MLModel {entity.id} is {Status.FAILED}")
            if sum(map(_size, (*self._endpoints(), entity))) > MEMORY:
                raise ServiceError(
                    "InvalidInputException", f"The models of all endpoints would need more than {MEMORY:,} bytes"
                )
            endpoint = {"EndpointStatus": "UPDATING", "PeakRequestsPerSecond": 0, "CreatedAt": round(time.time(), 3)}
            self._entities.update(entity.serial, {"EndpointInfo": endpoint}, touch=False)
        self._loader.submit(self._load_and_settle, entity.id)
        return endpoint

    def delete(self, entity: Entity) -> dict[str, Any]:
        """Delete a model's endpoint, if it has one, and return the record of no endpoint."""
        with self._lock:
            entity = self._existing(entity)
            self._models.pop(entity.id, None)
            self._entities.update(entity.serial, {"EndpointInfo": REMOVED}, touch=False)
        return NO_ENDPOINT

    def unload(self, entity: Entity) -> None:
        """Unload a model that was deleted."""
        with self._lock:
            self._models.pop(entity.id, None)

    def set_threshold(self, entity: Entity) -> None:
        """Update the threshold of a model, if it is loaded, from its record."""
        with self._lock:
            model, current = self._models.get(entity.id), self._current(entity)
            if model is not None and current is not None:
                model.threshold = current.record["ScoreThreshold"]

    def _current(self, entity: Entity) -> Entity | None:
        """Read a model again; None if it was deleted meanwhile."""
        kept = (each for each in self._entities.by_serial([entity.serial]) if each.status is not Status.DELETED)
        return next(kept, None)

    def _existing(self, entity: Entity) -> Entity:
        if (current := self._current(entity)) is None:
            raise ServiceError("InvalidInputException", f"MLModel {entity.id} is {Status.DELETED}")
        return current

    def _endpoints(self) -> list[Entity]:
        where = "json_extract(record, '$.EndpointInfo.EndpointStatus') IN ('UPDATING', 'READY')"
        return self._entities.select(Kind.MODEL, where, (), -1)

    def _load_again(self, model_id: str) -> Future[None] | None:
        """Load a model if its endpoint is ready."""
        entity = self._entities.get(Kind.MODEL, model_id)
        if entity is None:
            raise ServiceError("ResourceNotFoundException", f"No MLModel with id {model_id} exists")
        ready = entity.record["EndpointInfo"]["EndpointStatus"] == "READY"
        return self._loader.submit(self._load_and_settle, model_id) if ready else None

    def _load_and_settle(self, model_id: str) -> None:
        """Load a model unless it is loaded, and update its record unless its endpoint was deleted meanwhile."""
        # errors of the loader thread would go unnoticed
        try:
            with self._lock:
                entity = self._entities.get(Kind.MODEL, model_id)
                if entity is None or not _has_endpoint(entity) or entity.status in (Status.PENDING, Status.INPROGRESS):
                    return
                is_known = model_id in self._models or entity.status is Status.FAILED
            model = None if is_known else self._load(entity)
            with self._lock:
                current = self._current(entity)
                if current is None or not _has_endpoint(current):
                    return
                if model is not None:
                    threshold = current.record.get("ScoreThreshold", 0.5)
                    self._models[model_id] = LoadedModel(
                        model, threshold=threshold, rate=self._rate, clock=time.monotonic
                    )
                self._settle(current, "READY" if model_id in self._models else "FAILED")
        except Exception:
            logging.getLogger(__name__).exception("while loading %s", model_id)

    def _load(self, entity: Entity) -> MLModel | None:
        try:
            return load_ml_model(folder_of(self._data_dir, entity.serial) / MODEL)
        except (TextclfError, OSError, MemoryError):
            pass
        except Exception:
            logging.getLogger(__name__).exception("while loading %s", entity.id)
        return None

    def _settle(self, entity: Entity, status: str) -> None:
        endpoint = {"EndpointStatus": status, "PeakRequestsPerSecond": round(self._rate) if status == "READY" else 0}
        if entity.record["EndpointInfo"] != entity.record["EndpointInfo"] | endpoint:
            self._entities.update(entity.serial, {"EndpointInfo": endpoint}, touch=False)


def _size(entity: Entity) -> int:
    """Return the size of a model in bytes, or the maximum size if it is not trained yet."""
    allowed = entity.record.get("TrainingParameters", {}).get("sgd.maxMLModelSizeInBytes", 0)
    return int(entity.record.get("SizeInBytes", allowed))


def _has_endpoint(entity: Entity) -> bool:
    return entity.record["EndpointInfo"]["EndpointStatus"] in ("UPDATING", "READY")

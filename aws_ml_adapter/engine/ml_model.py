"""A trained model, its predictions, and its file, an uncompressed archive (`textclf.base.archive`)."""

# ``model.json`` contains the schema, the recipe, and the summary of the target.

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.kinds import ModelType
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine.csv_data import Rows, record_row
from aws_ml_adapter.engine.feature_plan import CHUNK
from aws_ml_adapter.engine.targets import TargetSummary
from aws_ml_adapter.engine.transforms import Transforms
from features.core.rows import multiply
from features.schema import Schema
from textclf.base.archive import ArchiveKind, Contents, pack_archive, read_archive, write_archive
from textclf.base.from_json import from_json

FEATURE_BYTES = 8
"""Bytes of a feature's key; each weight has 4 more."""

_KIND = ArchiveKind(
    name="amazon-ml model",
    format=2,
    oldest=2,
    written_by="`amazon-ml serve`",
    # without compression the size does not depend on the weights
    compressed=False,
    # the maximum of sgd.maxMLModelSizeInBytes
    max_bytes=2_147_483_648,
)
_DTYPES = {
    "keys": np.uint64,
    "weights": np.float32,
    "intercept": np.float32,
    "means": np.float64,
    "deviations": np.float64,
    "edges": np.float64,
    "edge_counts": np.int64,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MLModel:
    """A linear model of the features of a recipe."""

    transforms: Transforms
    target: TargetSummary
    keys: NDArray[np.uint64]
    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]

    @property
    def type(self) -> ModelType:
        """The type of the model."""
        return self.target.type

    @property
    def schema(self) -> Schema:
        """The schema of the training data."""
        return self.transforms.schema

    def predict(self, batch: Rows, schema: Schema) -> tuple[NDArray[Any], NDArray[np.bool_]]:
        """Return scores (n, k), 0 for rows that cannot be predicted, and which can; columns are matched by name."""
        usable = np.array([row is not None for row in batch], np.bool_)
        found = self._scores([row for row in batch if row is not None], self.transforms.places(schema))
        scores = np.zeros((len(batch), self.target.width), found.dtype)
        scores[usable] = found
        return scores, usable

    def predict_record(self, record: Mapping[str, str]) -> NDArray[Any]:
        """Return the scores (k,) of one record as `predict` does; names that are not in the schema are ignored."""
        scores: NDArray[Any] = self._scores([record_row(record, self.schema)], self.transforms.places(self.schema))
        return np.asarray(scores[0])

    def _scores(self, rows: Sequence[Sequence[str]], places: Mapping[str, int]) -> NDArray[Any]:
        margins = np.empty((len(rows), self.target.width), np.float32)
        # large weights can give margins that are not finite
        with np.errstate(over="ignore", invalid="ignore"):
            for i in range(0, len(rows), CHUNK):
                margins[i : i + CHUNK] = self._margins(rows[i : i + CHUNK], places)
        match self.type:
            case ModelType.REGRESSION:
                # neither JSON nor the service's files can represent numbers that are not finite
                with np.errstate(over="ignore"):
                    return np.nan_to_num(margins.astype(np.float64) * self.target.deviation + self.target.mean)
            case ModelType.BINARY:
                # in double precision, which represents small probabilities, and does not overflow with large margins
                return np.exp(-np.logaddexp(0, -margins.astype(np.float64))).astype(np.float32)
            case ModelType.MULTICLASS:
                exponentials = np.exp(margins - margins.max(axis=1, keepdims=True))
                return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True), np.float32)

    def _margins(self, rows: Sequence[Sequence[str]], places: Mapping[str, int]) -> NDArray[np.float32]:
        starts, keys, values = self.transforms.transform(rows, places)
        if not len(self.keys):
            return np.tile(self.intercept, (len(rows), 1))
        columns = np.minimum(self.keys.searchsorted(keys), len(self.keys) - 1)
        values = values * (self.keys.take(columns) == keys)
        return (multiply(starts, columns, values, self.weights) + self.intercept).astype(np.float32)


def model_size(model: MLModel) -> int:
    """Return the size of a model's file in bytes."""
    return len(_packed(model))


def save_ml_model(model: MLModel, path: str | Path) -> None:
    """Write a model file; its bytes are the same for the same model."""
    write_archive(path, _packed(model))


def load_ml_model(path: str | Path) -> MLModel:
    """Read a model file; raises `BadInputError` or `BadModelError`."""
    return read_archive(path, _KIND, _build)


def _packed(model: MLModel) -> bytes:
    description = {
        "schema": model.schema.to_json(),
        "recipe": model.transforms.recipe.text,
        "target": asdict(model.target),
    }
    arrays: dict[str, NDArray[Any]] = {
        "keys": model.keys,
        "weights": model.weights,
        "intercept": model.intercept,
        "means": model.transforms.means,
        "deviations": model.transforms.deviations,
        "edges": np.concatenate([[], *model.transforms.edges]),
        "edge_counts": np.array([len(edges) for edges in model.transforms.edges], np.int64),
    }
    return pack_archive(_KIND, description, arrays)


def _build(contents: Contents) -> MLModel:
    description, arrays = contents.description, contents.arrays
    schema = Schema.from_json(description["schema"])
    target: TargetSummary = from_json(description["target"], TargetSummary)
    ends = np.cumsum(arrays["edge_counts"])
    dtypes = {name: array.dtype for name, array in arrays.items()}
    if dtypes != _DTYPES or (arrays["edge_counts"] < 0).any() or len(arrays["edges"]) != (ends[-1] if len(ends) else 0):
        raise ValueError("arrays have wrong types or lengths")
    transforms = Transforms(
        parse_recipe(description["recipe"], schema),
        schema,
        means=arrays["means"],
        deviations=arrays["deviations"],
        edges=np.split(arrays["edges"], ends[:-1]) if len(ends) else (),
    )
    keys, weights, intercept = arrays["keys"], arrays["weights"], arrays["intercept"]
    if (
        keys.shape != (len(weights),)
        or weights.shape[1:] != intercept.shape
        or intercept.shape != (target.width,)
        or transforms.means.shape != transforms.deviations.shape
        or transforms.means.shape != (len(transforms.numeric_names),)
        or len(transforms.edges) != len(transforms.bins)
        or (keys[1:] <= keys[:-1]).any()
    ):
        raise ValueError("sizes differ")
    return MLModel(transforms=transforms, target=target, keys=keys, weights=weights, intercept=intercept)

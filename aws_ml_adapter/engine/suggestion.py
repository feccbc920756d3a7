"""The suggested recipe, for models created without one."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.expressions import input_variables, quoted
from aws_ml_adapter.api.kinds import ModelType, check_target
from aws_ml_adapter.engine.bin_search import AS_IS, choose_bins
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.feature_plan import parse_numbers
from aws_ml_adapter.engine.number_columns import Reservoir, standardised
from aws_ml_adapter.engine.targets import TargetReader
from features.schema import AttributeType, Schema

# rows of the sample for the choice of bins: fewer if there are many attributes and classes
_MAX_ROWS, _MIN_ROWS = 10_000, 500
_CELLS = 1_000_000
_CLASSES = 10
"""Bins are chosen to predict the shares of this many most frequent classes."""


def suggest_recipe(schema: Schema, read: Callable[[], Iterable[Rows]], model_type: ModelType) -> str:
    """Return a recipe like those of the service, with the quantile bins that best predict the target."""
    check_target(schema, model_type)
    variables = input_variables(schema)
    names = [name for name, variable in variables.items() if variable.type is AttributeType.NUMERIC]
    groups: dict[int, list[str]] = {}
    if names:
        for name, count in zip(names, choose_bins(*_sample(schema, names, read, model_type)), strict=True):
            groups.setdefault(count, []).append(quoted(name))
    labels = {count: f"NUMERIC_VARS_QB_{count}" if count != AS_IS else "NUMERIC_VARS_NORM" for count in sorted(groups)}
    types = {variable.type for variable in variables.values()}
    outputs = ["ALL_BINARY"] if AttributeType.BINARY in types else []
    outputs.append("ALL_CATEGORICAL")
    outputs += [
        f"normalize({label})" if count == AS_IS else f"quantile_bin({label},{count})" for count, label in labels.items()
    ]
    outputs += ["ALL_TEXT"] if AttributeType.TEXT in types else []
    return json.dumps(
        {
            "groups": {label: f"group({','.join(groups[count])})" for count, label in labels.items()},
            "assignments": {},
            "outputs": outputs,
        },
        ensure_ascii=False,
        indent=2,
    )


def _sample(
    schema: Schema, names: Sequence[str], read: Callable[[], Iterable[Rows]], model_type: ModelType
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return numbers and targets of a sample of rows with a target."""
    places = [schema.names.index(name) for name in names]
    target = TargetReader(check_target(schema, model_type), model_type, schema)
    width = _CLASSES if model_type is ModelType.MULTICLASS else 1
    size = min(max(_CELLS // (len(names) * width), _MIN_ROWS), _MAX_ROWS)
    reservoir: Reservoir[tuple[list[str], float | str | None]] = Reservoir(size, seed=0)
    for batch in read():
        rows = [row for row in batch if row is not None]
        reservoir.add(rows, lambda row: ([row[place] for place in places], target(row)))
    usable = [pair for pair in reservoir.sample if pair[1] is not None]
    table = parse_numbers([numbers for numbers, _ in usable]).reshape(len(usable), len(names))
    return table, _columns([value for _, value in usable], model_type)


def _columns(values: Sequence[float | str | None], model_type: ModelType) -> NDArray[np.float64]:
    """Return the target as columns: a standardised number, or an indicator for each class."""
    if model_type is ModelType.MULTICLASS:
        classes, codes, counts = np.unique(np.array(values, str), return_inverse=True, return_counts=True)
        frequent = np.argsort(-counts, kind="stable")[:_CLASSES]
        return np.asarray(codes[:, None] == frequent, np.float64) if len(classes) else np.empty((0, 1))
    return standardised(np.array(values, np.float64))[0][:, None] if values else np.empty((0, 1))

"""The target of the rows, and its summary in the training data."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.kinds import BINARY_CLASSES, CLASS_LIMIT, ModelType, check_target
from aws_ml_adapter.engine.number_columns import standardised
from features.schema import Schema, parse_binary, parse_numeric
from textclf.base.errors import BadDataError


def unused_rows(target: str, used: int, unused: int) -> str | None:
    """Return a message on rows that could not be used; None if there were none."""
    if not unused:
        return None
    why = f"they were rejected, or have no valid value of the target '{target}'"
    return f"{unused:,} of {used + unused:,} rows were not used: {why}"


class TargetReader:
    """Reads the target of a row as the model type requires, whatever its type in the schema."""

    def __init__(self, name: str, model_type: ModelType, schema: Schema) -> None:
        self.known = name in schema.names
        self._place = schema.names.index(name) if self.known else 0
        self._type = model_type

    def __call__(self, row: Sequence[str]) -> float | str | None:
        """Return a class as str, a truth value as 0.0 or 1.0, a number as float; None if missing or invalid."""
        if not self.known:
            return None
        value = row[self._place]
        if not value or value.isspace():
            return None
        try:
            match self._type:
                case ModelType.MULTICLASS:
                    return value
                case ModelType.BINARY:
                    return float(parse_binary(value))
                case ModelType.REGRESSION:
                    return parse_numeric(value)
        except BadDataError:
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSummary:
    """Summary of the target in training; classes are in the order of the scores, sorted by code point."""

    name: str
    type: ModelType
    rows: int
    invalid_rows: int
    classes: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()
    mean: float = 0.0
    deviation: float = 1.0

    @property
    def width(self) -> int:
        """Number of scores per row: one per class, and one for BINARY and REGRESSION."""
        return len(self.classes) if self.type is ModelType.MULTICLASS else 1


class TargetValues:
    """Collects the targets of the training rows."""

    def __init__(self, schema: Schema, model_type: ModelType) -> None:
        self._name = check_target(schema, model_type)
        self._type = model_type
        self._read = TargetReader(self._name, model_type, schema)
        self._values = array("d")
        self._classes: dict[str, int] = {}
        self._invalid = 0

    def take(self, rows: Sequence[Sequence[str] | None]) -> list[Sequence[str]]:
        """Add the targets of rows, and return the rows with a usable one; raises `DataFault` at class 101."""
        taken = []
        for row in rows:
            value = None if row is None else self._read(row)
            if row is None or value is None:
                continue
            if isinstance(value, str):
                value = self._classes.setdefault(value, len(self._classes))
                if value >= CLASS_LIMIT:
                    raise DataFault(
                        f"the target '{self._name}' has more than {CLASS_LIMIT} classes",
                        remedy="merge the rarest of them",
                    )
            self._values.append(value)
            taken.append(row)
        self._invalid += len(rows) - len(taken)
        return taken

    def finish(self) -> tuple[TargetSummary, NDArray[np.float64]]:
        """Return the summary, and for each row the index of its class, 0 or 1, or the standardised number."""
        # a view, because a copy would double the memory
        values = np.frombuffer(self._values)
        if not len(values):
            raise DataFault(f"no row has a usable value of the target '{self._name}'")
        known = partial(TargetSummary, name=self._name, type=self._type, rows=len(values), invalid_rows=self._invalid)
        if self._type is ModelType.REGRESSION:
            values, mean, deviation = standardised(values)
            return known(mean=mean, deviation=deviation), values
        classes: tuple[str, ...] = BINARY_CLASSES
        if self._type is ModelType.MULTICLASS:
            classes = tuple(sorted(self._classes))
            values = np.array([classes.index(name) for name in self._classes], np.float64)[values.astype(np.int64)]
        counts = np.bincount(values.astype(np.int64), minlength=len(classes))
        if (counts > 0).sum() < 2:
            raise DataFault(
                f"all {len(values):,} rows have the same class of the target '{self._name}'",
                remedy="give data with at least two",
            )
        return known(classes=classes, counts=tuple(counts.tolist())), values

"""Conversion of rows to the features of a recipe, as sparse rows of 58-bit keys."""

# A feature's key is a hash of its output and its token, so no vocabulary is needed: a model stores the keys of its
# weights. The probability that two of n different features have the same key is about ``n ** 2 / 2 ** 59``: 2 in a
# million for a million features, 2 in 10,000 for 10 million.
#
# - A token of TEXT, ``ngram``, ``osb`` or ``cartesian`` has the value ``1 / sqrt(n)``, however often it occurs in the
#   row; n is the number of the row's different tokens in this output, so that long texts do not outweigh short ones.
# - A CATEGORICAL or BINARY value, or a bin, is one feature of value 1.
# - A NUMERIC value is standardised whether or not the recipe says ``normalize``: a linear model loses nothing by it,
#   and gradient descent needs one scale. Values are clipped at a million deviations from the mean.
# - A missing or invalid value is a feature of its own; missing TEXT has no feature.

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.recipe import Recipe
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.feature_plan import CHUNK, FeaturePlan, Features, numeric_parts, parse_numbers
from aws_ml_adapter.engine.number_columns import Moments, Reservoir, bin_edges
from features.schema import Schema

_SAMPLE_ROWS = 100_000
_SAMPLE_VALUES = 20_000_000


class Transforms:
    """A recipe, with the means, deviations and bin edges of the training data."""

    def __init__(
        self,
        recipe: Recipe,
        schema: Schema,
        *,
        means: NDArray[np.float64],
        deviations: NDArray[np.float64],
        edges: Sequence[NDArray[np.float64]],
    ) -> None:
        self.recipe, self.schema = recipe, schema
        self.means, self.deviations, self.edges = means, deviations, tuple(edges)
        self.numeric_names, self.bins = numeric_parts(recipe)
        self._plan = FeaturePlan(recipe, means=means, deviations=deviations, edges=self.edges)
        self._places = {name: place for place, name in enumerate(schema.names) if name in self._plan.names}

    @property
    def number_keys(self) -> NDArray[np.uint64]:
        """Keys of the NUMERIC features, which come first in each row, unless replaced by those of missing values."""
        return self._plan.number_keys

    @classmethod
    def fit(cls, recipe: Recipe, schema: Schema, read: Callable[[], Iterable[Rows]], *, seed: int = 0) -> Transforms:
        """Compute means, deviations and bin edges, in one pass over the data and bounded memory."""
        names, bins = numeric_parts(recipe)
        moments = Moments(len(names))
        reservoir: Reservoir[NDArray[np.float64]] = Reservoir(
            min(_SAMPLE_ROWS, _SAMPLE_VALUES // max(len(names), 1)), seed
        )
        places = [schema.names.index(name) for name in names]
        for batch in read() if names else ():
            numbers = parse_numbers([[row[place] for place in places] for row in batch if row is not None])
            if len(numbers):
                moments.add(numbers)
                # a view would keep all rows of the batch in memory
                reservoir.add(numbers, np.copy)
        sample = np.array(reservoir.sample).reshape(-1, len(names)) if names else np.empty((0, 0))
        known = {name: column[~np.isnan(column)] for name, column in zip(names, sample.T, strict=True)}
        edges = [bin_edges(np.sort(known[name]), count) for name, count in bins]
        return cls(recipe, schema, means=moments.means, deviations=moments.deviations(), edges=edges)

    def places(self, schema: Schema) -> dict[str, int]:
        """Return the column in a schema of each attribute of the recipe."""
        if schema is self.schema:
            return self._places
        return {name: place for place, name in enumerate(schema.names) if name in self._plan.names}

    def transform(self, rows: Sequence[Sequence[str]], places: Mapping[str, int]) -> Features:
        """Compute the features of rows."""
        parts = [self._plan.features(rows[i : i + CHUNK], places) for i in range(0, len(rows), CHUNK)]
        if len(parts) == 1:
            return parts[0]
        counts = [np.diff(part.starts) for part in parts]
        return Features(
            np.concatenate([[0], np.cumsum(np.concatenate([[], *counts]))]).astype(np.int64),
            np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)]),
            np.concatenate([np.empty(0, np.float32), *(part.values for part in parts)]),
        )

"""Statistics of the attributes of a data source."""

from __future__ import annotations

import heapq
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.engine.correlation import correlation
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.number_columns import Moments, Reservoir, read_numbers
from features.schema import AttributeType, Schema
from textclf.base.from_json import from_json

_SHOWN_VALUES = 10
_VALUE_LIMIT = 100
"""Values are cut to this many characters before they are counted."""

_CELL_LIMIT = 1_000_000
"""Maximum values of all attributes in memory, once as counts and once as a sample."""

_KEPT_LIMIT = 10_000
"""Maximum distinct values counted exactly per attribute, and rows of the sample; fewer if there are many attributes."""

_QUANTILES = np.linspace(0, 1, 21)


@dataclass(frozen=True, slots=True, kw_only=True)
class NumericStatistics:
    """Population deviation, exact extremes, and 21 quantiles estimated from a sample, at 0, 5, ... 100 %."""

    mean: float
    deviation: float
    minimum: float
    maximum: float
    quantiles: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeStatistics:
    """Statistics of an attribute; if not exact, ``distinct`` and the counts of frequent values are lower bounds."""

    name: str
    type: AttributeType
    missing: int
    invalid: int
    distinct: int
    distinct_exact: bool
    # the ten most frequent values (for TEXT, words); empty for an attribute with very many different numbers
    most_frequent: tuple[tuple[str, int], ...]
    numeric: NumericStatistics | None = None
    correlation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStatistics:
    """Statistics of a data source, with attributes in the order of the schema."""

    rows: int
    rejected: int
    attributes: tuple[AttributeStatistics, ...]

    def to_json(self) -> str:
        """Serialise as JSON, deterministically."""
        return json.dumps(asdict(self), ensure_ascii=False, indent=1)

    @classmethod
    def from_json(cls, text: str) -> DataStatistics:
        """Parse the result of `to_json`."""
        statistics: DataStatistics = from_json(json.loads(text), cls)
        return statistics


def compute_statistics(batches: Iterable[Rows], schema: Schema) -> DataStatistics:
    """Compute statistics in one pass and bounded memory; quantiles and correlations are of up to 10,000 rows."""
    types = dict(schema.attributes)
    kinds = [*types.values()]
    limit = min(_KEPT_LIMIT, _CELL_LIMIT // len(kinds))
    columns = [_AttributeCounts(kind, limit) for kind in kinds]
    sample = _Sample(kinds, limit)
    rejected = 0
    for batch in batches:
        rejected += batch.count(None)
        rows = [row for row in batch if row is not None]
        for column, values in zip(columns, zip(*rows, strict=True), strict=False):
            column.add(values)
        sample.add(rows)
    if not sample.seen:
        raise DataFault("no row could be read", remedy="compare the data with the schema")
    target = None
    if schema.target is not None and types[schema.target] is not AttributeType.TEXT:
        target = sample.column(schema.names.index(schema.target))
    return DataStatistics(
        rows=sample.seen + rejected,
        rejected=rejected,
        attributes=tuple(
            column.statistics(name, sample.column(i), None if name == schema.target else target)
            for i, (name, column) in enumerate(zip(schema.names, columns, strict=True))
        ),
    )


class _AttributeCounts:
    """Counts the values of one attribute."""

    def __init__(self, kind: AttributeType, limit: int) -> None:
        self.kind, self._limit = kind, limit
        self.missing = self.invalid = self.distinct = 0
        self.exact = True
        self._numbers = _Numbers()
        self._counts: Counter[str | float] = Counter()

    def add(self, values: Sequence[str]) -> None:
        match self.kind:
            case AttributeType.NUMERIC | AttributeType.BINARY:
                self._add_numbers(values)
            case AttributeType.CATEGORICAL:
                present = [value[:_VALUE_LIMIT] for value in values if value and not value.isspace()]
                self.missing += len(values) - len(present)
                self._count(present)
            case AttributeType.TEXT:
                texts = [words for words in map(str.split, values) if words]
                self.missing += len(values) - len(texts)
                self._numbers.add(np.array([len(words) for words in texts], dtype=float))
                for words in texts:
                    self._count([word[:_VALUE_LIMIT] for word in words])

    def _add_numbers(self, values: Sequence[str]) -> None:
        numbers = read_numbers(values, self.kind)
        read = ~np.isnan(numbers)
        if not read.all():
            missing = sum(not value or value.isspace() for value in values)
            self.missing += missing
            self.invalid += int(np.count_nonzero(~read)) - missing
            numbers = numbers[read]
        if self.kind is AttributeType.NUMERIC:
            self._numbers.add(numbers)
            # a quantity with so many different values has no frequent ones
            if not self.exact:
                return
        self._count(numbers.tolist())

    def _count(self, values: Iterable[str | float]) -> None:
        self._counts.update(values)
        if len(self._counts) > self._limit:
            self.exact = False
            # frequent values have high counts by now
            self._counts = Counter(dict(self._counts.most_common(self._limit // 10)))
        self.distinct = len(self._counts) if self.exact else self._limit

    def statistics(self, name: str, sample: NDArray[Any], target: NDArray[Any] | None) -> AttributeStatistics:
        frequent = self.kind is not AttributeType.NUMERIC or self.exact
        # ties are sorted by value, not by row
        ranked = heapq.nsmallest(_SHOWN_VALUES, self._counts.items(), key=lambda item: (-item[1], item[0]))
        return AttributeStatistics(
            name=name,
            type=self.kind,
            missing=self.missing,
            invalid=self.invalid,
            distinct=self.distinct,
            distinct_exact=self.exact,
            most_frequent=tuple((_shown(value), count) for value, count in ranked) if frequent else (),
            numeric=self._numbers.statistics(sample),
            correlation=None if target is None or self.kind is AttributeType.TEXT else correlation(sample, target),
        )


class _Numbers:
    """Distribution of numbers that are added in batches."""

    def __init__(self) -> None:
        self._moments = Moments(1)
        self._minimum, self._maximum = np.inf, -np.inf

    def add(self, numbers: NDArray[np.float64]) -> None:
        self._moments.add(numbers[:, None])
        self._minimum = float(numbers.min(initial=self._minimum))
        self._maximum = float(numbers.max(initial=self._maximum))

    def statistics(self, sample: NDArray[Any]) -> NumericStatistics | None:
        """Return the distribution, with quantiles of a sample of the same numbers; None without numbers."""
        if not self._moments.counts[0]:
            return None
        mean = float(self._moments.means[0])
        numbers = sample[~np.isnan(sample)]
        # rare numbers may not be in the sample
        numbers = numbers if len(numbers) else np.array([mean])
        # halved, because the difference of the largest floats would overflow
        inner = np.clip(np.quantile(numbers / 2, _QUANTILES[1:-1]) * 2, self._minimum, self._maximum)
        return NumericStatistics(
            mean=mean,
            deviation=float(self._moments.deviations()[0]),
            minimum=self._minimum,
            maximum=self._maximum,
            quantiles=(self._minimum, *inner.tolist(), self._maximum),
        )


class _Sample:
    """A uniform sample of rows, with values reduced to what correlations need."""

    def __init__(self, kinds: Sequence[AttributeType], limit: int) -> None:
        self._kinds = kinds
        self._texts = [i for i, kind in enumerate(kinds) if kind is AttributeType.TEXT]
        self._reservoir: Reservoir[list[str]] = Reservoir(limit, seed=0)

    @property
    def seen(self) -> int:
        return self._reservoir.seen

    def add(self, rows: Sequence[Sequence[str]]) -> None:
        self._reservoir.add(rows, self._row)

    def _row(self, row: Sequence[str]) -> list[str]:
        cut = [value[:_VALUE_LIMIT] for value in row]
        for i in self._texts:
            # a missing text has no length, rather than 0 words
            cut[i] = str(len(row[i].split()) or "")
        return cut

    def column(self, i: int) -> NDArray[Any]:
        """Return an attribute's values in the sample for `correlation`; for TEXT, the number of words."""
        values = [row[i] for row in self._reservoir.sample]
        if self._kinds[i] is AttributeType.CATEGORICAL:
            return np.array(["" if value.isspace() else value for value in values])
        return read_numbers(values, self._kinds[i])


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else repr(value).removesuffix(".0")

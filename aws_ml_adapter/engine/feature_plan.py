"""Computation of the features of a recipe for a chunk of rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.expressions import Call, Expression, Function, Variable
from aws_ml_adapter.api.recipe import Recipe
from aws_ml_adapter.engine.number_columns import read_numbers
from aws_ml_adapter.engine.token_hashes import ValueHashes, strip_punctuation
from features.core.tokens import KEY_BITS, Tokens, ngrams, osb, pairs, row_keys, split_words
from features.schema import AttributeType, parse_binary
from textclf.base.errors import BadDataError
from textclf.base.hashing import mix

CHUNK = 1 << (64 - KEY_BITS)
"""Rows per chunk: row number and key fit into 64 bits, and all rows into the cache."""

CARTESIAN_LIMIT = 100_000
"""Maximum tokens per row of ``cartesian``; further ones are left out."""

_SPARE_BITS = np.uint64(64 - KEY_BITS)
_MISSING = np.uint64(0x6D697373696E6721)

_MAX_SCALED = 1e6
_VALUE_TYPES = (AttributeType.CATEGORICAL, AttributeType.BINARY)
_OF_WORDS = (Function.NGRAM, Function.OSB, Function.CARTESIAN)
_TEXT_FUNCTIONS: dict[Function, Callable[[str], str]] = {
    Function.LOWERCASE: str.lower,
    Function.NO_PUNCT: strip_punctuation,
}


class Features(NamedTuple):
    """Sparse rows: row i has ``keys[starts[i]:starts[i + 1]]`` (uint64), and ``values`` (float32) likewise."""

    starts: NDArray[np.int64]
    keys: NDArray[np.uint64]
    values: NDArray[np.float32]


class FeaturePlan:
    """The plan for computing a recipe: numbers, values and words are each computed for all outputs at once."""

    def __init__(
        self,
        recipe: Recipe,
        *,
        means: NDArray[np.float64],
        deviations: NDArray[np.float64],
        edges: Sequence[NDArray[np.float64]],
    ) -> None:
        parts = all_parts(recipe)
        self.names = {part.name for part in parts if isinstance(part, Variable)}
        self._numeric_names, bins = numeric_parts(recipe)
        # halved, because the difference of the largest floats would overflow
        self._half_means, halves = means / 2, deviations / 2
        self._half_scales = np.where(halves > 0, halves, np.inf)
        self._bins = {bin_: place for place, bin_ in enumerate(bins)}
        self._bin_columns = np.array([self._numeric_names.index(name) for name, _ in bins], np.int64)
        self._bin_order = np.arange(len(bins))
        self._edge_starts = np.cumsum([0, *map(len, edges)])[:-1]
        # complex numbers are ordered by their real part first, so one search finds the bins of all columns
        self._edges = np.concatenate([[], *(place + 1j * column for place, column in enumerate(edges))])
        values = dict.fromkeys(part for part in parts if isinstance(part, Variable) and part.type in _VALUE_TYPES)
        self._values = {variable: len(bins) + place for place, variable in enumerate(values)}
        # each text after those it is computed from
        self._texts = list(dict.fromkeys(part for part in reversed(parts) if part.type is AttributeType.TEXT))
        arguments = [part.arguments for part in parts if isinstance(part, Call) and part.function in _OF_WORDS]
        split = dict.fromkeys(part for part in chain(recipe.outputs, *arguments) if part.type is AttributeType.TEXT)
        self._split = list(split)
        self._hashes = ValueHashes()
        numbers: list[tuple[int, int]] = []
        singles: list[tuple[int, int]] = []
        self._tokens: list[tuple[Expression, int]] = []
        for output in recipe.outputs:
            salt = self._hashes[str(output)]
            single = self._single(output)
            if single is not None:
                singles.append((single, salt))
            elif output.type is AttributeType.NUMERIC:
                numbers.append((self._numeric_names.index(_root(output).name), salt))
            else:
                self._tokens.append((output, salt))
        self._single_places = np.array([place for place, _ in singles], np.int64)
        self._single_salts = np.array([salt for _, salt in singles], np.uint64)
        self._number_places = np.array([place for place, _ in numbers], np.int64)
        number_salts = np.array([salt for _, salt in numbers], np.uint64)
        self.number_keys, self._missing_keys = _key(number_salts), _key(number_salts ^ _MISSING)

    def features(self, rows: Sequence[Sequence[str]], places: Mapping[str, int]) -> Features:
        """Compute the features of up to `CHUNK` rows; attributes without a place are missing."""
        numbers = self._numbers(rows, places)
        singles = self._singles(rows, places, numbers)
        parts = [
            *self._number_features(numbers),
            *self._single_features(singles),
            *self._token_features(rows, places, singles),
        ]
        return _side_by_side(parts, len(rows))

    def _number_features(self, numbers: NDArray[np.float64]) -> Iterator[Features]:
        if not len(self._number_places):
            return
        missing = np.isnan(numbers)
        with np.errstate(over="ignore"):
            scaled = (numbers / 2 - self._half_means) / self._half_scales
        scaled = np.clip(scaled, -_MAX_SCALED, _MAX_SCALED)
        scaled = np.where(missing, 1, scaled)[:, self._number_places]
        keys = np.where(missing[:, self._number_places], self._missing_keys, self.number_keys)
        yield Features(_table_starts(keys), keys.ravel(), scaled.ravel().astype(np.float32))

    def _single_features(self, singles: NDArray[np.uint64]) -> Iterator[Features]:
        if not len(self._single_places):
            return
        keys = _key(singles[:, self._single_places] ^ self._single_salts)
        yield Features(_table_starts(keys), keys.ravel(), np.ones(keys.size, np.float32))

    def _token_features(
        self, rows: Sequence[Sequence[str]], places: Mapping[str, int], singles: NDArray[np.uint64]
    ) -> Iterator[Features]:
        if not self._tokens:
            return
        texts: dict[Expression, list[str]] = {}
        for text in self._texts:
            if isinstance(text, Call):
                texts[text] = list(map(_TEXT_FUNCTIONS[text.function], texts[text.arguments[0]]))
            else:
                place = places.get(text.name)
                texts[text] = [""] * len(rows) if place is None else [row[place] for row in rows]
        split = {text: split_words(texts[text]) for text in self._split}
        for output, salt in self._tokens:
            yield Features(*row_keys(self._made_tokens(output, split, singles), salt))

    def _numbers(self, rows: Sequence[Sequence[str]], places: Mapping[str, int]) -> NDArray[np.float64]:
        numbers = np.full((len(rows), len(self._numeric_names)), np.nan)
        found = [i for i, name in enumerate(self._numeric_names) if name in places]
        if found:
            columns = [places[self._numeric_names[i]] for i in found]
            numbers[:, found] = parse_numbers([[row[column] for column in columns] for row in rows])
        return numbers

    def _singles(
        self, rows: Sequence[Sequence[str]], places: Mapping[str, int], numbers: NDArray[np.float64]
    ) -> NDArray[np.uint64]:
        """Compute the hashes of the bins, then of the values."""
        singles = np.empty((len(rows), len(self._bins) + len(self._values)), np.uint64)
        if self._bins:
            binned = numbers[:, self._bin_columns]
            missing = np.isnan(binned)
            found = np.searchsorted(self._edges, self._bin_order + 1j * np.where(missing, 0, binned), side="right")
            bins = mix((found - self._edge_starts).astype(np.uint64))
            singles[:, : len(self._bins)] = np.where(missing, _MISSING, bins)
        for variable, place in self._values.items():
            if variable.name not in places:
                singles[:, place] = _MISSING
                continue
            column = places[variable.name]
            hashed = self._binary if variable.type is AttributeType.BINARY else self._category
            singles[:, place] = [hashed(row[column]) for row in rows]
        return singles

    def _category(self, value: str) -> int:
        return self._hashes[value] if value and not value.isspace() else int(_MISSING)

    def _binary(self, value: str) -> int:
        try:
            return int(parse_binary(value))
        except BadDataError:
            return int(_MISSING)

    def _single(self, expression: Expression) -> int | None:
        """Return the column of `_singles` for an expression with one value per row, otherwise None."""
        if isinstance(expression, Variable):
            return self._values.get(expression)
        if expression.function is Function.QUANTILE_BIN:
            return self._bins[_bin(expression)]
        return None

    def _made_tokens(
        self, expression: Expression, split: Mapping[Expression, Tokens], singles: NDArray[np.uint64]
    ) -> Tokens:
        single = self._single(expression)
        if single is not None:
            return Tokens(singles[:, single].copy(), np.arange(len(singles) + 1))
        if isinstance(expression, Variable) or expression in split:
            return split[expression]
        if expression.function is Function.CARTESIAN:
            made, *others = (self._made_tokens(part, split, singles) for part in expression.arguments)
            for other in others:
                made = pairs(made, other, CARTESIAN_LIMIT)
            return made
        make = ngrams if expression.function is Function.NGRAM else osb
        return make(split[expression.arguments[0]], expression.number or 1)


def parse_numbers(rows: Sequence[Sequence[str]]) -> NDArray[np.float64]:
    """Parse NUMERIC values of rows of equal length as float64; NaN for missing and invalid ones."""
    numbers = read_numbers([*chain.from_iterable(rows)])
    return numbers.reshape(len(rows), len(rows[0]) if rows else 0)


def _side_by_side(parts: Sequence[Features], size: int) -> Features:
    """Put the features of rows beside each other."""
    if len(parts) == 1:
        return parts[0]
    counts = np.array([np.diff(part.starts) for part in parts], np.int64).reshape(-1, size)
    keys = np.concatenate([np.empty(0, np.uint64), *(part.keys for part in parts)])
    values = np.concatenate([np.empty(0, np.float32), *(part.values for part in parts)])
    if size > 1:
        # numpy sorts 16-bit integers in linear time
        rows = np.tile(np.arange(size, dtype=np.uint16), len(parts))
        order = np.argsort(np.repeat(rows, counts.ravel()), kind="stable")
        keys, values = keys[order], values[order]
    return Features(np.concatenate([[0], np.cumsum(counts.sum(axis=0))]), keys, values)


def _table_starts(table: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Return where each row of a table starts if its rows follow each other."""
    return np.arange(0, table.size + 1, table.shape[1], dtype=np.int64)


def _key(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return mix(hashes) >> _SPARE_BITS


def all_parts(recipe: Recipe) -> list[Expression]:
    """Return all expressions of a recipe, each before its arguments."""
    parts = list(recipe.outputs)
    for part in parts:
        if isinstance(part, Call):
            parts.extend(part.arguments)
    return parts


def numeric_parts(recipe: Recipe) -> tuple[tuple[str, ...], tuple[tuple[str, int], ...]]:
    """Return the NUMERIC attributes of a recipe, and attribute and number of bins of each ``quantile_bin``."""
    parts = all_parts(recipe)
    names = dict.fromkeys(
        part.name for part in parts if isinstance(part, Variable) and part.type is AttributeType.NUMERIC
    )
    bins = dict.fromkeys(
        _bin(part) for part in parts if isinstance(part, Call) and part.function is Function.QUANTILE_BIN
    )
    return tuple(names), tuple(bins)


def _bin(call: Call) -> tuple[str, int]:
    # normalising preserves the order, and thus the bins
    return _root(call).name, call.number or 1


def _root(expression: Expression) -> Variable:
    while isinstance(expression, Call):
        expression = expression.arguments[0]
    return expression

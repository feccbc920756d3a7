"""The features of training data on disk: first rows in the order of reading, then blocks in the order of training."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from aws_ml_adapter.engine.feature_plan import Features

_PENDING = 2_000_000
# blocks of up to this many bytes stay in memory, because reading small matrices would take longer than training
_HELD = 1 << 26


def largest(values: NDArray[Any], number: int) -> NDArray[np.bool_]:
    """Return a mask of the ``number`` largest values; of equal ones, the first are chosen."""
    smallest = np.partition(values, len(values) - number)[len(values) - number]
    mask = np.asarray(values > smallest)
    mask[np.flatnonzero(values == smallest)[: number - np.count_nonzero(mask)]] = True
    return mask


class KeyCounts:
    """Approximate numbers of rows of each key, in bounded memory: rare keys are dropped, and counted from 0 again."""

    # Manku and Motwani, "Approximate frequency counts over data streams", VLDB 2002
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys = np.empty(0, np.uint64)
        self._counts = np.empty(0, np.int32)
        self._pending: list[NDArray[np.uint64]] = []
        self._pending_size = 0

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Add keys, which must be distinct within each row."""
        self._pending.append(keys)
        self._pending_size += len(keys)
        if self._pending_size > _PENDING:
            self._merge()
            if len(self._keys) > 2 * self._limit:
                self._forget(self._limit)

    def most_frequent(self, limit: int) -> NDArray[np.uint64]:
        """Return the most frequent keys, sorted; all others are dropped."""
        self._merge()
        self._forget(limit)
        return self._keys

    def _merge(self) -> None:
        fresh, counts = np.unique(np.concatenate([np.empty(0, np.uint64), *self._pending]), return_counts=True)
        self._pending, self._pending_size = [], 0
        places = np.searchsorted(self._keys, fresh)
        known = np.zeros(len(fresh), bool)
        inside = places < len(self._keys)
        known[inside] = self._keys[places[inside]] == fresh[inside]
        counts = counts.astype(np.int32)
        self._counts[places[known]] += counts[known]
        self._keys = np.insert(self._keys, places[~known], fresh[~known])
        self._counts = np.insert(self._counts, places[~known], counts[~known])

    def _forget(self, limit: int) -> None:
        if len(self._keys) > limit:
            kept = largest(self._counts, limit)
            self._keys, self._counts = self._keys[kept], self._counts[kept]


class RowStore:
    """Features of all rows, in files that are removed at the end of the context."""

    def __init__(self, folder: Path) -> None:
        self._keys = _ArrayFile(folder / "keys", np.uint64)
        self._values = _ArrayFile(folder / "values", np.float32)
        self._ends = [np.zeros(1, np.int64)]

    def append(self, features: Features) -> None:
        """Add rows."""
        self._keys.append(features.keys)
        self._values.append(features.values)
        self._ends.append(self._ends[-1][-1] + features.starts[1:])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._keys.remove()
        self._values.remove()

    def read(self, order: NDArray[np.int64], size: int) -> Iterator[Features]:
        """Yield the features of the rows in this order, ``size`` rows at a time."""
        starts = np.concatenate(self._ends)
        for begin in range(0, len(order), size):
            rows = order[begin : begin + size]
            begins, ends = starts[rows], starts[rows + 1]
            pieces = list(zip(begins.tolist(), ends.tolist(), strict=True))
            lengths = np.concatenate([[0], np.cumsum(ends - begins)])
            yield Features(lengths, self._keys.read(pieces), self._values.read(pieces))


class Block(NamedTuple):
    """The rows of a slice as a matrix (rows, used columns) and its transpose; ``columns`` are sorted."""

    rows: slice
    columns: NDArray[np.int32]
    matrix: csr_array
    transposed: csc_array


class Blocks:
    """Blocks of rows in a file, or in memory if it is small; columns are numbered in the order of first use."""

    def __init__(self, path: Path, keys: NDArray[np.uint64], shapes: NDArray[np.int64]) -> None:
        self.keys = keys
        self._path, self._shapes = path, shapes
        self._held = list(self._read()) if path.stat().st_size <= _HELD else None

    def __len__(self) -> int:
        return len(self._shapes)

    def __iter__(self) -> Iterator[Block]:
        return self._read() if self._held is None else iter(self._held)

    def _read(self) -> Iterator[Block]:
        begin = 0
        with self._path.open("rb") as file:
            for height, width, entries in self._shapes.tolist():
                ends = np.cumsum([width, height + 1, entries, entries])
                columns, starts, indices, values = np.split(np.fromfile(file, np.int32, ends[-1]), ends[:-1])
                matrix = csr_array((values.view(np.float32), indices, starts), shape=(height, width), copy=False)
                yield Block(slice(begin, begin + height), columns, matrix, matrix.T)
                begin += height


def write_blocks(rows: Iterable[Features], keys: NDArray[np.uint64], path: Path) -> Blocks:
    """Write rows in blocks, with keys replaced by columns; keys that are not given (sorted) are left out."""
    column_of = np.full(len(keys), -1, np.int32)
    used: list[NDArray[np.uint64]] = [np.empty(0, np.uint64)]
    number = 0
    shapes: list[tuple[int, int, int]] = []
    with path.open("wb") as file:
        for features in rows:
            found, places = np.unique(features.keys, return_inverse=True)
            spots = np.minimum(np.searchsorted(keys, found), max(len(keys) - 1, 0))
            known = keys[spots] == found if len(keys) else np.zeros(len(found), bool)
            spots = spots[known]
            fresh = spots[column_of[spots] < 0]
            column_of[fresh] = np.arange(number, number + len(fresh))
            number += len(fresh)
            used.append(keys[fresh])
            columns = column_of[spots]
            order = np.argsort(columns)
            index_of = np.empty(len(found), np.int32)
            index_of[np.flatnonzero(known)[order]] = np.arange(len(columns))
            kept = known[places]
            starts = np.concatenate([[0], np.cumsum(kept)])[features.starts]
            indices = index_of[places[kept]]
            parts = (columns[order], starts.astype(np.int32), indices, features.values[kept].view(np.int32))
            file.write(np.concatenate(parts).tobytes())
            shapes.append((len(starts) - 1, len(columns), len(indices)))
    return Blocks(path, np.concatenate(used), np.array(shapes, np.int64).reshape(-1, 3))


class _ArrayFile:
    """An array in a file, which is appended to in pieces."""

    def __init__(self, path: Path, kind: type[np.generic]) -> None:
        self._path, self._kind = path, np.dtype(kind)
        self._file = path.open("w+b", buffering=0)

    def append(self, data: NDArray[Any]) -> None:
        # numpy's tofile does not report a full disk if only the last bytes do not fit
        rest = memoryview(data.tobytes())
        while rest:
            rest = rest[self._file.write(rest) :]

    def read(self, pieces: Iterable[tuple[int, int]]) -> NDArray[Any]:
        # not memory-mapped, because the whole file would end up in memory
        size, parts = self._kind.itemsize, []
        for begin, end in pieces:
            self._file.seek(begin * size)
            parts.append(self._file.read((end - begin) * size))
        return np.frombuffer(b"".join(parts), self._kind)

    def remove(self) -> None:
        self._file.close()
        self._path.unlink()

"""The features of training data on disk: rows as they are read, then blocks of rows as they are learned from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_array, csr_array

from aws_ml_adapter.feature_plan import Features

__all__ = ["Block", "KeyCounts", "RowStore", "write_blocks"]

_PENDING = 2_000_000


class KeyCounts:
    """Counts in how many rows each key stands, in bounded memory.

    Parameters
    ----------
    limit : int
        Keys that are kept; beyond twice as many the rarest are forgotten, and counted anew if they come again.

    References
    ----------
    G. S. Manku and R. Motwani, "Approximate frequency counts over data streams", VLDB 2002.

    Examples
    --------
    >>> counts = KeyCounts(2)
    >>> counts.add(np.array([7, 5, 7, 9, 5, 7], dtype=np.uint64))
    >>> counts.most_frequent(2).tolist()
    [5, 7]
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._keys = np.empty(0, np.uint64)
        self._counts = np.empty(0, np.int64)
        self._pending: list[NDArray[np.uint64]] = []
        self._pending_size = 0

    def add(self, keys: NDArray[np.uint64]) -> None:
        """Count the keys of some rows."""
        self._pending.append(keys)
        self._pending_size += len(keys)
        if self._pending_size > _PENDING:
            self._merge()
            if len(self._keys) > 2 * self._limit:
                self._forget(self._limit)

    def most_frequent(self, limit: int) -> NDArray[np.uint64]:
        """Give the keys that stand in the most rows, at most so many, rising."""
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
        self._counts[places[known]] += counts[known]
        self._keys = np.insert(self._keys, places[~known], fresh[~known])
        self._counts = np.insert(self._counts, places[~known], counts[~known])

    def _forget(self, limit: int) -> None:
        if len(self._keys) > limit:
            # ties go to the smaller key, so that the same data keep the same ones
            kept = np.sort(np.argsort(-self._counts, kind="stable")[:limit])
            self._keys, self._counts = self._keys[kept], self._counts[kept]


class RowStore:
    """Features of all rows, in files; as a context, for as long as it is written.

    Parameters
    ----------
    folder : pathlib.Path
        An empty folder to use.
    """

    def __init__(self, folder: Path) -> None:
        self._keys, self._values = _Column(folder / "keys", np.uint64), _Column(folder / "values", np.float32)
        self._lengths: list[NDArray[np.int64]] = []

    def append(self, features: Features) -> None:
        """Add rows."""
        self._keys.append(features.keys)
        self._values.append(features.values)
        self._lengths.append(np.diff(features.starts))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._keys.finish()
        self._values.finish()
        self._starts = np.concatenate([[0], np.cumsum(np.concatenate([[], *self._lengths]))]).astype(np.int64)

    def take(self, rows: NDArray[np.int64]) -> Features:
        """Read rows, in the order given, when all are written."""
        lengths = self._starts[rows + 1] - self._starts[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)])
        places = np.arange(starts[-1]) + np.repeat(self._starts[rows] - starts[:-1], lengths)
        return Features(starts, self._keys.data[places], self._values.data[places])

    def remove(self) -> None:
        """Delete the files."""
        self._keys.remove()
        self._values.remove()


class Block(NamedTuple):
    """Some rows, with the columns that they use.

    ``rows`` says which of the training rows in the order of learning they are, ``columns`` (int32, rising) which
    columns; ``matrix`` is of shape (rows, columns), ``transposed`` of shape (columns, rows).
    """

    rows: slice
    columns: NDArray[np.int32]
    matrix: csr_array
    transposed: csc_array


def write_blocks(
    store: RowStore, order: NDArray[np.int64], keys: NDArray[np.uint64], size: int, folder: Path
) -> list[Block]:
    """Put rows into the order of learning, and replace their keys by columns, once for all passes.

    Parameters
    ----------
    store : RowStore
        All rows.
    order : ndarray of int64, shape (n,)
        The rows to learn from, in order.
    keys : ndarray of uint64, shape (d,)
        Key of each column, rising; what is not among them is left out.
    size : int
        Rows of a block.
    folder : pathlib.Path
        Where to keep them.

    Returns
    -------
    list of Block
        On disk: reading one reads its part of the files.
    """
    parts = [_Column(folder / name, kind) for name, kind in _BLOCK_PARTS.items()]
    for begin in range(0, len(order), size):
        features = store.take(order[begin : begin + size])
        found, places = np.unique(features.keys, return_inverse=True)
        columns = np.minimum(np.searchsorted(keys, found), max(len(keys) - 1, 0))
        known = keys[columns] == found if len(keys) else np.zeros(len(found), bool)
        kept = known[places]
        starts = np.concatenate([[0], np.cumsum(kept)])[features.starts]
        indices = (np.cumsum(known) - 1)[places[kept]]
        for part, data in zip(parts, (columns[known], starts, indices, features.values[kept]), strict=True):
            part.append(data)
    for part in parts:
        part.finish()
    return list(_blocks(parts, len(order), size))


_BLOCK_PARTS: dict[str, type[np.generic]] = {
    "block_columns": np.int32,
    "block_starts": np.int32,
    "block_indices": np.int32,
    "block_values": np.float32,
}


def _blocks(parts: Sequence[_Column], rows: int, size: int) -> Iterator[Block]:
    pieces = zip(*(part.pieces() for part in parts), strict=True)
    for begin, (columns, starts, indices, values) in zip(range(0, rows, size), pieces, strict=True):
        height = min(size, rows - begin)
        matrix = csr_array((values, indices, starts), shape=(height, len(columns)), copy=False)
        yield Block(slice(begin, begin + height), columns, matrix, matrix.T)


class _Column:
    """An array in a file, written piece by piece."""

    def __init__(self, path: Path, kind: type[np.generic]) -> None:
        self._path, self._kind = path, kind
        self._file = path.open("wb")
        self._ends = [0]

    def append(self, data: NDArray[np.generic]) -> None:
        data.astype(self._kind, copy=False).tofile(self._file)
        self._ends.append(self._ends[-1] + len(data))

    def finish(self) -> None:
        self._file.close()
        # an empty file cannot be mapped
        size = self._ends[-1]
        mapped = np.memmap(self._path, self._kind, "r") if size else np.empty(0, self._kind)
        self.data: NDArray[np.generic] = np.asarray(mapped)

    def pieces(self) -> Iterator[NDArray[np.generic]]:
        return (self.data[begin:end] for begin, end in zip(self._ends, self._ends[1:], strict=False))

    def remove(self) -> None:
        self.data = np.empty(0, self._kind)
        self._path.unlink()

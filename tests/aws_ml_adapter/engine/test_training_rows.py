from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.engine import training_rows
from aws_ml_adapter.engine.feature_plan import Features
from aws_ml_adapter.engine.training_rows import KeyCounts, RowStore, write_blocks

ROWS = st.lists(st.dictionaries(st.integers(0, 30), st.floats(-9, 9, width=32), max_size=6), min_size=1, max_size=12)


def features_of(rows: list[dict[int, float]]) -> Features:
    return Features(
        np.cumsum([0, *map(len, rows)]),
        np.array([key for row in rows for key in row], np.uint64),
        np.array([value for row in rows for value in row.values()], np.float32),
    )


@settings(max_examples=50)
@given(ROWS, st.integers(1, 5), st.randoms(use_true_random=False), st.sets(st.integers(0, 30)), st.booleans())
def test_blocks_hold_the_rows_in_the_order_given(tmp_path_factory, rows, size, random, known, on_disk):
    folder = tmp_path_factory.mktemp("rows")
    with RowStore(folder) as store:
        for row in rows:
            store.append(features_of([row]))
        order = random.sample(range(len(rows)), len(rows))
        keys = np.array(sorted(known), np.uint64)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(training_rows, "_HELD", -1 if on_disk else 1_000_000)
            blocks = write_blocks(store.read(np.array(order), size), keys, folder / "blocks")
    occurring = known & {key for row in rows for key in row}
    assert sorted(blocks.keys.tolist()) == sorted(occurring)
    found, reach = [], 0
    for block in blocks:
        dense = np.zeros((block.matrix.shape[0], 31), np.float32)
        dense[:, blocks.keys[block.columns].astype(np.int64)] = block.matrix.toarray()
        assert (block.transposed.toarray() == block.matrix.toarray().T).all()
        found.extend(dense)
        # columns are numbered as they are first used
        fresh = block.columns[block.columns >= reach]
        assert fresh.tolist() == list(range(reach, reach + len(fresh)))
        reach += len(fresh)
    assert [block.rows.start for block in blocks] == list(range(0, len(rows), size))
    wanted = np.zeros((len(rows), 31), np.float32)
    for place, row in enumerate(order):
        for key in known & rows[row].keys():
            wanted[place, key] = rows[row][key]
    assert (np.array(found) == wanted).all()


@settings(max_examples=50)
@given(st.lists(st.lists(st.integers(0, 50), max_size=20), max_size=10), st.integers(1, 60))
def test_the_most_frequent_keys_are_kept(parts, limit):
    counts = KeyCounts(limit=1_000)
    for part in parts:
        counts.add(np.array(part, np.uint64))
    kept = counts.most_frequent(limit).tolist()
    true = Counter(key for part in parts for key in part)
    assert kept == sorted(kept)
    assert len(kept) == min(limit, len(true))
    out = [true[key] for key in true if key not in kept]
    assert not out or max(out) <= min(true[key] for key in kept)


def test_memory_is_bounded_and_what_is_frequent_throughout_is_kept():
    counts = KeyCounts(limit=1_000)
    for part in range(20):
        rare = np.arange(200_000, dtype=np.uint64) + np.uint64(1_000_000 * (part + 1))
        counts.add(np.concatenate([np.arange(500, dtype=np.uint64), rare]))
    kept = counts.most_frequent(500)
    assert kept.tolist() == list(range(500))

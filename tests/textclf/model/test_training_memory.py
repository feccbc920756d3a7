from __future__ import annotations

import logging

from textclf.model.training_memory import process_bytes, processes_with_room

TEXTS = ["a" * 1_000_000] * 3


def test_as_many_processes_as_fit_beside_the_one_that_starts_them():
    each = process_bytes(TEXTS)
    assert [processes_with_room(4, TEXTS, memory) for memory in (0, each, 3 * each - 1, 3 * each, 99 * each)] == [
        1,
        1,
        1,
        2,
        4,
    ]
    assert processes_with_room(1, TEXTS, 0) == 1


def test_it_is_said_only_where_memory_is_short(caplog):
    caplog.set_level(logging.INFO)
    processes_with_room(4, TEXTS, 99 * process_bytes(TEXTS))
    assert not caplog.messages
    processes_with_room(4, TEXTS, 3_000_000_000)
    assert caplog.messages == ["training in 2 of 4 processes, as each may take 0.9 GB and 3.0 GB are free"]

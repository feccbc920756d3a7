"""How many processes of a training there is memory for."""

from __future__ import annotations

import logging
from collections.abc import Collection

PROCESS_BYTES = 350_000_000
"""Of each process: libraries and dictionaries."""
FEW, CHARACTER_BYTES, MORE_CHARACTER_BYTES = 1_700, 185, 500
"""Texts whose rows, with those of their copies, are compact ones; and what each process takes for each character of so
many texts, and of more: measured by ``benchmarks/bench_training_memory.py``."""

_log = logging.getLogger(__name__)


def process_bytes(texts: Collection[str]) -> int:
    """Give the most memory that a process takes of a training on texts, in bytes."""
    return PROCESS_BYTES + (CHARACTER_BYTES if len(texts) <= FEW else MORE_CHARACTER_BYTES) * sum(map(len, texts))


def processes_with_room(jobs: int, texts: Collection[str], memory: int) -> int:
    """Give as many of `jobs` processes as fit into `memory`, in bytes, beside the one that starts them; at least 1."""
    each = process_bytes(texts)
    fitting = max(1, min(jobs, memory // each - 1))
    if fitting < jobs:
        _log.info(
            f"training in {fitting} of {jobs} processes, as each may take {each / 1e9:.1f} GB "
            f"and {memory / 1e9:.1f} GB are free"
        )
    return fitting

"""How many processes of a training there is memory for."""

from __future__ import annotations

import logging
from collections.abc import Iterable

PROCESS_BYTES = 350_000_000
"""Of each process: libraries and dictionaries."""
CHARACTER_BYTES = 185
"""Of each process, for each character of the texts: measured by ``benchmarks/bench_training_memory.py``."""

_log = logging.getLogger(__name__)


def process_bytes(characters: int) -> int:
    """Give the most memory that a process takes of a training on texts of so many characters, in bytes."""
    return PROCESS_BYTES + CHARACTER_BYTES * characters


def processes_with_room(jobs: int, texts: Iterable[str], memory: int) -> int:
    """Give as many of `jobs` processes as fit into `memory`, in bytes, beside the one that starts them; at least 1."""
    each = process_bytes(sum(map(len, texts)))
    fitting = max(1, min(jobs, memory // each - 1))
    if fitting < jobs:
        _log.info(
            f"training in {fitting} of {jobs} processes, as each may take {each / 1e9:.1f} GB "
            f"and {memory / 1e9:.1f} GB are free"
        )
    return fitting

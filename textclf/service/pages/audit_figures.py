"""What the sample of a month says of the error among accepted documents, beside the error that was promised."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import numpy as np

from textclf.library.audit import Drift, Sampled

CONFIDENCE = 0.9
"""Of the interval; each of its ends alone holds with 95 %."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Month:
    """What is known of the documents that were accepted in a month."""

    begin: datetime
    sample: int
    looked_at: int
    wrong: int
    # of the error among accepted documents; None if nobody looked at any
    interval: tuple[float, float] | None
    # mean of the maximum errors that held when they were accepted; None if none is known
    promised: float | None
    drift: Drift
    # whether all accepted documents of the month were looked at
    is_exact: bool = False

    @property
    def error(self) -> float:
        """Share of those looked at that are wrong."""
        return self.wrong / self.looked_at if self.looked_at else 0.0

    @property
    def verdict(self) -> Literal["kept", "broken", "open"]:
        """What the interval says of the promise."""
        if self.interval is None or self.promised is None:
            return "open"
        low, high = self.interval
        return "broken" if low > self.promised else "kept" if high <= self.promised else "open"


def clopper_pearson(wrong: int, documents: int) -> tuple[float, float]:
    """Give the interval of an error rate (C. J. Clopper and E. S. Pearson, Biometrika 26, 1934).

    Examples
    --------
    >>> clopper_pearson(0, 60)[0], round(clopper_pearson(0, 60)[1], 3)
    (0.0, 0.049)
    """
    # SciPy, which has it, would make the container image that only predicts a fifth larger
    log_factorials = np.cumsum(np.log(np.maximum(1, np.arange(documents + 1))))
    counts = np.arange(documents + 1)
    log_choices = log_factorials[-1] - log_factorials - log_factorials[::-1]

    def chance(share: float, of: slice) -> float:
        return float(np.exp(log_choices + counts * math.log(share) + counts[::-1] * math.log1p(-share))[of].sum())

    tail = (1 - CONFIDENCE) / 2
    low = _bisect(lambda share: chance(share, slice(wrong, None)) < tail) if wrong else 0.0
    high = _bisect(lambda share: chance(share, slice(wrong + 1)) > tail) if wrong < documents else 1.0
    return low, high


def _bisect(is_below: Callable[[float], bool]) -> float:
    """Find the share between 0 and 1 up to which it is true."""
    low, high = 0.0, 1.0
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if is_below(middle) else (low, middle)
    return (low + high) / 2


def summarise(begin: datetime, sample: Sequence[Sampled], drift: Drift, *, is_all: bool = False) -> Month:
    """Sum up a month; with `is_all`, where all accepted documents are in the sample, their error is known exactly."""
    looked_at = sum(bool(one.decided) for one in sample)
    wrong = sum(one.is_wrong for one in sample)
    is_exact = is_all and 0 < looked_at == len(sample)
    error = wrong / looked_at if looked_at else 0.0
    interval = (error, error) if is_exact else clopper_pearson(wrong, looked_at) if looked_at else None
    promises = [one.promised for one in sample if one.promised is not None]
    return Month(
        begin=begin,
        sample=len(sample),
        looked_at=looked_at,
        wrong=wrong,
        interval=interval,
        promised=sum(promises) / len(promises) if promises else None,
        drift=drift,
        is_exact=is_exact,
    )

"""What Amazon ML charges: the prices in one place, and sums made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "PRICES",
    "CostLine",
    "Prices",
    "batch_cost",
    "compute_cost",
    "realtime_cost",
    "reservation_cost",
    "total_usd",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices in US dollars.

    Parameters
    ----------
    compute_hour : float
        An hour of computing: statistics, training, evaluation.
    thousand_batch_predictions : float
        1,000 batch predictions; records that cannot be predicted are free.
    realtime_prediction : float
        One real-time prediction.
    reserved_hour : float
        An hour in which a real-time endpoint exists, for each begun 10 MB of its model.
    date : str
        When the prices were published.
    source : str
        Where.
    """

    compute_hour: float
    thousand_batch_predictions: float
    realtime_prediction: float
    reserved_hour: float
    date: str
    source: str


PRICES = Prices(
    compute_hour=0.42,
    thousand_batch_predictions=0.10,
    realtime_prediction=0.0001,
    reserved_hour=0.001,
    date="2017",
    source="amounts as published in 2017, not checked against a bill; what is charged for: "
    "https://docs.aws.amazon.com/machine-learning/latest/dg/pricing.html",
)

HOURS_PER_JOB = 880 / 3600
"""Hours of one job, where nothing better is known: the ComputeTime that the service reported for a data source of
648 KB, the one figure found in public. It is scaled processor time, not time on the clock."""

_RESERVED_STEP = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """One position of a bill.

    Parameters
    ----------
    item : str
        What is paid for.
    amount : str
        How much of it.
    usd : float
        Price.
    """

    item: str
    amount: str
    usd: float


def compute_cost(item: str, hours: float) -> CostLine:
    """Price hours of computing.

    Parameters
    ----------
    item : str
        What is computed.
    hours : float
        How long, in the service's own measure (ComputeTime).

    Returns
    -------
    CostLine

    Examples
    --------
    >>> compute_cost("training", 0.5)
    CostLine(item='training', amount='0.500 hours', usd=0.21)
    """
    return CostLine(item=item, amount=f"{hours:.3f} hours", usd=hours * PRICES.compute_hour)


def batch_cost(item: str, records: int) -> CostLine:
    """Price batch predictions.

    Parameters
    ----------
    item : str
        What is predicted.
    records : int
        How many.

    Returns
    -------
    CostLine

    Examples
    --------
    >>> batch_cost("batch prediction", 2_500)
    CostLine(item='batch prediction', amount='2,500 predictions', usd=0.25)
    """
    return CostLine(
        item=item, amount=f"{records:,} predictions", usd=records * PRICES.thousand_batch_predictions / 1_000
    )


def realtime_cost(item: str, records: int) -> CostLine:
    """Price real-time predictions.

    Parameters
    ----------
    item : str
        What is predicted.
    records : int
        How many.

    Returns
    -------
    CostLine

    Examples
    --------
    >>> realtime_cost("real-time predictions", 20_000)
    CostLine(item='real-time predictions', amount='20,000 predictions', usd=2.0)
    """
    return CostLine(item=item, amount=f"{records:,} predictions", usd=records * PRICES.realtime_prediction)


def reservation_cost(size: int, hours: float) -> CostLine:
    """Price the hours in which a real-time endpoint exists.

    Parameters
    ----------
    size : int
        Bytes of the model.
    hours : float
        How long.

    Returns
    -------
    CostLine

    Examples
    --------
    >>> reservation_cost(502_000, 24)
    CostLine(item='real-time endpoint', amount='24 hours, 10 MB', usd=0.024)
    """
    steps = max(math.ceil(size / _RESERVED_STEP), 1)
    return CostLine(
        item="real-time endpoint", amount=f"{hours:g} hours, {10 * steps} MB", usd=steps * hours * PRICES.reserved_hour
    )


def total_usd(lines: Sequence[CostLine]) -> float:
    """Add up, to the cent.

    Parameters
    ----------
    lines : sequence of CostLine

    Returns
    -------
    float

    Examples
    --------
    >>> total_usd([compute_cost("training", 1), batch_cost("batch prediction", 1_234)])
    0.54
    """
    return round(math.fsum(line.usd for line in lines), 2)

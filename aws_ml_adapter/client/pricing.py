"""What Amazon ML charges: the prices in one place, and sums made of them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Price:
    """What one unit costs.

    Parameters
    ----------
    usd : float
        US dollars.
    unit : str
        Of what.
    """

    usd: float
    unit: str

    def of(self, item: str, amount: float) -> CostLine:
        """Price an amount.

        Parameters
        ----------
        item : str
            What it is needed for.
        amount : float
            Units.

        Returns
        -------
        CostLine

        Examples
        --------
        >>> PRICES.computing.of("training", 0.5)
        CostLine(item='training', amount='0.5 hours', usd=0.21)
        """
        return CostLine(item=item, amount=f"{round(amount, 3):,.15g} {self.unit}", usd=amount * self.usd)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices of Amazon ML.

    Parameters
    ----------
    computing : Price
        Statistics, training, evaluation; hours in the service's own measure (ComputeTime).
    batch_prediction : Price
        Records that cannot be predicted are free.
    realtime_prediction : Price
        One prediction.
    endpoint : Price
        Hours in which a real-time endpoint exists, times `begun_10_mb` of its model.
    date : str
        When the prices were published.
    source : str
        Where.
    """

    computing: Price
    batch_prediction: Price
    realtime_prediction: Price
    endpoint: Price
    date: str
    source: str


PRICES = Prices(
    computing=Price(usd=0.42, unit="hours"),
    batch_prediction=Price(usd=0.10 / 1_000, unit="predictions"),
    realtime_prediction=Price(usd=0.0001, unit="predictions"),
    endpoint=Price(usd=0.001, unit="hours of 10 MB"),
    date="2017",
    source="amounts as published in 2017, not checked against a bill; what is charged for: "
    "https://docs.aws.amazon.com/machine-learning/latest/dg/pricing.html",
)

HOURS_PER_JOB = 880 / 3600
"""Hours of one job, where nothing better is known: the ComputeTime that the service reported for a data source of
648 KB, the one figure found in public. It is scaled processor time, not time on the clock."""


def begun_10_mb(size: int) -> int:
    """Say how many times 10 MB a model has begun, which an endpoint is charged by.

    Parameters
    ----------
    size : int
        Bytes of the model.

    Returns
    -------
    int
        At least 1.

    Examples
    --------
    >>> PRICES.endpoint.of("real-time endpoint", 24 * begun_10_mb(10_000_001))
    CostLine(item='real-time endpoint', amount='48 hours of 10 MB', usd=0.048)
    """
    return max(math.ceil(size / 10_000_000), 1)


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
    >>> total_usd([PRICES.computing.of("training", 1), PRICES.batch_prediction.of("batch prediction", 1_234)])
    0.54
    """
    return round(math.fsum(line.usd for line in lines), 2)

"""Hashes of many values at once."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread hashes over all 64 bits, different ones to different ones."""
    # the finaliser of SplitMix: Steele, Lea and Flood 2014, https://doi.org/10.1145/2714064.2660195
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

"""Hashes: SHA-256, in hexadecimal, of bytes, files and values that JSON can hold; and of many numbers at once."""

from __future__ import annotations

import hashlib
import json
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def hash_bytes(content: bytes) -> str:
    """Hash bytes."""
    return hashlib.sha256(content).hexdigest()


def hash_file(file: BufferedReader | BytesIO) -> str:
    """Hash what is left to read of a file."""
    return hashlib.file_digest(file, "sha256").hexdigest()


def hash_json(value: object) -> str:
    """Hash a value by its JSON, whatever the order of its keys."""
    return hash_bytes(json.dumps(value, sort_keys=True).encode())


def mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Spread hashes over all 64 bits, different ones to different ones."""
    import numpy as np

    # the finaliser of SplitMix: Steele, Lea and Flood 2014, https://doi.org/10.1145/2714064.2660195
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

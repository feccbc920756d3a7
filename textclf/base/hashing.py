"""SHA-256, in hexadecimal, of bytes, text, files and JSON values; and a mixer for arrays of 64-bit hashes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from io import BufferedReader, BytesIO
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


def hash_bytes(content: bytes) -> str:
    """Hash bytes."""
    return hashlib.sha256(content).hexdigest()


def hash_parts(parts: Iterable[bytes]) -> str:
    """Hash bytes that come in parts."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part)
    return digest.hexdigest()


def hash_text(text: str) -> str:
    """Hash text in UTF-8, lone surrogates as three bytes each."""
    return hash_bytes(text.encode("utf-8", "surrogatepass"))


def hash_file(file: BufferedReader | BytesIO) -> str:
    """Hash the rest of a file, from where it is read next."""
    return hashlib.file_digest(file, "sha256").hexdigest()


def hash_json(value: object) -> str:
    """Hash a value by its JSON; the order of keys does not matter."""
    return hash_bytes(json.dumps(value, sort_keys=True).encode())


def mix(hashes: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Mix each of some hashes over all 64 bits, one to one."""
    import numpy as np

    # the finaliser of SplitMix: Steele, Lea and Flood 2014, https://doi.org/10.1145/2714064.2660195
    mixed = (hashes ^ (hashes >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return mixed ^ (mixed >> np.uint64(31))

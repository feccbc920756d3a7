"""Margins of the unlabelled documents that a model was trained on, from models that were not trained on them.

A model repeats the category that it was trained with, right or wrong. A pile is trained on and then predicted, so its
documents are given their held-out margins.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldOut:
    """Held-out margins of some texts."""

    keys: NDArray[np.uint64]  # (n,): `text_keys`, rising
    margins: NDArray[np.float32]  # (n, k)

    def put(self, texts: Iterable[str], margins: NDArray[np.float64]) -> NDArray[np.float64]:
        """Replace the margins of those texts that are known."""
        keys = text_keys(texts)
        places = np.minimum(self.keys.searchsorted(keys), len(self.keys) - 1)
        known = self.keys[places] == keys
        return np.where(known[:, None], self.margins[places], margins)


def text_keys(texts: Iterable[str]) -> NDArray[np.uint64]:
    """Give the first 64 bits of the SHA-256 of each text."""
    digests = [sha256(text.encode("utf-8", "surrogatepass")).digest()[:8] for text in texts]
    return np.frombuffer(b"".join(digests), dtype="<u8").astype(np.uint64)


def held_out(texts: Iterable[str], margins: NDArray[np.float64]) -> HeldOut | None:
    """Keep the margins of texts; None without any."""
    keys, first = np.unique(text_keys(texts), return_index=True)
    return HeldOut(keys=keys, margins=margins[first].astype(np.float32)) if len(keys) else None

"""Hashes of whole strings, and words without punctuation."""

from __future__ import annotations

import string
import unicodedata
from functools import cache
from hashlib import blake2b

_REMEMBERED = 200_000
_MAX_REMEMBERED_LENGTH = 64


class ValueHashes(dict[str, int]):
    """Hashes of whole strings, with a cache of up to 200,000 short ones."""

    def __missing__(self, value: str) -> int:
        number = int.from_bytes(blake2b(value.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "little")
        if len(value) <= _MAX_REMEMBERED_LENGTH:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[value] = number
        return number


def strip_punctuation(text: str) -> str:
    """Strip punctuation from both ends of each word; words of only punctuation are removed."""
    punctuation = _punctuation()
    # stripping is slow because there are many punctuation characters, and few words need it
    bare = [word if word.isalnum() else word.strip(punctuation) for word in text.split()]
    return " ".join(filter(None, bare))


@cache
def _punctuation() -> str:
    # the first plane only: the others contain only punctuation of ancient scripts
    first_plane = map(chr, range(0x10000))
    return string.punctuation + "".join(char for char in first_plane if unicodedata.category(char)[0] == "P")

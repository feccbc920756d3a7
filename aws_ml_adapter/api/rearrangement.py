"""DataRearrangement: the selection of the rows of a data source."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from aws_ml_adapter.api.faults import RequestFault
from textclf.base.hashing import hash_text, mix

_TEXT_LIMIT = 100_000


class SplitStrategy(StrEnum):
    """The rule that selects the rows of a share."""

    SEQUENTIAL = "sequential"
    """Rows that begin within the share of the bytes."""
    RANDOM = "random"
    """Rows whose pseudo-random number, computed from the seed and their byte offset, is within the share."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rearrangement:
    """The share of the rows that belong to a data source, in percent, without the end; order is kept."""

    begin: int = 0
    end: int = 100
    strategy: SplitStrategy = SplitStrategy.SEQUENTIAL
    complement: bool = False
    seed: str = ""

    def keeps(self, offsets: NDArray[np.int64], *, begin: int, end: int) -> NDArray[np.bool_]:
        """Return which rows belong to the share, by their byte offsets in all files; bool, shape (n,)."""
        # sequential shares are of bytes, so that no pass over the data is needed to count rows; for random ones, the
        # service's generator is not known
        if self.strategy is SplitStrategy.RANDOM:
            percent = _random_percent(offsets, self.seed)
            kept = (percent >= self.begin) & (percent < self.end)
        else:
            place, size = (offsets - begin) * 100, end - begin
            kept = (place >= self.begin * size) & (place < self.end * size)
        return ~kept if self.complement else kept

    def to_json(self) -> str:
        """Format as in the developer guide."""
        splitting: dict[str, Any] = {
            "percentBegin": self.begin,
            "percentEnd": self.end,
            "strategy": str(self.strategy),
            "complement": self.complement,
        }
        if self.strategy is SplitStrategy.RANDOM:
            splitting["strategyParams"] = {"randomSeed": self.seed}
        return json.dumps({"splitting": splitting})


def parse_rearrangement(text: str | None) -> Rearrangement:
    """Parse a DataRearrangement in any of the spellings in use; raises `RequestFault`."""
    # byte order mark, written by editors on Windows
    text = (text or "").removeprefix("\ufeff")
    if not text.strip():
        return Rearrangement()
    content = _object(_parse(text), "the whole", {"splitting", "randomSeed"})
    splitting = _object(
        content.get("splitting", {}),
        "splitting",
        {"percentBegin", "percentEnd", "strategy", "strategyParams", "complement", "randomSeed"},
    )
    params = _object(splitting.get("strategyParams", {}), "strategyParams", {"randomSeed"})
    rearrangement = Rearrangement(
        begin=_percent(splitting, "percentBegin", 0),
        end=_percent(splitting, "percentEnd", 100),
        strategy=_strategy(splitting.get("strategy", "sequential")),
        complement=_flag(splitting.get("complement", False)),
        seed=next((_seed(part["randomSeed"]) for part in (params, splitting, content) if "randomSeed" in part), ""),
    )
    if rearrangement.begin >= rearrangement.end:
        raise _fault(f"percentBegin is {rearrangement.begin}, not less than percentEnd, {rearrangement.end}")
    return rearrangement


def _fault(what: str) -> RequestFault:
    return RequestFault(what, where="DataRearrangement")


def _parse(text: str) -> object:
    if len(text) > _TEXT_LIMIT:
        raise _fault(f"has {len(text):,} characters, more than {_TEXT_LIMIT:,}")
    try:
        content: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise _fault(f"is not JSON ({error})") from error
    return content


def _object(content: object, place: str, keys: set[str]) -> dict[str, object]:
    if not isinstance(content, dict):
        raise _fault(f"{place} is not a JSON object")
    # if a misspelt key were ignored, all rows would be selected without a warning
    unknown = min(content.keys() - keys, default=None)
    if unknown is not None:
        raise _fault(f"{place} has the unknown key '{unknown[:64]}'; the keys are {', '.join(sorted(keys))}")
    # some programs write null for a missing member
    return {key: value for key, value in content.items() if value is not None}


def _percent(splitting: dict[str, object], key: str, default: int) -> int:
    value = splitting.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1 or not 0 <= value <= 100:
        raise _fault(f"{key} is {_short(value)}, not a whole number from 0 to 100")
    return int(value)


def _strategy(value: object) -> SplitStrategy:
    try:
        return SplitStrategy(str(value))
    except ValueError:
        raise _fault(f"strategy is {_short(value)}, not {' or '.join(SplitStrategy)}") from None


def _flag(value: object) -> bool:
    flag = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(flag, bool):
        raise _fault(f"complement is {_short(value)}, not true or false")
    return flag


def _seed(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise _fault(f"randomSeed is {_short(value)}, not a string")
    return str(value)


def _short(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)[:64]


def _random_percent(offsets: NDArray[np.int64], seed: str) -> NDArray[np.float64]:
    """Return the SplitMix64 number of each offset in the sequence of the seed, scaled to [0, 100)."""
    # JSON can encode a lone surrogate, which UTF-8 cannot
    start = int.from_bytes(bytes.fromhex(hash_text(seed))[:8], "little")
    mixed = mix(np.uint64(start) + (offsets.astype(np.uint64) + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15))
    return (mixed >> np.uint64(11)).astype(np.float64) * (100 / 2**53)

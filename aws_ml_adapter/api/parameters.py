"""Amazon ML's training parameters: parsing, ranges, and formatting."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from aws_ml_adapter.api.faults import RequestFault

SIZE_RANGE = (100_000, 2_147_483_648)
PASSES_RANGE = (1, 10_000)

_SIZE, _PASSES, _SHUFFLE = "sgd.maxMLModelSizeInBytes", "sgd.maxPasses", "sgd.shuffleType"
_L1, _L2 = "sgd.l1RegularizationAmount", "sgd.l2RegularizationAmount"
_ALGORITHM = "algorithm"
_PREFIX = "sgd."
_SHUFFLE_TYPES = {"auto": True, "none": False}
_MAX_SHOWN = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """Training parameters, sizes in bytes; the defaults are those of the API, not of the console."""

    max_size: int = 33_554_432
    max_passes: int = 10
    shuffle: bool = False
    l1: float = 0.0
    l2: float = 0.0

    def to_strings(self) -> dict[str, str]:
        """Format all parameters as ``TrainingParameters`` in answers."""
        return {
            _ALGORITHM: "sgd",
            _L1: _float_text(self.l1),
            _L2: _float_text(self.l2),
            _SIZE: str(self.max_size),
            _PASSES: str(self.max_passes),
            _SHUFFLE: "auto" if self.shuffle else "none",
        }


def parse_parameters(given: Mapping[str, str]) -> Parameters:
    """Parse the ``Parameters`` of CreateMLModel, whose names may omit ``sgd.``; raises `RequestFault`."""
    defaults = Parameters()
    given = _full_names(given, defaults.to_strings().keys())
    if given.get(_ALGORITHM, "sgd").lower() != "sgd":
        raise _fault(given, _ALGORITHM, "not sgd")
    shuffle = given.get(_SHUFFLE, "none")
    if shuffle not in _SHUFFLE_TYPES:
        raise _fault(given, _SHUFFLE, "not auto or none")
    parameters = Parameters(
        max_size=_integer(given, _SIZE, SIZE_RANGE, defaults.max_size),
        max_passes=_integer(given, _PASSES, PASSES_RANGE, defaults.max_passes),
        shuffle=_SHUFFLE_TYPES[shuffle],
        l1=_amount(given, _L1, defaults.l1),
        l2=_amount(given, _L2, defaults.l2),
    )
    if parameters.l1 and parameters.l2:
        raise RequestFault(f"{_L1} and {_L2} are both above 0", remedy="give one of them only")
    return parameters


def _full_names(given: Mapping[str, str], known: Collection[str]) -> dict[str, str]:
    full: dict[str, str] = {}
    for name, value in given.items():
        whole = name if name in known else f"{_PREFIX}{name}"
        if whole not in known:
            raise RequestFault(
                f"the parameter '{name[:_MAX_SHOWN]}' is unknown", remedy=f"use {', '.join(sorted(known))}"
            )
        if whole in full:
            raise RequestFault(f"the parameter {whole} is given twice, with and without '{_PREFIX}'")
        full[whole] = value
    return full


def _integer(given: Mapping[str, str], name: str, bounds: tuple[int, int], default: int) -> int:
    if name not in given:
        return default
    text = given[name].strip()
    # int() of thousands of digits is slow, and the service does not accept digits of other scripts
    if not (text.isascii() and text.isdigit() and len(text) <= 20):
        raise _fault(given, name, "not a whole number")
    if not bounds[0] <= int(text) <= bounds[1]:
        raise _fault(given, name, f"not {bounds[0]:,} to {bounds[1]:,}")
    return int(text)


def _amount(given: Mapping[str, str], name: str, default: float) -> float:
    if name not in given:
        return default
    try:
        amount = float(given[name])
    except ValueError:
        raise _fault(given, name, "not a number") from None
    if not 0 <= amount < math.inf:
        raise _fault(given, name, "not a finite number of at least 0")
    return amount


def _fault(given: Mapping[str, str], name: str, problem: str) -> RequestFault:
    return RequestFault(f"the parameter {name} is '{given[name][:_MAX_SHOWN]}', {problem}")


def _float_text(value: float) -> str:
    mantissa, _, exponent = repr(value).partition("e")
    return f"{mantissa}e{int(exponent)}" if exponent else mantissa

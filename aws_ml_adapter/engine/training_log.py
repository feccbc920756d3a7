"""Lines of the training log in the service's format, from which programs read the metrics of each pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

_WIDTH = 27
# the service's names of metrics, where they differ from ours
_NAMES = {"f1": "f1-score", "macro-f1": "f1-score"}


class ServiceLog:
    """Writes the metrics of the leading learner after each pass."""

    def __init__(self, log: Callable[[str], object]) -> None:
        self._log = log
        self._before = math.inf
        self._last = ("", "")

    def finish_pass(self, number: int, rate: float, loss: float, figures: Mapping[str, float]) -> None:
        """Log a pass of the leading learner, whose number is counted from 1 among all learners."""
        learner = f"learner-id={number} "
        if figures:
            shown = (f"{_NAMES.get(name, name)}={_number(value)}" for name, value in figures.items())
            self._write(learner, "model-performance:", " ".join(shown))
        # the relative decrease of the loss
        delta = (self._before - loss) / self._before if 0 < self._before < math.inf else float(self._before > loss)
        self._before = loss
        self._last = (learner, f"negative-log-likelihood={loss:.6e} (delta={delta:.6e}) is-converged=")
        self._write(learner, "model-convergence:", f"{self._last[1]}no")
        self._write(learner, "model-configuration:", f"learning-rate={_number(rate)}")

    def converge(self) -> None:
        """Log that training has converged with the last pass."""
        self._write(self._last[0], "model-convergence:", f"{self._last[1]}yes")

    def _write(self, learner: str, what: str, figures: str) -> None:
        self._log(f"{learner}{what:<{_WIDTH}}{figures}")


def _number(value: float) -> str:
    """Format a number like Java."""
    return "NaN" if math.isnan(value) else repr(round(float(value), 6))

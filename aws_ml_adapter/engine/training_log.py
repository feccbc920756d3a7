"""Lines of the training log in the service's own words, which programs read for the figures of each pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

_WIDTH = 27
# names that differ from those of our own lines
_NAMES = {"f1": "f1-score", "macro-f1": "f1-score"}


class ServiceLog:
    """Writes how the leading learner does, pass by pass."""

    def __init__(self, log: Callable[[str], object]) -> None:
        self._log = log
        self._before = math.inf
        self._last = ("", "")

    def finish_pass(self, number: int, rate: float, loss: float, figures: Mapping[str, float]) -> None:
        """Log a pass of the leading learner, numbered from 1 among those that began."""
        learner = f"learner-id={number} "
        if figures:
            shown = (f"{_NAMES.get(name, name)}={_number(value)}" for name, value in figures.items())
            self._tell(learner, "model-performance:", " ".join(shown))
        # the share by which the loss has fallen
        delta = (self._before - loss) / self._before if 0 < self._before < math.inf else float(self._before > loss)
        self._before = loss
        self._last = (learner, f"negative-log-likelihood={loss:.6e} (delta={delta:.6e}) is-converged=")
        self._tell(learner, "model-convergence:", f"{self._last[1]}no")
        self._tell(learner, "model-configuration:", f"learning-rate={_number(rate)}")

    def converge(self) -> None:
        """Log that the last pass gained nothing worth another one."""
        self._tell(self._last[0], "model-convergence:", f"{self._last[1]}yes")

    def _tell(self, learner: str, what: str, figures: str) -> None:
        self._log(f"{learner}{what:<{_WIDTH}}{figures}")


def _number(value: float) -> str:
    """Return a number as Java writes it."""
    return "NaN" if math.isnan(value) else repr(round(float(value), 6))

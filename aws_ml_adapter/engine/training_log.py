"""Lines of the training log in the service's own words, which programs read for the figures of each pass."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

_WIDTH = 27
# what our own lines call otherwise
_NAMES = {"f1": "f1-score", "macro-f1": "f1-score"}


class ServiceLog:
    """Tells how the learner that leads does, pass by pass.

    Parameters
    ----------
    log : callable
        Called with each line.

    Examples
    --------
    >>> told = ServiceLog(print)
    >>> told.finish_pass(2, 10.0, 0.25, {"accuracy": 0.9, "auc": 1.0})
    learner-id=2 model-performance:         accuracy=0.9 auc=1.0
    learner-id=2 model-convergence:         negative-log-likelihood=2.500000e-01 (delta=1.000000e+00) is-converged=no
    learner-id=2 model-configuration:       learning-rate=10.0
    """

    def __init__(self, log: Callable[[str], object]) -> None:
        self._log = log
        self._before = math.inf
        self._last = ("", "")

    def finish_pass(self, number: int, rate: float, loss: float, figures: Mapping[str, float]) -> None:
        """Tell of a pass.

        Parameters
        ----------
        number : int
            Of the learner that leads, from 1 among those that began.
        rate : float
            Its learning rate.
        loss : float
            Mean negative log likelihood; of REGRESSION half the mean squared error.
        figures : mapping of str to float
            What its predictions were worth; nothing of REGRESSION.
        """
        learner = f"learner-id={number} "
        if figures:
            shown = (f"{_NAMES.get(name, name)}={_number(value)}" for name, value in figures.items())
            self._tell(learner, "model-performance:", " ".join(shown))
        # by which share the loss is smaller than before
        delta = (self._before - loss) / self._before if 0 < self._before < math.inf else float(self._before > loss)
        self._before = loss
        self._last = (learner, f"negative-log-likelihood={loss:.6e} (delta={delta:.6e}) is-converged=")
        self._tell(learner, "model-convergence:", f"{self._last[1]}no")
        self._tell(learner, "model-configuration:", f"learning-rate={_number(rate)}")

    def converge(self) -> None:
        """Tell that the last pass gained nothing worth another one."""
        self._tell(self._last[0], "model-convergence:", f"{self._last[1]}yes")

    def _tell(self, learner: str, what: str, figures: str) -> None:
        self._log(f"{learner}{what:<{_WIDTH}}{figures}")


def _number(value: float) -> str:
    """Write as Java does."""
    return "NaN" if math.isnan(value) else repr(round(float(value), 6))

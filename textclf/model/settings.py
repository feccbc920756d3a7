"""Training settings that `DocumentClassifier` and the commands share."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real

from features.feature_options import FeatureOptions
from textclf.base.errors import UsageError
from textclf.base.options import check_options, option

LEAST_SHARE, GREATEST_SHARE = 0.0001, 0.9999
"""Bounds of maximum error and confidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings(FeatureOptions):
    """Parameters of `DocumentClassifier` that a command takes too."""

    background: bool = option(
        True,
        help="Also train on texts of other kinds of paper that ship with the package, to turn such documents away.",
    )
    C: float = option(
        1.0,
        name="c",
        min=1e-6,
        max=1e6,
        help="Inverse strength of the regularisation: lower is more cautious; it rarely needs changing.",
    )
    max_error: float = option(
        0.05, min=LEAST_SHARE, max=GREATEST_SHARE, help="Maximum error among accepted documents, such as 0.05."
    )
    confidence: float = option(
        0.9, min=LEAST_SHARE, max=GREATEST_SHARE, help="Confidence that the error stays under the maximum, such as 0.9."
    )
    max_unknown: float = option(
        0.1,
        min=0.0,
        max=1.0,
        help="Maximum share of documents of unknown kinds that are accepted, as far as leaving out each category "
        "tells; 1 if there are no other kinds.",
    )
    diagnostics: bool = option(False, help="Also measure each feature group, and the learning curve.")
    random_state: int = option(
        0, name="seed", min=0, max=2**32 - 1, help="Seed. Same input, seed and versions give the same bytes."
    )

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptanceOptions:
    """What may be accepted, where a trained model is used."""

    max_error: float | None = option(
        None,
        min=LEAST_SHARE,
        max=GREATEST_SHARE,
        help="Maximum error among accepted documents, such as 0.1; by default that of training. `textclf model info` "
        "shows what each would accept.",
    )

    def __post_init__(self) -> None:
        if self.max_error is not None and not isinstance(self.max_error, Real):
            raise UsageError(f"is {self.max_error!r:.40}, not a number", where="max_error", remedy="give 0.1 or so")
        check_options(self)


DEFAULTS = TrainingSettings()

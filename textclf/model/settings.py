"""Training settings that `DocumentClassifier` and the commands share."""

from __future__ import annotations

from dataclasses import dataclass

from features.feature_options import FeatureOptions
from textclf.base.options import check_options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings(FeatureOptions):
    """Parameters of `DocumentClassifier` that a command takes too."""

    C: float = option(
        1.0,
        name="c",
        min=1e-6,
        max=1e6,
        help="Inverse strength of the regularisation: lower is more cautious; it rarely needs changing.",
    )
    max_error: float = option(
        0.05, min=0.0001, max=0.9999, help="Maximum error among accepted documents, such as 0.05."
    )
    confidence: float = option(
        0.9, min=0.0001, max=0.9999, help="Confidence that the error stays under the maximum, such as 0.9."
    )
    max_unknown: float = option(
        0.2,
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


DEFAULTS = TrainingSettings()

"""What can be chosen of a data check and of a search for settings."""

from __future__ import annotations

from dataclasses import dataclass

from textclf.base.options import check_options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """What a data check looks for."""

    threshold: float = option(0.8, min=0.01, max=1, help="How alike two texts are that count as copies, such as 0.8.")
    labels: bool = option(
        True, help="Look for labels that are likely wrong; trains models, which takes a minute or more."
    )

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """How long to search for settings."""

    minutes: float = option(5.0, min=0.01, max=100_000, help="Time for all of it.")
    candidates: int = option(0, min=0, help="Most settings to try; 0 for as many as there is time for.")

    def __post_init__(self) -> None:
        check_options(self)

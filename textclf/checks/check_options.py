"""Options of the data check and of the search for settings."""

from __future__ import annotations

from dataclasses import dataclass

from textclf.base.options import check_options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckOptions:
    """Options of a data check."""

    threshold: float = option(0.8, min=0.01, max=1, help="Least similarity of texts that count as copies, such as 0.8.")
    label_issues: bool = option(
        True, help="Look for labels that are likely wrong; trains models, which takes a minute or more."
    )

    def __post_init__(self) -> None:
        check_options(self)


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOptions:
    """Options of a search for settings."""

    minutes: float = option(5.0, min=0.01, max=100_000, help="Time for the whole search.")
    candidates: int = option(0, min=0, help="Maximum number of settings to try; 0 for no limit but the time.")

    def __post_init__(self) -> None:
        check_options(self)

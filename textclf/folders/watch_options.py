"""Options of watching."""

from __future__ import annotations

from dataclasses import dataclass

from textclf.base.options import check_options, option


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchOptions:
    """When a file is taken that arrives."""

    settle: float = option(
        3.0, min=0, max=3600, help="Seconds for which size and time of a file must not change before it is taken."
    )
    poll: float | None = option(
        None,
        min=0.1,
        max=86400,
        metavar="SECONDS",
        help="Look at the folders this often, in place of being told by the system: for network shares.",
    )

    def __post_init__(self) -> None:
        check_options(self)

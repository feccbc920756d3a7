"""The options of a worker; imports no Celery."""

from __future__ import annotations

from dataclasses import MISSING, dataclass
from pathlib import Path

from textclf.base.options import check_options, option
from textclf.service.service_options import Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerOptions:
    """The options of a worker."""

    library: Path = option(MISSING, help="Folder of the library, which the service shares with its workers.")
    database: str | None = option(
        None,
        metavar="URL",
        repr=False,
        help="Database of the library in place of its SQLite file, such as postgresql+psycopg://…; the same as that of "
        "the service.",
    )
    keep: Keep = option(
        "review", help="Which documents the library keeps, with their files: those for review, all, or none."
    )
    lease: float = option(
        30.0,
        min=1,
        max=3600,
        help="Seconds for which the worker holds a task without a sign of life; then another one may begin it.",
    )
    grace: float = option(30.0, min=0, max=3600, help="Seconds that tasks under way have left after SIGTERM.")
    metrics_port: int | None = option(
        None, min=0, max=65_535, help="Port for /metrics, /health and /ready, as of the service; 0 chooses a free one."
    )
    metrics_host: str = option("127.0.0.1", help="Address of that port; they tell nothing of documents, need no key.")

    def __post_init__(self) -> None:
        check_options(self)

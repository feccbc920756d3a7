"""The options of the service."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import MISSING, dataclass
from pathlib import Path
from typing import Literal

from textclf.base.errors import UsageError
from textclf.base.options import check_options, option

Keep = Literal["review", "all", "none"]
"""Which documents the library keeps, with the bytes that were sent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """The options of the service."""

    library: Path = option(MISSING, help="Folder of the library: models, documents for review, tasks; made if missing.")
    database: str | None = option(
        None, metavar="URL", help="Database of the library in place of its SQLite file, such as postgresql+psycopg://…"
    )
    model: Path | None = option(None, help="Model file to put on duty; if not given, the one on duty in the library.")
    host: str = option("127.0.0.1", help="Address to listen on; other than a loopback address only with --key-file.")
    port: int = option(0, min=0, max=65_535, help="Port to listen on; 0 chooses a free one.")
    key_file: Path | None = option(
        None, help="File with a key, or NAME:KEY, a line; requests must bring one as X-Api-Key or Bearer."
    )
    root: Path | None = option(None, help="Folder of which clients may name files instead of sending them.")
    s3_root: tuple[str, ...] = option(
        (), metavar="S3URI", help="s3://BUCKET/PREFIX/ of which clients may name objects; repeatable."
    )
    max_upload: int = option(200_000_000, min=1, help="Bytes of a request.")
    queue: int = option(256, min=1, help="Documents that may wait or be read for clients that wait for the result.")
    tasks: int = option(1000, min=1, help="Tasks that may wait.")
    keep: Keep = option(
        "review", help="Which documents the library keeps, with their files: those for review, all, or none."
    )
    keep_results: float = option(24.0, min=0, help="Hours for which the result of a task can be fetched.")
    grace: float = option(
        30.0, min=0, max=3600, help="Seconds that documents which are being read have left after SIGTERM."
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.key_file is None and not is_loopback(self.host):
            raise UsageError(
                f"{self.host} can be reached from other machines", remedy="give keys with --key-file, or no --host"
            )
        for uri in self.s3_root:
            if not re.fullmatch(r"s3://[^/]+/(.*/)?", uri):
                raise UsageError(f"--s3-root {uri} is not s3://BUCKET/PREFIX/", remedy="end it with a slash")


def is_loopback(host: str) -> bool:
    """Return whether an address can be reached from this machine alone."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

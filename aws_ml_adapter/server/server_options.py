"""The options of the server."""

from __future__ import annotations

import ipaddress
import math
import re
from dataclasses import MISSING, dataclass
from pathlib import Path

from textclf.base.errors import UsageError
from textclf.base.options import check_options, option

MAX_JOBS = 25
"""Maximum number of jobs at once: https://docs.aws.amazon.com/machine-learning/latest/dg/system-limits.html."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """The options of the server."""

    data_dir: Path = option(MISSING, help="Folder for all state and models; created if missing.")
    host: str = option("127.0.0.1", help="Address to listen on; other than a loopback address only with --credentials.")
    port: int = option(0, min=0, max=65_535, help="Port to listen on; 0 chooses a free one.")
    s3_root: Path | None = option(
        None, show_default="DATA_DIR/s3", help="Folder in which s3://BUCKET/KEY is BUCKET/KEY."
    )
    s3_endpoint: str | None = option(None, help="URL of S3, or of a compatible server, to use instead of a folder.")
    credentials: Path | None = option(None, help="AWS credentials file: requests must be signed with one of its keys.")
    jobs: int | None = option(
        None,
        min=1,
        max=MAX_JOBS,
        show_default="one per core",
        help="Maximum number of trainings at once, and of other jobs at once.",
    )
    rate: float = option(200.0, min=1, help="Maximum predictions per second of each real-time endpoint.")
    public_url: str | None = option(
        None, help="http://HOST:PORT under which clients reach the server, if it differs from its own."
    )
    best_answer: bool = option(False, help="Add a column bestAnswer to multiclass batch predictions.")
    allow_origins: tuple[str, ...] = option(
        (),
        name="allow_origin",
        metavar="ORIGIN",
        help="http://HOST:PORT whose pages may send requests from a browser, or *; repeatable.",
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.credentials is None and not _is_loopback(self.host):
            raise UsageError(
                f"{self.host} can be reached from other machines", remedy="give keys with --credentials, or no --host"
            )
        if not math.isfinite(self.rate):
            raise UsageError(f"--rate {self.rate} is not a number of predictions", remedy="give a finite number")
        if self.s3_root is not None and self.s3_endpoint is not None:
            raise UsageError("both --s3-root and --s3-endpoint are given", remedy="give one of them")
        if self.s3_endpoint is not None and not re.fullmatch(r"https?://[^/?#@\s]+(/\S*)?", self.s3_endpoint):
            raise UsageError(f"--s3-endpoint {self.s3_endpoint} is not a URL", remedy="write http://HOST:PORT")
        # clients drop a path: https://docs.aws.amazon.com/machine-learning/latest/APIReference/API_Predict.html
        if self.public_url is not None and not re.fullmatch(r"https?://[^/?#@\s]+", self.public_url):
            raise UsageError(f"--public-url {self.public_url} is not http://HOST:PORT", remedy="leave out the path")


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False

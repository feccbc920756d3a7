"""Options of the bridge to paperless-ngx: where it is, and what is written there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from textclf.base.errors import UsageError
from textclf.base.files import input_error
from textclf.base.options import check_options, option

TOKEN_VARIABLE, URL_VARIABLE = "PAPERLESS_TOKEN", "PAPERLESS_URL"
_MAX_SECRET = 1_000
"""Characters of a token or a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperlessOptions:
    """Where paperless-ngx is, and how long it is waited for."""

    url: str = option(
        "",
        metavar="URL",
        help=f"Address of paperless-ngx, such as http://localhost:8000; by default that in {URL_VARIABLE}.",
    )
    token_file: Path | None = option(
        None,
        metavar="FILE",
        help=f"File with the API token of a paperless-ngx user; by default the token is taken from {TOKEN_VARIABLE}.",
    )
    timeout: float = option(30.0, min=0.1, max=3_600, help="Seconds that one answer of paperless-ngx may take.")
    retries: int = option(
        3, min=0, max=20, help="How often a request is sent again when paperless-ngx is busy or cannot be reached."
    )

    def __post_init__(self) -> None:
        check_options(self)

    def address(self) -> str:
        """Give the address without a slash at its end.

        Examples
        --------
        >>> PaperlessOptions(url="https://paperless.example/archive/").address()
        'https://paperless.example/archive'
        """
        url = (self.url or os.environ.get(URL_VARIABLE, "")).strip()
        if not url:
            raise UsageError("no address of paperless-ngx", remedy=f"give --url, or set {URL_VARIABLE}")
        try:
            parts = urlsplit(url)
            known = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            known = False
        if not known or parts.username is not None or parts.query or parts.fragment:
            raise UsageError(
                "is not the address of a server, such as http://localhost:8000",
                where="url",
                remedy="give scheme, host and port alone; the token comes from a file or the environment",
            )
        return url.rstrip("/").removesuffix("/api").rstrip("/")

    def token(self) -> str:
        """Read the token from the file or the environment."""
        return read_secret(self.token_file, TOKEN_VARIABLE, "--token-file", what="token of paperless-ngx")


def read_secret(file: Path | None, variable: str, flag: str, *, what: str) -> str:
    """Read a token or a key, which no message repeats, from a file or else from the environment."""
    if file is None:
        secret, where = os.environ.get(variable, ""), variable
    else:
        where = str(file)
        try:
            with file.open(encoding="utf-8") as opened:
                secret = opened.read(_MAX_SECRET + 3)
        except (OSError, UnicodeDecodeError) as error:
            raise input_error(error if isinstance(error, OSError) else OSError("not UTF-8"), file) from None
    secret = secret.strip()
    if not secret:
        raise UsageError(f"no {what}", where=where, remedy=f"put it there, or name a file that holds it with {flag}")
    if len(secret) > _MAX_SECRET or not secret.isascii() or not secret.isprintable() or " " in secret:
        raise UsageError(f"is not a {what}", where=where, remedy="it is one line of letters and digits")
    return secret


@dataclass(frozen=True, slots=True, kw_only=True)
class FilingOptions:
    """What is written into paperless-ngx about a document; whatever is named must exist there."""

    accepted_tag: str = option("", metavar="NAME", help="Tag that documents get whose type was set.")
    review_tag: str = option("", metavar="NAME", help="Tag that documents get which a person should look at.")
    score_field: str = option(
        "", metavar="NAME", help="Custom field, of type float or text, that the score of each document is written into."
    )
    clear_inbox: bool = option(False, help="Take the inbox tags away from documents whose type was set.")
    replace: bool = option(
        False, help="Judge documents anew that have a document type or a score, and replace these where they differ."
    )

    def __post_init__(self) -> None:
        check_options(self)
        if self.review_tag and self.review_tag == self.accepted_tag:
            raise UsageError("is also the tag of accepted documents", where="review_tag", remedy="name another tag")

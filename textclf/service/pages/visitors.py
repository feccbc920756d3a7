"""Who visits a page: a name, signed into a cookie, and the language that this person reads."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from itsdangerous import BadData, URLSafeTimedSerializer

SESSION, LANGUAGE = "textclf_session", "textclf_language"
"""Names of cookies."""
MAX_AGE = 30 * 24 * 3600
"""Seconds for which somebody stays signed in."""
MAX_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The person who visits a page."""

    name: str
    language: str


class Sessions:
    """Signs the names of visitors, so that nobody who lacks the key can make a session.

    Parameters
    ----------
    secret : bytes
        Derived from the keys: with other keys everybody signs in again.
    """

    def __init__(self, secret: bytes) -> None:
        self._signer = URLSafeTimedSerializer(
            hashlib.sha256(b"textclf session" + secret).digest(),
            salt="session",
            signer_kwargs={"digest_method": hashlib.sha256},
        )

    def token(self, name: str) -> str:
        """Give the value of the cookie."""
        return str(self._signer.dumps(name))

    def name(self, token: str | None) -> str | None:
        """Give the name that a cookie stands for; None if it is not one of ours, or too old."""
        if not token:
            return None
        try:
            name = self._signer.loads(token, max_age=MAX_AGE)
        except BadData:
            return None
        return name if isinstance(name, str) and name else None


def clean_name(given: str) -> str:
    r"""Give the name that a person typed, on one line and not too long.

    Examples
    --------
    >>> clean_name("  Anna \n Rossi\x00 ")
    'Anna Rossi'
    """
    return "".join(filter(str.isprintable, " ".join(given.split())))[:MAX_NAME].strip()


def local_path(given: str) -> str:
    """Give a path of this server to go to after signing in; the first page for anything else.

    Examples
    --------
    >>> local_path("/review"), local_path("//evil.example/x"), local_path("https://evil.example")
    ('/review', '/', '/')
    """
    is_local = given.startswith("/") and not given.startswith("//") and given.isascii() and given.isprintable()
    return given if is_local and "\\" not in given else "/"

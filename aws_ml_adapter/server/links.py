"""Links that open without a signed request: whoever was given one may follow it."""

from __future__ import annotations

import hashlib
import hmac


def signature(secret: bytes, what: str) -> str:
    """Sign what a link leads to.

    Parameters
    ----------
    secret : bytes
        The server's own.
    what : str

    Returns
    -------
    str
        64 hexadecimal digits.

    Examples
    --------
    >>> is_signed(b"secret", "7", signature(b"secret", "7")), is_signed(b"secret", "8", signature(b"secret", "7"))
    (True, False)
    """
    return hmac.digest(secret, what.encode(), hashlib.sha256).hex()


def is_signed(secret: bytes, what: str, given: str) -> bool:
    """Say whether a signature is the one of `signature`, in a time that tells nothing of it."""
    return hmac.compare_digest(signature(secret, what).encode(), given.encode())

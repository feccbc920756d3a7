"""Lets pages of some origins call the server from a browser, as the service itself let all."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from textclf.base.errors import UsageError

_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/?#@\s*]+")
# names of headers and blanks between them
_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,4000}")
_EXPOSED = (
    "Date, ETag, Content-Length, Content-Range, Accept-Ranges, Last-Modified, x-amzn-RequestId, x-amz-request-id, "
    "x-amz-bucket-region"
)


class Cors:
    """Which origins may call.

    Parameters
    ----------
    origins : iterable of str
        ``scheme://host[:port]`` each, ``null``, which is what a page from a file is, or ``*`` for all.

    Raises
    ------
    textclf.base.errors.UsageError
        One of them is no origin.

    References
    ----------
    https://fetch.spec.whatwg.org/#http-cors-protocol

    Examples
    --------
    >>> cors = Cors(["http://127.0.0.1:9000"])
    >>> cors.headers({"origin": "http://127.0.0.1:9000"})["access-control-allow-origin"]
    'http://127.0.0.1:9000'
    >>> cors.headers({"origin": "http://elsewhere.example"})
    {'vary': 'Origin'}
    """

    def __init__(self, origins: Iterable[str] = ()) -> None:
        # browsers send host names in lower case
        self._origins = frozenset(origin.lower() for origin in origins)
        for origin in self._origins:
            if not _is_origin(origin):
                raise UsageError(
                    f"--allow-origin {origin} is no origin", remedy="write http://HOST:PORT, without a path, or *"
                )

    def allows(self, headers: Mapping[str, str]) -> bool:
        """Say whether a request comes from a page that may call; one that is from no page may."""
        origin = headers.get("origin")
        return origin is None or "*" in self._origins or origin.lower() in self._origins

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Give what the answer to a request needs so that its page may read it.

        Parameters
        ----------
        headers : mapping of str to str
            Of the request, names in lower case.

        Returns
        -------
        dict of str to str
        """
        # a cache must not give the answer for one page, or for none, to another
        vary = {"vary": "Origin"} if self._origins else {}
        if "origin" not in headers or not self.allows(headers):
            return vary
        return {
            "access-control-allow-origin": headers["origin"],
            "access-control-expose-headers": _EXPOSED,
            **vary,
        }

    def preflight(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Give what the answer to a browser's question needs, whether a page may call.

        The headers that a page may send are those that it asks for: of an origin that may call, none does harm.

        Parameters
        ----------
        headers : mapping of str to str
            Of the question, names in lower case.

        Returns
        -------
        dict of str to str
            Besides `headers`; empty if the page may not.
        """
        if "origin" not in headers or not self.allows(headers):
            return {}
        asked = headers.get("access-control-request-headers", "")
        answer = {"access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE", "access-control-max-age": "3600"}
        if _NAMES.fullmatch(asked):
            answer["access-control-allow-headers"] = asked
        # a page from elsewhere that asks for something on the user's own machine
        if headers.get("access-control-request-private-network") == "true":
            answer["access-control-allow-private-network"] = "true"
        return answer


def _is_origin(text: str) -> bool:
    try:
        port = urlsplit(text).port
    except ValueError:
        return False
    return port != 0 and bool(_ORIGIN.fullmatch(text))

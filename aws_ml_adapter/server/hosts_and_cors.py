"""Checks of a request's Host and Origin headers: the server's own names, and cross-origin resource sharing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from textclf.base.errors import UsageError

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9a-f:.]{2,45}\](:\d{1,5})?")
# names below localhost always resolve to this machine: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
_LOOPBACK = re.compile(r"(([A-Za-z0-9._-]+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_ORIGIN = re.compile(r"\*|null|[a-z][a-z0-9+.-]*://[^/?#@\s*]+")
# names of headers, separated by commas and spaces
_NAMES = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~, -]{1,4000}")
_EXPOSED = (
    "Date, ETag, Content-Length, Content-Range, Accept-Ranges, Last-Modified, x-amzn-RequestId, x-amz-request-id, "
    "x-amz-bucket-region"
)


class Hosts:
    """The host names of the server: loopback names, and that of the public URL, if there is one."""

    def __init__(self, public_url: str | None = None) -> None:
        self._public_url = public_url
        self._public = urlsplit(public_url).netloc.lower() if public_url else None
        names = ["localhost"] + ([re.escape(self._public.partition(":")[0])] if self._public else [])
        self._with_bucket = re.compile(rf"([A-Za-z0-9._-]+)\.(?:{'|'.join(names)})(?::\d{{1,5}})?", re.IGNORECASE)

    def is_known(self, host: str) -> bool:
        """Return whether a Host header names this server; this prevents DNS rebinding."""
        return bool(_LOOPBACK.fullmatch(host)) or (
            self._public is not None and (host.lower() == self._public or self.bucket(host) is not None)
        )

    def bucket(self, host: str) -> str | None:
        """Return the bucket that a host name starts with in S3's virtual-hosted style; None if there is none."""
        if self._public is not None and host.lower() == self._public:
            return None
        found = self._with_bucket.fullmatch(host)
        return found[1] if found else None

    def base_url(self, headers: Mapping[str, str], scheme: str, server: tuple[str, int]) -> str:
        """Return the scheme, host and port under which a request reached the server."""
        if self._public_url is not None:
            return self._public_url
        scheme = headers.get("x-forwarded-proto", scheme)
        host = headers.get("host", "")
        if scheme not in ("http", "https") or not _HOST.fullmatch(host):
            scheme, host = "http", "{}:{}".format(*server)
        return f"{scheme}://{host}"


class Cors:
    """Allows pages of some origins to send requests from a browser: https://fetch.spec.whatwg.org/#http-cors-protocol.

    An origin is ``scheme://host[:port]``, ``null`` (a page opened from a file) or ``*`` (any).
    """

    def __init__(self, origins: Iterable[str] = ()) -> None:
        # browsers send host names in lower case
        self._origins = frozenset(origin.lower() for origin in origins)
        for origin in self._origins:
            if not _is_origin(origin):
                raise UsageError(
                    f"--allow-origin {origin} is not an origin", remedy="write http://HOST:PORT, without a path, or *"
                )

    def allows(self, headers: Mapping[str, str]) -> bool:
        """Return whether a request comes from an allowed origin, or from no web page at all."""
        origin = headers.get("origin")
        return origin is None or "*" in self._origins or origin.lower() in self._origins

    def headers(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the response headers that let an allowed page read the answer."""
        # a cache must not serve the answer for one origin to another
        vary = {"vary": "Origin"} if self._origins else {}
        if "origin" not in headers or not self.allows(headers):
            return vary
        return {"access-control-allow-origin": headers["origin"], "access-control-expose-headers": _EXPOSED, **vary}

    def preflight(self, headers: Mapping[str, str]) -> dict[str, str]:
        """Return the further headers of the answer to a preflight request; none if the origin is not allowed.

        An allowed origin may send all headers that it asks for.
        """
        if "origin" not in headers or not self.allows(headers):
            return {}
        asked = headers.get("access-control-request-headers", "")
        answer = {"access-control-allow-methods": "GET, HEAD, POST, PUT, DELETE", "access-control-max-age": "3600"}
        if _NAMES.fullmatch(asked):
            answer["access-control-allow-headers"] = asked
        # the page is from a public address, and this server on a private one
        if headers.get("access-control-request-private-network") == "true":
            answer["access-control-allow-private-network"] = "true"
        return answer


def _is_origin(text: str) -> bool:
    try:
        port = urlsplit(text).port
    except ValueError:
        return False
    return port != 0 and bool(_ORIGIN.fullmatch(text))

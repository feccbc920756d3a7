"""Under which names the server answers, and which bucket of S3 a name has in front."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

_HOST = re.compile(r"[A-Za-z0-9._-]{1,253}(:\d{1,5})?|\[[0-9a-f:.]{2,45}\](:\d{1,5})?")
# names below localhost are this machine's alone: https://www.rfc-editor.org/rfc/rfc6761#section-6.3
_LOOPBACK = re.compile(r"(([A-Za-z0-9._-]+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])(:\d{1,5})?", re.IGNORECASE)


class Hosts:
    """Names of the server.

    Parameters
    ----------
    public_url : str, optional
        Under which clients reach the server, if it is not the one that their requests name.

    Examples
    --------
    >>> hosts = Hosts("https://ml.example")
    >>> hosts.is_known("127.0.0.1:8080"), hosts.is_known("ml.example"), hosts.is_known("elsewhere.example")
    (True, True, False)
    >>> hosts.bucket("shop.localhost:8080"), hosts.bucket("shop.ml.example"), hosts.bucket("localhost")
    ('shop', 'shop', None)
    """

    def __init__(self, public_url: str | None = None) -> None:
        self._public_url = public_url
        self._public = urlsplit(public_url).netloc.lower() if public_url else None
        public_names = [re.escape(self._public.partition(":")[0])] if self._public else []
        names = "|".join(["localhost", *public_names])
        self._with_bucket = re.compile(rf"([A-Za-z0-9._-]+)\.(?:{names})(?::\d{{1,5}})?", re.IGNORECASE)

    def is_known(self, host: str) -> bool:
        """Say whether this is a name of this machine itself, or of the public URL.

        A page in a browser that had its own name point here would ask under that name.
        """
        return bool(_LOOPBACK.fullmatch(host)) or self._is_public(host)

    def bucket(self, host: str) -> str | None:
        """Give the bucket in front of a name, as S3's virtual-hosted style has it; None if there is none."""
        if self._public is not None and host.lower() == self._public:
            return None
        found = self._with_bucket.fullmatch(host)
        return found[1] if found else None

    def base_url(self, headers: Mapping[str, str], scheme: str, server: tuple[str, int]) -> str:
        """Give scheme, host and port under which a request reached the server.

        Parameters
        ----------
        headers : mapping of str to str
            Names in lower case.
        scheme : str
            Of the connection.
        server : tuple of str and int
            Its address.

        Returns
        -------
        str
        """
        if self._public_url is not None:
            return self._public_url
        scheme = headers.get("x-forwarded-proto", scheme)
        host = headers.get("host", "")
        if scheme not in ("http", "https") or not _HOST.fullmatch(host):
            scheme, host = "http", "{}:{}".format(*server)
        return f"{scheme}://{host}"

    def _is_public(self, host: str) -> bool:
        if self._public is None:
            return False
        bucket = self.bucket(host)
        return host.lower() == self._public or bucket is not None

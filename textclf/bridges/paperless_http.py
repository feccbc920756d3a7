"""Requests to paperless-ngx, with bounds on time, size and repetition."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

from textclf.base.errors import ExitCode, TextclfError
from textclf.bridges.paperless_options import PaperlessOptions

_log = logging.getLogger(__name__)

VERSIONS = (10, 9)
"""Versions of the API in which all that is asked for here is the same; the first that the server knows is used."""
MAX_ANSWER = 64 * 2**20
"""Bytes of an answer in JSON."""
FIRST_WAIT, LONGEST_WAIT = 0.5, 60.0
"""Seconds before the first repetition, and at most."""
_BUSY = {429, 500, 502, 503, 504}
_REDIRECTS = {301, 302, 303, 307, 308}
_SHOWN = 200
"""Characters of an answer that a message repeats."""


class PaperlessError(TextclfError):
    """paperless-ngx refused a request, cannot be reached, or answered with something else."""

    code = "paperless"
    exit_code = ExitCode.SERVICE


class GoneError(PaperlessError):
    """What was asked for is not there, or the user of the token may not see it."""


class InvalidError(PaperlessError):
    """A change that paperless-ngx did not take, as when a document type was deleted in between."""


class _PassingError(Exception):
    """A failure after which the same request may succeed; with the seconds that the server asks to wait."""

    def __init__(self, what: str, wait: float = 0.0) -> None:
        super().__init__(what)
        self.wait = wait


class PaperlessHttp:
    """A connection to paperless-ngx; a context manager.

    Parameters
    ----------
    options : PaperlessOptions
        Address, token, timeout and repetitions.
    deadline : float, optional
        Value of `clock` after which nothing is waited for any more.
    """

    def __init__(
        self,
        options: PaperlessOptions,
        *,
        deadline: float | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.address = options.address()
        self._secret = options.token()
        self._options, self._deadline, self._sleep, self._clock = options, deadline, sleep, clock
        self._version = VERSIONS[0]
        self._http = httpx.Client(
            headers={"Authorization": f"Token {self._secret}"}, timeout=options.timeout, follow_redirects=False
        )

    def __enter__(self) -> PaperlessHttp:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def json(self, method: str, path: str, body: object = None) -> Any:
        """Send a request, with a body in JSON if it has one, and give the JSON of the answer."""

        def read(answer: httpx.Response, end: float) -> Any:
            content = b"".join(self._parts(answer, end, MAX_ANSWER))
            kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
            if kind != "application/json":
                raise PaperlessError(
                    f"answered with {kind or 'an unknown type'} instead of JSON",
                    where=self.address,
                    remedy="check that --url is the address of paperless-ngx itself, without what follows it",
                )
            try:
                return json.loads(content)
            except (ValueError, RecursionError):
                raise _PassingError("answered with JSON that is incomplete or damaged") from None

        return self._send(method, path, read, body=body)

    def download(self, path: str, target: Path, *, limit: int) -> None:
        """Write what is at a path to a file."""

        def save(answer: httpx.Response, end: float) -> None:
            with target.open("wb") as file:
                for part in self._parts(answer, end, limit):
                    file.write(part)

        self._send("GET", path, save, accept="*/*")

    def _send(
        self,
        method: str,
        path: str,
        read: Callable[[httpx.Response, float], Any],
        *,
        body: object = None,
        accept: str = "application/json",
    ) -> Any:
        """Send a request, repeat it if that may help, and give what `read` makes of the answer.

        Every change that is made here may be sent twice.
        """
        wait, attempts = FIRST_WAIT, 0
        while True:
            attempts += 1
            try:
                return self._attempt(method, path, read, body, accept)
            except _PassingError as error:
                pause = min(max(wait, error.wait), LONGEST_WAIT)
                late = self._deadline is not None and self._clock() + pause >= self._deadline
                if attempts > self._options.retries or late:
                    times = "once" if attempts == 1 else f"{attempts} times"
                    raise PaperlessError(
                        f"{error} (asked {times})", where=self.address, remedy="check that it runs, and try again"
                    ) from None
                _log.debug(f"{self.address}: {error}; asked again in {pause:g} s")
                self._sleep(pause)
                wait *= 2

    def _attempt(
        self, method: str, path: str, read: Callable[[httpx.Response, float], Any], body: object, accept: str
    ) -> Any:
        seconds = self._options.timeout
        if self._deadline is not None:
            seconds = max(min(seconds, self._deadline - self._clock()), 0.001)
        end = self._clock() + seconds
        headers = {"Accept": f"{accept}; version={self._version}"}
        try:
            with self._http.stream(
                method, f"{self.address}/api/{path}", json=body, headers=headers, timeout=seconds
            ) as answer:
                if answer.status_code == 406 and self._version != VERSIONS[-1]:
                    self._version = VERSIONS[VERSIONS.index(self._version) + 1]
                    return self._attempt(method, path, read, body, accept)
                self._check(answer, end)
                return read(answer, end)
        except httpx.TimeoutException:
            raise _PassingError(f"did not answer within {seconds:g} seconds") from None
        except httpx.TransportError as error:
            raise _PassingError(f"cannot be reached ({self._clean(str(error)) or type(error).__name__})") from None
        except (httpx.InvalidURL, httpx.DecodingError) as error:
            raise unexpected(f"what cannot be decoded ({self._clean(str(error))})") from None

    def _parts(self, answer: httpx.Response, end: float, limit: int) -> Iterator[bytes]:
        """Read an answer in parts; the whole may take no longer than one answer, however slowly it drips."""
        size = 0
        for part in answer.iter_bytes():
            size += len(part)
            if size > limit:
                raise PaperlessError(f"answered with more than {limit:,} bytes", where=self.address)
            if self._clock() > end:
                raise _PassingError("did not finish its answer in time")
            yield part

    def _check(self, answer: httpx.Response, end: float) -> None:
        """Raise an error that says what to do for any status but success."""
        status = answer.status_code
        if answer.is_success:
            return
        if status in _BUSY:
            raise _PassingError(f"answered with status {status}", _seconds(answer.headers.get("retry-after", "")))
        if status in _REDIRECTS:
            place = self._clean(answer.headers.get("location", ""))
            raise PaperlessError(
                f"sends elsewhere (status {status}, to {place or 'nowhere'})",
                where=self.address,
                remedy="give the address that it names, up to /api, as --url",
            )
        detail = self._clean(b"".join(self._parts(answer, end, MAX_ANSWER)).decode("utf-8", "replace"))
        kinds: dict[int, tuple[type[PaperlessError], str]] = {
            400: (InvalidError, "look at its message"),
            401: (PaperlessError, "make a token in its profile, and put it into --token-file"),
            403: (PaperlessError, "give the user of the token permission to view and change documents, types and tags"),
            404: (GoneError, "it was deleted, or the user of the token may not see it"),
            406: (PaperlessError, f"it needs a version with API {' or '.join(map(str, VERSIONS))}: update it"),
        }
        kind, remedy = kinds.get(status, (PaperlessError, "look at its log"))
        raise kind(f"answered with status {status}: {detail}", where=self.address, remedy=remedy)

    def _clean(self, text: str) -> str:
        """Give the beginning of what the server said, on one line and without the token."""
        words = " ".join(text[: 20 * _SHOWN].replace(self._secret, "***").split())
        return words if len(words) <= _SHOWN else f"{words[:_SHOWN]}…"


def _seconds(value: str) -> float:
    """Read the seconds of a Retry-After; 0 for a date, which no answer of paperless-ngx has."""
    return float(value) if value.strip().isdigit() and len(value) < 10 else 0.0


def unexpected(what: str) -> PaperlessError:
    """Make the error for an answer of another shape."""
    return PaperlessError(
        f"answered with {what}", where="paperless-ngx", remedy="check that --url is that of paperless-ngx"
    )

"""Reads an object of S3, and never takes a part of it for the whole."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any


class S3Stream(io.BufferedReader):
    """A boto3 body as a stream that raises ``fault(error)`` where it was cut short."""

    def __init__(self, body: Any, errors: tuple[type[Exception], ...], fault: Callable[[Exception], Exception]) -> None:
        super().__init__(_Body(body, errors, fault))


class _Body(io.RawIOBase):
    def __init__(self, body: Any, errors: tuple[type[Exception], ...], fault: Callable[[Exception], Exception]) -> None:
        from urllib3.exceptions import HTTPError

        self._body = body
        self._errors: tuple[type[Exception], ...] = (*errors, HTTPError, OSError)
        self._fault = fault

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            content: bytes = self._body.read(len(buffer))
        except self._errors as error:
            raise self._fault(error) from error
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._body.close()
        super().close()

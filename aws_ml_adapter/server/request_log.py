"""The log of requests: a line for each, without what it holds."""

from __future__ import annotations

import asyncio
import logging
import time
from logging.handlers import RotatingFileHandler
from pathlib import Path

_BYTES, _FILES = 32 * 2**20, 3
_DELAY = 0.05
"""Seconds for which lines are collected: writing each by itself would take a tenth of the time of a prediction."""


class RequestLog:
    """Lines in a file that begins anew at 32 MiB, beside the last three; they are written by the event loop."""

    def __init__(self, path: Path) -> None:
        self._handler = RotatingFileHandler(path, maxBytes=_BYTES, backupCount=_FILES, encoding="utf-8")
        self._lines: list[str] = []
        self._second, self._clock = 0, ""

    def add(self, line: str) -> None:
        """Add a line, after the time in UTC."""
        second, rest = divmod(time.time_ns(), 10**9)
        if second != self._second:
            self._second, self._clock = second, time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(second))
        if not self._lines:
            asyncio.get_running_loop().call_later(_DELAY, self._write)
        self._lines.append(f"{self._clock},{rest // 10**6:03d} {line}")

    def close(self) -> None:
        """Write what is left."""
        self._write()
        self._handler.close()

    def _write(self) -> None:
        if self._lines:
            lines, self._lines = "\n".join(self._lines), []
            self._handler.handle(logging.LogRecord("", logging.INFO, "", 0, lines, None, None))

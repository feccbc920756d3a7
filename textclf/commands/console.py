"""Output on a terminal: results on stdout; messages and progress on stderr."""

from __future__ import annotations

import codecs
import errno
import io
import json
import logging
import math
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from textclf.base.log_context import bound_ids

if TYPE_CHECKING:
    from ocr.batch import Progress

_log = logging.getLogger(__name__)

_EVERY = 5.0
"""Seconds between lines where stderr is not a terminal."""


def escaped(text: str) -> str:
    """Escape control characters as JSON does, so that JSON on one line keeps its meaning."""
    return "".join(c if c.isprintable() or c == "\t" else json.dumps(c)[1:-1] for c in text)


def print_lines(*lines: str) -> None:
    """Print results to stdout, escaped."""
    for line in lines:
        print(escaped(line), flush=True)  # noqa: T201


def print_json(value: object) -> None:
    """Print JSON to stdout, indented."""
    print_lines(*json.dumps(value, ensure_ascii=False, indent=1).split("\n"))


def prepare_streams() -> None:
    """Make stdout and stderr printable in any encoding, and also if they are closed."""
    # characters that the encoding lacks are escaped as in JSON, so that JSON stays valid
    codecs.register_error("textclf", _replacement)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="textclf")
    # Python sets them to None if the descriptor was closed
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115 - as long as the program


def _replacement(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    return json.dumps(error.object[error.start : error.end])[1:-1], error.end


class _Closed(io.TextIOBase):
    """A closed stdout: writing to it is an error, not having it is none."""

    def writable(self) -> bool:
        return True

    def write(self, _text: str, /) -> int:
        raise OSError(errno.EBADF, "it is closed")


class _Handler(logging.Handler):
    """Shows log messages on stderr; at level DEBUG with the seconds since the command began."""

    began = 0.0

    as_json = False

    def emit(self, record: logging.LogRecord) -> None:
        if self.as_json:
            self._emit_json(record)
            return
        message, since = self.format(record), ""
        if record.levelno >= logging.ERROR:
            message = f"error: {message}"
        else:
            if record.levelno >= logging.WARNING:
                message = f"warning: {message}"
            if self.level <= logging.DEBUG:
                since = f"[{time.monotonic() - self.began:7.2f} s] "
        # a closed stderr must not stop the work
        with suppress(OSError):
            for line in message.split("\n"):
                print(escaped(since + line), file=sys.stderr, flush=True)  # noqa: T201

    def _emit_json(self, record: logging.LogRecord) -> None:
        said = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
            **bound_ids(),
        }
        if record.exc_info:
            said["exception"] = logging.Formatter().formatException(record.exc_info)
        with suppress(OSError):
            print(json.dumps(said), file=sys.stderr, flush=True)  # noqa: T201


_HANDLER = _Handler()
_LOGGERS = [logging.getLogger(package) for package in ("ocr", "features", "textclf", "aws_ml_adapter")]


_OTHERS = [logging.getLogger(package) for package in ("amqp", "asyncio", "celery", "kombu", "opentelemetry", "uvicorn")]
"""Libraries of long-running programs whose warnings are shown, too."""


@contextmanager
def show_log() -> Iterator[None]:
    """Show log messages of our packages on stderr, from level INFO."""
    set_log_level(logging.INFO)
    for logger in _LOGGERS:
        logger.addHandler(_HANDLER)
    try:
        yield
    finally:
        set_log_level(logging.NOTSET)
        _HANDLER.as_json = False
        for logger in (*_LOGGERS, *_OTHERS):
            logger.removeHandler(_HANDLER)


def set_log_format(log_format: Literal["text", "json"], *, others: bool = False) -> None:
    """Set how log messages are shown and, with `others`, show also the warnings of libraries."""
    _HANDLER.as_json = log_format == "json"
    for logger in _OTHERS if others else ():
        logger.addHandler(_HANDLER)


def set_log_level(level: int) -> None:
    """Set the lowest level of log messages that are shown; times count from now on."""
    _HANDLER.began = time.monotonic()
    _HANDLER.setLevel(level)
    for logger in _LOGGERS:
        logger.setLevel(level)


def log_level() -> int:
    """Give the lowest level of log messages that are shown."""
    return _HANDLER.level


@contextmanager
def show_reading() -> Iterator[Callable[[Progress], None]]:
    """Show the progress of reading: a live display on a terminal, a line every few seconds elsewhere."""
    # details of each document would disrupt a live display
    if not sys.stderr.isatty() or log_level() != logging.INFO:
        yield _lines()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("[bold]reading"),
        BarColumn(bar_width=30),
        MofNCompleteColumn(),
        TextColumn("documents · {task.fields[pages]} pages · {task.fields[speed]} · {task.fields[eta]}"),
        TimeElapsedColumn(),
        TextColumn("[red]{task.fields[failures]}[/red] [dim]{task.fields[current]}"),
    )
    pace = _Pace()
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None, pages=0, speed="", eta="", failures="", current="")

        def update(progress: Progress) -> None:
            from rich.markup import escape

            pace.update(progress)
            bar.update(
                task,
                completed=progress.documents_done,
                total=progress.documents_total,
                pages=progress.pages_done,
                speed=f"{pace.speed:.1f} pages/s",
                eta=f"{_clock(pace.left)} left" if pace.left is not None else "",
                failures=f"{progress.failures} incomplete" if progress.failures else "",
                current=escape(" ".join(progress.current)[:60]),
            )

        yield update


def _lines() -> Callable[[Progress], None]:
    pace = _Pace()
    last = time.monotonic()

    def update(progress: Progress) -> None:
        nonlocal last
        pace.update(progress)
        finished = progress.documents_done == progress.documents_total
        if time.monotonic() < (last if finished else last + _EVERY):
            return
        # the end may be reported several times, its line is shown once
        last = math.inf if finished else time.monotonic()
        left = f", {_clock(pace.left)} left" if pace.left and not finished else ""
        failures = f", {progress.failures} incomplete" if progress.failures else ""
        at = f" ({', '.join(progress.current)})" if progress.current and not finished else ""
        _log.info(
            f"read {progress.documents_done} of {progress.documents_total} documents, {progress.pages_done} pages, "
            f"{pace.speed:.1f} pages/s{left}{failures}{at}"
        )

    return update


class _Pace:
    """Pages per second, and the seconds left at that speed."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.speed = 0.0
        self.left: float | None = None

    def update(self, progress: Progress) -> None:
        seconds = max(time.monotonic() - self.started, 1e-6)
        self.speed = progress.pages_done / seconds
        if progress.documents_done and progress.pages_done:
            # documents not yet opened are assumed to have as many pages as the finished ones
            expected = progress.pages_done * progress.documents_total / progress.documents_done
            expected = max(expected, float(progress.pages_known))
            self.left = max(0.0, expected - progress.pages_done) / self.speed


@contextmanager
def show_rows(what: str, total: int | None = None) -> Iterator[Callable[[int], None]]:
    """Show the number of rows done, and the time left if their total is known."""
    started = last = time.monotonic()
    count, began, first = 0, 0.0, 0

    def update(rows: int) -> None:
        nonlocal last, count, began, first
        count = rows
        if not began:
            # what is prepared before the first row says nothing about the speed
            began = last = time.monotonic()
            first = rows
        elif time.monotonic() - last >= _EVERY:
            last = time.monotonic()
            speed = (rows - first) / (last - began)
            of, left = ("", "") if total is None else (f" of {total:,}", f", {_clock((total - rows) / speed)} left")
            _log.info(f"{what} {rows:,}{of} documents, {speed:,.0f} per second{left}")

    yield update
    _log.info(f"{what} {count:,} documents in {time.monotonic() - started:.1f} s")


def _clock(seconds: float | None) -> str:
    minutes, rest = divmod(round(seconds or 0), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"

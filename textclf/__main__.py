"""The console command; what takes time to import is imported where signals are already heard."""

from __future__ import annotations

import gc
import os
import signal
import sys
from contextlib import suppress
from importlib import import_module
from typing import TYPE_CHECKING, NoReturn

from textclf.base.program import TEXTCLF, Program, Stopped

if TYPE_CHECKING:
    from types import FrameType


def main() -> None:
    """Run the command line and exit."""
    start(TEXTCLF)


def start(program: Program) -> NoReturn:
    """Run a command line as a process that signals may end, and exit."""
    # what is imported and loaded stays, and to look through it for garbage again and again takes a tenth of the start
    gc.set_threshold(50_000, 20, 20)
    # a closed standard descriptor would be reused for the next file, which would then receive printed output
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)

    def stop_at_once(number: int, _frame: FrameType | None) -> NoReturn:
        with suppress(OSError):
            os.write(2, f"{program.stopped}\n".encode())
        os._exit(128 + number)

    handlers = {"SIGINT": signal.default_int_handler, "SIGHUP": _stop, "SIGTERM": _stop}
    numbers = {getattr(signal, name): handler for name, handler in handlers.items() if hasattr(signal, name)}
    # nohup ignores SIGHUP
    heard = {number: handler for number, handler in numbers.items() if signal.getsignal(number) != signal.SIG_IGN}
    for number in heard:
        # a module that is being imported may swallow an exception, or make another of it; nothing is to be cleaned up
        signal.signal(number, stop_at_once)
    from textclf.commands.running import run

    # of which `run` tells
    with suppress(ImportError):
        import_module(program.module)
    try:
        for number, handler in heard.items():
            signal.signal(number, handler)
        code = run(program=program)
    # just before or after `run` expects it
    except KeyboardInterrupt:
        stop_at_once(signal.SIGINT, None)
    try:
        sys.stderr.flush()
    except (AttributeError, OSError):
        # nobody hears what was said, which is no failure: Python would try again at its end, and exit with 120
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    sys.exit(code)


def _stop(number: int, _frame: FrameType | None) -> NoReturn:
    raise Stopped(128 + number)


if __name__ == "__main__":
    main()

"""What is to be known of a command line before its modules are imported, and while it is stopped."""

from __future__ import annotations

from typing import NamedTuple


class Program(NamedTuple):
    """A command line: name, module of its ``app``, message after Ctrl-C, and packages that it needs."""

    name: str
    module: str
    when_stopped: str
    packages: tuple[str, ...] = ()

    @property
    def stopped(self) -> str:
        """The line that says that it was stopped."""
        return f"stopped; {self.when_stopped}: run the command again"


class Stopped(SystemExit):
    """A signal asked the program to end; as an exception it lets everything be cleaned up."""


TEXTCLF = Program(
    "textclf",
    "textclf.commands",
    "no file is half written; pages that were read are in the cache unless it is turned off",
)

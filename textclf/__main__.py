"""The console command: runs `textclf.cli`, and turns every error into one line and an exit code."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import NamedTuple

from textclf.console import say
from textclf.errors import ExitCode, TextclfError

__all__ = ["Program", "main", "run"]


class Program(NamedTuple):
    """A command line: its name, the module that holds its ``app``, and what to say after Ctrl-C."""

    name: str
    module: str
    after_a_stop: str


TEXTCLF = Program("textclf", "textclf.cli", "nothing is half written, and pages that were read are in the cache")


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None, program: Program = TEXTCLF) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; ``sys.argv`` if not given.
    program : Program
        Which command line.

    Returns
    -------
    int
        The exit code; see `textclf.errors.ExitCode`.
    """
    try:
        return _invoke(sys.argv[1:] if arguments is None else arguments, program)
    except TextclfError as error:
        say(f"error: {error}")
        return int(error.exit_code)
    except KeyboardInterrupt:
        say(f"stopped; {program.after_a_stop}: run the command again")
        return int(ExitCode.INTERRUPTED)
    except BrokenPipeError:
        # whoever read our output has seen enough; Python must not complain when it flushes at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    # the boundary: no traceback is ever shown to a user
    except Exception as error:
        if os.environ.get("TEXTCLF_DEBUG"):
            raise
        say(
            f"error: a fault of {program.name} itself ({type(error).__name__}: {error}); "
            "set TEXTCLF_DEBUG=1 and report what it shows"
        )
        return int(ExitCode.INTERNAL)


def _invoke(arguments: Sequence[str], program: Program) -> int:
    from typer.exceptions import Exit, TyperException
    from typer.main import get_command

    app = import_module(program.module).app

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a name that the terminal's encoding cannot say must not end a batch
            stream.reconfigure(errors="backslashreplace")
    try:
        # not by calling the app, which makes exits of its own out of Ctrl-C, a closed pipe and EOFError
        with get_command(app).make_context(program.name, list(arguments)) as context:
            context.command.invoke(context)
    except Exit as error:
        return int(error.exit_code)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error, file=sys.stderr)  # noqa: T201
            return int(ExitCode.USAGE)
        # the library's usage errors know how to say themselves, with the option's name
        message = getattr(error, "format_message", error.__str__)()
        say(f"error: {' '.join(message.split()).rstrip('.')}; `{program.name} COMMAND --help` lists the options")
        return int(ExitCode.USAGE)
    return int(ExitCode.OK)


if __name__ == "__main__":
    main()

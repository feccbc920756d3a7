"""The console command: runs `textclf.cli`, and turns every error into one line and an exit code."""

from __future__ import annotations

import io
import os
import sys
import traceback
from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import NamedTuple

from textclf.console import Verbosity, complain, say, set_verbosity, verbosity
from textclf.errors import ExitCode, MissingProgramError, TextclfError

__all__ = ["TEXTCLF", "Program", "main", "run"]


class Program(NamedTuple):
    """A command line: its name, the module that holds its ``app``, what to say after Ctrl-C, and what it needs."""

    name: str
    module: str
    after_a_stop: str
    packages: tuple[str, ...] = ()


EXTRAS = {
    "boto3": "aws",
    "botocore": "aws",
    "distributed": "dask",
    "httptools": "serve",
    "sqlalchemy": "databases",
    "uvicorn": "serve",
    "uvloop": "serve",
}
"""Packages that only an extra of the installation brings."""

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
    set_verbosity(Verbosity.NORMAL)
    try:
        return _invoke(sys.argv[1:] if arguments is None else arguments, program)
    except TextclfError as error:
        complain(str(error))
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
        if isinstance(error, ModuleNotFoundError) and (package := (error.name or "").partition(".")[0]) in EXTRAS:
            complain(str(_missing(package)))
            return int(ExitCode.MISSING_PROGRAM)
        if os.environ.get("TEXTCLF_DEBUG"):
            raise
        if verbosity() is Verbosity.VERBOSE:
            traceback.print_exc()
        complain(
            f"a fault of {program.name} itself ({type(error).__name__}: {error}); "
            "run it again with --verbose and report what it shows"
        )
        return int(ExitCode.INTERNAL)


def _missing(package: str) -> MissingProgramError:
    return MissingProgramError(f"{package} is not installed", remedy=f"pip install 'textclf[{EXTRAS[package]}]'")


def _invoke(arguments: Sequence[str], program: Program) -> int:
    from typer.exceptions import Exit, TyperException
    from typer.main import get_command

    command = get_command(import_module(program.module).app)
    variable = f"_{program.name.upper().replace('-', '_')}_COMPLETE"
    if instruction := os.environ.get(variable):
        from typer.completion import shell_complete

        return shell_complete(command, {}, program.name, variable, instruction)

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # a name that the terminal's encoding cannot say must not end a batch
            stream.reconfigure(errors="backslashreplace")
    try:
        # not by calling the app, which makes exits of its own out of Ctrl-C, a closed pipe and EOFError
        with command.make_context(program.name, list(arguments)) as context:
            context.command.invoke(context)
    except Exit as error:
        return int(error.exit_code)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error, file=sys.stderr)  # noqa: T201
            for package in program.packages:
                if find_spec(package) is None:
                    raise _missing(package) from error
            return int(ExitCode.USAGE)
        # the library's usage errors know how to say themselves, with the option's name
        message = getattr(error, "format_message", error.__str__)().replace("Value error, ", "")
        failed = getattr(error, "ctx", None)
        path = failed.command_path if failed else program.name
        complain(f"{' '.join(message.split()).rstrip('.')}; `{path} --help` lists what there is")
        return int(ExitCode.USAGE)
    return int(ExitCode.OK)


if __name__ == "__main__":
    main()

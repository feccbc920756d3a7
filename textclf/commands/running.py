"""Runs a command line, and reports every error by one line and an exit code."""

from __future__ import annotations

import errno
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec

from textclf.base.errors import ExitCode, TextclfError
from textclf.base.files import reason_of
from textclf.base.packages import missing_package, not_installed
from textclf.base.program import TEXTCLF, Program, Stopped
from textclf.commands.console import log_level, prepare_streams, show_log

# not of __name__, which is __main__ under `python -m`
_log = logging.getLogger("textclf")


NEVER_FAIL = ["paperless", "post-consume"]
"""A command that always ends with exit code 0, as the program that runs it would stop its own work otherwise."""


def run(arguments: Sequence[str] | None = None, program: Program = TEXTCLF) -> int:
    """Run the command line and give its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    code = _run(given, program)
    return int(ExitCode.OK) if NEVER_FAIL in [given[i : i + 2] for i in range(len(given))] else code


@show_log()
def _run(arguments: Sequence[str], program: Program) -> int:
    prepare_streams()
    # loky takes the planned restart of a worker for a memory leak
    warnings.filterwarnings("ignore", message="A worker was restarted")
    # without a home folder matplotlib reports at length where it caches fonts
    logging.getLogger("matplotlib").setLevel(logging.ERROR)
    try:
        code = _invoke(arguments, program)
        # a full disk must be noticed here, not when Python exits
        sys.stdout.flush()
    except TextclfError as error:
        _log.error(str(error))
        return int(error.exit_code)
    except (KeyboardInterrupt, Stopped) as stopped:
        return _say_stopped(program, stopped)
    except BrokenPipeError:
        # the reader of the output has closed it, like `head`
        _forget_stdout()
        return int(ExitCode.CLOSED_PIPE)
    except MemoryError:
        _log.error("there is too little memory; process less at once, or use fewer --jobs")
        return int(ExitCode.BAD_INPUT)
    # the boundary: users are never shown a traceback
    except Exception as error:
        # one that is raised while a class is made becomes the cause of another (CPython before 3.12)
        if isinstance(error.__cause__, KeyboardInterrupt | Stopped):
            return _say_stopped(program, error.__cause__)
        if missing := missing_package(error, program):
            _log.error(str(missing))
            return int(missing.exit_code)
        if os.environ.get("TEXTCLF_DEBUG"):
            raise
        if isinstance(error, OSError) and (refused := _system_error(error)):
            return refused
        if log_level() == logging.DEBUG:
            traceback.print_exc()
        _log.error(
            f"a fault of {program.name} itself ({type(error).__name__}: {error}); "
            "run it again with --verbose and report what it shows"
        )
        return int(ExitCode.INTERNAL)
    return code


def _say_stopped(program: Program, stopped: KeyboardInterrupt | Stopped) -> int:
    _log.info(program.stopped)
    return int(stopped.code or 0) if isinstance(stopped, Stopped) else int(ExitCode.INTERRUPTED)


def _system_error(error: OSError) -> int | None:
    """Report an error of the operating system; None if it may be a fault of the program."""
    reason = reason_of(error)
    if error.filename is not None:
        _log.error(f"{os.fsdecode(error.filename)}: cannot be read or written ({reason})")
        return int(ExitCode.BAD_INPUT)
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EBADF):
        # only stdout is written without a file name
        _forget_stdout()
        _log.error(f"the output cannot be written ({reason})")
        return int(ExitCode.OUTPUT)
    return None


def _forget_stdout() -> None:
    """Drop the buffer of stdout, as Python would report an error on flushing it at exit."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _invoke(arguments: Sequence[str], program: Program) -> int:
    from typer.exceptions import Exit, TyperException
    from typer.main import get_command

    command = get_command(import_module(program.module).app)
    variable = f"_{program.name.upper().replace('-', '_')}_COMPLETE"
    if instruction := os.environ.get(variable):
        from typer.completion import shell_complete

        return shell_complete(command, {}, program.name, variable, instruction)

    try:
        # not by calling the app, which turns Ctrl-C, a closed pipe and EOFError into exits of its own
        with command.make_context(program.name, list(arguments)) as context:
            context.command.invoke(context)
    except Exit as error:
        return int(error.exit_code)
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":
            print(error, file=sys.stderr)  # noqa: T201
            for package in program.packages:
                if find_spec(package) is None:
                    raise not_installed(package, program) from error
            return int(ExitCode.USAGE)
        # usage errors of the library format themselves, with the name of the option
        message = getattr(error, "format_message", error.__str__)().replace("Value error, ", "")
        failed = getattr(error, "ctx", None)
        path = failed.command_path if failed else program.name
        _log.error(f"{' '.join(message.split()).rstrip('.')}; `{path} --help` lists the options")
        return int(ExitCode.USAGE)
    return int(ExitCode.OK)

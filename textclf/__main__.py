"""The console command: runs `textclf.cli`, and turns every error into one line and an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

from textclf.console import say
from textclf.errors import ExitCode, TextclfError

__all__ = ["main", "run"]


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Without the program's name; ``sys.argv`` if not given.

    Returns
    -------
    int
        The exit code; see `textclf.errors.ExitCode`.
    """
    from typer.exceptions import Abort, Exit, TyperException

    from textclf.cli import app

    try:
        code = app(args=None if arguments is None else list(arguments), standalone_mode=False, prog_name="textclf")
    except TextclfError as error:
        say(f"error: {error}")
        return int(error.exit_code)
    except Exit as error:
        return int(error.exit_code)
    except (Abort, KeyboardInterrupt):
        say(
            "stopped; nothing was half written, and pages that were read are in the cache: run the same command to go on"
        )
        return int(ExitCode.INTERRUPTED)
    except TyperException as error:
        # the library's usage errors know how to say themselves, with the option's name
        message = getattr(error, "format_message", error.__str__)()
        say(f"error: {' '.join(message.split()).rstrip('.')}; `textclf COMMAND --help` lists the options")
        return int(ExitCode.USAGE)
    except BrokenPipeError:
        # whoever read our output has seen enough; Python must not complain when it flushes at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(ExitCode.OK)
    except Exception as error:  # noqa: BLE001 - the boundary: no traceback is ever shown to a user
        if os.environ.get("TEXTCLF_DEBUG"):
            raise
        say(
            f"error: a fault of textclf itself ({type(error).__name__}: {error}); set TEXTCLF_DEBUG=1 and report what it shows"
        )
        return int(ExitCode.INTERNAL)
    return int(code or 0)


if __name__ == "__main__":
    main()

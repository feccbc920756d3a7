"""What the command lines of textclf and amazon-ml share: how commands are declared, helped, checked and called."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable
from dataclasses import MISSING, dataclass, field, fields
from functools import partial, wraps
from pathlib import Path
from typing import Annotated, Any, get_type_hints

import typer
from typer.core import TyperCommand

from textclf.base import __version__
from textclf.base.errors import UsageError
from textclf.base.files import refuse_unwritable, refuse_unwritable_folder
from textclf.commands.configuration import check_environment, read_configuration
from textclf.commands.console import set_log_level

# whether a file can be read is told where it is read, as of a missing one
Option = partial(typer.Option, show_envvar=True, readable=False)
Argument = partial(typer.Argument, readable=False)

EXIT_CODES = (
    "Exit codes: 0 done; 1 a fault of this program; 2 wrong options; 3 a file cannot be read; 4 its content does not "
    "do; 5 a program or package is missing; 6 a model file cannot be used; 7 the result cannot be written; 8 with "
    "--strict, something failed; 9 a service refused; 129 the terminal was closed; 130 stopped with Ctrl-C; 141 nobody "
    "reads the output any more; 143 terminated. docs/troubles.md has a remedy for each message."
)


class OptionGroup:
    """Options that several commands take together: a dataclass whose fields are annotated as options."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Talk(OptionGroup):
    verbose: Annotated[
        bool, Option("--verbose", "-v", help="Say more: when each step began, how long each document took.")
    ] = field(default=False)
    quiet: Annotated[bool, Option("--quiet", "-q", help="Say nothing but errors; results are printed.")] = field(
        default=False
    )


class _Command(TyperCommand):
    """A command that tests its outputs before it begins, and names options as the user knows them."""

    def invoke(self, ctx: typer.Context) -> Any:  # type: ignore[override]
        verbose, quiet = ctx.params["verbose"], ctx.params["quiet"]
        if verbose and quiet:
            raise UsageError("--verbose and --quiet exclude each other", remedy="give one of them")
        set_log_level(logging.DEBUG if verbose else logging.ERROR if quiet else logging.INFO)
        check_environment(ctx)
        for parameter in self.params:
            if parameter.name == "output" and (path := ctx.params["output"]) is not None:
                (refuse_unwritable_folder if parameter.metavar == "FOLDER" else refuse_unwritable)(path)
        try:
            return super().invoke(ctx)
        except UsageError as error:
            for parameter in self.params:
                if error.where == parameter.name:
                    # the library names its own parameter
                    raise UsageError(error.what, where=max(parameter.opts, key=len), remedy=error.remedy) from error
            raise


def new_app(name: str, purpose: str, example: str = "") -> typer.Typer:
    """Make a command line that has ``--version``, ``--config``, and completion for shells.

    Parameters
    ----------
    name : str
        What the user types.
    purpose : str
        What it is for.
    example : str
        Shown under the commands.

    Returns
    -------
    typer.Typer
        To be filled by `add_command`.
    """
    prefix = name.upper().replace("-", "_")
    app = typer.Typer(
        help=purpose,
        epilog=f"{example}Every option can also be set in the environment, as each --help shows, or with --config.",
        no_args_is_help=True,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={
            "auto_envvar_prefix": prefix,
            "help_option_names": ["-h", "--help"],
            "max_content_width": 110,
        },
    )

    app.callback()(_common)
    return app


def _show_version(context: typer.Context, wanted: bool) -> None:
    if wanted:
        print(f"{context.info_name} {__version__}")  # noqa: T201
        raise typer.Exit


def _configure(context: typer.Context, path: Path | None) -> None:
    if path is not None:
        context.default_map = read_configuration(path, context.command)


def _common(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, allow_from_autoenv=False, help="Show the version."
        ),
    ] = False,
    config: Annotated[
        Path | None,
        Option(
            callback=_configure, is_eager=True, help="TOML file with defaults: a table a command, an entry an option."
        ),
    ] = None,
) -> None:
    """Hold the options that stand before the command."""


def add_command(app: typer.Typer, function: Callable[..., None], name: str | None = None) -> None:
    """Make a function a command; its parameters that are an `OptionGroup` become the options of the group.

    Parameters
    ----------
    app : typer.Typer
        Where it is added.
    function : callable
        Its docstring is the help; what is indented there is shown as it stands.
    name : str, optional
        What the user types; the function's name if not given.
    """
    groups: dict[str, type[OptionGroup]] = {}
    parameters: list[inspect.Parameter] = []
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        if isinstance(parameter.annotation, type) and issubclass(parameter.annotation, OptionGroup):
            groups[parameter.name] = parameter.annotation
            parameters += _options(parameter.annotation)
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(function)
    def run(**values: Any) -> None:
        del values["verbose"], values["quiet"]
        for name, group in groups.items():
            values[name] = group(**{option.name: values.pop(option.name) for option in _options(group)})
        function(**values)

    run.__signature__ = inspect.Signature([*parameters, *_options(_Talk)])  # type: ignore[attr-defined]
    # a paragraph after a line with \b alone is not filled
    told = re.sub(r"\n\n(?= )", "\n\n\b\n", inspect.getdoc(function) or "")
    short = re.split(r"[.;:](?:\s|$)", told, maxsplit=1)[0]
    app.command(name, cls=_Command, help=told, short_help=short, epilog=EXIT_CODES)(run)


def _options(group: type[OptionGroup]) -> list[inspect.Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        inspect.Parameter(
            one.name,
            inspect.Parameter.KEYWORD_ONLY,
            default=one.default if one.default_factory is MISSING else one.default_factory(),
            annotation=hints[one.name],
        )
        for one in fields(group)  # type: ignore[arg-type]
    ]

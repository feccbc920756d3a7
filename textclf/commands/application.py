"""Declaration of commands: turns functions and option dataclasses into the command lines of textclf and amazon-ml."""

from __future__ import annotations

import inspect
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, dataclass, field, is_dataclass, replace
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, get_origin

import typer
from typer.core import TyperCommand, TyperGroup

from textclf.base import __version__
from textclf.base.errors import UsageError
from textclf.base.files import refuse_unwritable, refuse_unwritable_folder
from textclf.base.options import Option as Description
from textclf.base.options import build, described, option
from textclf.commands.configuration import check_environment, read_configuration, read_variable_files
from textclf.commands.console import set_log_level

# unreadable files are reported where they are read, like missing ones
Option = partial(typer.Option, show_envvar=True, readable=False)
Argument = partial(typer.Argument, readable=False)

EXIT_CODES = (
    "Exit codes: 0 done; 1 a fault of this program; 2 wrong options; 3 a file cannot be read; 4 its content cannot "
    "be used; 5 a program or package is missing; 6 a model file cannot be used; 7 the result cannot be written; 8 with "
    "--strict, something failed; 9 a service refused; 129 the terminal was closed; 130 stopped with Ctrl-C; 141 nobody "
    "reads the output any more; 143 terminated. docs/troubles.md has a remedy for each message."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Marks a command's parameter as the options of a dataclass or, with `of`, as a dict of the given options."""

    of: Any = None
    only: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)
    """Override the defaults of the dataclass."""

    def fields(self) -> list[tuple[Field[Any], Description, Any]]:
        """Give the selected fields, with their descriptions and types."""
        return [
            (one, description, kind)
            for one, description, kind in described(self.of)
            if one.name not in self.without and (not self.only or one.name in self.only)
        ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Verbosity:
    verbose: bool = option(
        False, flags=("--verbose", "-v"), help="Show more: the start of each step, the time per document."
    )
    quiet: bool = option(False, flags=("--quiet", "-q"), help="Show errors only; results are still printed.")

    def __post_init__(self) -> None:
        if self.verbose and self.quiet:
            raise UsageError("--verbose and --quiet exclude each other", remedy="give one of them")


class _Commands(Mapping[str, Any]):
    """The commands of a group, each of which is imported when it is asked for."""

    def __init__(self, places: Mapping[str, str | Group]) -> None:
        self._places = places
        self._made: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._made:
            self._made[name] = _command_at(self._places[name], name)
        return self._made[name]

    def __contains__(self, name: object) -> bool:
        return name in self._places

    def __iter__(self) -> Iterator[str]:
        return iter(self._places)

    def __len__(self) -> int:
        return len(self._places)


class _Group(TyperGroup):
    """A group of commands that are imported when they are asked for."""

    places: Mapping[str, str | Group] = {}

    def __init__(self, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.commands = _Commands(self.places)  # type: ignore[assignment]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Commands under a common name.

    Parameters
    ----------
    help : str
        What they are for.
    commands : mapping of str to str
        The module and the function of each, with a colon between.
    """

    help: str
    commands: Mapping[str, str]


def new_app(name: str, purpose: str, commands: Mapping[str, str | Group], example: str = "") -> typer.Typer:
    """Make a command line that has ``--version``, ``--config``, and completion for shells.

    Commands are imported when they are asked for: given are the module and the function of each, with a colon between.
    """
    prefix = name.upper().replace("-", "_")
    app = typer.Typer(
        cls=_group(commands),
        help=purpose,
        epilog=f"{example}Every option can also be set in the environment, as each --help shows, or with --config. "
        "A variable with _FILE at its end names a file that holds the value, such as a secret.",
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
    show_version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_show_version, is_eager=True, allow_from_autoenv=False, help="Show the version."
        ),
    ] = False,
    config: Annotated[
        Path | None,
        Option(
            callback=_configure,
            is_eager=True,
            help="TOML file of defaults: a table per command, an entry per option.",
        ),
    ] = None,
) -> None:
    """Declare the options that come before the command."""


class _Command(TyperCommand):
    """A command that reads values from files and refuses, before it converts them, empty paths and no numbers."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        ctx.default_map = {**(ctx.default_map or {}), **read_variable_files(ctx)}
        given, _, _ = self.make_parser(ctx).parse_args(list(args))
        parameters: list[Any] = [] if ctx.resilient_parsing else self.params
        for parameter in parameters:
            value, _ = parameter.consume_value(ctx, given)
            values = value if isinstance(value, list | tuple) else [value]
            kinds = str(parameter.type_descriptor.annotation)
            # an empty path would be converted to the current folder
            if "Path" in kinds and "" in values:
                raise typer.BadParameter("the path is empty", ctx=ctx, param=parameter)
            if "float" in kinds and any(str(one).strip("+- ").lower() == "nan" for one in values):
                raise typer.BadParameter(f"{value} is not a number within the bounds", ctx=ctx, param=parameter)
        return super().parse_args(ctx, args)


def _group(commands: Mapping[str, str | Group]) -> type[TyperGroup]:
    return type("Commands", (_Group,), {"places": commands})


def _command_at(place: str | Group, name: str) -> Any:
    """Make the command of a function, or a group of commands."""
    app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)
    if isinstance(place, Group):
        app = typer.Typer(
            cls=_group(place.commands),
            help=place.help,
            no_args_is_help=True,
            rich_markup_mode=None,
            add_completion=False,
        )
        app.callback()(_no_options)
        group = typer.main.get_group(app)
        group.name = name
        return group
    module, _, function = place.partition(":")
    add_command(app, getattr(import_module(module), function), name)
    return typer.main.get_command(app)


def _no_options() -> None:
    """Declare that a group has no options."""


def add_command(app: typer.Typer, function: Callable[..., None], name: str) -> None:
    """Make a function a command; indented parts of its docstring are shown unchanged.

    A parameter that is a dataclass, or marked by `Options`, becomes the options described by the dataclass.
    """
    groups: dict[str, tuple[type, Options]] = {}
    parameters = [inspect.Parameter("context", inspect.Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    for parameter in inspect.signature(function, eval_str=True).parameters.values():
        kind = getattr(parameter.annotation, "__origin__", parameter.annotation)
        marks = [mark for mark in getattr(parameter.annotation, "__metadata__", ()) if isinstance(mark, Options)]
        if marks or is_dataclass(kind):
            options = marks[0] if marks else Options()
            groups[parameter.name] = kind, options if options.of else replace(options, of=kind)
            parameters += _parameters(groups[parameter.name][1])
        else:
            parameters.append(parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY))

    @wraps(function)
    def run(*, context: typer.Context, verbose: bool, quiet: bool, **values: Any) -> None:
        names = {}
        try:
            _begin(context, _Verbosity(verbose=verbose, quiet=quiet))
            for parameter, (kind, options) in groups.items():
                given = dict(options.defaults)
                for one, description, _ in options.fields():
                    names[one.name] = option_name = description.name or one.name
                    value = values.pop(option_name)
                    if (source := context.get_parameter_source(option_name)) and source.name != "DEFAULT":
                        given[one.name] = tuple(value) if isinstance(value, list) else value
                values[parameter] = given if get_origin(kind) is dict else build(kind, given)
            function(**values)
        except UsageError as error:
            for shown in context.command.params:
                # an error from Python names the field, not the option
                if error.where and shown.name == names.get(error.where, error.where):
                    raise UsageError(error.what, where=max(shown.opts, key=len), remedy=error.remedy) from error
            raise

    run.__signature__ = inspect.Signature([*parameters, *_parameters(Options(of=_Verbosity))])  # type: ignore[attr-defined]
    # typer does not rewrap a paragraph after a line with only \b
    text = re.sub(r"\n\n(?= )", "\n\n\b\n", inspect.getdoc(function) or "")
    short = re.split(r"[.;:](?:\s|$)", text, maxsplit=1)[0]
    app.command(name, help=text, short_help=short, epilog=EXIT_CODES, cls=_Command)(run)


def _begin(context: typer.Context, verbosity: _Verbosity) -> None:
    """Set the log level, and check the environment and the output path, before any work."""
    set_log_level(logging.DEBUG if verbosity.verbose else logging.ERROR if verbosity.quiet else logging.INFO)
    check_environment(context)
    for parameter in context.command.params:
        if parameter.name == "output" and (path := context.params["output"]) is not None:
            (refuse_unwritable_folder if parameter.metavar == "FOLDER" else refuse_unwritable)(path)


def _parameters(options: Options) -> list[inspect.Parameter]:
    parameters = []
    for one, description, kind in options.fields():
        default = options.defaults.get(one.name, inspect.Parameter.empty if one.default is MISSING else one.default)
        if get_origin(kind) is tuple:
            kind, default = list[str], list(default)
        elif description.parse and not isinstance(default, kind):
            kind, default = kind | None, None
        name = description.name or one.name
        flag = "--" + name.replace("_", "-")
        declared = Option(
            *(description.flags or (f"{flag}/--no-{flag[2:]}" if default is True else flag,)),
            help=description.help,
            min=description.min,
            max=description.max,
            metavar=description.metavar,
            show_default=description.show_default,
            autocompletion=_completion(description.suggestions) if description.suggestions else None,
        )
        parameters.append(
            inspect.Parameter(
                name, inspect.Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, declared]
            )
        )
    return parameters


def _completion(words: tuple[str, ...]) -> Callable[[], list[str]]:
    return lambda: list(words)

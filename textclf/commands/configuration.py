"""Options from a TOML file or the environment; unknown names are reported with the most similar known one."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from textclf.base.errors import BadDataError, UsageError
from textclf.base.files import read_small

_log = logging.getLogger(__name__)

OTHER_VARIABLES = {"TEXTCLF_DEBUG", "TEXTCLF_ML_MODEL_ID", "TEXTCLF_ML_ENDPOINT"}
"""Variables that are not options of a command."""
OF_FUNCTIONS = {
    f"TEXTCLF_{name}"
    for name in (
        *("ANONYMOUS", "ATTEMPTS", "BUCKET", "EFFORT", "GRACE", "HOOK_BUCKET", "KEEP_DAYS", "LANG", "MAX_BYTES"),
        *("MAX_ERROR", "MAX_MEMORY", "MAX_PAGES", "MODEL", "MODEL_SHA256", "QUEUE_URL", "SECONDS_PER_PAGE", "TABLE"),
    )
}
"""Variables of the functions on AWS, whose package the commands do not import."""
FILE = "_FILE"
"""At the end of an option's variable: it names a file that holds the value, as secrets are given to containers."""


def read_configuration(path: Path, group: Any) -> dict[str, Any]:
    """Read defaults for options from a TOML file: one table per command, one entry per option."""
    text = read_small(path, "check the path given with --config")
    try:
        tables = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadDataError(
            f"not valid TOML: {error}", where=path, remedy='write for example: [ocr] lang = "ita"'
        ) from error
    _check_tables(tables, group, path, "")
    return tables


def _check_tables(tables: dict[str, Any], group: Any, path: Path, above: str) -> None:
    for name, entries in tables.items():
        known = group.commands.keys()
        command = group.commands.get(name)
        if command is None:
            remedy = f"{_perhaps(name, known)}tables are {_listed(known, above)}"
            raise BadDataError(f"no command {above + name!r}", where=path, remedy=remedy)
        if not isinstance(entries, dict):
            remedy = f"write [{above}{name}] and the options below it"
            raise BadDataError(f"{above}{name} is not a table", where=path, remedy=remedy)
        if hasattr(command, "commands"):
            _check_tables(entries, command, path, f"{above}{name}.")
            continue
        options = {parameter.name: parameter for parameter in command.params}
        for entry, value in entries.items():
            if entry not in options:
                remedy = f"{_perhaps(entry, options)}it has {_listed(options)}"
                raise BadDataError(f"{above}{name} has no option {entry!r}", where=path, remedy=remedy)
            if isinstance(value, str) and getattr(options[entry], "multiple", False):
                entries[entry] = [value]


def _perhaps(name: str, known: Collection[str]) -> str:
    near = get_close_matches(name, known, n=1)
    return f"perhaps {near[0]!r} is meant; " if near else ""


def _listed(names: Collection[str], above: str = "") -> str:
    return ", ".join(sorted(above + name for name in names))


def option_variables(command: Any, name: str) -> Iterator[tuple[str, str]]:
    """Give variable and option, both in capitals, for all options of a command and its subcommands."""
    for parameter in command.params:
        if parameter.opts[0].startswith("-") and parameter.allow_from_autoenv:
            option = parameter.name.upper()
            variable = f"{name}_{option}".upper().replace("-", "_").replace(" ", "_")
            yield variable, option
            yield variable + FILE, option + FILE
    for inner, below in getattr(command, "commands", {}).items():
        yield from option_variables(below, f"{name} {inner}")


def read_variable_files(context: Any) -> dict[str, str]:
    """Read the values of a command's options of which a variable with ``_FILE`` at its end names the file."""
    found = {}
    for parameter in context.command.params:
        variable = f"{context.auto_envvar_prefix}_{parameter.name}".upper()
        if not (name := os.environ.get(variable + FILE)) or not parameter.opts[0].startswith("-"):
            continue
        if os.environ.get(variable):
            remedy = "unset one of them"
            raise UsageError(f"{variable} and {variable}{FILE} exclude each other", where="environment", remedy=remedy)
        found[parameter.name] = read_small(Path(name), f"check the path in {variable}{FILE}").rstrip("\r\n")
    return found


def check_environment(context: Any) -> None:
    """Warn about variables with our prefix that set no option."""
    root = context.find_root()
    prefix = f"{root.auto_envvar_prefix}_"
    own = list(option_variables(context.command, context.command_path))
    # one that is called as an option of the command that runs may be meant for it
    elsewhere = OF_FUNCTIONS - {f"{prefix}{option}" for _, option in own}
    read = {*dict(own), *OTHER_VARIABLES, *elsewhere}
    others = {variable for variable in os.environ if variable.startswith(prefix)} - read
    if not others:
        return
    # which imports all commands
    pairs = list(option_variables(root.command, root.info_name))
    known = {*dict(pairs), *OTHER_VARIABLES}
    # a variable without the name of a command is compared with the options of the command that runs
    short = {option: variable for variable, option in (*pairs, *own)}
    for variable in sorted(others - known):
        near = get_close_matches(variable.removeprefix(prefix), short, n=1)
        whole = get_close_matches(variable, known, n=1, cutoff=0.9)
        meant = whole[0] if whole else short[near[0]] if near else ""
        perhaps = f"perhaps {meant} is meant" if meant else f"`{context.command_path} --help` names the variables"
        _log.warning(f"{variable} in the environment sets no option; {perhaps}")

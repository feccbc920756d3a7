"""The command line: options in, one plain function called, results shown."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from textclf import __version__
from textclf.cli.checking import check, compare
from textclf.cli.keywords import check_keywords, suggest
from textclf.cli.looking import analogy, info, similar
from textclf.cli.options import Option
from textclf.cli.predicting import classify, predict
from textclf.cli.reading import clean, engines, ocr
from textclf.cli.training import evaluate, prepare, train
from textclf.cli.tuning import tune
from textclf.errors import BadDataError, BadInputError

__all__ = ["app"]

app = typer.Typer(
    help="Read scanned documents, say what kind each is and how sure that is. Nothing leaves this machine.",
    epilog="From scans to a model: textclf ocr SCANS -o documents.csv --labels-from-folders; "
    "textclf train documents.csv -o model.textclf; textclf classify model.textclf new.pdf. "
    "Every option can also be set in the environment, such as TEXTCLF_OCR_LANG=ita.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    context_settings={"auto_envvar_prefix": "TEXTCLF", "help_option_names": ["-h", "--help"], "max_content_width": 110},
)
model_app = typer.Typer(help="Look into model files.", no_args_is_help=True)
words_app = typer.Typer(help="Ask word vectors: which words are alike, and king - man + woman.", no_args_is_help=True)
keywords_app = typer.Typer(help="Find keywords, and see what they do.", no_args_is_help=True)
app.add_typer(keywords_app, name="keywords")
app.add_typer(model_app, name="model")
app.add_typer(words_app, name="words")
for command in (ocr, clean, engines, check, prepare, tune, train, evaluate, compare, predict, classify):
    app.command()(command)
keywords_app.command()(suggest)
keywords_app.command("check")(check_keywords)
model_app.command()(info)
words_app.command()(similar)
words_app.command()(analogy)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"textclf {__version__}")  # noqa: T201
        raise typer.Exit


def _config(context: typer.Context, path: Path | None) -> None:
    """Take the defaults of all commands from a TOML file: a table a command, an entry an option."""
    if path is None:
        return
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise BadInputError("cannot be read", where=path, remedy="check the path given with --config") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadDataError(
            f"not valid TOML: {error}", where=path, remedy='write for example: [ocr] lang = "ita"'
        ) from error
    commands = {command.name or "": command for command in _leaves()}
    for name, entries in tables.items():
        if name not in commands or not isinstance(entries, dict):
            raise BadDataError(f"no command {name!r}", where=path, remedy=f"tables are {', '.join(sorted(commands))}")
        known = {parameter.name for parameter in commands[name].params}
        if unknown := sorted(set(entries) - known):
            raise BadDataError(
                f"{name} has no option {unknown[0]!r}",
                where=path,
                remedy=f"it has {', '.join(sorted(filter(None, known)))}",
            )
    context.default_map = tables


def _leaves() -> list[Any]:
    group: Any = typer.main.get_command(app)
    return [command for command in group.commands.values() if not hasattr(command, "commands")]


@app.callback()
def common(
    version: Annotated[bool, Option("--version", callback=_version, is_eager=True, help="Show the version.")] = False,
    config: Annotated[
        Path | None,
        Option(callback=_config, is_eager=True, help="TOML file with defaults: a table a command, an entry an option."),
    ] = None,
) -> None:
    """Hold the options that stand before the command."""

"""The command line: options in, one function of `textclf.commands` called, results shown."""

from __future__ import annotations

import json
import tomllib
from dataclasses import asdict
from datetime import date
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf import __version__
from textclf.console import say, show_reading, show_rows, warn
from textclf.documents import TableOptions
from textclf.errors import BadDataError, BadInputError, UsageError

if TYPE_CHECKING:
    from ocr.reading import ReadingOptions
    from textclf.prediction import TrainingRecord
    from textclf.scans import Reading

__all__ = ["app"]

# every option can be set in the environment; saying so at each would bury the help
Option = partial(typer.Option, show_envvar=False)

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
app.add_typer(model_app, name="model")
app.add_typer(words_app, name="words")

# every option once; the commands name the ones they take
Model = Annotated[Path, typer.Argument(metavar="MODEL", help="A model file, as train writes it.")]
Table = Annotated[Path, typer.Argument(metavar="DOCUMENTS", help="CSV with the columns document_id and text.")]
Scans = Annotated[list[Path], typer.Argument(metavar="FILES", help="Images, PDFs, or folders that hold some.")]
Output = Annotated[Path, Option("--output", "-o", help="Where the result goes.")]
Lang = Annotated[
    str, Option("--lang", help="Tesseract's languages, such as ita+eng. Empty: English and Italian, if there.")
]
Scale = Annotated[str, Option(help="Enlarge pages by this factor before reading; auto goes by resolution.")]
Segmentation = Annotated[int, Option("--page-segmentation", help="Tesseract's --psm; 3 finds the layout itself.")]
TextLayer = Annotated[str, Option(help="auto: take a PDF's text layer where it is good; ignore: always OCR.")]
VariantsFile = Annotated[
    Path | None, Option("--variants", help="File with spellings to unify, a line each: NY = ny = New York.")
]
MaxPages = Annotated[int, Option(help="Pages read of one document.")]
MaxBytes = Annotated[int, Option(help="Largest file that is opened.")]
Seconds = Annotated[float, Option("--seconds-per-page", help="Time that one page may take.")]
Jobs = Annotated[int | None, Option(help="Worker processes; all cores if not given.")]
Cache = Annotated[
    Path | None, Option("--cache", help="Folder for pages that were read; the user's cache folder if not given.")
]
NoCache = Annotated[bool, Option("--no-cache", help="Keep nothing that was read; a stopped run starts anew.")]
Strict = Annotated[bool, Option("--strict", help="Exit with code 8 if any document failed.")]
TextColumn = Annotated[str, Option(help="Name of the column that holds the text.")]
IdColumn = Annotated[str, Option(help="Name of the column that holds the document's id.")]
CategoryColumn = Annotated[str, Option(help="Name of the column that holds the category.")]
Encoding = Annotated[str, Option(help="Encoding of the CSV file, such as latin-1.")]
Where = Annotated[list[str], Option(help="Only rows with this value: column=value. May stand several times.")]
LexiconChoice = Annotated[
    str | None,
    Option(
        "--lexicon",
        help="auto: the lexicon that ships where it fits, else keywords learned from the documents; learn; none; "
        "or a TOML file.",
        show_default="auto",
    ),
]
VectorChoice = Annotated[
    str | None,
    Option("--vectors", help="learn; none; or a word2vec file, text or binary.", show_default="learn"),
]
VectorSize = Annotated[int | None, Option(help="Dimensions of learned word vectors.", show_default="50")]
Seed = Annotated[int | None, Option(help="Same input, seed and versions give the same bytes.", show_default="0")]
AsJson = Annotated[bool, Option("--json", help="Print JSON for a program to read.")]


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


@app.command()
def ocr(
    paths: Scans,
    output: Output,
    labels: Annotated[Path | None, Option(help="CSV with the columns file and category.")] = None,
    labels_from_folders: Annotated[bool, Option(help="The first folder's name is the category.")] = False,
    lang: Lang = "",
    scale: Scale = "auto",
    page_segmentation: Segmentation = 3,
    text_layer: TextLayer = "auto",
    variants: VariantsFile = None,
    max_pages: MaxPages = 100,
    max_bytes: MaxBytes = 200_000_000,
    seconds_per_page: Seconds = 60.0,
    jobs: Jobs = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    strict: Strict = False,
) -> None:
    """Read scans into documents.csv: one row a document, with its text, confidence and what went wrong.

    A run that was stopped goes on where it was: pages that were read are in the cache.
    """
    from textclf.predicting import check_strict
    from textclf.scans import read_scans

    options = _reading_options(
        lang, scale, page_segmentation, text_layer, variants, max_pages, max_bytes, seconds_per_page
    )
    with show_reading() as progress:
        reading = _reading(options, jobs, cache, no_cache, progress)
        counts = read_scans(paths, output, reading, labels=labels, labels_from_folders=labels_from_folders, warn=warn)
    total = sum(counts.values())
    faulty = f", {counts['partial']} in part, {counts['failed']} not at all" if counts["ok"] < total else ""
    say(f"{output}: {counts['ok']} of {total} documents read in full{faulty}")
    check_strict(total - counts["ok"], total, "were not read in full", strict=strict)


@app.command()
def clean(
    table: Table,
    output: Output,
    variants: VariantsFile = None,
    text_column: TextColumn = "text",
    encoding: Encoding = "utf-8",
) -> None:
    """Clean the texts of a CSV as those of scans are cleaned; all other columns stay."""
    from textclf.scans import clean_table

    rows = clean_table(table, output, variants=variants, table=TableOptions(text_column=text_column, encoding=encoding))
    say(f"{output}: {rows} documents")


@app.command()
def prepare(
    table: Table,
    output: Output,
    lexicon: LexiconChoice = None,
    vectors: VectorChoice = None,
    vector_size: VectorSize = None,
    seed: Seed = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "utf-8",
    where: Where = [],  # noqa: B006 - Typer copies it
) -> None:
    """Write the datasource CSV with keyword indicators and word vectors, as Amazon ML reads it, and its schema."""
    from textclf.classifier import DocumentClassifier
    from textclf.commands import prepare_datasource

    classifier = DocumentClassifier(
        **_given(lexicon=lexicon, vectors=vectors, vector_size=vector_size, random_state=seed)
    )
    options = _columns(id_column, text_column, category_column, encoding, where)
    rows = prepare_datasource(table, output, classifier, options, talk=say, warn=warn)
    say(f"{output / 'datasource.csv'}: {rows} documents")


@app.command()
def train(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A documents CSV with categories, the folder that prepare wrote, or a folder with one folder a "
            "category (scans or .txt files).",
        ),
    ],
    output: Output,
    lexicon: LexiconChoice = None,
    vectors: VectorChoice = None,
    vector_size: VectorSize = None,
    max_error: Annotated[float, Option(help="Error among accepted documents that can be borne, such as 0.05.")] = 0.05,
    c: Annotated[float, Option("--c", help="Inverse strength of the regularisation.")] = 1.0,
    seed: Seed = None,
    diagnostics: Annotated[
        bool, Option(help="Also measure what each feature group gives, and the learning curve.")
    ] = True,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "utf-8",
    where: Where = [],  # noqa: B006
    lang: Lang = "",
    jobs: Jobs = None,
    cache: Cache = None,
    no_cache: NoCache = False,
) -> None:
    """Train a model, cross-validated, with calibrated scores, and write its file."""
    from textclf.commands import train_model

    options = _given(lexicon=lexicon, vectors=vectors, vector_size=vector_size, random_state=seed)
    options |= {"max_error": max_error, "c": c, "diagnostics": diagnostics, "n_jobs": jobs or -1}
    columns = _columns(id_column, text_column, category_column, encoding, where)
    if source.is_dir():
        with show_reading() as progress:
            reading = _reading(_reading_options(lang), jobs, cache, no_cache, progress)
            runtime = train_model(source, output, options, columns, reading, talk=say, warn=warn)
    else:
        reading = _reading(_reading_options(lang), jobs, cache, no_cache, None)
        runtime = train_model(source, output, options, columns, reading, talk=say, warn=warn)
    _show_training(runtime.training)
    say(f"{output}: trained on {sum(runtime.training.documents.values())} documents")


@app.command()
def evaluate(
    model: Model,
    table: Table,
    output: Output,
    by: Annotated[list[str], Option(help="Also show the figures for each value of this column.")] = [],  # noqa: B006
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "utf-8",
    where: Where = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Predict documents of known category, and write report.html, metrics.json and the confusion matrix."""
    from textclf.commands import evaluate_model
    from textclf.model_file import load_model

    options = _columns(id_column, text_column, category_column, encoding, where)
    today = date.today().isoformat()  # noqa: DTZ011 - the date on the user's own calendar
    report = evaluate_model(load_model(model), model.name, table, output, options, by=by, created=today, warn=warn)
    if as_json:
        print((output / "metrics.json").read_text(encoding="utf-8"), end="")  # noqa: T201
    else:
        _print(
            f"accuracy  {report.accuracy:.3f}   macro F1  {report.macro_f1:.3f}   documents  {report.documents}",
            f"accepted  {report.accepted} of {report.documents}, "
            f"{report.accepted - report.accepted_right} of them wrong",
        )
        for group in report.groups:
            _print(
                f"{group.column} = {group.value}: accuracy {group.accuracy:.3f} of {group.documents}, "
                f"accepted {group.accepted}"
            )
    say(f"{output / 'report.html'}")


@app.command()
def predict(
    model: Model,
    table: Table,
    output: Output,
    keep_columns: Annotated[bool, Option(help="Carry the other columns of the table along.")] = False,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    encoding: Encoding = "utf-8",
    where: Where = [],  # noqa: B006
    strict: Strict = False,
) -> None:
    """Predict a documents CSV into a predictions CSV, row by row, in the order of the table."""
    from textclf.model_file import load_model
    from textclf.predicting import check_strict, predict_table

    options = TableOptions(id_column=id_column, text_column=text_column, encoding=encoding, where=tuple(where))
    with show_rows("predicted") as progress:
        counts = predict_table(
            load_model(model), table, output, options, keep_columns=keep_columns, progress=progress, warn=warn
        )
    failed = f", {counts['failed']} of them failed" if counts["failed"] else ""
    say(f"{output}: {counts['accept']} accepted, {counts['review']} for review{failed}")
    check_strict(counts["failed"], counts["accept"] + counts["review"], "could not be predicted", strict=strict)


@app.command()
def classify(
    model: Model,
    paths: Scans,
    as_json: AsJson = False,
    lang: Lang = "",
    scale: Scale = "auto",
    page_segmentation: Segmentation = 3,
    text_layer: TextLayer = "auto",
    variants: VariantsFile = None,
    max_pages: MaxPages = 100,
    max_bytes: MaxBytes = 200_000_000,
    seconds_per_page: Seconds = 60.0,
    jobs: Jobs = None,
    cache: Cache = None,
    no_cache: NoCache = False,
    strict: Strict = False,
) -> None:
    """Say what kind of document each scan is: one line a document, or one JSON object a line."""
    from textclf.model_file import load_model
    from textclf.predicting import as_json as json_line
    from textclf.predicting import check_strict, classify_files

    runtime = load_model(model)
    options = _reading_options(
        lang, scale, page_segmentation, text_layer, variants, max_pages, max_bytes, seconds_per_page
    )
    failed = total = 0
    with show_reading() as progress:
        reading = _reading(options, jobs, cache, no_cache, progress)
        for document, prediction in classify_files(runtime, paths, reading):
            total += 1
            failed += document.status != "ok"
            if as_json:
                _print(
                    json_line(
                        prediction, runtime, pages=document.page_count, ocr_confidence=round(document.confidence, 1)
                    )
                )
            else:
                note = prediction.error or prediction.reason
                _print(
                    f"{prediction.predicted_category or '-':<24} {prediction.score:6.1%}  {prediction.decision:<6}  "
                    f"{document.document_id}{f'  ({note})' if note else ''}"
                )
    check_strict(failed, total, "were not read in full", strict=strict)


@model_app.command()
def info(model: Model, as_json: AsJson = False) -> None:
    """Show what a model knows, was trained with, and found out about itself."""
    from textclf.model_file import model_info

    found = model_info(model)
    if as_json:
        _print(json.dumps(asdict(found), ensure_ascii=False, indent=1))
        return
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    _print(f"{model}: format {found.format}, {found.bytes / 1e6:.1f} MB", f"trained with  {versions}")
    _print(*(f"  {name:<20} {value}" for name, value in found.settings.items()))
    _print("knows", *(f"  {name:<20} {count:,}" for name, count in found.features.items()))
    _print("documents", *(f"  {name:<20} {count:,}" for name, count in found.training.documents.items()))
    _show_training(found.training, to=_print)


@words_app.command()
def similar(
    source: Annotated[Path, typer.Argument(metavar="VECTORS", help="A model file or a word2vec file.")],
    word: Annotated[str, typer.Argument(help="A word.")],
    n: Annotated[int, Option("-n", help="How many to show.")] = 10,
) -> None:
    """Show the words that are most like a word."""
    from textclf.commands import load_words

    _print(*(f"{other:<24} {likeness:.3f}" for other, likeness in load_words(source).similar(word, n)))


@words_app.command()
def analogy(
    source: Annotated[Path, typer.Argument(metavar="VECTORS", help="A model file or a word2vec file.")],
    words: Annotated[list[str], typer.Argument(help="Words to add; put the ones to subtract after --minus.")],
    minus: Annotated[list[str], Option(help="A word to subtract. May stand several times.")] = [],  # noqa: B006
    n: Annotated[int, Option("-n", help="How many to show.")] = 10,
) -> None:
    """Show the words nearest to a sum: king woman --minus man."""
    from textclf.commands import load_words

    _print(*(f"{other:<24} {likeness:.3f}" for other, likeness in load_words(source).analogy(words, minus, n)))


def _print(*lines: str) -> None:
    for line in lines:
        print(line, flush=True)  # noqa: T201


def _columns(document_id: str, text: str, category: str, encoding: str, where: list[str]) -> TableOptions:
    return TableOptions(
        id_column=document_id, text_column=text, category_column=category, encoding=encoding, where=tuple(where)
    )


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _show_training(record: TrainingRecord, to: Any = say) -> None:
    for group in record.groups:
        to(f"cross-validated, {group.features}: accuracy {group.accuracy:.3f}, macro F1 {group.macro_f1:.3f}")
    acceptance = record.acceptance
    if acceptance.accepted:
        to(
            f"accepts scores from {acceptance.threshold:.3f}: {acceptance.accepted:.0%} of such documents, "
            f"{acceptance.error:.1%} of them wrong (at most {acceptance.max_error:.1%} wanted)"
        )
    else:
        to(
            "accepts nothing: too few documents, or too many mistakes, "
            f"to promise at most {acceptance.max_error:.1%} errors"
        )


def _reading_options(
    lang: str,
    scale: str = "auto",
    page_segmentation: int = 3,
    text_layer: str = "auto",
    variants: Path | None = None,
    max_pages: int = 100,
    max_bytes: int = 200_000_000,
    seconds_per_page: float = 60.0,
) -> ReadingOptions:
    from ocr.cleaning import read_variants
    from ocr.limits import Limits
    from ocr.reading import ReadingOptions

    factor: Any = scale
    if scale != "auto":
        try:
            factor = float(scale)
        except ValueError:
            raise UsageError(
                f"{scale!r} is no factor", where="--scale", remedy="give auto or a number such as 1.5"
            ) from None
    layer: Any = text_layer
    return ReadingOptions(
        languages=tuple(filter(None, lang.split("+"))),
        scale=factor,
        page_segmentation=page_segmentation,
        text_layer=layer,
        variants=() if variants is None else read_variants(variants),
        limits=Limits(max_pages=max_pages, max_bytes=max_bytes, seconds_per_page=seconds_per_page),
    )


def _reading(options: ReadingOptions, jobs: int | None, cache: Path | None, no_cache: bool, progress: Any) -> Reading:
    from ocr.cache import PageCache
    from textclf.scans import Reading, default_cache

    if no_cache and cache is not None:
        raise UsageError("--cache and --no-cache exclude each other", remedy="give one of them")
    if jobs is not None and jobs < 1:
        raise UsageError(f"{jobs} workers", where="--jobs", remedy="give 1 or more")
    kept = None if no_cache else PageCache(cache or default_cache())
    return Reading(options=options, jobs=jobs, cache=kept, progress=progress)

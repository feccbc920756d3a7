"""Every option of the command line once, and what several commands make of them."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from textclf.console import harmless, say, warn
from textclf.documents import TableOptions
from textclf.errors import UsageError
from textclf.files import refuse_unwritable

if TYPE_CHECKING:
    from ocr.reading import ReadingOptions
    from textclf.prediction import TrainingRecord
    from textclf.scans import Reading

# every option can be set in the environment; saying so at each would bury the help
Option = partial(typer.Option, show_envvar=False)

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
Engine = Annotated[
    str, Option(help="tesserocr keeps its model loaded, tesseract is a program; auto: the first where it can be used.")
]
Effort = Annotated[
    str,
    Option(
        help="full: read all. balanced: page after page, until the model accepts what it finds. fast: of each page "
        "first a quarter of the lines, then half."
    ),
]
Password = Annotated[
    str,
    Option(
        help="Opens encrypted PDFs. Others may see it in a command line; the environment is safer.", show_default=False
    ),
]
MaxPages = Annotated[int, Option(help="Pages read of one document.")]
MaxBytes = Annotated[int, Option(help="Largest file that is opened.")]
Seconds = Annotated[float, Option("--seconds-per-page", help="Time that one page may take.")]
Jobs = Annotated[int | None, Option(help="Worker processes; if not given, as many as cores and memory bear.")]
Cache = Annotated[
    Path | None, Option("--cache", help="Folder for pages that were read; the user's cache folder if not given.")
]
NoCache = Annotated[bool, Option("--no-cache", help="Keep nothing that was read; a stopped run starts anew.")]
Dask = Annotated[
    str,
    Option(
        "--dask",
        metavar="ADDRESS",
        help="Work on a Dask cluster: the address of its scheduler, such as tcp://10.0.0.1:8786, or local.",
    ),
]
Strict = Annotated[bool, Option("--strict", help="Exit with code 8 if any document failed.")]
TextColumn = Annotated[str, Option(help="Name of the column that holds the text.")]
IdColumn = Annotated[str, Option(help="Name of the column that holds the document's id.")]
CategoryColumn = Annotated[str, Option(help="Name of the column that holds the category.")]
Encoding = Annotated[str, Option(help="Encoding of the CSV file, such as cp1252; auto finds it out.")]
GroupColumn = Annotated[
    str,
    Option(
        "--group",
        help="Column that says what a document belongs to, such as its issuer. Cross-validation keeps the documents "
        "of each together, so that scores and threshold hold for issuers never seen.",
    ),
]
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


def print_lines(*lines: str) -> None:
    """Print results to stdout, a line each; what could steer a terminal is shown as `harmless` writes it."""
    for line in lines:
        print(harmless(line), flush=True)  # noqa: T201


def print_json(value: object) -> None:
    """Print JSON to stdout, indented."""
    print_lines(*json.dumps(value, ensure_ascii=False, indent=1).split("\n"))


def table_options(
    document_id: str, text: str, category: str, encoding: str, where: list[str], group: str = ""
) -> TableOptions:
    """Bring together how a CSV is read."""
    return TableOptions(
        id_column=document_id,
        text_column=text,
        category_column=category,
        encoding=encoding,
        where=tuple(where),
        group_column=group,
    )


def checked_jobs(jobs: int | None) -> int | None:
    """Refuse fewer processes than one."""
    if jobs is not None and jobs < 1:
        raise UsageError(f"{jobs} workers", where="--jobs", remedy="give 1 or more")
    return jobs


def given(**options: Any) -> dict[str, Any]:
    """Leave out the options that were not given, so that the defaults of the library hold."""
    return {name: value for name, value in options.items() if value is not None}


def show_training(record: TrainingRecord, to: Any = say) -> None:
    """Say what cross-validation found, and what the model will accept."""
    for group in record.groups:
        to(f"cross-validated, {group.features}: accuracy {group.accuracy:.3f}, macro F1 {group.macro_f1:.3f}")
    if record.kept_together:
        to(f"the documents of each of {record.kept_together} groups were kept together: this is for groups never seen")
    acceptance = record.acceptance
    if acceptance.accepted:
        to(
            f"accepts scores from {acceptance.threshold:.3f}: {acceptance.accepted:.0%} of such documents, "
            f"{acceptance.error:.1%} of them wrong; with {acceptance.confidence:.0%} confidence "
            f"less than {acceptance.max_error:.1%} of documents like these"
        )
    else:
        from textclf.confidence import why_nothing_is_accepted

        to(why_nothing_is_accepted(acceptance))


def reading_options(
    lang: str,
    scale: str = "auto",
    page_segmentation: int = 3,
    text_layer: str = "auto",
    variants: Path | None = None,
    max_pages: int = 100,
    max_bytes: int = 200_000_000,
    seconds_per_page: float = 60.0,
    password: str = "",
) -> ReadingOptions:
    """Check the options of reading, and bring them together."""
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
        password=password,
        limits=Limits(max_pages=max_pages, max_bytes=max_bytes, seconds_per_page=seconds_per_page),
    )


def open_reading(
    options: ReadingOptions,
    jobs: int | None,
    cache: Path | None,
    no_cache: bool,
    progress: Any,
    engine: str | None = None,
    dask: str = "",
) -> Reading:
    """Say how and where scans are read, with a cache unless none is wanted."""
    from ocr.cache import PageCache
    from ocr.tesserocr_engine import open_engine
    from textclf.scans import Reading, default_cache

    if no_cache and cache is not None:
        raise UsageError("--cache and --no-cache exclude each other", remedy="give one of them")
    chosen: Any = engine
    folder = None
    if cache is not None:
        folder = cache
        refuse_unwritable(folder / "page")
    elif not no_cache:
        folder = default_cache(warn)
    return Reading(
        options=options,
        jobs=checked_jobs(jobs),
        cache=None if folder is None else PageCache(folder.absolute()),
        progress=progress,
        engine=None if chosen is None else open_engine(chosen),
        dask=dask,
    )

"""Every option of the command line once, and what several commands make of them."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, cast

from textclf.base.errors import UsageError
from textclf.base.files import refuse_unwritable_folder
from textclf.commands.application import Argument, Option, OptionGroup
from textclf.commands.console import harmless, show_reading
from textclf.data.sources import TableOptions

if TYPE_CHECKING:
    from ocr.reading_options import ReadingOptions
    from textclf.data.scans import ScanOptions
    from textclf.model.prediction import TrainingRecord

_log = logging.getLogger(__name__)

# every option once; the commands name the ones they take
Model = Annotated[Path, Argument(metavar="MODEL", help="A model file, as train writes it.")]
Table = Annotated[
    Path,
    Argument(
        metavar="DOCUMENTS",
        help="A CSV with the columns document_id and text, or a folder of scans and .txt files.",
    ),
]
LabelledTable = Annotated[
    Path,
    Argument(
        metavar="DOCUMENTS",
        help="A CSV with the columns document_id, text and category; a folder with a folder per category of scans and "
        ".txt files; or the folder that prepare wrote.",
    ),
]
Scans = Annotated[
    list[Path],
    Argument(
        metavar="FILES",
        help="Images, PDFs, or folders that hold some. A document's id is its path under the one folder given; of "
        "several, each id begins with the path as given.",
    ),
]
OutputFile = Annotated[Path, Option("--output", "-o", metavar="FILE", help="Where the result goes.")]
OutputFolder = Annotated[Path, Option("--output", "-o", metavar="FOLDER", help="Where the results go.")]
Lang = Annotated[
    str,
    Option(
        "--lang",
        metavar="LANGUAGES",
        help="Tesseract's languages, such as ita+eng. Empty: English and Italian, if there.",
    ),
]
Scale = Annotated[
    str,
    Option(
        metavar="auto|FACTOR",
        help="Enlarge pages by this factor before reading, above 0 and at most 8; auto goes by resolution.",
    ),
]
Segmentation = Annotated[
    int,
    Option("--page-segmentation", help="Tesseract's --psm; 3 finds the layout itself, 2 reads nothing.", min=1, max=13),
]
TextLayerChoice = Literal["auto", "ignore"]
TextLayer = Annotated[
    TextLayerChoice, Option(help="auto: take a PDF's text layer where it is good; ignore: always OCR.")
]
VariantsFile = Annotated[
    Path | None, Option("--variants", help="File with spellings to unify, a line each: NY = ny = New York.")
]
EngineChoice = Literal["auto", "tesserocr", "tesseract"]
Engine = Annotated[
    EngineChoice,
    Option(help="tesserocr keeps its model loaded, tesseract is a program; auto: the first where it can be used."),
]
EffortChoice = Literal["full", "balanced", "fast"]
Effort = Annotated[
    EffortChoice,
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
MaxPages = Annotated[int, Option(help="Pages read of one document.", min=1)]
MaxBytes = Annotated[int, Option(help="Largest file that is opened.", min=1)]
Seconds = Annotated[float, Option("--seconds-per-page", help="Time that one page may take.", min=0.001, max=86_400)]
Jobs = Annotated[int | None, Option(help="Worker processes; if not given, as many as cores and memory bear.", min=1)]
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
TextColumn = Annotated[str, Option(metavar="NAME", help="Name of the column that holds the text.")]
IdColumn = Annotated[str, Option(metavar="NAME", help="Name of the column that holds the document's id.")]
CategoryColumn = Annotated[str, Option(metavar="NAME", help="Name of the column that holds the category.")]
Encoding = Annotated[str, Option(metavar="NAME", help="Encoding of the CSV file, such as cp1252; auto finds it out.")]
GroupColumn = Annotated[
    str,
    Option(
        "--group",
        metavar="NAME",
        help="Column that says what a document belongs to, such as its issuer. Cross-validation keeps the documents "
        "of each together, so that scores and threshold hold for issuers never seen.",
    ),
]
Where = Annotated[
    list[str],
    Option(metavar="COLUMN=VALUE", help="Only rows with this value. May stand several times, and all must hold."),
]
LexiconChoice = Annotated[
    str | None,
    Option(
        "--lexicon",
        metavar="auto|learn|none|FILE",
        help="auto: the lexicon that ships where it fits, else keywords learned from the documents; learn; none; "
        "or a TOML file.",
        show_default="auto",
        autocompletion=lambda: ["auto", "learn", "none"],
    ),
]
VectorChoice = Annotated[
    str | None,
    Option(
        "--vectors",
        metavar="learn|none|FILE",
        help="Word vectors: learn; none; or a word2vec file, text or binary.",
        show_default="learn",
        autocompletion=lambda: ["learn", "none"],
    ),
]
VectorSize = Annotated[
    int | None, Option(help="Dimensions of learned word vectors.", show_default="50", min=1, max=1_000)
]
MaxError = Annotated[
    float, Option(help="Error among accepted documents that can be borne, such as 0.05.", min=0.0001, max=0.9999)
]
Confidence = Annotated[
    float, Option(help="How sure it shall be that they stay under it, such as 0.9.", min=0.0001, max=0.9999)
]
By = Annotated[
    list[str],
    Option(metavar="COLUMN", help="Also show the figures for each value of this column. May stand several times."),
]
Seed = Annotated[
    int | None,
    Option(help="Same input, seed and versions give the same bytes.", show_default="0", min=0, max=2**32 - 1),
]
AsJson = Annotated[bool, Option("--json", help="Print JSON for a program to read.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFlags(OptionGroup):
    """How documents are read where their categories do not matter."""

    text_column: TextColumn = "text"
    id_column: IdColumn = "document_id"
    encoding: Encoding = "auto"
    where: Where = field(default_factory=list)

    def options(self) -> TableOptions:
        """Give them as the library takes them."""
        return TableOptions(
            id_column=self.id_column, text_column=self.text_column, encoding=self.encoding, where=tuple(self.where)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelledFlags(TableFlags):
    """How documents are read where their categories matter."""

    category_column: CategoryColumn = "category"

    def options(self) -> TableOptions:
        """Give them as the library takes them."""
        return replace(TableFlags.options(self), category_column=self.category_column)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadingFlags(OptionGroup):
    """What is read of scans, and how."""

    lang: Lang = ""
    scale: Scale = "auto"
    page_segmentation: Segmentation = 3
    text_layer: TextLayer = "auto"
    variants: VariantsFile = None
    max_pages: MaxPages = 100
    max_bytes: MaxBytes = 200_000_000
    seconds_per_page: Seconds = 60.0
    password: Password = ""

    def options(self) -> ReadingOptions:
        """Give them as the library takes them."""
        from ocr.cleaning import read_variants
        from ocr.reading_options import Limits, ReadingOptions

        try:
            factor = "auto" if self.scale == "auto" else float(self.scale)
        except ValueError:
            remedy = "give auto or a number such as 1.5"
            raise UsageError(f"{self.scale!r} is no factor", where="--scale", remedy=remedy) from None
        return ReadingOptions(
            languages=tuple(filter(None, self.lang.split("+"))),
            scale=cast("Any", factor),
            page_segmentation=self.page_segmentation,
            text_layer=self.text_layer,
            variants=() if self.variants is None else read_variants(self.variants),
            password=self.password,
            limits=Limits(max_pages=self.max_pages, max_bytes=self.max_bytes, seconds_per_page=self.seconds_per_page),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFlags(OptionGroup):
    """On how many processes scans are read, and where what was read is kept."""

    jobs: Jobs = None
    cache: Cache = None
    no_cache: NoCache = False

    def scans(self, options: ReadingOptions, engine: EngineChoice | None = None, dask: str = "") -> ScanOptions:
        """Say how scans are read; how far that is, is shown."""
        from ocr.cache import PageCache
        from ocr.engines import open_engine
        from textclf.data.scans import ScanOptions, default_cache

        if self.no_cache and self.cache is not None:
            raise UsageError("--cache and --no-cache exclude each other", remedy="give one of them")
        folder = self.cache
        if folder is not None:
            refuse_unwritable_folder(folder)
        elif not self.no_cache:
            folder = default_cache()
        return ScanOptions(
            options=options,
            jobs=self.jobs,
            cache=None if folder is None else PageCache(folder.absolute()),
            show=show_reading,
            engine=None if engine is None else open_engine(engine),
            dask=dask,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderFlags(WorkFlags):
    """How the scans of a folder are read that stands for a table."""

    lang: Lang = ""
    password: Password = ""

    def apply(self, table: TableOptions, *sources: Path | None) -> TableOptions:
        """Say in the options of a table how scans are read, if one of the sources is a folder."""
        if not any(source is not None and source.is_dir() for source in sources):
            return table
        return replace(table, scans=self.scans(ReadingFlags(lang=self.lang, password=self.password).options()))


def print_lines(*lines: str) -> None:
    """Print results to stdout, a line each; what could steer a terminal is shown as `harmless` writes it."""
    for line in lines:
        print(harmless(line), flush=True)  # noqa: T201


def print_json(value: object) -> None:
    """Print JSON to stdout, indented."""
    print_lines(*json.dumps(value, ensure_ascii=False, indent=1).split("\n"))


def given(**options: Any) -> dict[str, Any]:
    """Leave out the options that were not given, so that the defaults of the library hold."""
    return {name: value for name, value in options.items() if value is not None}


def show_training(record: TrainingRecord, to: Callable[[str], None] = _log.info) -> None:
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
        from textclf.model.accept import why_nothing_is_accepted

        to(why_nothing_is_accepted(acceptance))

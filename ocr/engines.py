"""OCR engines: one protocol, and Tesseract behind it."""

from __future__ import annotations

import math
import os
from collections import ChainMap
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from typing import TYPE_CHECKING, Protocol

from ocr.documents import Word, mean_confidence
from ocr.words import line_text
from textclf.base.errors import BadInputError, MissingProgramError

if TYPE_CHECKING:
    from types import ModuleType

    from PIL import Image

_DEFAULT_LANGUAGES = ("eng", "ita")
_MAX_OUTPUT = 50_000_000
_WORD_LEVEL = "5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What an engine saw on one image.

    Parameters
    ----------
    words : tuple of Word
        In reading order, boxes in pixels of the image that was given.
    text : str
        The words with their line structure; a blank line between two paragraphs.
    """

    words: tuple[Word, ...] = ()
    text: str = ""

    @property
    def confidence(self) -> float:
        """Mean confidence of the words, weighted by length, 0 to 100; 0 without words."""
        return mean_confidence(self.words)


class OcrEngine(Protocol):
    """What reads an image. An engine must survive pickling: it travels to worker processes.

    Name and version go into every cache key: an engine that reads differently must say so in its version.
    """

    @property
    def name(self) -> str:
        """Short name, such as ``tesseract``."""

    @property
    def version(self) -> str:
        """Version of the program that does the reading."""

    def languages(self) -> tuple[str, ...]:
        """Languages that are installed, sorted, by Tesseract's codes."""

    def read(self, image: Image.Image, *, languages: Sequence[str], page_segmentation: int, timeout: float) -> Reading:
        """Read one upright image of 8-bit grey within ``timeout`` seconds; raise `BadInputError` if that fails."""


def chosen_languages(engine: OcrEngine, wanted: Sequence[str]) -> tuple[str, ...]:
    """Settle the languages to read with.

    Parameters
    ----------
    engine : OcrEngine
        Asked for what is installed.
    wanted : sequence of str
        Languages that must be there; empty for English and Italian as far as they are installed.

    Returns
    -------
    tuple of str
        At least one language.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If one of them, or the engine itself, is not installed; the remedy is the line that installs it.
    """
    installed = engine.languages()
    missing = [language for language in wanted if language not in installed]
    chosen = tuple(wanted) or tuple(language for language in _DEFAULT_LANGUAGES if language in installed)
    if missing or not chosen:
        missing = missing or list(_DEFAULT_LANGUAGES)
        packages = " ".join(f"tesseract-ocr-{language.lower().replace('_', '-')}" for language in missing)
        raise MissingProgramError(
            f"{engine.name} has no language {', '.join(missing)} (installed: {', '.join(installed) or 'none'})",
            remedy=f"install it: apt-get install {packages}",
        )
    return chosen


@dataclass(frozen=True)
class TesseractEngine:
    """Tesseract through pytesseract: one run a page gives text, boxes and confidences.

    The program is the first ``tesseract`` on the PATH. Each run has one thread, unless the environment sets
    ``OMP_THREAD_LIMIT``: with more, the threads of parallel pages wait for each other (seen on 2 cores: 13.7 s
    a page against 1.45 s).
    """

    name: str = "tesseract"

    @cached_property
    def version(self) -> str:
        """Version of the program, such as ``5.3.0``."""
        pytesseract = _pytesseract()
        try:
            return str(pytesseract.get_tesseract_version())
        # pytesseract ends the program over a version that it cannot make out
        except (pytesseract.TesseractNotFoundError, OSError, ValueError, SystemExit) as error:
            raise _missing() from error

    def languages(self) -> tuple[str, ...]:
        """Languages that are installed, sorted."""
        pytesseract = _pytesseract()
        try:
            return tuple(sorted(set(pytesseract.get_languages()) - {"osd"}))
        except (pytesseract.TesseractNotFoundError, OSError, ValueError) as error:
            raise _missing() from error

    def read(self, image: Image.Image, *, languages: Sequence[str], page_segmentation: int, timeout: float) -> Reading:
        """Read one image.

        Parameters
        ----------
        image : PIL.Image.Image
            Mode ``L``.
        languages : sequence of str
            At least one.
        page_segmentation : int
            Tesseract's ``--psm``.
        timeout : float
            Seconds until the run is killed.

        Returns
        -------
        Reading
            Empty for an image without text.

        Raises
        ------
        textclf.base.errors.BadInputError
            If Tesseract fails, takes too long, or answers with something else than its table.
        textclf.base.errors.MissingProgramError
            If it is not there.
        """
        pytesseract = _pytesseract()
        # pytesseract hands the image over in the format it names: PNG, its default, costs more time to pack
        image = image.copy()
        image.format = "PPM"
        try:
            table = pytesseract.image_to_data(
                image,
                lang="+".join(languages),
                config=f"--oem 1 --psm {page_segmentation}",
                timeout=timeout,
                output_type=pytesseract.Output.BYTES,
            )
        except pytesseract.TesseractNotFoundError as error:
            raise _missing() from error
        except pytesseract.TesseractError as error:
            raise BadInputError(f"tesseract failed (status {error.status}: {_short(error.message)})") from error
        except (UnicodeDecodeError, FileNotFoundError) as error:
            raise BadInputError("tesseract failed and gave no readable message") from error
        except RuntimeError as error:
            raise BadInputError(f"tesseract was not done after {timeout:.1f} s and was stopped") from error
        if len(table) > _MAX_OUTPUT:
            raise BadInputError(f"tesseract gave more than {_MAX_OUTPUT:,} bytes for one page")
        return parse_tsv(table)


def _pytesseract() -> ModuleType:
    import pytesseract

    # pytesseract starts Tesseract with this environment; a view, so that what the user sets, also later, goes first
    pytesseract.pytesseract.environ = ChainMap(os.environ, {"OMP_THREAD_LIMIT": "1"})
    module: ModuleType = pytesseract
    return module


def _missing() -> MissingProgramError:
    return MissingProgramError(
        "tesseract is not installed, or does not run",
        remedy="install it: apt-get install tesseract-ocr tesseract-ocr-ita tesseract-ocr-osd (macOS: brew install "
        "tesseract tesseract-lang)",
    )


def _short(message: object) -> str:
    return " ".join(str(message).split())[:200]


def parse_tsv(table: bytes) -> Reading:
    r"""Read Tesseract's TSV output, whatever it holds.

    Parameters
    ----------
    table : bytes
        Columns level, page, block, paragraph, line, word, left, top, width, height, confidence, text
        (https://tesseract-ocr.github.io/tessdoc/Command-Line-Usage.html). Rows that do not fit are left out,
        bytes that are not UTF-8 replaced.

    Returns
    -------
    Reading
        The words, and the text made of them.

    Raises
    ------
    textclf.base.errors.BadInputError
        If it is no such table.

    Examples
    --------
    >>> head = "level page_num block_num par_num line_num word_num left top width height conf text"
    >>> row = "5 1 1 1 1 1 10 20 30 40 96.5 Total"
    >>> parse_tsv("\t".join(head.split()).encode() + b"\n" + "\t".join(row.split()).encode()).words[0].box
    (10, 20, 40, 60)
    """
    rows = table.decode("utf-8", errors="replace").split("\n")
    if not rows[0].startswith("level\t"):
        raise BadInputError("tesseract gave no table of words")
    words: list[Word] = []
    breaks: list[str] = []
    last: list[str] = []
    for row in rows[1:]:
        cells = row.rstrip("\r").split("\t")
        if len(cells) != 12 or cells[0] != _WORD_LEVEL or not cells[11].strip():
            continue
        try:
            left, top, width, height = (int(cell) for cell in cells[6:10])
            confidence = float(cells[10])
        except ValueError:
            continue
        if not math.isfinite(confidence):
            continue
        place = cells[1:5]
        if place != last:
            breaks.append("" if not last else "\n" if place[:3] == last[:3] else "\n\n")
            last = place
        words.append(
            Word(
                text=cells[11].strip(),
                confidence=min(100.0, max(0.0, confidence)),
                box=(left, top, left + width, top + height),
                line=len(breaks) - 1,
            )
        )
    lines = (line_text(list(line)) for _, line in groupby(words, key=lambda word: word.line))
    return Reading(words=tuple(words), text="".join(chain.from_iterable(zip(breaks, lines, strict=True))))

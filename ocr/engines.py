"""OCR engines: their protocol, and the table of those at hand: Tesseract as a library and as a program."""

from __future__ import annotations

import math
import os
import re
import subprocess
import threading
import time
from collections import ChainMap
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, groupby
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from ocr.document import Word
from ocr.ocr_result import OcrResult, line_text
from textclf.base.errors import BadInputError, MissingProgramError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from PIL import Image

_DEFAULT_LANGUAGES = ("eng", "ita")
_MAX_OUTPUT = 50_000_000
_WORD_LEVEL = "5"
_NO_FOLDER = "set TESSDATA_PREFIX to the folder that holds eng.traineddata"
_LOADED = threading.local()
"""The model that this thread has loaded: one at a time, shared with no other thread."""


class OcrEngine(Protocol):
    """An OCR engine, which can be pickled, because it is sent to worker processes.

    Name and version are part of every cache key: an engine that reads differently must have another version.
    """

    @property
    def name(self) -> str:
        """Short name, such as ``tesseract``."""

    @property
    def version(self) -> str:
        """Version of the program that does the reading."""

    def languages(self) -> tuple[str, ...]:
        """Languages that are installed, sorted, by Tesseract's codes."""

    def read(
        self, image: Image.Image, *, languages: Sequence[str], page_segmentation: int, timeout: float
    ) -> OcrResult:
        """Read one image.

        Parameters
        ----------
        image : PIL.Image.Image
            Mode ``L``, upright.
        languages : sequence of str
            At least one.
        page_segmentation : int
            Tesseract's ``--psm``.
        timeout : float
            Seconds after which it stops.

        Returns
        -------
        OcrResult
            Empty for an image without text.

        Raises
        ------
        textclf.base.errors.BadInputError
            If the image cannot be read, or takes too long.
        textclf.base.errors.MissingProgramError
            If the engine or a language is not installed.
        """


def choose_languages(engine: OcrEngine, wanted: Sequence[str]) -> tuple[str, ...]:
    """Choose the languages to read with; the error for a missing one names the command that installs it."""
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
    """Tesseract through pytesseract: one run per page gives text, boxes and confidences.

    The program is the first ``tesseract`` on the PATH. Each run has one thread, unless the environment sets
    ``OMP_THREAD_LIMIT``: with more, the threads of parallel pages wait for each other (measured on 2 cores: 13.7 s
    per page against 1.45 s).

    Parameters
    ----------
    name : str
        Part of the cache key.
    """

    name: str = "tesseract"

    @cached_property
    def version(self) -> str:
        """Version of the program, such as ``5.3.0``."""
        return str(_asked("get_tesseract_version"))

    def languages(self) -> tuple[str, ...]:
        """Languages that are installed, sorted."""
        return tuple(sorted({*_asked("get_languages")} - {"osd"}))

    def read(
        self, image: Image.Image, *, languages: Sequence[str], page_segmentation: int, timeout: float
    ) -> OcrResult:
        """Read one image, see `OcrEngine.read`."""
        pytesseract = _pytesseract()
        # pytesseract passes the image in the format that it has: compressing PNG, the default, takes longer
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

    # pytesseract starts Tesseract with this environment; in a view, what the user sets, even later, has priority
    pytesseract.pytesseract.environ = ChainMap(os.environ, {"OMP_THREAD_LIMIT": "1"})
    module: ModuleType = pytesseract
    return module


def _asked(question: str) -> Any:
    try:
        return getattr(_pytesseract(), question)()
    # pytesseract calls sys.exit over a version that it cannot parse
    except (OSError, ValueError, SystemExit) as error:
        raise _missing() from error


def _missing() -> MissingProgramError:
    return MissingProgramError(
        "tesseract is not installed, or does not run",
        remedy="install it: apt-get install tesseract-ocr tesseract-ocr-ita tesseract-ocr-osd (macOS: brew install "
        "tesseract tesseract-lang)",
    )


def _short(message: object) -> str:
    return " ".join(str(message).split())[:200]


def parse_tsv(table: bytes) -> OcrResult:
    """Parse Tesseract's TSV output; malformed rows are left out, bytes that are not UTF-8 replaced."""
    rows = table.decode("utf-8", errors="replace").split("\n")
    if not rows[0].startswith("level\t"):
        raise BadInputError("tesseract gave no table of words")
    words: list[Word] = []
    breaks: list[str] = []
    last: list[str] = []
    for row in rows[1:]:
        # level, page, block, paragraph, line, word, left, top, width, height, confidence, text
        cells = row.rstrip("\r").split("\t")
        if len(cells) != 12 or cells[0] != _WORD_LEVEL or not cells[11].strip():
            continue
        try:
            left, top, width, height = map(int, cells[6:10])
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
    return OcrResult(words=tuple(words), text="".join(chain.from_iterable(zip(breaks, lines, strict=True))))


@dataclass(frozen=True)
class TesserocrEngine:
    """Tesseract through tesserocr: the model stays loaded, and no page is written to a file.

    The library reads with one thread, unless the environment sets ``OMP_THREAD_LIMIT``. Its ``timeout`` bounds
    recognition but not the layout analysis before it, and a crash ends the whole process: read files of unknown
    origin with `iter_documents`, whose workers can be killed without losing other pages.

    Parameters
    ----------
    tessdata : str
        Folder with the languages, ``*.traineddata``; tesserocr's own default is mostly wrong.
    name : str
        Part of the cache key.
    """

    tessdata: str
    name: str = "tesserocr"

    @cached_property
    def version(self) -> str:
        """Version of the Tesseract inside, such as ``5.5.0``."""
        found = re.search(r"\d[\w.-]*", _tesserocr().tesseract_version())
        return found[0] if found else "unknown"

    def languages(self) -> tuple[str, ...]:
        """Languages in the folder, sorted."""
        tesserocr = _tesserocr()
        try:
            _, found = tesserocr.get_languages(os.path.join(self.tessdata, ""))  # noqa: PTH118 - with a slash at its end
        except RuntimeError:
            return ()
        return tuple(sorted({*found} - {"osd"}))

    def read(
        self, image: Image.Image, *, languages: Sequence[str], page_segmentation: int, timeout: float
    ) -> OcrResult:
        """Read one image, see `OcrEngine.read`."""
        api = _loaded(self.tessdata, "+".join(languages))
        # the library does not copy these bytes: they must live until the page is read
        pixels = image.tobytes()
        started = time.perf_counter()
        try:
            api.SetPageSegMode(page_segmentation)
            api.SetImageBytes(pixels, image.width, image.height, 1, image.width)
            if not api.Recognize(max(1, int(timeout * 1000))):
                if time.perf_counter() - started >= timeout:
                    raise BadInputError(f"tesserocr was not done after {timeout:.1f} s and was stopped")
                raise BadInputError("tesserocr failed and gave no message")
            return parse_tsv(b"level\t\n" + api.GetTSVText(0).encode())
        except (RuntimeError, UnicodeDecodeError) as error:
            raise BadInputError(f"tesserocr failed ({_short(error)})") from error
        finally:
            api.Clear()


def _loaded(tessdata: str, languages: str) -> Any:
    """Give this thread's model, after loading it if another one is loaded."""
    wanted = (tessdata, languages)
    loaded, api = getattr(_LOADED, "model", (None, None))
    if loaded == wanted:
        return api
    if api is not None:
        del _LOADED.model
        api.End()
    tesserocr = _tesserocr()
    try:
        api = tesserocr.PyTessBaseAPI(path=tessdata, lang=languages, oem=tesserocr.OEM.LSTM_ONLY)
    except RuntimeError as error:
        raise MissingProgramError(
            f"tesserocr cannot load {languages} from {tessdata}", remedy="read with --engine tesseract"
        ) from error
    # its remarks about a page are of no use to the user
    api.SetVariable("debug_file", os.devnull)
    tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)
    _LOADED.model = (wanted, api)
    return api


def _tesserocr() -> ModuleType:
    # OpenMP reads the environment once, when it is loaded
    is_unset = "OMP_THREAD_LIMIT" not in os.environ
    try:
        os.environ.setdefault("OMP_THREAD_LIMIT", "1")
        import tesserocr
    except ImportError as error:
        raise MissingProgramError("tesserocr is not installed", remedy="pip install tesserocr") from error
    finally:
        if is_unset:
            del os.environ["OMP_THREAD_LIMIT"]
    module: ModuleType = tesserocr
    return module


def _opened_library() -> TesserocrEngine:
    engine = TesserocrEngine(system_tessdata())
    if not engine.languages():
        raise MissingProgramError(f"tesserocr finds no language in {engine.tessdata}", remedy=_NO_FOLDER)
    return engine


def system_tessdata() -> str:
    """Find the folder with Tesseract's languages: ``TESSDATA_PREFIX``, else what the program reports (from 5.0 on)."""
    if folder := os.environ.get("TESSDATA_PREFIX"):
        return folder
    try:
        answer = subprocess.run(
            ["tesseract", "--list-langs"],  # noqa: S607 - the first on the PATH is meant, as for TesseractEngine
            capture_output=True,
            timeout=20,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        answer = b""
    # "List of available languages in "/usr/share/tessdata/" (3):"
    found = re.search(r'"(.+)"', answer.decode(errors="replace").partition("\n")[0])
    if not found:
        raise MissingProgramError("the languages of tesseract were not found", remedy=_NO_FOLDER)
    return found[1]


class EngineKind(NamedTuple):
    """An engine that can be chosen by name: how it is opened, and how the help describes it."""

    open: Callable[[], OcrEngine]
    help: str


ENGINES = {
    "tesserocr": EngineKind(_opened_library, "keeps its model loaded"),
    "tesseract": EngineKind(TesseractEngine, "is a program"),
}
"""In the order in which ``auto`` tries them."""

if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal["auto", *ENGINES]


def open_engine(name: EngineName = "auto") -> OcrEngine:
    """Choose the engine.

    Parameters
    ----------
    name : {"auto", "tesserocr", "tesseract"}
        ``tesserocr`` keeps the model loaded; ``tesseract`` starts the program for every page. ``auto``: the first
        if it is installed and finds the languages that the program has, else the second.

    Returns
    -------
    OcrEngine
        Not loaded yet.

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If ``tesserocr`` is asked for and cannot be used.
    textclf.base.errors.UsageError
        If there is no such engine.

    Examples
    --------
    >>> open_engine("tesseract").name
    'tesseract'
    """
    *preferred, last = ENGINES
    if name in ENGINES:
        return ENGINES[name].open()
    if name != "auto":
        raise UsageError(f"must be {', '.join(['auto', *preferred])} or {last}", where="engine")
    for each in preferred:
        with suppress(MissingProgramError):
            return ENGINES[each].open()
    return ENGINES[last].open()

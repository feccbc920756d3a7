"""Tesseract as a library, its model loaded once a process, and the choice between it and the program."""

from __future__ import annotations

import os
import re
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from ocr.engines import OcrEngine, Reading, TesseractEngine, parse_tsv
from textclf.base.errors import BadInputError, MissingProgramError, UsageError

if TYPE_CHECKING:
    from types import ModuleType

    from PIL import Image

EngineName = Literal["auto", "tesserocr", "tesseract"]

_NO_FOLDER = "set TESSDATA_PREFIX to the folder that holds eng.traineddata"
_LOADED = threading.local()
"""The model that this thread has loaded: one at a time, and no thread shares it with another."""


@dataclass(frozen=True)
class TesserocrEngine:
    """Tesseract through tesserocr: the model stays loaded, and no page goes through a file.

    The library reads with one thread, unless the environment sets ``OMP_THREAD_LIMIT``. Its ``timeout`` bounds
    recognition but not the layout analysis before it, and a crash takes the whole process: read strangers' files
    with `iter_documents`, whose workers are ended from outside and lose no other page.

    Parameters
    ----------
    tessdata : str
        Folder with the languages, ``*.traineddata``; tesserocr's own default mostly finds none.
    name : str
        Stands in the cache key.
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
            _, found = tesserocr.get_languages(os.path.join(self.tessdata, ""))  # noqa: PTH118 - with a slash behind
        except RuntimeError:
            return ()
        return tuple(sorted(set(found) - {"osd"}))

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
            Seconds until recognition stops.

        Returns
        -------
        Reading
            Empty for an image without text.

        Raises
        ------
        textclf.base.errors.BadInputError
            If Tesseract fails or takes too long.
        textclf.base.errors.MissingProgramError
            If the library or a language cannot be loaded.
        """
        api = _loaded(self.tessdata, "+".join(languages))
        # the library looks at these bytes without taking a copy: they must live until all is read
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
            raise BadInputError(f"tesserocr failed ({' '.join(str(error).split())[:200]})") from error
        finally:
            api.Clear()


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
    if name not in ("auto", "tesserocr", "tesseract"):
        raise UsageError("must be auto, tesserocr or tesseract", where="engine")
    if name == "tesseract":
        return TesseractEngine()
    try:
        return _opened()
    except MissingProgramError:
        if name == "tesserocr":
            raise
    return TesseractEngine()


def _opened() -> TesserocrEngine:
    engine = TesserocrEngine(system_tessdata())
    if not engine.languages():
        raise MissingProgramError(f"tesserocr finds no language in {engine.tessdata}", remedy=_NO_FOLDER)
    return engine


def system_tessdata() -> str:
    """Find the folder with Tesseract's languages.

    Returns
    -------
    str
        ``TESSDATA_PREFIX`` if it is set, else what the first ``tesseract`` on the PATH names (from 5.0 on).

    Raises
    ------
    textclf.base.errors.MissingProgramError
        If neither tells.
    """
    if folder := os.environ.get("TESSDATA_PREFIX"):
        return folder
    try:
        answer = subprocess.run(
            ["tesseract", "--list-langs"],  # noqa: S607 - the first on the PATH is meant, as for TesseractEngine
            capture_output=True,
            timeout=20,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        answer = None
    # "List of available languages in "/usr/share/tessdata/" (3):"
    found = answer and re.search(r'"(.+)"', answer.stdout.decode(errors="replace").partition("\n")[0])
    if not found:
        raise MissingProgramError("the languages of tesseract were not found", remedy=_NO_FOLDER)
    return found[1]


def _loaded(tessdata: str, languages: str) -> Any:
    """Give this thread's model, and load it if it is not the one wanted."""
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
    # what it thinks of a page is nothing to the person at the terminal
    api.SetVariable("debug_file", os.devnull)
    tesserocr.set_leptonica_log_level(tesserocr.LeptLogLevel.NONE)
    _LOADED.model = (wanted, api)
    return api


def _tesserocr() -> ModuleType:
    try:
        with _one_thread():
            import tesserocr
    except ImportError as error:
        raise MissingProgramError("tesserocr is not installed", remedy="pip install tesserocr") from error
    module: ModuleType = tesserocr
    return module


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let OpenMP, which looks at the environment once, when it is loaded, give one thread if the user says nothing."""
    if "OMP_THREAD_LIMIT" in os.environ:
        yield
        return
    os.environ["OMP_THREAD_LIMIT"] = "1"
    try:
        yield
    finally:
        del os.environ["OMP_THREAD_LIMIT"]

"""The page cache, so that no page is read twice: after a kill, or in another run with the same options."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from ocr.document import Page, Word
from ocr.source_file import Survey
from textclf.base.files import output_error, write_aside
from textclf.base.from_json import from_json

_FORMAT = 4
_NOT_KEPT = {"text", "is_separator"}
"""What is found again each time a page is taken from the cache."""


class PageCache:
    """Pages on disk, one JSON file each.

    The files hold private text: they are readable by their owner only, and so are folders that are made. A file
    that is damaged, or of another format, counts as missing. Two processes may use one cache: each file is written
    aside and renamed.

    Parameters
    ----------
    folder : str or pathlib.Path
        Where the pages are kept; made when the first is.

    Examples
    --------
    >>> import tempfile
    >>> cache = PageCache(tempfile.mkdtemp())
    >>> cache.put("ab12", Page(number=1, raw_text="Dear Sir"))
    >>> cache.get("ab12").raw_text
    'Dear Sir'
    >>> cache.get("ab13") is None
    True
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)

    def get(self, key: str) -> Page | None:
        """Give the page kept under a key, or None.

        Parameters
        ----------
        key : str
            Hexadecimal digits.
        """
        try:
            return _page(self._entry(key)["page"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
            return None

    def put(self, key: str, page: Page) -> None:
        """Keep a page.

        Parameters
        ----------
        key : str
            Hexadecimal digits.
        page : Page
            Its `text` is not kept: pages are cleaned again each time.

        Raises
        ------
        textclf.base.errors.OutputError
            If it cannot be written: disk full, no permission.
        """
        words = [[word.text, word.confidence, *word.box, word.line] for word in page.words]
        fields = {name: value for name, value in asdict(page).items() if name not in _NOT_KEPT}
        self._write(key, {"page": {**fields, "words": words}})

    def get_survey(self, key: str, sha256: str) -> Survey | None:
        """Give the survey of the document with this hash, kept under a key, or None.

        Parameters
        ----------
        key, sha256 : str
            Hexadecimal digits.
        """
        try:
            survey: Survey = from_json({**self._entry(key)["survey"], "sha256": sha256}, Survey)
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None
        return survey if survey.page_count > 0 <= survey.attachments else None

    def put_survey(self, key: str, survey: Survey) -> None:
        """Keep the survey of a document.

        Parameters
        ----------
        key : str
            Hexadecimal digits.
        survey : Survey
            How many pages and attachments it has.

        Raises
        ------
        textclf.base.errors.OutputError
            If it cannot be written: disk full, no permission.
        """
        self._write(key, {"survey": {"page_count": survey.page_count, "attachments": survey.attachments}})

    def _entry(self, key: str) -> dict[str, Any]:
        entry: dict[str, Any] = json.loads(self._path(key).read_bytes())
        if entry["format"] != _FORMAT or entry["key"] != key:
            raise ValueError
        return entry

    def _write(self, key: str, content: Mapping[str, object]) -> None:
        path = self._path(key)
        try:
            for folder in (self.folder, path.parent):
                # one that is there already keeps its mode: it may be shared, and the files are private anyway
                if not folder.is_dir():
                    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise output_error(error, self.folder) from error
        entry = {"format": _FORMAT, "key": key, **content}
        with write_aside(path) as aside:
            aside.write_text(json.dumps(entry, ensure_ascii=True, separators=(",", ":")), encoding="ascii")
        path.chmod(0o600)

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / f"{key}.json"


def _page(fields: dict[str, Any]) -> Page:
    words = tuple(
        Word(text=str(text), confidence=float(confidence), box=(int(x0), int(y0), int(x1), int(y1)), line=int(line))
        for text, confidence, x0, y0, x1, y1, line in fields["words"]
    )
    page: Page = from_json({**fields, "words": []}, Page)
    return replace(page, words=words)

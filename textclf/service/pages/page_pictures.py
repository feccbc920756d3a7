"""Pictures of pages for a browser, drawn in processes of their own: files come from strangers."""

from __future__ import annotations

import threading
from collections import OrderedDict
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from ocr.reading_options import Limits
from textclf.base.errors import BadInputError
from textclf.base.files import input_error
from textclf.base.hashing import hash_bytes
from textclf.service.pages.isolated import IsolatedCalls

if TYPE_CHECKING:
    from textclf.library.library import Library
    from textclf.library.records import StoredDocument

LONGEST_SIDE = 1_600
"""Pixels of a picture: small print can be read on it."""
QUALITY = 72
KEPT_BYTES = 96_000_000
"""Pictures that are kept in memory."""
SECONDS = 30.0
PROCESSES = 2


class PagePictures:
    """Draws pages of the documents of a library, and keeps those drawn last in memory."""

    def __init__(self, library: Library, limits: Limits | None = None) -> None:
        self._library, self._limits = library, limits or Limits()
        self._calls = IsolatedCalls(PROCESSES, seconds=SECONDS, max_memory=self._limits.max_memory)
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._bytes = 0

    def picture(self, document: StoredDocument, number: int, rotation: int) -> bytes:
        """Give a page, from 1, as JPEG, turned counter-clockwise; `TextclfError` if its file cannot be read."""
        return self.of_file(self._find(document), document.sha256, number, rotation)

    def of_file(self, path: Path, sha256: str, number: int, rotation: int) -> bytes:
        """Give a page of a file with this hash."""
        key = sha256, number
        with self._lock:
            if (kept := self._kept.get(key)) is not None:
                self._kept.move_to_end(key)
                return kept
        drawn = self._calls.call(draw_page, path, sha256, number, rotation, self._limits)
        with self._lock:
            if key not in self._kept:
                self._kept[key] = drawn
                self._bytes += len(drawn)
            while self._bytes > KEPT_BYTES:
                self._bytes -= len(self._kept.popitem(last=False)[1])
        return drawn

    def close(self) -> None:
        """End the processes."""
        self._calls.close()

    def _find(self, document: StoredDocument) -> Path:
        kept = self._library.file_path(document.sha256, Path(document.name).suffix)
        places = [kept, *([Path(document.path)] if document.path else [])]
        found = next((place for place in places if place.is_file()), None)
        if found is None:
            raise BadInputError("its file is not where it was", where=document.name, remedy="add it again")
        return found


def draw_page(path: Path, sha256: str, number: int, rotation: int, limits: Limits) -> bytes:
    """Draw a page of a file, if that is still the one of this hash."""
    from PIL import Image

    from ocr.page_content import open_page

    try:
        size = path.stat().st_size
        if size > limits.max_bytes:
            raise BadInputError(f"is larger than {limits.max_bytes:,} bytes", where=path)
        content = path.read_bytes()
    except OSError as error:
        raise input_error(error, path) from error
    if hash_bytes(content) != sha256:
        raise BadInputError("another file is in its place", where=path, remedy="add it again")
    with open_page(content, number, limits) as page:
        image = page.preview()
        image.thumbnail((LONGEST_SIDE, LONGEST_SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
        image = image.rotate(rotation, expand=True) if rotation else image
        target = BytesIO()
        image.save(target, "JPEG", quality=QUALITY)
    return target.getvalue()

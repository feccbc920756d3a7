"""Files that were dropped onto a page: kept for a while, so that they can be looked at, whatever the library keeps."""

from __future__ import annotations

import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from textclf.service.uploads import SourceFile, UploadFolder

KEPT = 200
"""Files that are kept, of all visitors together."""
KEPT_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class DroppedFile:
    """A file that a visitor dropped; `rotations` of its pages, by number."""

    by: str
    file: SourceFile
    rotations: dict[int, int]


class DroppedFiles:
    """The files dropped last; those before are removed."""

    def __init__(self, uploads: UploadFolder) -> None:
        self._uploads = uploads
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, DroppedFile] = OrderedDict()

    def keep(self, token: str, dropped: DroppedFile) -> None:
        """Keep a file, which lies in the folder of this token."""
        with self._lock:
            self._kept[token] = dropped
            while len(self._kept) > KEPT or sum(one.file.size for one in self._kept.values()) > KEPT_BYTES:
                self._uploads.remove(self._kept.popitem(last=False)[0])

    def get(self, token: str, by: str) -> DroppedFile | None:
        """Give a file to the visitor who dropped it."""
        found = self._kept.get(token)
        return found if found is not None and found.by == by else None

    def name_of(self, sha256: str, by: str) -> str:
        """Give the name of a file of this content that the visitor dropped; empty if there is none."""
        with self._lock:
            kept = [*self._kept.values()]
        return next((one.file.name for one in kept if (one.file.sha256, one.by) == (sha256, by)), "")

    def close(self) -> None:
        """Remove all."""
        with self._lock:
            while self._kept:
                self._uploads.remove(self._kept.popitem()[0])

"""Pages that were closed while the answer with their next document was on its way: nobody looks at that document."""

from __future__ import annotations

import threading
from collections import OrderedDict

KEPT = 1_000
"""Pages that are remembered."""


class ClosedPages:
    """Remembers which document was given last to each page, until the page is closed."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given: OrderedDict[str, int | None] = OrderedDict()
        self._closed: set[str] = set()

    def give(self, page: str, document_id: int) -> bool:
        """Note a document for a page; returns False if the page is closed."""
        with self._lock:
            self._note(page, document_id)
            return page not in self._closed

    def close(self, page: str) -> int | None:
        """Note that a page is closed; gives the document that was given to it last."""
        with self._lock:
            last = self._given.get(page)
            self._note(page, None)
            self._closed.add(page)
            return last

    def _note(self, page: str, document_id: int | None) -> None:
        self._given[page] = document_id
        self._given.move_to_end(page)
        while len(self._given) > KEPT:
            self._closed.discard(self._given.popitem(last=False)[0])

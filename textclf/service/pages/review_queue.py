"""The order in which documents for review are given out: doubtful ones first, and different ones after each other."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from textclf.base.errors import TextclfError
from textclf.library.claims import claim_first, own_claims
from textclf.library.label_issues import list_label_issues
from textclf.library.library import CLAIM
from textclf.library.queue import claim_first_of, list_waiting
from textclf.service.pages.isolated import IsolatedCalls

if TYPE_CHECKING:
    from textclf.library.library import Library

LISTED = 2_000
"""Documents whose order is chosen at once, the most doubtful ones."""
FRESH = timedelta(minutes=2)
"""After which the order is chosen anew, if somebody asks."""
GROWN = 1.2
"""How many times as many documents wait as when the order was chosen until it is chosen anew."""
SECONDS = 120.0
_TRIED = 200

_log = logging.getLogger(__name__)


class ReviewQueue:
    """Gives out documents for review; the order is chosen in a process of its own, while the old one still holds."""

    def __init__(self, library: Library, clock: Callable[[], datetime]) -> None:
        self._library, self._clock = library, clock
        self._calls = IsolatedCalls(1, seconds=SECONDS)
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._order: list[int] = []
        self._chosen_at: datetime | None = None
        self._size = 0
        self._is_closed = False

    def next(self, *, by: str, passed_over: Collection[int]) -> int | None:
        """Claim the next document for a person, other than some; decisions that a model doubts come first.

        Parameters
        ----------
        by : str
            The person.
        passed_over : collection of int
            Documents not to give out.

        Returns
        -------
        int or None
            The id of the document; None if there is none.
        """
        now = self._clock()
        with self._library.database.reading() as session:
            doubted = [one.document_id for one in list_label_issues(session) if one.document_id not in passed_over]
        if doubted:
            with self._library.database.writing() as session:
                found = claim_first(session, doubted, by=by, at=now, until=now + CLAIM)
            if found is not None:
                return found
        self._choose_order(now)
        with self._library.database.reading() as session:
            # what a page of this person had that was closed
            own = own_claims(session, by=by)
        ids = [found for found in (*own, *self._order) if found not in passed_over]
        for start in range(0, len(ids), _TRIED):
            with self._library.database.writing() as session:
                part = ids[start : start + _TRIED]
                claimed = claim_first_of(session, part, by=by, at=now, until=now + CLAIM)
            if claimed is not None:
                return claimed.document_id
        last = self._library.claim_next(by=by, at=now, passed_over=tuple(passed_over))
        return None if last is None else last.document_id

    def close(self) -> None:
        """End the process."""
        self._is_closed = True
        self._calls.close()

    def wait(self) -> None:
        """Wait until an order that is being chosen is there."""
        if (thread := self._thread) is not None:
            thread.join()

    def _choose_order(self, now: datetime) -> None:
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return
            if self._chosen_at is not None and now - self._chosen_at < FRESH:
                return
            if self._library.count_for_review(at=now) <= self._size * GROWN and self._size and self._order:
                self._chosen_at = now
                return
            self._chosen_at = now
            self._thread = threading.Thread(target=self._choose, args=(now,), name="review order", daemon=True)
            self._thread.start()

    def _choose(self, now: datetime) -> None:
        from textclf.checks.review_order import MAX_CHARACTERS, review_order

        try:
            with self._library.database.reading() as session:
                waiting = list_waiting(session, at=now, limit=LISTED)
            texts = [one.text[:MAX_CHARACTERS] for one in waiting]
            positions = self._calls.call(review_order, texts, [one.doubt for one in waiting]) if waiting else []
            self._order, self._size = [waiting[i].document_id for i in positions], len(waiting)
        except TextclfError as error:
            # documents are given out by doubt alone
            if not self._is_closed:
                _log.warning(f"documents for review are not shown in the best order: {error}")

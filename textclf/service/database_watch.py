"""Whether the database of the library can be used, asked for again and again by a thread of its own."""

from __future__ import annotations

import logging
import threading
import time
from typing import TYPE_CHECKING

from textclf.base.errors import TextclfError

if TYPE_CHECKING:
    from textclf.library.database import Database

_PAUSE = 1.0
"""Seconds between two questions."""
_PATIENCE = 5.0
"""Seconds after which a database that has not answered counts as gone."""

_log = logging.getLogger(__name__)


class DatabaseWatch:
    """Asks a database now and then whether it can be used, and logs when that changes.

    Parameters
    ----------
    database : Database
        Which one.
    """

    def __init__(self, database: Database) -> None:
        self._database, self._trouble = database, ""
        self._asked_at: float | None = None
        self._closing = threading.Event()
        # a daemon: a server that does not answer must not hold up the end of the process
        self._thread = threading.Thread(target=self._ask_again_and_again, name="database", daemon=True)
        self._thread.start()

    @property
    def is_up(self) -> bool:
        """Whether the database can be used."""
        asked_at = self._asked_at
        is_late = asked_at is not None and time.monotonic() - asked_at > _PATIENCE
        return not (self._trouble or is_late)

    def close(self) -> None:
        """Ask no more."""
        self._closing.set()
        self._thread.join(_PATIENCE)

    def _ask_again_and_again(self) -> None:
        while not self._closing.wait(_PAUSE):
            self._asked_at = time.monotonic()
            try:
                self._database.ask()
            except TextclfError as error:
                self._say(f"the database does not answer: {error}")
            else:
                self._say("")
            self._asked_at = None

    def _say(self, trouble: str) -> None:
        # the words of the server differ while it stops and once it is gone
        if trouble and not self._trouble:
            _log.error(trouble)
        elif self._trouble and not trouble:
            _log.info("the database answers again")
        self._trouble = trouble

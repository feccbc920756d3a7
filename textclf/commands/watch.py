"""``textclf watch``: files what arrives in folders."""

from __future__ import annotations

import logging
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import UsageError
from textclf.commands.application import Argument, Options
from textclf.commands.arguments import AsJson
from textclf.commands.console import print_lines, show_reading
from textclf.commands.file import FilingModel, FilingScans, Into, line_of, load_filing_model, summary, utc_now
from textclf.folders.options import Destinations, FilingOptions
from textclf.folders.watch_options import WatchOptions
from textclf.library.options import LibraryOptions
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from types import FrameType

_log = logging.getLogger(__name__)


def watch(
    inboxes: Annotated[list[Path], Argument(metavar="INBOX", help="Folders in which scans arrive.")],
    *,
    into: Into,
    model: FilingModel = None,
    as_json: AsJson = False,
    watching: WatchOptions,
    filing: Annotated[FilingOptions, Options(without=("move", "copy", "link"))],
    keeping: LibraryOptions,
    accepting: AcceptanceOptions,
    scans: FilingScans,
) -> None:
    """File the scans that lie in folders and those that arrive, as textclf file does, until it is stopped.

        textclf watch inbox/ --into cabinet/ --model model.textclf

    A file is taken once it is written to its end. Ctrl-C and SIGTERM end the command with code 0 after the document
    that is being read; a second time they end it at once. `textclf file --undo` puts back what was filed in one go.
    """
    from textclf.folders.filing import Filer
    from textclf.folders.filing_folder import check_inboxes, keep_model, open_filing_folder
    from textclf.folders.watching import Watcher

    check_inboxes(inboxes)
    for inbox in inboxes:
        if not inbox.is_dir():
            raise UsageError("is no folder", where=inbox, remedy="give a folder, or file that file with textclf file")
    destinations = Destinations.of(into, filing)
    destinations.check(inboxes, once=False)
    path, loaded = load_filing_model(model, destinations, keeping, accepting)
    counts = Counter[str]()
    with open_filing_folder(destinations, keeping, utc_now, "watch") as mover:
        model_id = keep_model(mover.library, path, at=utc_now())
        filer = Filer(
            loaded, model_id, destinations=destinations, options=filing, mover=mover, library=mover.library, now=utc_now
        )
        watcher = Watcher(inboxes, filer, replace(scans, show=show_reading), watching)
        with closing(watcher), _signals_call(watcher.stop):
            _log.info(f"watching {', '.join(map(str, inboxes))}; Ctrl-C ends it")
            for filed in watcher.run():
                counts[filed.result] += 1
                print_lines(line_of(filed, as_json=as_json))
    _log.info(f"stopped; {summary(counts, destinations)}")


@contextmanager
def _signals_call(stop: Callable[[], None]) -> Iterator[None]:
    """Let the first signal to end call a function; a second one ends the command at once."""
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}

    def first(_number: int, _frame: FrameType | None) -> None:
        for number, handler in before.items():
            signal.signal(number, handler)
        stop()

    # nohup ignores SIGHUP
    for number in (number for number, handler in before.items() if handler != signal.SIG_IGN):
        signal.signal(number, first)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

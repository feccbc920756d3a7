"""The files that wait in the folders from which documents are taken."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ocr.file_search import FoundFile, find_documents
from textclf.folders.file_operations import FileState, state_of
from textclf.folders.options import Destinations

_log = logging.getLogger(__name__)
_UNFINISHED = ("~", ".part", ".partial", ".filepart", ".crdownload", ".download", ".tmp", ".temp", ".swp", ".lock")


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingFile:
    """A file that waits, and how it was when it was found."""

    found: FoundFile
    state: FileState


def waiting_files(inboxes: Sequence[Path], destinations: Destinations, *, tell: bool = True) -> list[WaitingFile]:
    """List the scans that wait in files and folders, by name.

    Passed over are hidden files, those that another program still writes by their names, links that lead out of the
    folder, and what was filed into a folder within.

    Raises
    ------
    textclf.base.errors.BadInputError
        If one of them cannot be listed.
    """
    homes = [(inbox, Path(os.path.realpath(inbox))) for inbox in inboxes]
    waiting, links = [], []
    for found in find_documents(inboxes, tell=tell):
        if is_unfinished(found.file.name) or any(destinations.holds(found.file, inbox) for inbox in inboxes):
            continue
        if found.file.is_symlink():
            real = Path(os.path.realpath(found.file))
            if not any(home.is_dir() and real.is_relative_to(home) for _, home in homes):
                links.append(found.document_id)
                continue
            # the file is filed, not the link
            found = found._replace(file=real)
        try:
            waiting.append(WaitingFile(found=found, state=state_of(found.file)))
        except OSError:
            # somebody took it away since the folder was listed
            continue
    if links and tell:
        _log.warning(f"passed over links ({len(links)}), as what they lead to was not given itself: {links[0]}")
    return waiting


def is_unfinished(name: str) -> bool:
    """Return whether a file is, by its name, one that a program still writes or keeps for itself.

    Examples
    --------
    >>> [is_unfinished(name) for name in ("a.pdf", "a.pdf.part", "a.pdf~", "~$a.pdf", ".a.pdf", "A.TMP")]
    [False, True, True, True, True, True]
    """
    return name.startswith((".", "~$")) or name.lower().endswith(_UNFINISHED)

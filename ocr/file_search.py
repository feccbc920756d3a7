"""Finding the documents in the files and folders that a user names."""

from __future__ import annotations

import logging
import os
import stat
import unicodedata
from collections import Counter, defaultdict, deque
from collections.abc import Iterable, Iterator
from itertools import dropwhile
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ocr.source_file import HEAD, is_document
from textclf.base.errors import BadInputError
from textclf.base.files import reason_of

_log = logging.getLogger(__name__)

_SUFFIXES = {".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx"}
_SUFFIXES |= {".pdf", ".png", ".tif", ".tiff", ".webp"}
_SYSTEM_FILES = {"thumbs.db", "desktop.ini", "__macosx"}
"""Files and folders that systems create, in lower case; hidden ones are ignored anyway."""
_NO_SCAN = "files that are no scans"
"""The reason for which files are counted by extension, not listed."""
_LONGEST_NAME = 200
_NAMED = 3
"""Number of files passed over that a warning names."""


class FoundFile(NamedTuple):
    """A document that was found.

    Parameters
    ----------
    document_id : str
        Its name among all that were found.
    file : pathlib.Path
        Where it is: the path given, or one below it.
    folder : str
        Name of the first folder under the path given; empty if it lies in none.
    """

    document_id: str
    file: Path
    folder: str


def find_documents(paths: Iterable[str | Path], *, texts: bool = False, tell: bool = True) -> list[FoundFile]:
    """List the documents under files and folders.

    A file that is named itself is always taken. In a folder and all below it, files are taken that have the extension
    of an image or a PDF, or whose content begins like one. Hidden files and folders are passed over, and so are links
    that lead out of the folder; a folder within it is entered once, whatever links lead there.

    Parameters
    ----------
    paths : iterable of str or pathlib.Path
        Files and folders.
    texts : bool, default False
        Take ``.txt`` files too.
    tell : bool, default True
        Warn of what is passed over.

    Returns
    -------
    list of FoundFile
        In the order of ``paths``, within a folder sorted by id. If one path is given, the id is the path under that
        folder, with ``/``, or the name of that file. If several are given, it is the path as given, without a leading
        ``../``, ``./`` or ``/``. So an id does not depend on other files; only files whose ids would be equal, such as
        those under ``scans`` and ``../scans``, have their absolute paths as ids, with a warning. Control characters,
        backslashes and undecodable bytes are escaped. A file that is found twice is listed once, with a warning.

    Raises
    ------
    textclf.base.errors.BadInputError
        If a path does not exist, or a folder given cannot be listed.
    """
    given = [Path(path) for path in paths]
    found: dict[str, FoundFile] = {}
    passed_over: defaultdict[str, list[str]] = defaultdict(list)
    for path in given:
        for below, file in _entries(path, texts, passed_over):
            place = os.path.realpath(file)
            folder = printable(below.parts[0]) if len(below.parts) > 1 else ""
            if place in found:
                passed_over["files that were met before, as each is read once"].append(printable(str(file)))
                # a file given itself and in a folder has that folder
                found[place] = found[place]._replace(folder=found[place].folder or folder)
                continue
            name = below if len(given) == 1 else _without_lead(file)
            found[place] = FoundFile(printable(name.as_posix()), file, folder)
    if tell:
        _warn_of(passed_over)
    counts = Counter(one.document_id for one in found.values())
    shared = sorted(document_id for document_id, count in counts.items() if count > 1)
    if shared and tell:
        _log.warning(
            f"ids that several files would have, so that these get their paths from the root: {_listed(shared)}"
        )
    return [
        one if counts[one.document_id] == 1 else one._replace(document_id=printable(place))
        for place, one in found.items()
    ]


def _without_lead(file: Path) -> Path:
    """Remove the root from a path, and what leads out of the current folder."""
    path = Path(os.path.normpath(file))
    return Path(*dropwhile(lambda part: part in (path.anchor, ".."), path.parts))


def find_files(paths: Iterable[str | Path]) -> list[tuple[str, Path]]:
    """List ids and files of the documents under files and folders, as `find_documents` finds them.

    Parameters
    ----------
    paths : iterable of str or pathlib.Path
        Files and folders.

    Returns
    -------
    list of (str, pathlib.Path)
        Document id and file.

    Raises
    ------
    textclf.base.errors.BadInputError
        If a path does not exist, or a folder given cannot be listed.
    """
    return [(found.document_id, found.file) for found in find_documents(paths)]


def printable(name: str) -> str:
    """Escape a file name so that it can be put in a table, distinct for distinct names."""
    return "".join(map(_printable, name))


def file_name(given: str) -> str:
    r"""Give the name of a file without folders and characters that no person sees.

    Examples
    --------
    >>> file_name("C:\\scans\\a.pdf"), file_name("../../etc/passwd"), file_name("")
    ('a.pdf', 'passwd', 'document')
    """
    name = printable(PurePosixPath(given.replace("\\", "/")).name).strip()
    return name[-_LONGEST_NAME:] or "document"


def _printable(character: str) -> str:
    if "\udc80" <= character <= "\udcff":
        return f"\\x{ord(character) - 0xDC00:02x}"
    if character == "\\" or unicodedata.category(character) in ("Cc", "Cs", "Zl", "Zp"):
        return character.encode("unicode_escape").decode("ascii")
    return character


def _warn_of(passed_over: dict[str, list[str]]) -> None:
    if endings := Counter(passed_over.pop(_NO_SCAN, ())):
        listed = ", ".join(f"{ending} {count}" for ending, count in endings.most_common())
        what = "files that are no scans" if endings.total() != 1 else "file that is no scan"
        _log.warning(f"passed over {endings.total()} {what} ({listed})")
    for reason, names in passed_over.items():
        _log.warning(f"passed over {reason} ({len(names)}): {_listed(sorted(names))}")


def _listed(names: list[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", …" if len(names) > _NAMED else "")


def _entries(path: Path, texts: bool, passed_over: dict[str, list[str]]) -> list[tuple[Path, Path]]:
    """List the documents under a path: for each its path below it, and its file."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        missing = isinstance(error, FileNotFoundError | NotADirectoryError)
        reason = "there is no such file or folder" if missing else f"cannot be read ({reason_of(error)})"
        raise BadInputError(reason, where=path) from error
    if not stat.S_ISDIR(mode):
        return [(Path(path.name), path)]
    entries = []
    for file in _files_under(path, passed_over):
        suffix = file.suffix.lower()
        if suffix in _SUFFIXES or (texts and suffix == ".txt") or _begins_like_a_document(file):
            entries.append((file.relative_to(path), file))
        else:
            passed_over[_NO_SCAN].append(printable(suffix) or "without extension")
    return sorted(entries, key=lambda entry: printable(entry[0].as_posix()))


def _files_under(folder: Path, passed_over: dict[str, list[str]]) -> Iterator[Path]:
    """Yield all files under a folder, entering each folder once."""
    home = os.path.realpath(folder)
    entered: set[tuple[int, int]] = set()
    # folders are entered by their own path rather than by a link
    waiting, linked = deque([folder]), deque[Path]()
    while waiting or linked:
        place = waiting.popleft() if waiting else linked.popleft()
        try:
            known = place.stat()
            if (known.st_dev, known.st_ino) in entered:
                continue
            entered.add((known.st_dev, known.st_ino))
            with os.scandir(place) as listed:
                entries = sorted(listed, key=lambda entry: entry.name)
        except OSError as error:
            if place == folder:
                raise BadInputError(f"cannot be listed ({reason_of(error)})", where=folder) from error
            passed_over[f"folders that cannot be listed, {reason_of(error)}"].append(printable(str(place)))
            continue
        for entry in entries:
            if entry.name.startswith(".") or entry.name.lower() in _SYSTEM_FILES:
                continue
            kind = _kind(entry, home)
            if kind == "file":
                yield Path(entry.path)
            elif kind == "folder":
                (linked if entry.is_symlink() else waiting).append(Path(entry.path))
            else:
                passed_over[kind].append(printable(entry.path))


def _kind(entry: os.DirEntry[str], home: str) -> str:
    """Give the kind of a folder's entry: ``file``, ``folder``, or why it is passed over."""
    try:
        mode = entry.stat().st_mode
    except OSError:
        return "links that lead nowhere" if entry.is_symlink() else "files that cannot be looked at"
    if entry.is_symlink() and not Path(os.path.realpath(entry.path)).is_relative_to(home):
        return "links that lead out of the folder, where what they lead to was not given itself"
    if stat.S_ISDIR(mode):
        return "folder"
    return "file" if stat.S_ISREG(mode) else "pipes, sockets and devices"


def _begins_like_a_document(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return is_document(stream.read(HEAD))
    except OSError:
        return False

"""Finding the documents in what a user names: files and folders."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from textclf.errors import BadInputError

__all__ = ["find_files"]

_SUFFIXES = {".avif", ".bmp", ".gif", ".heic", ".heif", ".hif", ".j2k", ".jp2", ".jpe", ".jpeg", ".jpf", ".jpg", ".jpx"}
_SUFFIXES |= {".pdf", ".png", ".tif", ".tiff", ".webp"}
_STARTS = (
    b"%PDF-",
    b"\x89PNG\r\n",
    b"\xff\xd8\xff",
    b"II*\0",
    b"MM\0*",
    b"GIF8",
    b"\0\0\0\x0cjP  ",
    b"\xff\x4f\xff\x51",
)


def find_files(paths: Iterable[str | Path]) -> list[tuple[str, Path]]:
    """List the documents under files and folders.

    A file named outright is always taken. In a folder and all below it, those are taken whose name ends as that of
    an image or a PDF, or whose content begins so. Hidden files and folders, and links that lead out of the
    folder, are passed over.

    Parameters
    ----------
    paths : iterable of str or pathlib.Path
        Files and folders.

    Returns
    -------
    list of (str, pathlib.Path)
        Document id and file, in the order of ``paths``, within a folder sorted by id. The id is the path under the
        folder given, with ``/``; for a file named outright its name. Ids that would be the same are replaced by
        the whole path as given; a file that is met twice is listed once.

    Raises
    ------
    textclf.errors.BadInputError
        If a path does not exist, or a folder cannot be listed.
    """
    found: dict[Path, tuple[str, Path]] = {}
    for path in map(Path, paths):
        if path.is_dir():
            entries = sorted((file.relative_to(path).as_posix(), file) for file in _documents_under(path))
        elif path.exists():
            entries = [(path.name, path)]
        else:
            raise BadInputError("there is no such file or folder", where=path)
        for document_id, file in entries:
            found.setdefault(file.resolve(), (document_id, file))
    counts = Counter(document_id for document_id, _ in found.values())
    return [
        (_printable(document_id if counts[document_id] == 1 else file.as_posix()), file)
        for document_id, file in found.values()
    ]


def _documents_under(folder: Path) -> Iterator[Path]:
    home = folder.resolve()

    def fail(error: OSError) -> None:
        raise BadInputError(f"cannot be listed ({(error.strerror or '').lower()})", where=error.filename) from error

    for place, folders, names in os.walk(folder, onerror=fail):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for name in names:
            file = Path(place, name)
            if name.startswith(".") or not file.resolve().is_relative_to(home) or not file.is_file():
                continue
            if file.suffix.lower() in _SUFFIXES or _begins_like_a_document(file):
                yield file


def _begins_like_a_document(file: Path) -> bool:
    try:
        with file.open("rb") as stream:
            return stream.read(16).startswith(_STARTS)
    except OSError:
        return False


def _printable(document_id: str) -> str:
    # file names need not be UTF-8; what is written to a CSV must be
    return document_id.encode(errors="replace").decode()

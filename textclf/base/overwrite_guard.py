"""Refusing outputs that would overwrite an input, or a file of another kind than the command writes."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from textclf.base.errors import UsageError
from textclf.base.files import refuse_unwritable, refuse_unwritable_folder, remove_left_over

SOFTWARE = "textclf"
"""Name of the generator in pictures and pages of ours, by which they are recognised."""

_HEAD = 64 * 1024
"""Bytes of a file by which it is recognised."""


@dataclass(frozen=True, slots=True)
class FileKind:
    """A kind of file that commands write: its name in messages, and a test on the first 64 KiB of a file."""

    name: str
    recognises: Callable[[bytes], bool]
    # all of which a table of the kind has
    columns: frozenset[str] = frozenset()


def table_kind(name: str, *columns: str) -> FileKind:
    """Give the kind of CSV files that have all of some columns."""

    def recognises(head: bytes) -> bool:
        first = re.split(r"[\r\n]", head.decode("utf-8-sig", errors="replace"), maxsplit=1)[0]
        try:
            return set(columns) <= set(next(csv.reader([first.replace("\0", "")]), []))
        except csv.Error:
            return False

    return FileKind(name, recognises, frozenset(columns))


def json_kind(name: str, *keys: str) -> FileKind:
    """Give the kind of JSON files whose object has some keys near its beginning."""

    def recognises(head: bytes) -> bool:
        return head.lstrip().startswith(b"{") and all(f'"{key}":'.encode() in head for key in keys)

    return FileKind(name, recognises)


def _archive_kind(name: str, first: bytes) -> FileKind:
    # the name of the first entry follows its header of 30 bytes
    return FileKind(name, lambda head: head.startswith(b"PK\x03\x04") and head[30:].startswith(first))


DOCUMENTS = table_kind(
    "a documents CSV that textclf ocr wrote", "document_id", "text", "pages", "ocr_confidence", "status"
)
PREDICTIONS = table_kind("a predictions CSV", "document_id", "predicted_category", "decision")
FINDINGS = table_kind("a table of findings", "kind", "document_id", "other_id", "detail")
CHANGES = table_kind("a table of changes", "document_id", "effect", "category_a", "category_b")
TO_LABEL = table_kind("a table of documents to label", "category", "guess", "snippet")
PLACES = table_kind("a table of places that textclf signatures wrote", "document_id", "page", "kind", "review", "left")
MODEL = _archive_kind("a model file", b"manifest.json")
SETTINGS = json_kind("a settings file of textclf tune", "settings", "search")
LEXICON = FileKind("a lexicon", lambda head: re.match(rb"(\s*#.*\n)*\s*\[[^\[\]\n]+\]\s*\n", head) is not None)
PICTURE = FileKind(
    "a picture that textclf drew", lambda head: head.startswith(b"\x89PNG") and b"Software\0textclf" in head
)
CONFUSED_PAIRS = "confused_pairs.csv"
REPORT_FOLDER: Mapping[str, FileKind] = {
    "report.html": FileKind("a report of textclf", lambda head: b'<meta name="generator" content="textclf">' in head),
    "metrics.json": json_kind("the figures of a report", "title", "model", "created"),
    "confusion.csv": table_kind("a confusion matrix of textclf", "true category"),
    "confusion.png": PICTURE,
    CONFUSED_PAIRS: table_kind("a table of wrong documents", "documents_of_pair", "document_id"),
}
PREPARED_FOLDER: Mapping[str, FileKind] = {
    "datasource.csv": table_kind("a datasource", "document_id", "text_data", "common_words"),
    "datasource.csv.schema": json_kind("a schema", "version", "attributes"),
    "features/keywords.json": json_kind("what textclf prepare writes", "lexicon"),
    "features/words.json": FileKind("what textclf prepare writes", lambda head: head.lstrip().startswith(b"[")),
    "features/vectors.npz": _archive_kind("what textclf prepare writes", b"matrix.npy"),
    "features/settings.json": json_kind("what textclf prepare writes", "lexicon", "vectors"),
}


def check_output(path: str | Path, kind: FileKind, *, inputs: Iterable[str | Path] = ()) -> None:
    """Raise `UsageError` or `OutputError` if an output would overwrite an input or a foreign file, or is unwritable.

    Temporary files of earlier runs that were killed are removed.
    """
    path = Path(path)
    refuse_unwritable(path)
    remove_left_over(path)
    try:
        there = path.stat()
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except FileNotFoundError:
        return
    except OSError:
        # an unreadable file may be foreign
        head = b"?"
    else:
        for given in inputs:
            try:
                same = os.path.samestat(there, Path(given).stat())
            except OSError:
                continue
            if same:
                raise UsageError(
                    "is also what the command reads", where=path, remedy="give the result another name with -o"
                )
    if head and not kind.recognises(head):
        raise UsageError(
            f"exists and is not {kind.name}, which would take its place",
            where=path,
            remedy="give the result another name with -o, or remove that file first",
        )


def check_output_folder(folder: Path, kinds: Mapping[str, FileKind], *, inputs: Iterable[str | Path] = ()) -> None:
    """Apply `check_output` to each file, by its path in the folder, that a command writes into a folder."""
    refuse_unwritable_folder(folder)
    inputs = list(inputs)
    for name, kind in kinds.items():
        check_output(folder / name, kind, inputs=inputs)


def picture_paths(target: Path, document_ids: Iterable[str]) -> dict[str, Path]:
    """Give the PNG file of each document: the target, or a file below it if it has no extension and so is a folder."""
    if target.suffix:
        return dict.fromkeys(document_ids, target)
    return {
        name: target.joinpath(*(part for part in PurePosixPath(f"{name}.png").parts if part not in ("/", "..")))
        for name in document_ids
    }

"""The documents of a paperless-ngx archive: those to learn from, and the text of each."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ocr.file_search import FoundFile
from textclf.base.errors import BadDataError
from textclf.base.plurals import counted
from textclf.base.tables import CELL_LIMIT
from textclf.bridges.paperless_client import PaperlessClient, PaperlessDocument
from textclf.bridges.paperless_http import GoneError
from textclf.data.predictions import predict_documents
from textclf.data.scans import ScanOptions
from textclf.data.sources import InputDocument
from textclf.model.category_names import NONE_OF_THESE, as_category
from textclf.model.pages import several_pages, without_page_breaks

if TYPE_CHECKING:
    from textclf.model.predict import Model
    from textclf.model.prediction import Prediction

_log = logging.getLogger(__name__)

LEAST = 5
"""Documents of a type from which it is learned as a category."""
TextOf = Callable[[PaperlessDocument], InputDocument]
"""Gives the text of a document, with its look if its file was read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Archive:
    """The documents of an archive that people have filed, and those that they have not."""

    filed: tuple[PaperlessDocument, ...]
    """Documents out of the inbox that have a type."""
    categories: tuple[str, ...]
    """The names of their types; `NONE_OF_THESE` for types of too few documents."""
    types: dict[int, str]
    """Names of all document types by id."""
    rare: dict[str, int]
    """Documents of each type that has too few."""
    untyped: tuple[PaperlessDocument, ...] = ()
    """Documents out of the inbox without a type."""
    inbox: tuple[PaperlessDocument, ...] = ()
    """Documents in the inbox."""


def read_archive(client: PaperlessClient, *, least: int = LEAST, limit: int | None = None) -> Archive:
    """Read an archive; with a `limit`, only as many of its newest documents.

    Raises
    ------
    textclf.base.errors.BadDataError
        If fewer than two document types have enough documents.
    """
    inbox_tags = {tag.id for tag in client.tags() if tag.is_inbox}
    types = {number: as_category(name) for number, name in client.document_types().items()}
    newest: Iterable[PaperlessDocument] = client.documents(newest_first=limit is not None)
    documents = []
    for document in newest:
        documents.append(document)
        if len(documents) == limit:
            break
    documents.sort(key=lambda document: document.id)
    inbox = tuple(document for document in documents if inbox_tags.intersection(document.tags))
    waiting = {document.id for document in inbox}
    out = [document for document in documents if document.id not in waiting]
    # a type may have been deleted, or made, while the pages were read
    filed = tuple(document for document in out if types.get(document.document_type or 0))
    counts = Counter(types[document.document_type or 0] for document in filed)
    rare = {name: count for name, count in sorted(counts.items()) if count < least and name != NONE_OF_THESE}
    if len(counts.keys() - rare.keys() - {NONE_OF_THESE}) < 2:
        found = ", ".join(f"{name!r} ({count})" for name, count in sorted(counts.items())) or "none"
        raise BadDataError(
            f"fewer than two document types have {least} documents out of the inbox (found: {found})",
            where=client.address,
            remedy="file more documents, or allow fewer with --least",
        )
    names = (types[document.document_type or 0] for document in filed)
    return Archive(
        filed=filed,
        categories=tuple(NONE_OF_THESE if name in rare else name for name in names),
        types=types,
        rare=rare,
        untyped=tuple(document for document in out if not types.get(document.document_type or 0)),
        inbox=inbox,
    )


def sender_of(document: PaperlessDocument) -> str:
    """Give the group of a document that came from the same sender; empty if that is unknown."""
    return "" if document.correspondent is None else str(document.correspondent)


def archive_lines(archive: Archive) -> Iterator[str]:
    """Say what was found in an archive."""
    kinds = {*archive.categories} - {NONE_OF_THESE}
    yield (
        f"{counted(len(archive.filed), 'filed document')} of {counted(len(kinds), 'document type')}, "
        f"{len(archive.untyped):,} without a type, {len(archive.inbox):,} in the inbox"
    )
    if archive.rare:
        listed = ", ".join(f"{name} ({count})" for name, count in archive.rare.items())
        yield f"types of too few documents, learned as papers to turn away: {listed}"


def content_of(document: PaperlessDocument) -> InputDocument:
    """Take the text that paperless-ngx has read.

    Examples
    --------
    >>> content_of(PaperlessDocument(id=7, content="Total due 9.00")).text
    'Total due 9.00'
    """
    text = document.content[:CELL_LIMIT].replace("\0", "")
    return InputDocument(
        document_id=str(document.id),
        text=without_page_breaks(text),
        pages=several_pages(text),
        values={"text": text},
        cut=len(document.content) > CELL_LIMIT,
        note=f"text cut to {CELL_LIMIT:,} characters" if len(document.content) > CELL_LIMIT else "",
    )


def reader(client: PaperlessClient, scans: ScanOptions, file_of: dict[int, Path] | None = None) -> TextOf:
    """Make a function that reads the file of a document, where it lies or else downloaded."""
    given = file_of or {}

    def read(document: PaperlessDocument) -> InputDocument:
        with TemporaryDirectory(prefix="textclf-") as folder:
            file = given.get(document.id) or Path(folder) / "document"
            if document.id not in given:
                client.download(document.id, file, limit=scans.reading.limits.max_bytes)
            found = next(scans.iter_documents([FoundFile(str(document.id), file, "")]))
            row = InputDocument.of_scan(found)
        return replace(row, document_id=str(document.id))

    return read


def texts_of(
    documents: Iterable[PaperlessDocument], text_of: TextOf
) -> Iterator[tuple[PaperlessDocument, InputDocument]]:
    """Give documents with their texts; those that were deleted in the meantime are left out."""
    for document in documents:
        try:
            yield document, text_of(document)
        except GoneError:
            _log.warning(f"document {document.id} was deleted in the meantime and is left out")


def predictor(model: Model, text_of: TextOf) -> Callable[[PaperlessDocument], Prediction]:
    """Make a function that predicts a document."""

    def predict(document: PaperlessDocument) -> Prediction:
        return next(predict_documents(model, [text_of(document)]))[1]

    return predict

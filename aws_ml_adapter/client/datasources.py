"""The data that a client uploads: a datasource of ``textclf prepare``, or documents converted to one."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from aws_ml_adapter.client.state import Source
from features.datasource import read_datasource, schema_path
from textclf.base.errors import BadDataError, UsageError
from textclf.data.sources import InputDocument, TableOptions, read_documents

_log = logging.getLogger(__name__)

DATASOURCE = "datasource.csv"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentData:
    """A datasource to upload, and the user's documents if it was computed from them."""

    path: Path
    source: Source
    document_ids: tuple[str, ...]
    documents: tuple[InputDocument, ...] | None = None

    def column(self, name: str) -> dict[str, str]:
        """Map document ids to the values of a column of the user's table."""
        if self.documents is None:
            raise UsageError(
                "there are no further columns", where=self.source.name, remedy="give --by with a documents CSV only"
            )
        try:
            return {document.document_id: document.values[name] for document in self.documents if not document.error}
        except KeyError as error:
            raise BadDataError(f"no column {name!r}", where=self.source.name, remedy="correct --by") from error


def datasource_file(path: str | Path) -> Path:
    """Return the path of the datasource CSV, given it or the folder that ``textclf prepare`` wrote."""
    path = Path(path)
    return path / DATASOURCE if path.is_dir() else path


def describe_source(path: Path) -> tuple[Source, tuple[str, ...]]:
    """Read a datasource once, and return its description and the ids of its documents."""
    ids: list[str] = []
    categories: set[str] = set()
    for row in read_datasource(path):
        ids.append(row.document_id)
        categories.add(row.category)
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, lambda: hashlib.sha256(schema_path(path).read_bytes()))
    source = Source(
        name=path.name,
        sha256=digest.hexdigest(),
        size=path.stat().st_size,
        rows=len(ids),
        categories=tuple(sorted(categories)),
    )
    return source, tuple(ids)


@contextmanager
def sent_data(path: str | Path, features: Path, options: TableOptions) -> Iterator[SentData]:
    """Yield a datasource unchanged, or documents converted to one in a temporary file."""
    path = datasource_file(path)
    if schema_path(path).exists():
        source, document_ids = describe_source(path)
        yield SentData(path=path, source=source, document_ids=document_ids)
        return
    documents = list(read_documents(path, options))
    good = [document for document in documents if not document.error]
    seen: set[str] = set()
    for document in good:
        if document.document_id in seen:
            raise BadDataError(
                f"line {document.line}: the document_id '{document.document_id[:64]}' is a duplicate",
                where=path,
                remedy="make each document_id unique: results are matched by it",
            )
        seen.add(document.document_id)
    if not good:
        raise BadDataError("has no usable row", where=path, remedy="correct the file")
    from features.prepared import PreparedDocument, PreparedFeatures

    prepared = PreparedFeatures.load(features)
    with TemporaryDirectory() as folder:
        made = Path(folder) / DATASOURCE
        rows = [PreparedDocument(one.document_id, one.text, one.category.strip(), look=one.look) for one in good]
        summary = prepared.write(made, rows, seed=0)
        source, document_ids = describe_source(made)
        if summary.shortened:
            cut = f"{number} text was" if (number := len(summary.shortened)) == 1 else f"{number} texts were"
            _log.warning(f"{path}: {cut} cut to 100 KB, Amazon ML's limit for a row")
        yield SentData(path=made, source=source, document_ids=document_ids, documents=tuple(documents))

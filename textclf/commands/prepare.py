"""``textclf prepare``: writes documents as the datasource CSV that Amazon ML reads."""

from __future__ import annotations

import json
import logging
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from textclf.base.files import write_aside
from textclf.base.overwrite_guard import PREPARED_FOLDER, check_output_folder
from textclf.base.plurals import counted
from textclf.commands.application import Options
from textclf.commands.arguments import GroupedTable, LabelledDocuments, OutputFolder, showing
from textclf.data.sources import DATASOURCE, TableOptions, read_labelled
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.settings import TrainingSettings

if TYPE_CHECKING:
    from textclf.model.classifier import DocumentClassifier

_log = logging.getLogger(__name__)


def prepare(
    documents: LabelledDocuments,
    output: OutputFolder,
    *,
    settings: Annotated[
        dict[str, Any],
        Options(of=TrainingSettings, only=("lexicon", "vectors", "vector_size", "random_state")),
    ],
    table: GroupedTable,
) -> None:
    """Write the datasource CSV with keyword indicators and word vectors, as Amazon ML reads it, and its schema.

        textclf prepare documents.csv -o prepared
        textclf train prepared -o model.textclf

    Writes datasource.csv, datasource.csv.schema and features/ into FOLDER.
    """
    from textclf.model.classifier import DocumentClassifier

    rows = prepare_datasource(documents, output, DocumentClassifier(**settings), showing(table))
    _log.info(f"{output / DATASOURCE}: {counted(rows, 'document')}")


def prepare_datasource(source: Path, folder: Path, classifier: DocumentClassifier, table: TableOptions) -> int:
    """Write the datasource CSV with schema, features and settings; gives the number of rows."""
    from features.prepared import PreparedDocument, PreparedFeatures
    from textclf.model.training_data import check_categories

    check_output_folder(folder, PREPARED_FOLDER, inputs=table.inputs(source))
    classifier.check_options()
    documents = read_labelled(source, table)
    for message in check_categories(Counter(documents.categories)):
        _log.warning(message)
    if documents.none_of_these:
        _log.warning(
            f"left out {counted(len(documents.none_of_these), 'document')} of {NONE_OF_THESE!r}, which would be a "
            "category in a datasource; give them to textclf train with --other"
        )
    settings = classifier.feature_settings()
    _log.info(f"fitting lexicon and vectors on {len(documents.texts)} documents")
    looks = any(documents.looks)
    features = PreparedFeatures.fit(documents.texts, documents.categories, settings, looks=looks)
    _log.info("writing the datasource")
    rows = zip(
        documents.document_ids,
        documents.texts,
        documents.categories,
        documents.groups,
        documents.looks,
        strict=True,
    )
    summary = features.write(
        folder / DATASOURCE,
        [PreparedDocument(*row) for row in rows],
        seed=settings.seed,
        grouped=bool(table.group_column),
    )
    if summary.shortened:
        _log.warning(
            f"{len(summary.shortened)} texts lost their middle to keep the row within 100 KB: "
            f"{', '.join(summary.shortened[:5])}"
        )
    kept = folder / "features"
    features.save(kept)
    settings_json = json.dumps(classifier.plain_settings(), ensure_ascii=False, indent=1, sort_keys=True)
    with write_aside(kept / "settings.json") as aside:
        aside.write_text(settings_json + "\n", encoding="utf-8")
    return summary.rows

"""What the commands that learn do, as plain functions: paths and options in, results out."""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.base.errors import BadDataError, BadInputError, BadModelError
from textclf.base.files import write_aside
from textclf.base.outputs import MODEL, PREPARED_FOLDER, REPORT_FOLDER, check_output, check_output_folder
from textclf.data.predictions import predict_documents
from textclf.data.sources import DATASOURCE, TableOptions, read_documents, read_labelled
from textclf.model.explain import explain

if TYPE_CHECKING:
    from features.word_vectors import WordVectors
    from textclf.evaluation.figures import EvaluationReport
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)


def prepare_datasource(source: Path, folder: Path, classifier: DocumentClassifier, table: TableOptions) -> int:
    """Write the datasource CSV with its schema, and what its columns were made with.

    Parameters
    ----------
    source : pathlib.Path
        Documents with categories, as `textclf.data.sources.read_documents` takes them.
    folder : pathlib.Path
        Gets ``datasource.csv``, ``datasource.csv.schema`` and ``features/``.
    classifier : DocumentClassifier
        Holds the feature settings; it is not trained.
    table : TableOptions
        How the documents are read.

    Returns
    -------
    int
        Rows written.
    """
    from features.prepared import PreparedDocument, PreparedFeatures
    from textclf.model.training_data import check_categories

    check_output_folder(folder, PREPARED_FOLDER, inputs=[source, source / DATASOURCE])
    classifier.check_options()
    documents = read_labelled(source, table)
    for message in check_categories(Counter(documents.categories)):
        _log.warning(message)
    settings = classifier.feature_settings()
    _log.info(f"fitting lexicon and vectors on {len(documents.texts)} documents")
    features = PreparedFeatures.fit(documents.texts, documents.categories, settings)
    _log.info("writing the datasource")
    rows = zip(documents.document_ids, documents.texts, documents.categories, documents.groups, strict=True)
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
    _write_json(kept / "settings.json", classifier.plain_settings())
    return summary.rows


def train_model(
    source: Path,
    output: Path,
    options: dict[str, Any],
    table: TableOptions,
    *,
    others: Sequence[Path] = (),
) -> Model:
    """Train a model and write its file.

    Parameters
    ----------
    source : pathlib.Path
        Documents with categories, as `textclf.data.sources.read_documents` takes them. Of a folder that
        `prepare_datasource` wrote, the options are taken over as well.
    output : pathlib.Path
        The model file.
    options : dict
        Parameters of `DocumentClassifier`; they go before those that `prepare_datasource` wrote down.
    table : TableOptions
        How documents are read.
    others : sequence of pathlib.Path, optional
        Documents of no category; conditions and groups do not count for them.

    Returns
    -------
    Model
        The trained model.
    """
    from textclf.model.accept import why_nothing_is_accepted
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.training_data import read_training_data

    check_output(output, MODEL, inputs=[source, *others])
    if (source / DATASOURCE).exists():
        options = {**_prepared_options(source / "features"), **options}
    classifier = DocumentClassifier(**options)
    classifier.check_options()
    documents = read_labelled(source, table)
    foreign = [text for path in others for text in _texts(path, table)]
    data = read_training_data(
        documents.texts,
        documents.categories,
        groups=documents.groups if any(documents.groups) else None,
        out_of_distribution=foreign,
        document_ids=documents.document_ids,
    )
    if (same := _trained(output)) and same.training.inputs_hash == classifier.inputs_hash(data):
        _log.info(
            f"{output} was trained on the same documents with the same options, and stays; delete it to train anew"
        )
        return same
    classifier.fit_data(data)
    for message in classifier.warnings_:
        # said with the other figures of the training
        if message != why_nothing_is_accepted(classifier.model_.training.acceptance):
            _log.warning(message)
    classifier.save(output)
    return classifier.model_


def evaluate_model(
    model: Model,
    model_name: str,
    source: Path,
    folder: Path,
    table: TableOptions,
    *,
    by: Sequence[str],
    created: str,
) -> EvaluationReport:
    """Predict documents of known category and write the report.

    Parameters
    ----------
    model : Model
        The model.
    model_name : str
        How the report calls it.
    source : pathlib.Path
        Documents with categories, as `textclf.data.sources.read_documents` takes them.
    folder : pathlib.Path
        Gets ``report.html``, ``metrics.json`` and the tables.
    table : TableOptions
        How the documents are read.
    by : sequence of str
        Columns; the figures are given for each of their values as well.
    created : str
        Date that the report shows.

    Returns
    -------
    EvaluationReport
        All figures.
    """
    from textclf.evaluation.evaluate import evaluate_predictions
    from textclf.evaluation.report import write_report

    check_output_folder(folder, REPORT_FOLDER, inputs=[source])
    documents, predictions = [], []
    without = 0
    for document, prediction, _ in predict_documents(model, read_documents(source, table, need_category=True)):
        if document.error and document.line:
            # its cells may not stand where they belong, the category among them
            raise BadDataError(document.located(document.error), where=source, remedy="mend the row")
        if not document.category.strip():
            without += 1
            continue
        documents.append(document)
        predictions.append(prediction)
    if without:
        _log.warning(f"{without} documents have no category and were left out")
    missing = [column for column in by if documents and column not in documents[0].values]
    if missing:
        raise BadDataError(f"no column {missing[0]!r}", where=source, remedy="mend --by")
    report = evaluate_predictions(
        model.categories,
        [document.category.strip() for document in documents],
        predictions,
        texts=[document.text for document in documents],
        groups={column: [document.values[column] for document in documents] for column in by},
        ocr_confidences=[document.ocr_confidence for document in documents],
        ocr_engines=[document.ocr_engine for document in documents],
        explain=lambda text: explain(model, text).named(),
    )
    write_report(report, folder, title=source.name, training=model.training, model_name=model_name, created=created)
    return report


def load_words(source: Path) -> WordVectors:
    """Take the word vectors of a model file or of a word2vec file."""
    import zipfile

    from features.word_vectors import read_word_vectors
    from textclf.model.file import load_model

    return load_model(source).features.vectors if zipfile.is_zipfile(source) else read_word_vectors(source)


def _texts(source: Path, table: TableOptions) -> Iterator[str]:
    """Give the texts of documents that are of no category; what cannot be read is left out and told."""
    unusable = 0
    for document in read_documents(source, replace(table, where=(), group_column="")):
        unusable += bool(document.error and document.line)
        if not document.error:
            yield document.text
    if unusable:
        _log.warning(f"{source}: {unusable} rows have too few or too many cells and were left out")


def _trained(path: Path) -> Model | None:
    """Load the model at a place, if there is one."""
    from textclf.model.file import load_model

    try:
        return load_model(path)
    except (BadInputError, BadModelError):
        return None


def _prepared_options(folder: Path) -> dict[str, Any]:
    """Options that `prepare_datasource` wrote down, with the lexicon and vectors that were given to it."""
    from features.prepared import PreparedFeatures
    from textclf.model.classifier import DocumentClassifier

    try:
        options: dict[str, Any] = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        if "given" in (options["lexicon"], options["vectors"]):
            features = PreparedFeatures.load(folder)
            given = {"lexicon": features.matcher.lexicon, "vectors": features.vectors}
            options |= {name: value for name, value in given.items() if options[name] == "given"}
        DocumentClassifier(**options)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BadInputError(
            "what prepare wrote is missing or damaged", where=folder, remedy="run `textclf prepare` again"
        ) from error
    else:
        return options


def _write_json(path: Path, value: object) -> None:
    with write_aside(path) as aside:
        aside.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")

"""``textclf evaluate``: predicts documents of known category and reports the accuracy."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.errors import BadDataError
from textclf.base.overwrite_guard import CONFUSED_PAIRS, REPORT_FOLDER, check_output_folder
from textclf.base.plurals import counted
from textclf.commands.arguments import (
    AsJson,
    By,
    LabelledDocuments,
    LabelledTable,
    ModelFile,
    OutputFolder,
    load_to_accept,
    showing,
)
from textclf.commands.console import print_lines
from textclf.data.labels import refuse_filled_in
from textclf.data.sources import TableOptions, read_documents
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from textclf.evaluation.results import EvaluationReport
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)


def evaluate(
    model: ModelFile,
    documents: LabelledDocuments,
    output: OutputFolder,
    *,
    by: By = [],  # noqa: B006
    as_json: AsJson = False,
    accepting: AcceptanceOptions,
    table: LabelledTable,
) -> None:
    """Predict documents of known category, and write report.html, metrics.json and the confusion matrix.

        textclf evaluate model.textclf documents.csv --where split=test -o report

    Prints accuracy, macro F1 and how many documents are accepted; open FOLDER/report.html for the rest.
    """
    from textclf.model.category_names import meant_category

    loaded = load_to_accept(model, accepting)
    today = date.today().isoformat()  # noqa: DTZ011 - the date on the user's own calendar
    report = evaluate_model(loaded, model.name, documents, output, showing(table), by=by, created=today)
    if as_json:
        print((output / "metrics.json").read_text(encoding="utf-8"), end="")  # noqa: T201
    else:
        print_lines(
            f"accuracy  {report.accuracy:.3f}   macro F1  {report.macro_f1:.3f}   documents  {report.documents}",
            f"accepted  {report.accepted} of {report.all_documents}, "
            f"{report.accepted - report.accepted_right} of them wrong",
        )
        if report.none_of_these:
            print_lines(f"{NONE_OF_THESE}  {report.none_of_these}, {report.none_of_these_accepted} of them accepted")
        for step in report.by_max_error:
            print_lines(
                f"at --max-error {step.max_error:<6g} accepted  {step.accepted} of {report.all_documents}, "
                f"{step.accepted - step.accepted_right} of them wrong"
            )
        for group in report.groups:
            print_lines(
                f"{group.column} = {group.value}: accuracy {group.accuracy:.3f} of {group.documents}, "
                f"accepted {group.accepted}"
            )
    if unknown := report.unknown_categories:
        count = sum(figures.support for figures in unknown)
        near = (meant_category(figures.category, loaded.categories) for figures in unknown)
        named = ", ".join(
            f"{figures.category} ({figures.support}{f', is {meant!r} meant?' if meant else ''})"
            for figures, meant in zip(unknown, near, strict=True)
        )
        _log.warning(
            f"{counted(count, 'document')} of a category that the model does not know, counted as wrong, "
            f"{report.unknown_accepted} of them accepted: {named}"
        )
    _log.info(f"{output / 'report.html'}")


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
    """Predict documents of known category and write the report; its date is `created`."""
    from textclf.data.predictions import predict_documents
    from textclf.evaluation.evaluate import evaluate_predictions
    from textclf.evaluation.report import write_report
    from textclf.model.explain import explain
    from textclf.model.training_data import data_hash

    check_output_folder(folder, REPORT_FOLDER, inputs=table.inputs(source))
    refuse_filled_in(folder / CONFUSED_PAIRS)
    documents, predictions = [], []
    without = 0
    for document, prediction, _ in predict_documents(model, read_documents(source, table, need_category=True)):
        if document.error and document.line:
            # its cells, the category among them, may be in the wrong columns
            raise BadDataError(document.located(document.error), where=source, remedy="fix the row")
        if not document.category:
            without += 1
            continue
        documents.append(document)
        predictions.append(prediction)
    if without:
        _log.warning(f"left out {counted(without, 'document')} without a category")
    rows = sorted(
        (document.document_id, document.text, document.category)
        for document in documents
        if document.category != NONE_OF_THESE
    )
    if rows and data_hash(*zip(*rows, strict=True)) == model.training.data_hash:
        _log.warning(
            f"{source}: the model was trained on these very documents, so the figures do not hold for others; "
            "evaluate it on documents that it has not seen"
        )
    missing = [column for column in by if documents and column not in documents[0].values]
    if missing:
        raise BadDataError(f"no column {missing[0]!r}", where=source, remedy="correct --by")
    report = evaluate_predictions(
        model.categories,
        [document.category for document in documents],
        predictions,
        texts=[document.text for document in documents],
        groups={column: [document.values[column] for document in documents] for column in by},
        ocr_confidences=[document.ocr_confidence for document in documents],
        ocr_engines=[document.ocr_engine for document in documents],
        acceptances=model.training.ladder(),
        explain=lambda i: explain(model, documents[i].text, documents[i].look).named(),
    )
    write_report(report, folder, title=source.name, training=model.training, model_name=model_name, created=created)
    return report

"""The client subcommands of ``amazon-ml``, which correspond to those of ``textclf``."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from aws_ml_adapter.client.client_options import TIMEOUT, Place, TrainingOptions
from textclf.base.overwrite_guard import PREDICTIONS, REPORT_FOLDER, check_output, check_output_folder
from textclf.base.tables import write_rows
from textclf.commands.application import Argument, Option, Options
from textclf.commands.arguments import COLUMNS, AsJson, By, OutputFile, OutputFolder, Strict, check_strict
from textclf.commands.console import print_json, print_lines
from textclf.data.labels import refuse_filled_in
from textclf.data.sources import TableOptions
from textclf.model.settings import TrainingSettings

if TYPE_CHECKING:
    from aws_ml_adapter.client.amazon_classifier import AmazonMLClassifier
    from textclf.model.prediction import Prediction

_log = logging.getLogger(__name__)

Datasource = Annotated[
    Path,
    Argument(metavar="DATASOURCE", help="The folder that textclf prepare wrote, or the datasource CSV in it."),
]
State = Annotated[Path, Argument(metavar="MODEL", help="The file that train wrote.")]
Addresses = Annotated[dict[str, Any], Options(of=Place, only=("endpoint_url", "s3_endpoint_url", "s3_root"))]
ServiceAddress = Annotated[dict[str, Any], Options(of=Place, only=("endpoint_url",))]
Timeout = Annotated[float, Option(help="Maximum seconds per job.", min=0)]
Features = Annotated[
    Path | None, Option(help="Folder features that textclf prepare wrote, if it has moved since training.")
]


def train(
    datasource: Datasource,
    output: OutputFile,
    *,
    bucket: Annotated[str, Option(help="S3 bucket.")],
    place: Annotated[dict[str, Any], Options(of=Place)],
    options: TrainingOptions,
    dry_run: Annotated[bool, Option("--dry-run", help="Show what would be created; nothing is sent.")] = False,
    timeout: Timeout = TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Upload a datasource, train a model on a share of it, and record what was created.

        amazon-ml train prepared -o model.json --bucket BUCKET --dry-run
        amazon-ml train prepared -o model.json --bucket BUCKET

    Writes FILE, which names the model and everything that was created for it. To continue an interrupted run, start it
    again with the same options.
    """
    from aws_ml_adapter.client.amazon_classifier import AmazonMLClassifier
    from aws_ml_adapter.client.datasources import datasource_file
    from aws_ml_adapter.client.state import STATE

    classifier = AmazonMLClassifier(bucket, state_file=output, options=options, timeout=timeout, **place)
    if dry_run:
        plan = classifier.plan(datasource)
        if as_json:
            print_json(asdict(plan))
            return
        print_lines(*(f"file  {url}" for url in plan.files))
        for item in plan.creations:
            print_lines(f"{item.operation}  {json.dumps(item.request, ensure_ascii=False)}")
        return
    check_output(output, STATE, inputs=[datasource_file(datasource)])
    classifier.fit(datasource)
    if as_json:
        print_json({"model_id": classifier.model_id, "categories": classifier.categories})
    _log.info(f"{output}: model {classifier.model_id}")


def evaluate(
    model: State,
    output: OutputFolder,
    *,
    documents: Annotated[
        Path | None,
        Argument(
            metavar="[DOCUMENTS]",
            help="A documents CSV or datasource with categories; the held-out documents if not given.",
        ),
    ] = None,
    target: Annotated[dict[str, Any], Options(of=TrainingSettings, only=("max_error", "confidence"))],
    by: By = [],  # noqa: B006
    features: Features = None,
    addresses: Addresses,
    timeout: Timeout = TIMEOUT,
    as_json: AsJson = False,
    table: Annotated[TableOptions, Options(only=(*COLUMNS, "category_column"))],
) -> None:
    """Evaluate a model, and write report.html, metrics.json and the confusion matrix.

        amazon-ml evaluate model.json -o report

    Prints accuracy, macro F1 and how many documents are accepted.

    Without DOCUMENTS it also chooses the score from which predict accepts documents, so that their error stays under
    --max-error. Creates an evaluation and a batch prediction of the same documents.
    """
    from textclf.evaluation.report import write_report

    check_output_folder(output, REPORT_FOLDER, inputs=table.inputs(model, documents))
    classifier = _load(model, addresses, timeout)
    found = classifier.evaluate(documents, by=by, features=features, options=table, **target)
    report = found.report
    today = date.today().isoformat()  # noqa: DTZ011 - the date on the user's own calendar
    title = "documents held out in training" if documents is None else documents.name
    write_report(report, output, title=title, training=None, model_name=classifier.model_id, created=today)
    if found.unusable:
        _log.warning(f"{found.unusable} documents could not be predicted or have no category, and were left out")
    if as_json:
        print((output / "metrics.json").read_text(encoding="utf-8"), end="")  # noqa: T201
    else:
        print_lines(
            f"accuracy  {report.accuracy:.3f}   macro F1  {report.macro_f1:.3f}   documents  {report.documents}",
            f"accepted  {report.accepted} of {report.documents}, "
            f"{report.accepted - report.accepted_right} of them wrong",
            f"macro F1 of the service  {found.average_f1:.3f}  ({found.evaluation_id})",
        )
    _log.info(f"{output / 'report.html'}")


def predict(
    model: State,
    documents: Annotated[Path, Argument(metavar="DOCUMENTS", help="A documents CSV, or a datasource.")],
    output: OutputFile,
    *,
    features: Features = None,
    addresses: Addresses,
    timeout: Timeout = TIMEOUT,
    strict: Strict = False,
    table: Annotated[TableOptions, Options(only=COLUMNS)],
) -> None:
    """Predict documents with a batch prediction into a predictions CSV, in the order of the table.

        amazon-ml predict model.json documents.csv -o predictions.csv

    Writes document_id, predicted_category, score, decision and more. A documents CSV gets the columns of the training
    data, computed as textclf prepare did.
    """
    from textclf.data.predictions import prediction_columns, prediction_row

    check_output(output, PREDICTIONS, inputs=table.inputs(model, documents))
    refuse_filled_in(output)
    classifier = _load(model, addresses, timeout)
    counts = {"accept": 0, "review": 0, "failed": 0}

    def counted(prediction: Prediction) -> Prediction:
        counts[prediction.decision] += 1
        counts["failed"] += prediction.status == "failed"
        return prediction

    predictions = map(counted, classifier.predict(documents, features=features, options=table))
    # Amazon ML does not compute familiarity
    rows = (prediction_row(classifier.categories, prediction) | {"familiarity": ""} for prediction in predictions)
    total = write_rows(output, prediction_columns(classifier.categories), rows, formulas_safe=True)
    failed = f", {counts['failed']} of them failed" if counts["failed"] else ""
    _log.info(f"{output}: {counts['accept']} accepted, {counts['review']} for review{failed}")
    check_strict(counts["failed"], total, "could not be predicted", strict=strict)


def endpoint(
    model: State,
    *,
    close: Annotated[
        bool, Option("--close", help="Delete the endpoint, which is charged for while it exists.")
    ] = False,
    address: ServiceAddress,
    timeout: Timeout = TIMEOUT,
    as_json: AsJson = False,
) -> None:
    """Create the model's real-time endpoint, and print the environment variables of predict_document_category.

        amazon-ml endpoint model.json
        amazon-ml endpoint model.json --close

    Prints TEXTCLF_ML_MODEL_ID=... and TEXTCLF_ML_ENDPOINT=...; the endpoint is charged for until it is closed.
    """
    classifier = _load(model, address, timeout)
    if close:
        classifier.close_endpoint()
        _log.info(f"{classifier.model_id}: endpoint deleted")
        return
    url = classifier.open_endpoint()
    if as_json:
        print_json({"model_id": classifier.model_id, "endpoint": url})
    else:
        print_lines(f"TEXTCLF_ML_MODEL_ID={classifier.model_id}", f"TEXTCLF_ML_ENDPOINT={url}")


def delete(
    model: State,
    *,
    addresses: Addresses,
) -> None:
    """Remove everything created for a model in the service and in S3, and finally the MODEL file.

        amazon-ml delete model.json

    What cannot be removed is reported, and stays recorded in MODEL.
    """
    _load(model, addresses, 0).delete()
    _log.info(f"{model}: everything removed")


def _load(path: Path, addresses: dict[str, Any], timeout: float) -> AmazonMLClassifier:
    from aws_ml_adapter.client.amazon_classifier import AmazonMLClassifier

    return AmazonMLClassifier.load(path, timeout=timeout, **addresses)

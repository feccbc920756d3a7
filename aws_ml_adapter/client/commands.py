"""The verbs of ``amazon-ml`` that work with Amazon ML, or with a server like it, as twins of those of ``textclf``."""

from __future__ import annotations

import json
import logging
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import BadInputError
from textclf.base.outputs import PREDICTIONS, REPORT_FOLDER, check_output, check_output_folder
from textclf.commands.application import Argument, Option
from textclf.commands.options import (
    AsJson,
    By,
    Confidence,
    LabelledFlags,
    MaxError,
    OutputFile,
    OutputFolder,
    Strict,
    TableFlags,
    print_json,
    print_lines,
)

if TYPE_CHECKING:
    from aws_ml_adapter.client.adapter import AmazonMLClassifier
    from aws_ml_adapter.client.training_plan import TrainingOptions
    from textclf.model.prediction import Prediction

_log = logging.getLogger(__name__)

Datasource = Annotated[
    Path,
    Argument(metavar="DATASOURCE", help="The folder that textclf prepare wrote, or the datasource CSV in it."),
]
State = Annotated[Path, Argument(metavar="MODEL", help="The file that train wrote.")]
Bucket = Annotated[str, Option(help="S3 bucket.")]
Prefix = Annotated[str, Option(help="All files go below it.")]
Region = Annotated[str, Option(help="AWS region: us-east-1 or eu-west-1.")]
EndpointUrl = Annotated[
    str | None,
    Option(
        help="URL of the service, such as amazon-ml serve prints.",
        show_default="AWS_ENDPOINT_URL_MACHINE_LEARNING, else AWS",
    ),
]
S3EndpointUrl = Annotated[str | None, Option(help="URL of a server like S3.", show_default="AWS")]
S3Root = Annotated[
    Path | None, Option(help="A folder instead of S3: the one that amazon-ml serve has as its --s3-root.")
]
Timeout = Annotated[float, Option(help="Seconds that one job may take.", min=0)]
Features = Annotated[
    Path | None, Option(help="Folder features that textclf prepare wrote, if it has moved since training.")
]
TrainPercent = Annotated[
    int, Option(help="Share of the documents to train on; the rest is held out for evaluate.", min=1, max=100)
]
Seed = Annotated[str, Option(help="Chooses the documents to train on.")]
Ngrams = Annotated[int, Option(help="Words of the longest n-gram.", min=1, max=10)]
Bins = Annotated[
    int, Option(help="Quantile bins of each dimension of the vectors; 0 leaves them out.", min=0, max=1_000)
]
RecipeFile = Annotated[Path | None, Option("--recipe", help="File with a recipe of your own.")]
Passes = Annotated[int, Option(help="Passes over the training data at most.", min=1, max=10_000)]
MaxSize = Annotated[int, Option(help="Bytes that the model may have.", min=100_000, max=2_147_483_648)]
L1 = Annotated[float, Option("--l1", help="Amount of L1 regularisation; excludes --l2.", min=0)]
L2 = Annotated[
    float | None, Option("--l2", help="Amount of L2 regularisation.", show_default="1e-6 without --l1", min=0)
]


def train(
    datasource: Datasource,
    output: OutputFile,
    bucket: Bucket,
    prefix: Prefix = "textclf",
    region: Region = "us-east-1",
    endpoint_url: EndpointUrl = None,
    s3_endpoint_url: S3EndpointUrl = None,
    s3_root: S3Root = None,
    train_percent: TrainPercent = 70,
    seed: Seed = "0",
    ngrams: Ngrams = 1,
    bins: Bins = 0,
    recipe: RecipeFile = None,
    passes: Passes = 10,
    max_size: MaxSize = 104_857_600,
    l1: L1 = 0.0,
    l2: L2 = None,
    dry_run: Annotated[bool, Option("--dry-run", help="Show what would be created; nothing is sent.")] = False,
    timeout: Timeout = 7_200,
    as_json: AsJson = False,
) -> None:
    """Upload a datasource, train a model on a share of it, and write down what was made.

        amazon-ml train prepared -o model.json --bucket BUCKET --dry-run
        amazon-ml train prepared -o model.json --bucket BUCKET

    Writes FILE, which names the model and all that was made for it. A run that was stopped goes on where it was if it
    is started again with the same options.
    """
    from aws_ml_adapter.client.adapter import AmazonMLClassifier
    from aws_ml_adapter.client.datasources import datasource_file
    from aws_ml_adapter.client.state import STATE

    classifier = AmazonMLClassifier(
        bucket,
        prefix,
        region,
        state_file=output,
        endpoint_url=endpoint_url,
        s3_endpoint_url=s3_endpoint_url,
        s3_root=None if s3_root is None else str(s3_root),
        options=_training_options(train_percent, seed, ngrams, bins, recipe, passes, max_size, l1, l2),
        timeout=timeout,
    )
    if dry_run:
        plan = classifier.plan(datasource)
        if as_json:
            print_json(asdict(plan))
            return
        print_lines(*(f"file  {url}" for url in plan.files))
        for item in plan.creations:
            print_lines(f"{item.operation}  {json.dumps(item.request, ensure_ascii=False)}")
        return
    check_output(output, STATE, inputs=[datasource_file(datasource), *([] if recipe is None else [recipe])])
    classifier.fit(datasource)
    if as_json:
        print_json({"model_id": classifier.model_id, "categories": classifier.categories})
    _log.info(f"{output}: model {classifier.model_id}")


def evaluate(
    model: State,
    output: OutputFolder,
    *,
    table: Annotated[
        Path | None,
        Argument(
            metavar="[DOCUMENTS]",
            help="A documents CSV or datasource with categories; the documents held out in training if not given.",
        ),
    ] = None,
    max_error: MaxError = 0.05,
    confidence: Confidence = 0.9,
    by: By = [],  # noqa: B006
    features: Features = None,
    endpoint_url: EndpointUrl = None,
    s3_endpoint_url: S3EndpointUrl = None,
    s3_root: S3Root = None,
    timeout: Timeout = 7_200,
    as_json: AsJson = False,
    columns: LabelledFlags,
) -> None:
    """Evaluate a model, and write report.html, metrics.json and the confusion matrix.

        amazon-ml evaluate model.json -o report

    Prints accuracy, macro F1 and how many documents are accepted.

    Without DOCUMENTS it also chooses the score from which predict accepts, so that the error among accepted
    documents stays under --max-error. Makes an evaluation and a batch prediction of the same documents.
    """
    from textclf.evaluation.report import write_report

    check_output_folder(output, REPORT_FOLDER, inputs=[model, *([] if table is None else [table])])
    classifier = _load(model, endpoint_url, s3_endpoint_url, s3_root, timeout)
    found = classifier.evaluate(
        table,
        max_error=max_error,
        confidence=confidence,
        by=by,
        features=features,
        options=columns.options(),
    )
    report = found.report
    today = date.today().isoformat()  # noqa: DTZ011 - the date on the user's own calendar
    title = "documents held out in training" if table is None else table.name
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
            f"macro F1 as the service counts it  {found.average_f1:.3f}  ({found.evaluation_id})",
        )
    _log.info(f"{output / 'report.html'}")


def predict(
    model: State,
    table: Annotated[Path, Argument(metavar="DOCUMENTS", help="A documents CSV, or a datasource.")],
    output: OutputFile,
    *,
    features: Features = None,
    endpoint_url: EndpointUrl = None,
    s3_endpoint_url: S3EndpointUrl = None,
    s3_root: S3Root = None,
    timeout: Timeout = 7_200,
    strict: Strict = False,
    columns: TableFlags,
) -> None:
    """Predict documents with a batch prediction into a predictions CSV, in the order of the table.

        amazon-ml predict model.json documents.csv -o predictions.csv

    Writes document_id, predicted_category, score, decision and more. A documents CSV gets the columns of the training
    data, computed as textclf prepare did.
    """
    from aws_ml_adapter.client.results import prediction_rows
    from textclf.base.tables import write_rows
    from textclf.data.predictions import check_strict, prediction_columns

    check_output(output, PREDICTIONS, inputs=[model, table])
    classifier = _load(model, endpoint_url, s3_endpoint_url, s3_root, timeout)
    counts = {"accept": 0, "review": 0, "failed": 0}

    def counted(prediction: Prediction) -> Prediction:
        counts[prediction.decision] += 1
        counts["failed"] += prediction.status == "failed"
        return prediction

    predictions = map(counted, classifier.predict(table, features=features, options=columns.options()))
    rows = prediction_rows(predictions, classifier.categories)
    total = write_rows(output, prediction_columns(classifier.categories), rows, formulas_safe=True)
    failed = f", {counts['failed']} of them failed" if counts["failed"] else ""
    _log.info(f"{output}: {counts['accept']} accepted, {counts['review']} for review{failed}")
    check_strict(counts["failed"], total, "could not be predicted", strict=strict)


def endpoint(
    model: State,
    close: Annotated[bool, Option("--close", help="Delete the endpoint, which costs as long as it exists.")] = False,
    endpoint_url: EndpointUrl = None,
    timeout: Timeout = 7_200,
    as_json: AsJson = False,
) -> None:
    """Create the model's real-time endpoint, and print what predict_document_category needs in the environment.

        amazon-ml endpoint model.json
        amazon-ml endpoint model.json --close

    Prints TEXTCLF_ML_MODEL_ID=... and TEXTCLF_ML_ENDPOINT=...; it costs until it is closed.
    """
    classifier = _load(model, endpoint_url, None, None, timeout)
    if close:
        classifier.close_endpoint()
        _log.info(f"{classifier.model_id}: no endpoint any more")
        return
    url = classifier.open_endpoint()
    if as_json:
        print_json({"model_id": classifier.model_id, "endpoint": url})
    else:
        print_lines(f"TEXTCLF_ML_MODEL_ID={classifier.model_id}", f"TEXTCLF_ML_ENDPOINT={url}")


def delete(
    model: State,
    endpoint_url: EndpointUrl = None,
    s3_endpoint_url: S3EndpointUrl = None,
    s3_root: S3Root = None,
) -> None:
    """Remove all that was made for a model, in the service and in S3, and the MODEL file at last.

        amazon-ml delete model.json

    What cannot be removed is said, and stays written down in MODEL.
    """
    _load(model, endpoint_url, s3_endpoint_url, s3_root, 0).delete()
    _log.info(f"{model}: all removed")


def _training_options(
    train_percent: int,
    seed: str,
    ngrams: int,
    bins: int,
    recipe: Path | None,
    passes: int,
    max_size: int,
    l1: float,
    l2: float | None,
) -> TrainingOptions:
    from aws_ml_adapter.api.parameters import Parameters
    from aws_ml_adapter.client.training_plan import TrainingOptions

    if recipe is None:
        text = None
    else:
        try:
            with recipe.open(encoding="utf-8") as file:
                # the service takes no longer one, and a device has no end
                text = file.read(1_000_000)
        except (OSError, UnicodeDecodeError) as error:
            raise BadInputError("cannot be read", where=recipe, remedy="check the path given with --recipe") from error
    amount = (0.0 if l1 else 1e-6) if l2 is None else l2
    return TrainingOptions(
        train_percent=train_percent,
        seed=seed,
        ngrams=ngrams,
        bins=bins,
        recipe=text,
        parameters=Parameters(max_size=max_size, max_passes=passes, shuffle=True, l1=l1, l2=amount),
    )


def _load(
    path: Path, endpoint_url: str | None, s3_endpoint_url: str | None, s3_root: Path | None, timeout: float
) -> AmazonMLClassifier:
    from aws_ml_adapter.client.adapter import AmazonMLClassifier

    return AmazonMLClassifier.load(
        path,
        endpoint_url=endpoint_url,
        s3_endpoint_url=s3_endpoint_url,
        s3_root=None if s3_root is None else str(s3_root),
        timeout=timeout,
    )

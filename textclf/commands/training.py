"""Commands that learn: the datasource, the model, and its evaluation."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

from textclf.commands.application import Option
from textclf.commands.options import (
    AsJson,
    By,
    Confidence,
    FolderFlags,
    GroupColumn,
    LabelledFlags,
    LabelledTable,
    LexiconChoice,
    MaxError,
    Model,
    OutputFile,
    OutputFolder,
    Seed,
    VectorChoice,
    VectorSize,
    given,
    print_lines,
    show_training,
)

_log = logging.getLogger(__name__)


def prepare(
    table: LabelledTable,
    output: OutputFolder,
    *,
    lexicon: LexiconChoice = None,
    vectors: VectorChoice = None,
    vector_size: VectorSize = None,
    seed: Seed = None,
    group: GroupColumn = "",
    columns: LabelledFlags,
    folder: FolderFlags,
) -> None:
    """Write the datasource CSV with keyword indicators and word vectors, as Amazon ML reads it, and its schema.

        textclf prepare documents.csv -o prepared
        textclf train prepared -o model.textclf

    Writes datasource.csv, datasource.csv.schema and features/ into FOLDER.
    """
    from textclf.commands.modelling import prepare_datasource
    from textclf.model.classifier import DocumentClassifier

    classifier = DocumentClassifier(
        **given(lexicon=lexicon, vectors=vectors, vector_size=vector_size, random_state=seed)
    )
    options = folder.apply(replace(columns.options(), group_column=group), table)
    rows = prepare_datasource(table, output, classifier, options)
    _log.info(f"{output / 'datasource.csv'}: {rows} documents")


def train(
    source: LabelledTable,
    output: OutputFile,
    *,
    lexicon: LexiconChoice = None,
    vectors: VectorChoice = None,
    vector_size: VectorSize = None,
    max_error: MaxError = 0.05,
    confidence: Confidence = 0.9,
    other: Annotated[
        list[Path],
        Option(
            "--other",
            metavar="PATH",
            help="Documents of no category: a CSV, or a folder of scans and .txt files. May stand several times.",
        ),
    ] = [],  # noqa: B006
    settings: Annotated[
        Path | None, Option(help="Settings that tune wrote; options given beside it go before them.")
    ] = None,
    c: Annotated[
        float | None,
        Option("--c", help="Inverse strength of the regularisation.", show_default="1.0", min=1e-6, max=1e6),
    ] = None,
    augment: Annotated[
        bool | None,
        Option(
            "--augment/--no-augment",
            help="Train also on augmented copies of the texts, as a bad scan or the upper part of a page gives them.",
            show_default="yes",
        ),
    ] = None,
    seed: Seed = None,
    diagnostics: Annotated[
        bool, Option(help="Also measure what each feature group gives, and the learning curve.")
    ] = True,
    group: GroupColumn = "",
    columns: LabelledFlags,
    folder: FolderFlags,
) -> None:
    """Train a model, cross-validated, with calibrated scores, and write its file.

        textclf train filed/ -o model.textclf          (filed/invoice/a.pdf, filed/letter/b.jpg ...)
        textclf train documents.csv -o model.textclf

    Says how good the model is and what share of new documents it will accept.
    """
    from textclf.checks.tuning import read_settings
    from textclf.commands.modelling import train_model

    options = {} if settings is None else read_settings(settings)
    options |= given(lexicon=lexicon, vectors=vectors, vector_size=vector_size, augment=augment, C=c, random_state=seed)
    options |= {
        "max_error": max_error,
        "confidence": confidence,
        "diagnostics": diagnostics,
        "n_jobs": folder.jobs or -1,
    }
    table = folder.apply(replace(columns.options(), group_column=group), source, *other)
    trained = train_model(source, output, options, table, others=other)
    show_training(trained.training)
    _log.info(f"{output}: trained on {sum(trained.training.documents.values())} documents")


def evaluate(
    model: Model,
    table: LabelledTable,
    output: OutputFolder,
    *,
    by: By = [],  # noqa: B006
    as_json: AsJson = False,
    columns: LabelledFlags,
    folder: FolderFlags,
) -> None:
    """Predict documents of known category, and write report.html, metrics.json and the confusion matrix.

        textclf evaluate model.textclf documents.csv --where split=test -o report

    Prints accuracy, macro F1 and how many documents are accepted; open FOLDER/report.html for the rest.
    """
    from textclf.commands.modelling import evaluate_model
    from textclf.model.file import load_model

    options = folder.apply(columns.options(), table)
    today = date.today().isoformat()  # noqa: DTZ011 - the date on the user's own calendar
    report = evaluate_model(load_model(model), model.name, table, output, options, by=by, created=today)
    if as_json:
        print((output / "metrics.json").read_text(encoding="utf-8"), end="")  # noqa: T201
    else:
        print_lines(
            f"accuracy  {report.accuracy:.3f}   macro F1  {report.macro_f1:.3f}   documents  {report.documents}",
            f"accepted  {report.accepted} of {report.documents}, "
            f"{report.accepted - report.accepted_right} of them wrong",
        )
        for group in report.groups:
            print_lines(
                f"{group.column} = {group.value}: accuracy {group.accuracy:.3f} of {group.documents}, "
                f"accepted {group.accepted}"
            )
    if unknown := report.unknown_categories:
        count = sum(figures.support for figures in unknown)
        named = ", ".join(f"{figures.category} ({figures.support})" for figures in unknown)
        _log.warning(f"{count} documents are of a category that the model does not know, and count as wrong: {named}")
    _log.info(f"{output / 'report.html'}")

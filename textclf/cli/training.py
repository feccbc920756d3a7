"""Commands that learn: the datasource, the model, and its evaluation."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options import (
    AsJson,
    Cache,
    CategoryColumn,
    Encoding,
    GroupColumn,
    IdColumn,
    Jobs,
    Lang,
    LexiconChoice,
    Model,
    NoCache,
    Option,
    Output,
    Password,
    Seed,
    Table,
    TextColumn,
    VectorChoice,
    VectorSize,
    Where,
    given,
    open_reading,
    print_lines,
    reading_options,
    show_training,
    table_options,
)
from textclf.console import say, show_reading, warn

__all__ = ["evaluate", "prepare", "train"]


def prepare(
    table: Table,
    output: Output,
    lexicon: LexiconChoice = None,
    vectors: VectorChoice = None,
    vector_size: VectorSize = None,
    seed: Seed = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    group: GroupColumn = "",
) -> None:
    """Write the datasource CSV with keyword indicators and word vectors, as Amazon ML reads it, and its schema."""
    from textclf.classifier import DocumentClassifier
    from textclf.commands import prepare_datasource

    classifier = DocumentClassifier(
        **given(lexicon=lexicon, vectors=vectors, vector_size=vector_size, random_state=seed)
    )
    options = table_options(id_column, text_column, category_column, encoding, where, group)
    rows = prepare_datasource(table, output, classifier, options, talk=say, warn=warn)
    say(f"{output / 'datasource.csv'}: {rows} documents")


def train(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A documents CSV with categories, the folder that prepare wrote, or a folder with one folder a "
            "category (scans or .txt files).",
        ),
    ],
    output: Output,
    lexicon: LexiconChoice = None,
    vectors: VectorChoice = None,
    vector_size: VectorSize = None,
    max_error: Annotated[float, Option(help="Error among accepted documents that can be borne, such as 0.05.")] = 0.05,
    confidence: Annotated[float, Option(help="How sure it shall be that they stay under it, such as 0.9.")] = 0.9,
    other: Annotated[
        list[Path], Option("--other", help="Documents of no category: a CSV, or a folder. May stand several times.")
    ] = [],  # noqa: B006
    settings: Annotated[
        Path | None, Option(help="Settings that tune wrote; options given beside it go before them.")
    ] = None,
    c: Annotated[
        float | None, Option("--c", help="Inverse strength of the regularisation.", show_default="1.0")
    ] = None,
    poor_copies: Annotated[
        bool | None,
        Option(
            "--poor-copies/--no-poor-copies",
            help="Train also on poor copies of the texts, as a bad scan or the upper part of a page gives them.",
            show_default="yes",
        ),
    ] = None,
    seed: Seed = None,
    diagnostics: Annotated[
        bool, Option(help="Also measure what each feature group gives, and the learning curve.")
    ] = True,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    group: GroupColumn = "",
    lang: Lang = "",
    password: Password = "",
    jobs: Jobs = None,
    cache: Cache = None,
    no_cache: NoCache = False,
) -> None:
    """Train a model, cross-validated, with calibrated scores, and write its file."""
    from textclf.commands import train_model
    from textclf.tuning import read_settings

    options = {} if settings is None else read_settings(settings)
    options |= given(
        lexicon=lexicon, vectors=vectors, vector_size=vector_size, poor_copies=poor_copies, C=c, random_state=seed
    )
    options |= {
        "max_error": max_error,
        "confidence": confidence,
        "diagnostics": diagnostics,
        "n_jobs": jobs or -1,
    }
    columns = table_options(id_column, text_column, category_column, encoding, where, group)
    if source.is_dir():
        with show_reading() as progress:
            reading = open_reading(reading_options(lang, password=password), jobs, cache, no_cache, progress)
            runtime = train_model(source, output, options, columns, reading, others=other, talk=say, warn=warn)
    else:
        reading = open_reading(reading_options(lang, password=password), jobs, cache, no_cache, None)
        runtime = train_model(source, output, options, columns, reading, others=other, talk=say, warn=warn)
    show_training(runtime.training)
    say(f"{output}: trained on {sum(runtime.training.documents.values())} documents")


def evaluate(
    model: Model,
    table: Table,
    output: Output,
    by: Annotated[list[str], Option(help="Also show the figures for each value of this column.")] = [],  # noqa: B006
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Predict documents of known category, and write report.html, metrics.json and the confusion matrix."""
    from textclf.commands import evaluate_model
    from textclf.model_file import load_model

    options = table_options(id_column, text_column, category_column, encoding, where)
    today = date.today().isoformat()  # noqa: DTZ011 - the date on the user's own calendar
    report = evaluate_model(load_model(model), model.name, table, output, options, by=by, created=today, warn=warn)
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
    say(f"{output / 'report.html'}")

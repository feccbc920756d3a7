"""``textclf train``: trains a model and writes its file."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from textclf.base.errors import BadInputError, BadModelError, UsageError
from textclf.base.overwrite_guard import MODEL, check_output
from textclf.base.plurals import counted
from textclf.commands.application import Argument, Option, Options
from textclf.commands.arguments import GroupedTable, OutputFile, showing
from textclf.data.corrections import correct
from textclf.data.sources import DATASOURCE, Labelled, TableOptions, iter_usable, read_documents, read_labelled
from textclf.model.category_names import NONE_OF_THESE
from textclf.model.settings import TrainingSettings

if TYPE_CHECKING:
    from textclf.model.predict import Model
    from textclf.model.training_record import TrainingRecord

_log = logging.getLogger(__name__)


def train(
    documents: Annotated[
        Path | None,
        Argument(
            metavar="[DOCUMENTS]",
            help="A CSV with the columns document_id, text and category; a folder with a folder per category of scans "
            "and .txt files; or the folder that prepare wrote. Without it, keywords (--lexicon) label documents of "
            "--pile.",
        ),
    ] = None,
    *,
    output: OutputFile,
    other: Annotated[
        list[Path],
        Option(
            "--other",
            metavar="PATH",
            help="Documents of other kinds, from which the model learns to send such documents to review as unknown "
            f"kind: a CSV, or a folder of scans and .txt files; repeatable. Documents of DOCUMENTS whose category is "
            f"{NONE_OF_THESE!r} count too.",
        ),
    ] = [],  # noqa: B006
    pile: Annotated[
        list[Path],
        Option(
            "--pile",
            metavar="PATH",
            help="Documents of unknown category: a CSV without a category column, or a folder of scans and .txt files; "
            "repeatable. Categories that they have are ignored. Rows of DOCUMENTS without a category count too.",
        ),
    ] = [],  # noqa: B006
    corrections: Annotated[
        list[Path],
        Option(
            "--corrections",
            metavar="FILE",
            help="CSV with document_id and category, such as predict writes and you fill in, over the categories that "
            "DOCUMENTS or --labels give; documents not among DOCUMENTS are added, by the columns text, or path and "
            "sha256. Repeatable: later files correct earlier ones.",
        ),
    ] = [],  # noqa: B006
    settings: Annotated[
        Path | None, Option(help="Settings written by tune; other options given take precedence.")
    ] = None,
    training: Annotated[dict[str, Any], Options(of=TrainingSettings, defaults={"diagnostics": True})],
    table: GroupedTable,
) -> None:
    """Train a model, cross-validated, with calibrated scores, and write its file.

        textclf train filed/ -o model.textclf          (filed/invoice/a.pdf, filed/letter/b.jpg ...)
        textclf train documents.csv -o model.textclf
        textclf train documents.csv --labels to_label.csv -o model.textclf          (to_label.csv as select wrote it)
        textclf train documents.csv --corrections predictions.csv -o model.textclf     (after you corrected some)
        textclf train --pile scans/ --lexicon mine.toml -o model.textclf    (no labels, only keywords)

    Prints the accuracy of the model and the share of new documents that it will accept.

    It takes about 0.35 GB of memory for each process, and for each 1,000 documents of a page 0.3 GB for each of --jobs
    and once more, with more than 1,700 documents up to 0.9 GB; it runs in fewer processes if memory is short.
    """
    from textclf.checks.tuning import read_settings

    tuned = {} if settings is None else read_settings(settings)
    options = {**tuned, **training, "n_jobs": table.scans.jobs or -1}
    model = train_model(documents, output, options, showing(table), others=other, piles=pile, corrections=corrections)
    for line in training_lines(model.training, with_background=bool(model.settings.get("background"))):
        _log.info(line)
    given = model.training.out_of_distribution
    none = f" of the categories and {given} of {NONE_OF_THESE!r}" if given else ""
    _log.info(f"{output}: trained on {sum(model.training.documents.values())} documents{none}")


def train_model(
    source: Path | None,
    output: Path,
    options: dict[str, Any],
    table: TableOptions,
    *,
    others: Sequence[Path] = (),
    piles: Sequence[Path] = (),
    corrections: Sequence[Path] = (),
) -> Model:
    """Train a model and write its file; `options` take precedence over those that `prepare_datasource` wrote.

    Conditions and groups of the table do not apply to `others`, the documents of no category, and `piles`, those of
    unknown category.
    """
    from textclf.model.accept import why_nothing_is_accepted
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.training_data import read_training_data

    if source is None and not piles:
        raise UsageError("no documents", remedy="give a documents CSV or a folder, or --pile with --lexicon")
    if source is None and (table.labels or corrections or table.where or table.group_column):
        raise UsageError(
            "--labels, --corrections, --where and --group say something of DOCUMENTS, and there are none",
            remedy="give the table of the documents without --pile: those without a label are its pile",
        )
    check_output(output, MODEL, inputs=table.inputs(source, *others, *piles, *corrections))
    if source and (source / DATASOURCE).exists():
        options = {**_prepared_options(source / "features"), **options}
    classifier = DocumentClassifier(**options)
    classifier.check_options()
    corrected = partial(correct, tables=corrections, options=table) if corrections else None
    documents = Labelled([], [], [])
    if source:
        documents = read_labelled(source, table, keep_unlabelled=True, correct=corrected)
    if any(documents.groups) and (alone := documents.groups.count("")):
        _log.warning(
            f"{alone} of {len(documents.groups)} documents have no {table.group_column or 'group'}: each counts as a "
            "group of its own, so the figures are too good if some belong together"
        )
    foreign = [text for _, text in documents.none_of_these if text.strip()]
    if foreign:
        _log.info(f"learning from {counted(len(foreign), 'document')} of {NONE_OF_THESE!r} to turn such papers away")
    foreign += [text for path in others for text in _texts(path, table)]
    data = read_training_data(
        documents.texts,
        documents.categories,
        groups=documents.groups if any(documents.groups) else None,
        out_of_distribution=foreign,
        unlabelled=chain(documents.unlabelled, (text for path in piles for text in _texts(path, table))),
        document_ids=documents.document_ids,
        looks=documents.looks,
    )
    if (same := _trained(output)) and same.training.inputs_hash == classifier.inputs_hash(data):
        _log.info(
            f"{output} was trained on the same documents with the same options and is kept; delete it to train again"
        )
        return same
    classifier.fit_data(data)
    for message in classifier.warnings_:
        # `training_lines` reports it
        record = classifier.model_.training
        if message != why_nothing_is_accepted(record.acceptance, record.acceptance_curve):
            _log.warning(message)
    classifier.save(output)
    return classifier.model_


def training_lines(record: TrainingRecord, *, with_background: bool = True) -> Iterator[str]:
    """Give lines to print about cross-validation and acceptance."""
    from textclf.model.background import MIN_DOCUMENTS

    if record.by_keywords:
        yield (
            "no document had a label: categories come from keywords. The figures say how well these are predicted, not "
            "how well the true categories are, so nothing is accepted; correct some predictions and train on them"
        )
    for group in record.groups:
        yield f"cross-validated, {group.features}: accuracy {group.accuracy:.3f}, macro F1 {group.macro_f1:.3f}"
    if record.kept_together:
        yield (
            f"documents of each of {record.kept_together} groups were kept together: the figures hold for new groups"
        )
    if record.unlabelled.given:
        yield from _unlabelled_lines(record)
    if record.background.texts:
        yield f"turns away other kinds of paper, learned from {record.background.texts} texts of the background"
    elif with_background and sum(record.documents.values()) < MIN_DOCUMENTS:
        yield (
            "trained without the background of other kinds of paper, which needs "
            f"{MIN_DOCUMENTS} documents of the categories or more"
        )
    if record.background.left_out:
        kinds = (f"{kind.replace('_', ' ')} ({category})" for kind, category in record.background.left_out.items())
        yield f"left out of the background, as like documents of a category: {', '.join(kinds)}"
    yield from _acceptance_lines(record)
    if not record.by_keywords:
        yield from _ladder_lines(record)


def _acceptance_lines(record: TrainingRecord) -> Iterator[str]:
    from textclf.model.accept import why_nothing_is_accepted

    acceptance = record.acceptance
    if acceptance.accepted:
        yield (
            f"will accept about {acceptance.accepted:.0%} of documents like these (scores from "
            f"{acceptance.threshold:.3f}); {acceptance.error:.1%} of those were wrong in cross-validation, and with "
            f"{100 * acceptance.confidence:g}% confidence fewer than {100 * acceptance.max_error:g}% will be"
        )
        if acceptance.unknown_accepted is not None:
            yield (
                f"of documents of unknown kinds it will accept about {acceptance.unknown_accepted:.0%}, as each "
                "category showed when it was left out"
            )
    elif not record.by_keywords:
        yield why_nothing_is_accepted(acceptance, record.acceptance_curve)


def _ladder_lines(record: TrainingRecord) -> Iterator[str]:
    """Say what other maximum errors would accept, and what text or look alone."""
    if not (steps := record.ladder()):
        return
    yield (
        "what --max-error of predict, classify and evaluate would accept of documents of these categories; with "
        f"{100 * record.acceptance.confidence:g}% confidence fewer than that will be wrong:"
    )
    for step in steps:
        found = (
            f"{step.accepted:4.0%} (scores from {step.threshold:.3f}), {step.error:.1%} of them wrong in "
            "cross-validation"
        )
        if step.unknown_accepted is not None:
            found += f"; and {step.unknown_accepted:.0%} of documents of unknown kinds"
        yield f"  {step.max_error:<6g} {found if step.accepted else 'nothing'}"
    for what, missing, part in (("text", "look", record.without_look), ("look", "text", record.look_alone)):
        if part:
            promise = part.acceptance
            accepts = f"about {promise.accepted:.0%}, {promise.error:.1%} of those were wrong"
            yield (
                f"by {what} alone: accuracy {part.accuracy:.3f}; of documents without a {missing} it accepts "
                f"{accepts if promise.accepted else 'none'}"
            )
    lowest = record.acceptance_curve and record.acceptance_curve.lowest
    if lowest and any(step.threshold == lowest.threshold for step in steps):
        yield (
            f"no maximum error accepts scores below {lowest.threshold:.3f}, which documents of unknown kinds reach "
            "too often; train with a larger --max-unknown to accept more of both"
        )


def _unlabelled_lines(record: TrainingRecord) -> Iterator[str]:
    unlabelled = record.unlabelled
    given = f"{counted(unlabelled.given, 'document')} of the pile"
    if not unlabelled.used:
        yield f"{given}, none used: each has no text, or is labelled too"
        return
    used = f"{given}, {unlabelled.used:,} different ones used"
    if any(unlabelled.pseudo_labelled.values()):
        each = ", ".join(f"{count} as {category}" for category, count in unlabelled.pseudo_labelled.items())
        yield f"{used}; trained on with the predicted category: {each}"
    elif unlabelled.novel < unlabelled.used:
        why = "cross-validation was better without them" if unlabelled.tried else "there are enough labelled ones"
        yield f"{used}; none trained on with a predicted category, as {why}"
    else:
        yield used
    if unlabelled.novel:
        yield (
            f"about {unlabelled.novel:,} of the {unlabelled.used:,} look like none of the categories, an estimate that "
            "may count some of your own papers: learned from as papers of unknown kinds, which are for review; if you "
            "file such papers, label some (textclf select)"
        )


def _texts(source: Path, table: TableOptions) -> Iterator[str]:
    """Give the texts of documents of no or unknown category; unreadable ones are left out with a warning."""
    documents = read_documents(source, replace(table, where=(), labels=(), group_column=""))
    return (document.text for document in iter_usable(source, documents))


def _trained(path: Path) -> Model | None:
    """Load the model file at a path, if there is one."""
    from textclf.model.file import load_model

    try:
        return load_model(path)
    except (BadInputError, BadModelError):
        return None


def _prepared_options(folder: Path) -> dict[str, Any]:
    """Read the options that `prepare_datasource` wrote, with the lexicon and vectors given to it."""
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

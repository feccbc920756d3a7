"""``textclf labelling``: tasks for Label Studio and doccano, and the labels that come back."""

from __future__ import annotations

import json
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from textclf.base.encodings import decode_text
from textclf.base.errors import BadDataError, BadInputError, TextclfError
from textclf.base.files import input_error, write_aside
from textclf.base.hashing import hash_file
from textclf.base.overwrite_guard import FileKind, check_output, table_kind
from textclf.base.plurals import counted
from textclf.base.tables import write_rows
from textclf.bridges.labelled import CONFLICT, LabelledText, agreed
from textclf.commands.application import Argument, Option
from textclf.commands.arguments import Documents, OutputFile, Table, load_to_accept, showing
from textclf.commands.console import print_lines
from textclf.data.labels import refuse_filled_in
from textclf.data.sources import InputDocument, TableOptions, iter_usable, read_documents
from textclf.model.settings import AcceptanceOptions

if TYPE_CHECKING:
    from textclf.model.predict import Model
    from textclf.model.prediction import Prediction

_log = logging.getLogger(__name__)

Tool = Literal["label-studio", "doccano"]
COLUMNS = ("document_id", "category", "text")
MAX_BYTES = 512 * 2**20
"""Bytes of an export."""
_LABELS = table_kind("a table that textclf labelling import wrote", *COLUMNS)
_TASKS = FileKind("a file of tasks", lambda head: head.lstrip().startswith((b'[{"data":', b'{"text":', b"[]")))


def export(
    documents: Documents,
    *,
    output: OutputFile,
    tool: Annotated[Tool, Option(help="Program that the tasks are for.")] = "label-studio",
    model: Annotated[
        Path | None,
        Option(metavar="MODEL", help="A model file: the most doubtful documents come first, with its predictions."),
    ] = None,
    accepting: AcceptanceOptions,
    table: Table,
) -> None:
    """Write documents without a category as tasks for Label Studio, or as texts for doccano.

        textclf labelling export documents.csv -o tasks.json --model model.textclf
        textclf labelling export documents.csv -o texts.jsonl --tool doccano

    For Label Studio, prints the label configuration that the project needs.
    """
    from textclf.bridges.doccano import as_line
    from textclf.bridges.label_studio import FROM_NAME, TEXT, TO_NAME, Control, as_prediction, as_task, label_config

    check_output(output, _TASKS, inputs=table.inputs(documents))
    loaded = None if model is None else load_to_accept(model, accepting)
    found, categories = _unlabelled(documents, showing(table))
    judged = _by_doubt(loaded, found)
    if tool == "doccano":
        lines: Iterable[str] = (as_line(document.document_id, document.text) + "\n" for document, _ in judged)
    else:
        control = Control(from_name=FROM_NAME, to_name=TO_NAME, text=TEXT, choices=())
        version = "" if model is None else _version(model)
        tasks = (
            as_task(
                document.document_id,
                document.text,
                None if prediction is None else as_prediction(prediction, control, version),
            )
            for document, prediction in judged
        )
        rows = (json.dumps(task, ensure_ascii=False) for task in tasks)
        lines = chain(["["], (f"{',' * bool(number)}{row}\n" for number, row in enumerate(rows)), ["]\n"])
    with write_aside(output) as aside, aside.open("w", encoding="utf-8", errors="replace") as file:
        file.writelines(lines)
    _log.info(f"{output}: {counted(len(found), 'document')} to label")
    if tool == "label-studio":
        print_lines(*label_config(categories if loaded is None else loaded.categories).split("\n"))


def import_labels(
    source: Annotated[Path, Argument(metavar="EXPORT", help="JSON or JSON-MIN of Label Studio, or JSONL of doccano.")],
    *,
    output: OutputFile,
    field: Annotated[
        str, Option(metavar="NAME", help="Name of the choice, if tasks of Label Studio have several.")
    ] = "",
) -> None:
    """Write the labels that an export of Label Studio or doccano holds as a table for train --labels or --corrections.

        textclf labelling import export.json -o labels.csv
        textclf train documents.csv --labels labels.csv -o model.textclf

    Texts about which annotators disagree get no category, and are named.
    """
    check_output(output, _LABELS, inputs=[source])
    texts: dict[str, str] = {}
    chosen: defaultdict[str, list[str]] = defaultdict(list)
    for one in _read_export(source, field):
        texts[one.document_id] = one.text
        chosen[one.document_id].append(one.category)
    if not texts:
        raise BadDataError("holds no text", where=source, remedy="export at least one task")
    labels = {name: CONFLICT if CONFLICT in given else agreed(given) for name, given in chosen.items()}
    conflicts = [name for name, label in labels.items() if label == CONFLICT]
    labels |= dict.fromkeys(conflicts, "")
    refuse_filled_in(output, labels.items())
    rows = ({"document_id": name, "category": labels[name], "text": text} for name, text in texts.items())
    write_rows(output, COLUMNS, rows, formulas_safe=True)
    if conflicts:
        listed = ", ".join(map(repr, conflicts[:5])) + (", …" if len(conflicts) > 5 else "")
        _log.warning(
            f"{source}: annotators disagree about {counted(len(conflicts), 'text')} or chose several: {listed}"
        )
    counts = Counter(label for label in labels.values() if label)
    _log.info(f"{output}: {counts.total()} of {counted(len(labels), 'text')} labelled, {len(counts)} categories")


def _unlabelled(source: Path, table: TableOptions) -> tuple[list[InputDocument], list[str]]:
    """Read the documents without a category, and the categories of the others."""
    documents = list(iter_usable(source, read_documents(source, table)))
    found = [document for document in documents if not document.category and document.text.strip()]
    if not found:
        raise BadDataError("no document without a category that has text", where=source, remedy="give others")
    if left_out := len(documents) - len(found):
        _log.info(f"{source}: {left_out} of {len(documents)} documents have a category or no text and are left out")
    return found, sorted({document.category for document in documents if document.category})


def _version(model: Path) -> str:
    """Name a model as a service does that has it on duty."""
    from textclf.bridges.label_studio import model_version

    with model.open("rb") as file:
        return model_version(model.stem, hash_file(file))


def _by_doubt(
    model: Model | None, documents: Sequence[InputDocument]
) -> Iterator[tuple[InputDocument, Prediction | None]]:
    """Give documents with their predictions, those with the lowest score first; in their order without a model."""
    from textclf.data.predictions import predict_documents

    if model is None:
        yield from ((document, None) for document in documents)
        return
    judged = [(document, prediction) for document, prediction, _ in predict_documents(model, documents)]
    yield from sorted(judged, key=lambda one: (one[1].decision == "accept", one[1].score, one[0].document_id))


def _read_export(source: Path, field: str) -> Iterator[LabelledText]:
    from textclf.bridges.doccano import read_lines
    from textclf.bridges.label_studio import choice_fields, count_unreadable, read_export

    try:
        with source.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise input_error(error, source) from error
    if len(content) > MAX_BYTES:
        raise BadInputError(f"is larger than {MAX_BYTES:,} bytes", where=source, remedy="export fewer tasks at once")
    text, _ = decode_text(content)
    try:
        if text.lstrip().startswith("["):
            tasks = json.loads(text)
            found = list(read_export(tasks, field=field))
            yield from found
            if left_out := count_unreadable(tasks):
                _log.warning(f"{source}: {counted(left_out, 'annotation')} could not be read and left out")
            if found and not any(one.category for one in found) and (names := choice_fields(tasks)):
                listed = ", ".join(names[:5]) + (", …" if len(names) > 5 else "")
                _log.warning(f"{source}: nothing is labelled; give one of these with --field: {listed}")
        else:
            yield from read_lines(text.split("\n"))
    except (ValueError, RecursionError) as error:
        if isinstance(error, TextclfError):
            raise type(error)(error.what, where=source, remedy=error.remedy) from error
        raise BadDataError("is not JSON", where=source, remedy="export it as JSON or JSONL") from error

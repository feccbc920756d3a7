"""What the commands do, as plain functions: paths and options in, results out."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.documents import (
    Labelled,
    TableOptions,
    check_folder,
    read_documents,
    read_labelled,
    read_labels,
    text_files,
    write_documents,
)
from textclf.errors import BadDataError, BadInputError, BadModelError, SomeFailedError, UsageError
from textclf.files import write_aside

if TYPE_CHECKING:
    from features.word_vectors import WordVectors
    from ocr.batch import Progress
    from ocr.cache import PageCache
    from ocr.documents import Document
    from ocr.reading import ReadingOptions
    from textclf.classifier import DocumentClassifier
    from textclf.evaluation import EvaluationReport
    from textclf.prediction import Prediction
    from textclf.runtime import Runtime

__all__ = [
    "Reading",
    "classify_files",
    "default_cache",
    "evaluate_model",
    "predict_table",
    "prepare_datasource",
    "read_scans",
    "train_model",
]

Talk = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How scans are read by a command.

    Parameters
    ----------
    options : ocr.reading.ReadingOptions
        What is read and how.
    jobs : int, optional
        Worker processes; all cores without it.
    cache : ocr.cache.PageCache, optional
        Where pages that were read are kept.
    progress : callable, optional
        Is told how far reading is.
    """

    options: ReadingOptions
    jobs: int | None = None
    cache: PageCache | None = None
    progress: Callable[[Progress], None] | None = None

    def iter_documents(self, files: Sequence[tuple[str, Path]]) -> Iterator[Document]:
        """Read documents in input order."""
        from ocr.batch import iter_documents

        return iter_documents(files, options=self.options, jobs=self.jobs, cache=self.cache, progress=self.progress)


def default_cache() -> Path:
    """Folder where pages that were read are kept: ``textclf/pages`` in the user's cache folder (XDG)."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "textclf" / "pages"


def read_scans(
    paths: Sequence[Path],
    output: Path,
    reading: Reading,
    *,
    labels: Path | None = None,
    labels_from_folders: bool = False,
    warn: Talk = lambda message: None,
) -> dict[str, int]:
    """Read scans and write ``documents.csv``.

    Parameters
    ----------
    paths : sequence of pathlib.Path
        Files and folders.
    output : pathlib.Path
        The CSV file.
    reading : Reading
        How to read.
    labels : pathlib.Path, optional
        CSV with the columns ``file`` and ``category``.
    labels_from_folders : bool, default False
        Take the first folder under the one given for the category.
    warn : callable, optional
        Told what the user should know.

    Returns
    -------
    dict of str to int
        How many documents ended with each status.

    Raises
    ------
    textclf.errors.BadInputError
        There is no document.
    textclf.errors.UsageError
        Both ways to label are asked for.
    """
    from ocr.finding import find_files

    if labels is not None and labels_from_folders:
        raise UsageError("--labels and --labels-from-folders exclude each other", remedy="give one of them")
    known = None if labels is None else read_labels(labels)
    files = find_files(paths)
    if not files:
        raise BadInputError(
            "no scan found", where=", ".join(map(str, paths)), remedy="name images, PDFs or folders that hold some"
        )
    if known is not None and (without := sum(file.resolve() not in known for _, file in files)):
        warn(f"{labels}: {without} of {len(files)} documents do not stand there and get no category")
    counts = dict.fromkeys(("ok", "partial", "failed", "skipped"), 0)

    def counted(documents: Iterable[Document]) -> Iterator[Document]:
        for document in documents:
            counts[document.status] += 1
            yield document

    write_documents(output, counted(reading.iter_documents(files)), labels=known, from_folders=labels_from_folders)
    return counts


def clean_table(source: Path, output: Path, *, variants: Path | None = None, table: TableOptions) -> int:
    """Clean the texts of a documents CSV as those of scans are cleaned; all other columns stay.

    Returns
    -------
    int
        Number of rows.
    """
    from features.csv_files import read_rows, write_rows
    from ocr.cleaning import clean_text, read_variants

    known = () if variants is None else read_variants(variants)
    rows = read_rows(source, required=[table.text_column], encoding=table.encoding)
    first = next(rows)

    def cleaned() -> Iterator[dict[str, object]]:
        for row in _chain(first, rows):
            if row.error:
                raise BadDataError(f"line {row.line}: {row.error}", where=source, remedy="mend the row")
            yield {**row.values, table.text_column: clean_text(row.values[table.text_column], variants=known)}

    return write_rows(output, list(first.values), cleaned(), formulas_safe=False)


def _chain(first: Any, rest: Iterable[Any]) -> Iterator[Any]:
    yield first
    yield from rest


def prepare_datasource(
    source: Path, folder: Path, classifier: DocumentClassifier, table: TableOptions, *, talk: Talk, warn: Talk
) -> int:
    """Write the datasource CSV with its schema, and what its columns were made with.

    Parameters
    ----------
    source : pathlib.Path
        A documents CSV with categories.
    folder : pathlib.Path
        Gets ``datasource.csv``, ``datasource.csv.schema`` and ``features/``.
    classifier : DocumentClassifier
        Holds the feature settings; it is not trained.
    table : TableOptions
        How the CSV is read.
    talk, warn : callable
        Told what is done, and what the user should know.

    Returns
    -------
    int
        Rows written.
    """
    import numpy as np

    from features.columns import fit_features
    from features.datasource import DatasourceRow, write_datasource
    from features.keywords import common_words
    from features.tokens import tokenize
    from textclf.training import check_categories

    documents = read_labelled(source, table, warn=warn)
    for message in check_categories(Counter(documents.categories)):
        warn(message)
    settings = classifier.feature_settings()
    talk(f"fitting lexicon and vectors on {len(documents.texts)} documents")
    features = fit_features(documents.texts, documents.categories, settings)

    class Rows(Sequence[DatasourceRow]):
        """Rows made when asked for, so that all of them never stand in memory."""

        def __len__(self) -> int:
            return len(documents.texts)

        def __getitem__(self, i: Any) -> Any:
            text = documents.texts[i]
            found = features.rows([text])
            return DatasourceRow(
                document_id=documents.document_ids[i],
                text=text,
                common_words=common_words(features.matcher.find(tokenize(text))),
                indicators=tuple(map(bool, found.indicators[0])),
                vector=tuple(found.vectors[0].tolist()),
                category=documents.categories[i],
            )

    talk("writing the datasource")
    summary = write_datasource(
        folder / "datasource.csv",
        Rows(),
        indicator_names=features.matcher.lexicon.columns,
        vector_size=features.vectors.size,
        seed=settings.seed,
    )
    if summary.shortened:
        warn(
            f"{len(summary.shortened)} texts lost their middle to keep the row within 100 KB: "
            f"{', '.join(summary.shortened[:5])}"
        )
    kept = folder / "features"
    _write_json(kept / "keywords.json", features.matcher.to_dict())
    _write_json(kept / "words.json", list(features.vectors.words))
    with write_aside(kept / "vectors.npz") as aside, aside.open("wb") as file:
        arrays: dict[str, Any] = features.vectors.to_arrays()
        np.savez(file, **arrays)
    _write_json(kept / "settings.json", classifier.plain_settings())
    return summary.rows


def train_model(
    source: Path,
    output: Path,
    options: dict[str, Any],
    table: TableOptions,
    reading: Reading,
    *,
    talk: Talk,
    warn: Talk,
) -> Runtime:
    """Train a model and write its file.

    Parameters
    ----------
    source : pathlib.Path
        A documents CSV, a folder that `prepare_datasource` wrote, or a folder with one folder a category that
        hold scans or ``.txt`` files.
    output : pathlib.Path
        The model file.
    options : dict
        Parameters of `DocumentClassifier`; they go before those that `prepare_datasource` wrote down.
    table : TableOptions
        How a CSV is read.
    reading : Reading
        How scans are read.
    talk, warn : callable
        Told what is done, and what the user should know.

    Returns
    -------
    Runtime
        The trained model.
    """
    from textclf.classifier import DocumentClassifier

    if source.is_dir() and table.where:
        raise UsageError("a folder takes no conditions", where="--where", remedy="give a documents CSV")
    if source.is_dir() and (source / "datasource.csv").exists():
        options = {**_prepared_options(source / "features"), **options}
        documents = read_labelled(source / "datasource.csv", warn=warn)
    elif source.is_dir():
        documents = _read_tree(source, reading, warn)
    else:
        documents = read_labelled(source, table, warn=warn)
    classifier = DocumentClassifier(**options)
    classifier.fit(documents.texts, documents.categories, document_ids=documents.document_ids, talk=talk)
    for message in classifier.warnings_:
        warn(message)
    classifier.save(output)
    return classifier.runtime_


def predict_table(
    model: Runtime,
    source: Path,
    output: Path,
    table: TableOptions,
    *,
    keep_columns: bool = False,
    progress: Callable[[int], None] = lambda rows: None,
    warn: Talk = lambda message: None,
) -> dict[str, int]:
    """Predict a documents CSV row by row, in constant memory.

    Parameters
    ----------
    model : Runtime
        The model.
    source, output : pathlib.Path
        Documents CSV (or datasource) and predictions CSV.
    table : TableOptions
        How the CSV is read.
    keep_columns : bool, default False
        Carry the other columns of the source along.
    progress : callable, optional
        Told the number of rows done.
    warn : callable, optional
        Told about rows that were changed.

    Returns
    -------
    dict of str to int
        Rows by decision (``accept``, ``review``) and by status (``failed``).
    """
    from features.csv_files import write_rows

    columns = prediction_columns(model.categories)
    counts = {"accept": 0, "review": 0, "failed": 0}
    further: list[str] = []
    documents = read_documents(source, table)
    first = next(documents, None)
    if first is None:
        raise BadDataError("no row to predict", where=source, remedy="mend --where")
    if keep_columns:
        used = {table.id_column, table.text_column, *columns}
        further = [name for name in first.values if name not in used]

    def rows() -> Iterator[dict[str, object]]:
        for done, (document, prediction) in enumerate(_predictions(model, _chain(first, documents)), 1):
            if document.note:
                warn(f"{source}: line {document.line}: {document.note}")
            counts[prediction.decision] += 1
            counts["failed"] += prediction.status == "failed"
            progress(done)
            yield {**{name: document.values.get(name, "") for name in further}, **prediction_row(model, prediction)}

    write_rows(output, [*columns, *further], rows(), formulas_safe=True)
    return counts


def evaluate_model(
    model: Runtime,
    model_name: str,
    source: Path,
    folder: Path,
    table: TableOptions,
    *,
    by: Sequence[str],
    created: str,
    warn: Talk,
) -> EvaluationReport:
    """Predict documents of known category and write the report.

    Parameters
    ----------
    model : Runtime
        The model.
    model_name : str
        How the report calls it.
    source : pathlib.Path
        A documents CSV or datasource with categories.
    folder : pathlib.Path
        Gets ``report.html``, ``metrics.json`` and the tables.
    table : TableOptions
        How the CSV is read.
    by : sequence of str
        Columns; the figures are given for each of their values as well.
    created : str
        Date that the report shows.
    warn : callable
        Told what the user should know.

    Returns
    -------
    EvaluationReport
        All figures.
    """
    from textclf.evaluation import evaluate_predictions
    from textclf.report import write_report

    documents, predictions = [], []
    without = 0
    for document, prediction in _predictions(model, read_documents(source, table, need_category=True)):
        if document.error:
            # its cells may not stand where they belong, the category among them
            raise BadDataError(f"line {document.line}: {document.error}", where=source, remedy="mend the row")
        if not document.category.strip():
            without += 1
            continue
        documents.append(document)
        predictions.append(prediction)
    if without:
        warn(f"{without} documents have no category and were left out")
    missing = [column for column in by if documents and column not in documents[0].values]
    if missing:
        raise BadDataError(f"no column {missing[0]!r}", where=source, remedy="mend --by")
    report = evaluate_predictions(
        model.categories,
        [document.category.strip() for document in documents],
        predictions,
        texts=[document.text for document in documents],
        groups={column: [document.values[column] for document in documents] for column in by},
    )
    write_report(report, folder, title=source.name, training=model.training, model_name=model_name, created=created)
    return report


def classify_files(model: Runtime, paths: Sequence[Path], reading: Reading) -> Iterator[tuple[Document, Prediction]]:
    """Read scans and say what they are, one after the other.

    Parameters
    ----------
    model : Runtime
        The model.
    paths : sequence of pathlib.Path
        Files and folders.
    reading : Reading
        How to read.

    Yields
    ------
    (Document, Prediction)
        In the order found. What could not be read has status ``failed`` and the reader's error.
    """
    from ocr.finding import find_files

    files = find_files(paths)
    if not files:
        raise BadInputError(
            "no scan found", where=", ".join(map(str, paths)), remedy="name images, PDFs or folders that hold some"
        )
    for document in reading.iter_documents(files):
        (prediction,) = model.predict([document.text], [document.document_id])
        if document.status == "failed":
            prediction = replace(prediction, status="failed", error=document.error, reason="could not be read")
        elif document.status == "partial":
            prediction = replace(prediction, status="partial", error=document.error)
        yield document, prediction


def prediction_columns(categories: Sequence[str]) -> list[str]:
    """Columns of a predictions CSV.

    Examples
    --------
    >>> prediction_columns(["a", "b"])[-2:]
    ['score_a', 'score_b']
    """
    columns = ["document_id", "predicted_category", "score", "decision", "reason", "status", "error"]
    return columns + [f"score_{category}" for category in categories]


def prediction_row(model: Runtime, prediction: Prediction) -> dict[str, object]:
    """Give the cells of a prediction; scores with six decimals."""
    row: dict[str, object] = {name: getattr(prediction, name) for name in prediction_columns(()) if name != "score"}
    row["score"] = f"{prediction.score:.6f}"
    for category, score in zip(model.categories, prediction.scores, strict=False):
        row[f"score_{category}"] = f"{score:.6f}"
    return row


def check_strict(failed: int, total: int, what: str, *, strict: bool) -> None:
    """With ``--strict``, end with an error if any document failed."""
    if strict and failed:
        raise SomeFailedError(
            f"{failed} of {total} documents {what}", remedy="their rows say why, in the columns status and error"
        )


def _predictions(model: Runtime, documents: Iterable[Any]) -> Iterator[tuple[Any, Prediction]]:
    """Predict rows in order; one that cannot be used gets a failed prediction in its place."""
    from itertools import islice

    from features.ngrams import BATCH
    from textclf.prediction import Prediction

    stream = iter(documents)
    while batch := list(islice(stream, BATCH)):
        good = [document for document in batch if not document.error]
        found = iter(model.predict([d.text for d in good], [d.document_id for d in good]))
        for document in batch:
            if document.error:
                yield (
                    document,
                    Prediction(
                        document_id=document.document_id,
                        reason="row cannot be used",
                        status="failed",
                        error=f"line {document.line}: {document.error}",
                    ),
                )
            elif document.cut:
                yield document, replace(next(found), status="partial", error=document.note)
            else:
                yield document, next(found)


def _read_tree(folder: Path, reading: Reading, warn: Talk) -> Labelled:
    from ocr.finding import find_files

    found = list(text_files(check_folder(folder)))
    files = [(name, file) for name, file in find_files([folder]) if "/" in name]
    for document in reading.iter_documents(files):
        if document.status == "failed":
            warn(f"{document.document_id}: {document.error}")
            continue
        found.append((document.document_id, document.text, document.document_id.partition("/")[0]))
    if not found:
        raise BadDataError("no scan and no .txt file in its folders", where=folder, remedy="put documents into them")
    found.sort()
    return Labelled(*(list(column) for column in zip(*found, strict=True)))


def _prepared_options(folder: Path) -> dict[str, Any]:
    """Options that `prepare_datasource` wrote down, with the lexicon and vectors that were given to it."""
    from zipfile import BadZipFile

    import numpy as np

    from features.keywords import KeywordMatcher
    from features.word_vectors import WordVectors
    from textclf.classifier import DocumentClassifier

    try:
        options: dict[str, Any] = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        if options["lexicon"] == "given":
            options["lexicon"] = KeywordMatcher.from_dict(
                json.loads((folder / "keywords.json").read_text(encoding="utf-8"))
            ).lexicon
        if options["vectors"] == "given":
            words = json.loads((folder / "words.json").read_text(encoding="utf-8"))
            with (folder / "vectors.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                options["vectors"] = WordVectors.from_arrays(words, dict(arrays))
        DocumentClassifier(**options)
    except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError, BadModelError) as error:
        raise BadInputError(
            "what prepare wrote is missing or damaged", where=folder, remedy="run `textclf prepare` again"
        ) from error
    else:
        return options


def _write_json(path: Path, value: object) -> None:
    with write_aside(path) as aside:
        aside.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", encoding="utf-8")


def as_json(prediction: Prediction, model: Runtime, **more: object) -> str:
    """One prediction as a line of JSON."""
    values = asdict(prediction) | {"scores": dict(zip(model.categories, prediction.scores, strict=False))}
    return json.dumps(values | more, ensure_ascii=False)


def load_words(source: Path) -> WordVectors:
    """Take the word vectors of a model file or of a word2vec file."""
    import zipfile

    from features.word2vec import read_word_vectors
    from textclf.model_file import load_model

    return load_model(source).features.vectors if zipfile.is_zipfile(source) else read_word_vectors(source)

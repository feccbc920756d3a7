"""What the commands that learn do, as plain functions: paths and options in, results out."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.documents import TableOptions, read_documents, read_labelled
from textclf.errors import BadDataError, BadInputError, BadModelError, UsageError
from textclf.explanation import explain
from textclf.files import write_aside
from textclf.predicting import iter_predictions
from textclf.scans import Reading, read_others, read_tree

if TYPE_CHECKING:
    from features.keyword_check import KeywordCheck
    from features.suggestions import Suggestion
    from features.word_vectors import WordVectors
    from textclf.classifier import DocumentClassifier
    from textclf.comparison import Comparison
    from textclf.data_check import DataCheck
    from textclf.evaluation_report import EvaluationReport
    from textclf.keyword_gain import KeywordGain
    from textclf.runtime import Runtime

__all__ = [
    "check_lexicon",
    "check_table",
    "compare_on_table",
    "evaluate_model",
    "load_words",
    "prepare_datasource",
    "suggest_from_table",
    "train_model",
]

Talk = Callable[[str], None]


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
    others: Sequence[Path] = (),
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
    others : sequence of pathlib.Path, optional
        Documents of no category: CSV files with texts, or folders of scans and ``.txt`` files.
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
        documents = read_tree(source, reading, warn)
    else:
        documents = read_labelled(source, table, warn=warn)
    classifier = DocumentClassifier(**options)
    foreign = [text for path in others for text in read_others(path, table, reading, warn)]
    classifier.fit(
        documents.texts, documents.categories, document_ids=documents.document_ids, others=foreign, talk=talk
    )
    for message in classifier.warnings_:
        warn(message)
    classifier.save(output)
    return classifier.runtime_


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
    for document, prediction in iter_predictions(model, read_documents(source, table, need_category=True)):
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
        ocr_confidences=[document.ocr_confidence for document in documents],
        explain=lambda text: explain(model, text).named(),
    )
    write_report(report, folder, title=source.name, training=model.training, model_name=model_name, created=created)
    return report


def check_table(
    source: Path,
    table: TableOptions,
    *,
    against: Path | None,
    against_table: TableOptions,
    output: Path | None,
    threshold: float,
    labels: bool,
    jobs: int,
    talk: Talk,
    warn: Talk,
) -> DataCheck:
    """Look for what spoils learning from a documents CSV.

    Parameters
    ----------
    source : pathlib.Path
        A documents CSV with categories.
    table : TableOptions
        How it is read.
    against : pathlib.Path, optional
        Documents to test on.
    against_table : TableOptions
        How those are read.
    output : pathlib.Path, optional
        Gets all findings as CSV.
    threshold, labels, jobs
        As `textclf.data_check.check_documents` takes them.
    talk, warn : callable
        Told what is done, and what the user should know.

    Returns
    -------
    DataCheck
        The findings.
    """
    from features.csv_files import write_rows
    from textclf.data_check import Finding, check_documents

    if not 0 < threshold <= 1:
        raise UsageError(f"{threshold:g} is no share above 0", where="--threshold", remedy="give one such as 0.8")
    if against is None and against_table.where:
        raise UsageError("there is nothing to choose from", where="--against-where", remedy="give --against too")
    documents = read_labelled(source, table, warn=warn)
    others = None if against is None else read_labelled(against, against_table, warn=warn)
    found = check_documents(documents, others, threshold=threshold, labels=labels, jobs=jobs, talk=talk)
    if output is not None:
        names = [field.name for field in fields(Finding)]
        write_rows(output, names, (asdict(finding) for finding in found.findings), formulas_safe=True)
    return found


def compare_on_table(a: Runtime, b: Runtime, source: Path, table: TableOptions, *, output: Path | None) -> Comparison:
    """Compare two models on a documents CSV.

    Parameters
    ----------
    a, b : Runtime
        The models.
    source : pathlib.Path
        A documents CSV, with categories or without.
    table : TableOptions
        How it is read.
    output : pathlib.Path, optional
        Gets all changes as CSV.

    Returns
    -------
    Comparison
        Counts, test and changes.
    """
    from features.csv_files import write_rows
    from textclf.comparison import Change, compare_models

    found = compare_models(a, b, read_documents(source, table))
    if not found.documents:
        raise BadDataError("no row to compare on", where=source, remedy="mend --where")
    if output is not None:
        names = [field.name for field in fields(Change)]
        write_rows(output, names, (asdict(change) for change in found.changes), formulas_safe=True)
    return found


def suggest_from_table(
    source: Path,
    table: TableOptions,
    *,
    lexicon: Path | None,
    n: int,
    output: Path | None,
    seed: int,
    warn: Talk,
) -> list[Suggestion]:
    """Propose keywords from a documents CSV.

    Parameters
    ----------
    source : pathlib.Path
        A documents CSV with categories.
    table : TableOptions
        How it is read.
    lexicon : pathlib.Path, optional
        The user's keywords.
    n : int
        At most so many a category.
    output : pathlib.Path, optional
        Gets a lexicon of the user's keywords and those proposed.
    seed : int
        For the word vectors, which are learned if there is a lexicon to compare with.
    warn : callable
        Told what the user should know.

    Returns
    -------
    list of Suggestion
        By category.
    """
    from features.lexicon import read_lexicon, write_lexicon
    from features.suggestions import extend_lexicon, suggest_keywords
    from features.tokens import tokenize
    from features.word2vec import train_word_vectors

    if n < 1:
        raise UsageError(f"{n} phrases", where="-n", remedy="give 1 or more")
    documents = read_labelled(source, table, warn=warn)
    own = None if lexicon is None else read_lexicon(lexicon)
    vectors = None if own is None else train_word_vectors([tokenize(text) for text in documents.texts], seed=seed)
    found = suggest_keywords(documents.texts, documents.categories, own, vectors, n=n)
    if output is not None:
        write_lexicon(output, extend_lexicon(own, found))
    return found


def check_lexicon(
    lexicon: Path, source: Path, table: TableOptions, *, gain: bool, jobs: int, talk: Talk, warn: Talk
) -> tuple[KeywordCheck, list[KeywordGain]]:
    """Look at what a lexicon does on a documents CSV.

    Parameters
    ----------
    lexicon : pathlib.Path
        A TOML file.
    source : pathlib.Path
        A documents CSV with categories.
    table : TableOptions
        How it is read.
    gain : bool
        Whether to cross-validate.
    jobs : int
        Processes for that, -1 for all cores.
    talk, warn : callable
        Told what is done, and what the user should know.

    Returns
    -------
    (KeywordCheck, list of KeywordGain)
        What is hit, and what it adds.
    """
    from features.keyword_check import check_keywords
    from features.lexicon import read_lexicon
    from features.tokens import tokenize
    from textclf.keyword_gain import keyword_gain
    from textclf.training import check_categories

    keywords = read_lexicon(lexicon)
    documents = read_labelled(source, table, warn=warn)
    found = check_keywords(keywords, documents.texts, documents.categories)
    if not gain:
        return found, []
    worded = [pair for pair in zip(documents.texts, documents.categories, strict=True) if tokenize(pair[0])]
    for message in check_categories(Counter(category for _, category in worded)):
        warn(message)
    texts, categories = map(list, zip(*worded, strict=True))
    return found, keyword_gain(keywords, texts, categories, jobs=jobs, talk=talk)


def load_words(source: Path) -> WordVectors:
    """Take the word vectors of a model file or of a word2vec file."""
    import zipfile

    from features.word2vec import read_word_vectors
    from textclf.model_file import load_model

    return load_model(source).features.vectors if zipfile.is_zipfile(source) else read_word_vectors(source)


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

"""What the commands do that make documents, keywords and models better: paths and options in, results out."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict, fields
from pathlib import Path
from typing import TYPE_CHECKING

from features.tokens import tokenize
from textclf.base.errors import BadDataError, UsageError
from textclf.base.outputs import CHANGES, FINDINGS, LEXICON, SETTINGS, check_output
from textclf.base.tables import write_rows
from textclf.data.sources import TableOptions, read_documents, read_labelled

if TYPE_CHECKING:
    from features.keyword_check import KeywordCheck
    from features.keyword_learning import Suggestion
    from textclf.checks.data_check import DataCheck
    from textclf.checks.keyword_gain import KeywordGain
    from textclf.checks.tuning import Tuning
    from textclf.evaluation.comparison import Comparison
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)


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
) -> DataCheck:
    """Look for what spoils learning from documents.

    Parameters
    ----------
    source : pathlib.Path
        Documents with categories, as `textclf.data.sources.read_documents` takes them.
    table : TableOptions
        How they are read.
    against : pathlib.Path, optional
        Documents to test on.
    against_table : TableOptions
        How those are read.
    output : pathlib.Path, optional
        Gets all findings as CSV.
    threshold, labels, jobs
        As `textclf.checks.data_check.check_documents` takes them.

    Returns
    -------
    DataCheck
        The findings.
    """
    from textclf.checks.data_check import Finding, check_documents

    if output is not None:
        check_output(output, FINDINGS, inputs=[source, *([] if against is None else [against])])
    if against is None and against_table.where:
        raise UsageError("there is nothing to choose from", where="--against-where", remedy="give --against too")
    documents = read_labelled(source, table)
    others = None if against is None else read_labelled(against, against_table)
    found = check_documents(documents, others, threshold=threshold, labels=labels, jobs=jobs)
    if output is not None:
        names = [field.name for field in fields(Finding)]
        write_rows(output, names, (asdict(finding) for finding in found.findings), formulas_safe=True)
    return found


def compare_on_table(a: Model, b: Model, source: Path, table: TableOptions, *, output: Path | None) -> Comparison:
    """Compare two models on documents.

    Parameters
    ----------
    a, b : Model
        The models.
    source : pathlib.Path
        Documents with categories or without, as `textclf.data.sources.read_documents` takes them.
    table : TableOptions
        How they are read.
    output : pathlib.Path, optional
        Gets all changes as CSV.

    Returns
    -------
    Comparison
        Counts, test and changes.
    """
    from textclf.evaluation.comparison import Change, compare_models

    if output is not None:
        check_output(output, CHANGES, inputs=[source])
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
) -> list[Suggestion]:
    """Propose keywords from documents.

    Parameters
    ----------
    source : pathlib.Path
        Documents with categories, as `textclf.data.sources.read_documents` takes them.
    table : TableOptions
        How they are read.
    lexicon : pathlib.Path, optional
        The user's keywords.
    n : int
        At most so many a category.
    output : pathlib.Path, optional
        Gets a lexicon of the user's keywords and those proposed.
    seed : int
        For the word vectors, which are learned if there is a lexicon to compare with.

    Returns
    -------
    list of Suggestion
        By category.
    """
    from features.keyword_learning import extend_lexicon, suggest_keywords
    from features.lexicon import read_lexicon, write_lexicon
    from features.word_vectors import train_word_vectors

    if output is not None:
        check_output(output, LEXICON, inputs=[source, *([] if lexicon is None else [lexicon])])
    documents = read_labelled(source, table)
    own = None if lexicon is None else read_lexicon(lexicon)
    words = [tokenize(text) for text in documents.texts]
    vectors = None if own is None else train_word_vectors(words, seed=seed)
    found = suggest_keywords(words, documents.categories, own, vectors, n=n)
    if not found:
        raise BadDataError(
            "no word or phrase sets a category apart", where=source, remedy="give more documents, of two categories"
        )
    if output is not None:
        write_lexicon(output, extend_lexicon(own, found))
    return found


def check_lexicon(
    lexicon: Path, source: Path, table: TableOptions, *, gain: bool, jobs: int
) -> tuple[KeywordCheck, list[KeywordGain]]:
    """Look at what a lexicon does on documents.

    Parameters
    ----------
    lexicon : pathlib.Path
        A TOML file.
    source : pathlib.Path
        Documents with categories, as `textclf.data.sources.read_documents` takes them.
    table : TableOptions
        How they are read.
    gain : bool
        Whether to cross-validate.
    jobs : int
        Processes for that, -1 for all cores.

    Returns
    -------
    (KeywordCheck, list of KeywordGain)
        What is hit, and what it adds.
    """
    from features.keyword_check import check_keywords
    from features.lexicon import read_lexicon
    from textclf.checks.keyword_gain import keyword_gain
    from textclf.model.training_data import check_categories

    keywords = read_lexicon(lexicon)
    documents = read_labelled(source, table)
    found = check_keywords(keywords, [tokenize(text) for text in documents.texts], documents.categories)
    if not gain:
        return found, []
    worded = [pair for pair in zip(documents.texts, documents.categories, strict=True) if tokenize(pair[0])]
    for message in check_categories(Counter(category for _, category in worded)):
        _log.warning(message)
    texts, categories = map(list, zip(*worded, strict=True))
    return found, keyword_gain(keywords, texts, categories, jobs=jobs)


def tune_on_table(
    source: Path,
    output: Path,
    table: TableOptions,
    *,
    minutes: float,
    candidates: int,
    seed: int,
    jobs: int,
    dask: str = "",
) -> Tuning:
    """Search for better settings on documents, and write them.

    Parameters
    ----------
    source : pathlib.Path
        Documents with categories, as `textclf.data.sources.read_documents` takes them.
    output : pathlib.Path
        Gets the settings as JSON.
    table : TableOptions
        How they are read.
    minutes, candidates, seed, jobs, dask
        As `textclf.checks.tuning.tune` takes them.

    Returns
    -------
    Tuning
        What was found.
    """
    from textclf.checks.tuning import tune, write_settings

    check_output(output, SETTINGS, inputs=[source])
    documents = read_labelled(source, table)
    worded = [i for i, text in enumerate(documents.texts) if tokenize(text)]
    if len(worded) < len(documents.texts):
        _log.warning(f"{len(documents.texts) - len(worded)} documents have no text and were left out")
    found = tune(
        [documents.texts[i] for i in worded],
        [documents.categories[i] for i in worded],
        minutes=minutes,
        candidates=candidates,
        seed=seed,
        jobs=jobs,
        dask=dask,
    )
    write_settings(output, found, seed=seed)
    return found

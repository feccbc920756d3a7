"""``textclf keywords``: proposes keywords, and checks them."""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.base.errors import BadDataError
from textclf.base.overwrite_guard import LEXICON, check_output
from textclf.commands.application import Argument, Option
from textclf.commands.arguments import AsJson, GroupedTable, LabelledDocuments, LabelledTable, Seed, showing
from textclf.commands.console import print_json, print_lines
from textclf.data.sources import TableOptions, read_labelled

if TYPE_CHECKING:
    from features.keyword_check import KeywordCheck
    from features.keyword_learning import Suggestion
    from textclf.checks.keyword_gain import KeywordGain

_log = logging.getLogger(__name__)


def suggest(
    documents: LabelledDocuments,
    *,
    lexicon: Annotated[
        Path | None, Option(help="Your own keywords: a TOML file. They are kept, and words like them are preferred.")
    ] = None,
    n: Annotated[int, Option("-n", help="Phrases per category.", min=1)] = 20,
    output: Annotated[
        Path | None,
        Option(
            "--output", "-o", metavar="FILE", help="Write a lexicon for --lexicon of train: your keywords and these."
        ),
    ] = None,
    as_json: AsJson = False,
    settings: Seed,
    table: LabelledTable,
) -> None:
    """Propose keywords for each category, found in documents whose category is known.

        textclf keywords suggest documents.csv --where split=train --lexicon mine.toml -o more.toml

    Prints, for each phrase, how many documents of its own category and of others have it, and its place by each of
    three signals. Remove from the file what is there by chance.
    """
    found = suggest_from_table(
        documents, showing(table), lexicon=lexicon, n=n, output=output, seed=settings.random_state
    )
    if as_json:
        print_json([asdict(one) for one in found])
    else:
        for category, group in groupby(found, key=lambda one: one.category):
            print_lines(category, "    own  others  tf-idf  log-odds  vectors")
            for one in group:
                vectors = "-" if one.by_vectors is None else one.by_vectors
                print_lines(
                    f"  {one.own:>5}  {one.others:>6}  {one.by_tfidf:>6}  {one.by_log_odds:>8}  {vectors:>7}  "
                    f"{one.phrase}"
                )
    if output is not None:
        _log.info(f"{output}: {len(found)} keywords proposed; take out those that mean nothing")


def check_keywords(
    lexicon: Annotated[Path, Argument(metavar="LEXICON", help="Keywords: a TOML file.")],
    documents: LabelledDocuments,
    *,
    gain: Annotated[bool, Option(help="Also cross-validate their gain, which takes a minute or more.")] = True,
    as_json: AsJson = False,
    table: GroupedTable,
) -> None:
    """Check keywords: coverage, false hits, overlap, conflict, and gain in accuracy.

        textclf keywords check more.toml documents.csv --where split=test

    Prints one line per category, the keywords to look at, and the accuracy without and with keywords.
    """
    found, gains = check_lexicon(lexicon, documents, showing(table), gain=gain, jobs=table.scans.jobs or -1)
    if as_json:
        values = {**asdict(found), "gain": [asdict(one) for one in gains]}
        print_json(values)
        return
    print_lines("category                  own documents hit    others hit")
    for figures in found.categories:
        overlaps = ", ".join(f"{name} {count}" for name, count in figures.overlaps[:3])
        print_lines(
            f"{figures.category:<24}  {figures.hit:>5} of {figures.documents:<8}  {figures.false_hits:>5} of "
            f"{figures.other_documents:<6}  {overlaps}".rstrip()
        )
    noted = [one for one in found.keywords if one.note]
    if noted:
        print_lines("", "keywords to look at        own  others")
        for one in noted:
            most = f" (most in {one.most_in})" if one.most_in and one.most_in != one.category else ""
            print_lines(f"{one.category}: {one.keyword:<24}  {one.own:>3}  {one.others:>6}  {one.note}{most}")
    if found.without_keywords:
        print_lines("", f"no keywords for {', '.join(found.without_keywords)}")
    if found.without_documents:
        print_lines("", f"no documents of {', '.join(found.without_documents)}")
    if gains:
        print_lines(
            "", "keywords of               accuracy without  with   macro F1  with   gained  lost  McNemar's p  by"
        )
        for one_gain in gains:
            print_lines(
                f"{one_gain.keywords:<24}  {one_gain.accuracy_without:>16.3f}  {one_gain.accuracy_with:.3f}  "
                f"{one_gain.macro_f1_without:>8.3f}  {one_gain.macro_f1_with:.3f}  "
                f"{one_gain.gained:>6}  {one_gain.lost:>4}  {one_gain.p_value:>11.3f}  {one_gain.by}"
            )


def suggest_from_table(
    source: Path,
    table: TableOptions,
    *,
    lexicon: Path | None,
    n: int,
    output: Path | None,
    seed: int,
) -> list[Suggestion]:
    """Propose keywords from documents, and write a lexicon of them and the user's if requested."""
    from features.keyword_learning import extend_lexicon, suggest_keywords
    from features.lexicon import read_lexicon, write_lexicon
    from features.tokens import tokenize
    from features.word_vectors import train_word_vectors
    from textclf.model.category_names import similar_names_warnings

    if output is not None:
        check_output(output, LEXICON, inputs=table.inputs(source, lexicon))
    documents = read_labelled(source, table)
    for message in similar_names_warnings(Counter(documents.categories)):
        _log.warning(message)
    own = None if lexicon is None else read_lexicon(lexicon)
    words = [tokenize(text) for text in documents.texts]
    vectors = None if own is None else train_word_vectors(words, seed=seed)
    found = suggest_keywords(words, documents.categories, own, vectors, n=n)
    if not found:
        raise BadDataError(
            "no word or phrase is typical of a category",
            where=source,
            remedy="give more documents, of two categories",
        )
    if output is not None:
        write_lexicon(output, extend_lexicon(own, found))
    return found


def check_lexicon(
    lexicon: Path, source: Path, table: TableOptions, *, gain: bool, jobs: int
) -> tuple[KeywordCheck, list[KeywordGain]]:
    """Show what a lexicon hits on documents and, if asked for, what it adds."""
    from features.keyword_check import check_keywords
    from features.lexicon import read_lexicon
    from features.tokens import tokenize
    from textclf.checks.keyword_gain import keyword_gain
    from textclf.model.training_data import check_categories

    keywords = read_lexicon(lexicon)
    documents = read_labelled(source, table)
    found = check_keywords(keywords, [tokenize(text) for text in documents.texts], documents.categories)
    if not gain:
        return found, []
    rows = zip(documents.texts, documents.categories, documents.groups, strict=True)
    texts, categories, groups = map(list, zip(*(row for row in rows if tokenize(row[0])), strict=True))
    for message in check_categories(Counter(categories)):
        _log.warning(message)
    return found, keyword_gain(keywords, texts, categories, groups=groups if table.group_column else None, jobs=jobs)

"""Commands that work on keywords: proposing some, and looking at what they do."""

from __future__ import annotations

from dataclasses import asdict
from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer

from textclf.cli.options import (
    AsJson,
    CategoryColumn,
    Encoding,
    IdColumn,
    Jobs,
    Option,
    Seed,
    Table,
    TextColumn,
    Where,
    print_json,
    print_lines,
    table_options,
)
from textclf.console import say, warn

__all__ = ["check_keywords", "suggest"]


def suggest(
    table: Table,
    lexicon: Annotated[
        Path | None, Option(help="Your own keywords: a TOML file. They are kept, and words like them are preferred.")
    ] = None,
    n: Annotated[int, Option("-n", help="Phrases a category.")] = 20,
    output: Annotated[
        Path | None, Option("--output", "-o", help="Write a lexicon for --lexicon of train: your keywords and these.")
    ] = None,
    seed: Seed = None,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    as_json: AsJson = False,
) -> None:
    """Propose keywords for each category, found in documents whose category is known. Choose: some are chance."""
    from textclf.improving import suggest_from_table

    options = table_options(id_column, text_column, category_column, encoding, where)
    found = suggest_from_table(table, options, lexicon=lexicon, n=n, output=output, seed=seed or 0, warn=warn)
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
        say(f"{output}: {len(found)} keywords proposed; take out those that mean nothing")


def check_keywords(
    lexicon: Annotated[Path, typer.Argument(metavar="LEXICON", help="Keywords: a TOML file.")],
    table: Table,
    gain: Annotated[bool, Option(help="Also cross-validate what they add, which takes a minute or more.")] = True,
    text_column: TextColumn = "text",
    id_column: IdColumn = "document_id",
    category_column: CategoryColumn = "category",
    encoding: Encoding = "auto",
    where: Where = [],  # noqa: B006
    jobs: Jobs = None,
    as_json: AsJson = False,
) -> None:
    """Show what keywords hit: coverage, false hits, overlap, conflict, and what they add."""
    from textclf.improving import check_lexicon

    options = table_options(id_column, text_column, category_column, encoding, where)
    found, gains = check_lexicon(lexicon, table, options, gain=gain, jobs=jobs or -1, talk=say, warn=warn)
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

"""``textclf select``: chooses the documents of a pile to label first."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from textclf.base.errors import BadDataError, UsageError
from textclf.base.overwrite_guard import TO_LABEL, check_output
from textclf.base.plurals import counted
from textclf.base.tables import read_header, write_rows
from textclf.commands.application import Option
from textclf.commands.arguments import AsJson, Documents, Seed, Table, showing
from textclf.commands.console import print_json, print_lines, show_rows
from textclf.data.labels import read_categories, refuse_filled_in
from textclf.data.sources import InputDocument, TableOptions, iter_usable, read_documents, read_labelled, snippet
from textclf.model.category_names import NONE_OF_THESE

if TYPE_CHECKING:
    from textclf.checks.selection import Selected

_log = logging.getLogger(__name__)

COLUMNS = ("document_id", "category", "guess", "score", "rank", "group", "documents", "words", "snippet", "file")
SNIPPET_LENGTH, EXAMPLE_LENGTH = 200, 60


def select(
    pile: Documents,
    *,
    n: Annotated[int, Option("-n", help="Number of documents to label, or of groups to show.", min=1, max=10_000)] = 50,
    labelled: Annotated[
        list[Path],
        Option(
            "--with",
            metavar="PATH",
            help="Documents that are labelled already, for which the others are chosen: a table that select wrote and "
            "you filled in, a documents CSV, or a folder per category; repeatable.",
        ),
    ] = [],  # noqa: B006
    groups: Annotated[
        bool, Option("--groups", help="Print the groups that the documents stand for, the largest first.")
    ] = False,
    everything: Annotated[
        bool,
        Option("--all", help="After the documents to label first, also give the others of the pile, group by group."),
    ] = False,
    output: Annotated[
        Path | None,
        Option("--output", "-o", metavar="FILE", help="Where the documents go: a CSV in which you fill in category."),
    ] = None,
    as_json: AsJson = False,
    settings: Seed,
    table: Table,
) -> None:
    """Choose the documents of a pile to label first: a few that stand for all, those that help most first.

        textclf select documents.csv --groups -n 20
        textclf select documents.csv --groups -n 20 --all -o groups.csv
        textclf select documents.csv -n 50 -o to_label.csv
        textclf train documents.csv --labels to_label.csv -o model.textclf
        textclf select documents.csv --with to_label.csv -n 50 -o more.csv

    Fill in the column category of the CSV. For a paper of none of your kinds write: none of these. The model learns to
    turn such papers away, and --with does not ask for more of them. Rows left empty count as unlabelled. --groups shows
    what is in the pile before anything is labelled: for each group of similar documents their number, typical words,
    and an example. With --all the CSV shows which documents are in a group; any of them may be labelled.
    """
    if output is None and not (groups or as_json):
        raise UsageError("nothing was asked for", remedy="give -o FILE, --groups or --json")
    if everything and output is None and not as_json:
        raise UsageError("the groups on the screen do not name all documents", where="--all", remedy="give -o FILE too")
    found = select_from_pile(
        pile,
        n,
        showing(table),
        labelled=labelled,
        everything=everything,
        output=output,
        seed=settings.random_state,
    )
    first = [row for row in found if row["rank"]]
    if as_json:
        print_json(found)
    elif groups:
        print_lines(*_group_lines(first))
    if output is not None:
        _log.info(
            f"{output}: {counted(len(first), 'document')} to label; fill in the column category, with "
            f"{NONE_OF_THESE!r} for papers of none of your kinds, and give the file to textclf train with --labels"
        )


def select_from_pile(
    source: Path,
    n: int,
    table: TableOptions,
    *,
    labelled: Sequence[Path] = (),
    everything: bool = False,
    output: Path | None = None,
    seed: int = 0,
) -> list[dict[str, Any]]:
    """Choose documents of a pile; gives the rows of `COLUMNS`, and writes them if requested.

    Categories of the pile are ignored. Documents of the pile that are labelled, by their id and text, are left out.
    With `everything` those that are not chosen follow, group by group, at last those of no group.
    """
    from textclf.checks.selection import select_documents

    if output is not None:
        check_output(output, TO_LABEL, inputs=table.inputs(source, *labelled))
        refuse_filled_in(output)
    # labels may be of documents that conditions leave out
    rows_read = list(read_documents(source, table, all_rows=bool(labelled)))
    documents = [one for one in iter_usable(source, rows_read) if table.meets(one.values)]
    _refuse_double(source, documents)
    known = _read_known(labelled, [*rows_read, *documents], table)
    if labelled and not known:
        _log.warning("--with holds no category: fill in its column category, save it, and try again")
    pile = [document for document in documents if _key(document.document_id, document.text) not in known]
    with show_rows("compared", len(pile) + len(known)) as progress:
        chosen = select_documents(
            [document.text for document in pile],
            n,
            labelled=[text for text, _ in known.values()],
            categories=[category for _, category in known.values()],
            seed=seed,
            progress=progress,
        )
    if not chosen:
        what = "that is not labelled" if known else "in it"
        raise BadDataError(f"holds no document with text {what}", where=source, remedy="give a larger pile")
    if len(chosen) < n:
        _log.info(
            f"{source}: all {counted(len(chosen), 'document')} chosen, fewer than -n {n}: others have no text, or are "
            "copies of these or of labelled ones"
        )
    rows = [_row(pile[one.position], one, rank) for rank, one in enumerate(chosen, 1)]
    if everything:
        groups = {i: one for one in sorted(chosen, key=lambda one: one.group) for i in one.members}
        others = [*groups, *(i for i in range(len(pile)) if i not in groups)]
        first = {one.position for one in chosen}
        rows += [_row(pile[i], groups.get(i)) for i in others if i not in first]
    if output is not None:
        # so that it is read again with the id column and any encoding of the pile, and letters survive a spreadsheet
        columns = [table.id_column, *(name for name in COLUMNS[1:] if name != table.id_column)]
        named = ({**row, table.id_column: row["document_id"]} for row in rows)
        write_rows(output, columns, named, formulas_safe=True, encoding="utf-8-sig")
    return rows


def _row(document: InputDocument, one: Selected | None, rank: int | None = None) -> dict[str, Any]:
    """Give the cells of a document, of the group of a chosen one; the guess is for the chosen one alone."""
    return {
        "document_id": document.document_id,
        "category": "",
        "guess": one.guess if one and rank else "",
        "score": round(one.score, 3) if one and rank and one.guess else None,
        "rank": rank,
        "group": one and one.group,
        "documents": one and one.documents,
        "words": ", ".join(one.words) if one else "",
        "snippet": snippet(document.text, SNIPPET_LENGTH),
        "file": document.values.get("file", ""),
    }


def _refuse_double(source: Path, documents: Sequence[InputDocument]) -> None:
    """Refuse ids that two documents have: a label would be of both."""
    counts = Counter(document.document_id for document in documents)
    if double := [document_id for document_id, count in counts.items() if count > 1]:
        raise BadDataError(
            f"{counted(len(double), 'document_id')} of several documents, such as {double[0]!r}",
            where=source,
            remedy="give each document a unique id",
        )


def _key(document_id: str, text: str) -> tuple[str, str]:
    """Identify a document: another folder may have the same id, and a spreadsheet may change the ends of lines."""
    return document_id, " ".join(text.split())


def _read_known(
    paths: Sequence[Path], pile: Sequence[InputDocument], table: TableOptions
) -> dict[tuple[str, str], tuple[str, str]]:
    """Read texts and categories of labelled documents; the texts may be those of the pile, the last of an id."""
    from textclf.model.category_names import similar_names_warnings

    texts = {document.document_id: "" if document.error else document.text for document in pile}
    known: dict[tuple[str, str], tuple[str, str]] = {}
    for path in paths:
        if path.is_dir() or table.text_column in read_header(path, expected=[table.id_column], encoding=table.encoding):
            own = read_labelled(path, replace(table, where=()), keep_unlabelled=True, none_is_enough=True)
            found = own.with_none_of_these()
            triples = zip(found.document_ids, found.texts, found.categories, strict=True)
            known |= {_key(name, text): (text, category) for name, text, category in triples}
            continue
        categories = read_categories(
            [path], id_column=table.id_column, category_column=table.category_column, encoding=table.encoding
        )
        if missing := categories.keys() - texts.keys():
            raise BadDataError(
                f"{len(missing)} of {counted(len(categories), 'labelled document')} are not in the pile, such as "
                f"{min(missing)!r}",
                where=path,
                remedy="give the pile they were chosen from; a spreadsheet may have changed their ids",
            )
        known |= {_key(name, texts[name]): (texts[name], category) for name, category in categories.items()}
    for message in similar_names_warnings(Counter(category for _, category in known.values())):
        _log.warning(message)
    return known


def _group_lines(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield "group  documents  typical words, and an example"
    for row in sorted(rows, key=lambda row: int(row["group"])):
        yield f"{row['group']:>5}  {row['documents']:>9,}  {row['words'] or '(few words in common)'}"
        yield f"{'':>16}  {row['document_id']}: {snippet(row['snippet'], EXAMPLE_LENGTH)}"

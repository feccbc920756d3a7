"""`textclf select`, and the way from its table to a model."""

from __future__ import annotations

import json

import pytest

from textclf.base.errors import ExitCode

HEADER = ("document_id", "text")
LABELS = ("document_id", "category")


@pytest.fixture
def pile(corpus, table, tmp_path):
    """A pile of 36 documents, some with ids that a spreadsheet would take for formulas, and one without text."""
    rows = [(f"={name}" if name.endswith("3") else name, text) for name, text, _ in corpus(12).rows()]
    return table(tmp_path / "pile.csv", [*rows, ("blank", "?")], HEADER)


def fill_in(path, read_table, table, count):
    """Fill in the categories of the first rows, as a person would, and give the ids."""
    rows = read_table(path)
    for row in rows[:count]:
        row["category"] = row["document_id"].strip("'=")[:-3]
    table(path, [list(row.values()) for row in rows], list(rows[0]))
    return [row["document_id"] for row in rows[:count]]


def test_from_a_pile_to_a_model(textclf, pile, tmp_path, read_table, table):
    to_label, more, model = (tmp_path / name for name in ("to_label.csv", "more.csv", "model.textclf"))
    said = textclf("select", pile, "-n", "18", "-o", to_label)
    assert said.code == 0
    assert "18 documents to label; fill in the column category, with 'none of these' for papers of none" in said.err
    rows = read_table(to_label)
    assert len(rows) == 18
    assert not any(cell.startswith("=") for row in rows for cell in row.values())
    assert all(row["snippet"] and row["category"] == row["guess"] == row["score"] == "" for row in rows)

    labelled = fill_in(to_label, read_table, table, 15)
    refused = textclf("select", pile, "-n", "18", "-o", to_label)
    assert refused.code == ExitCode.USAGE
    assert "15 categories filled in, which would be lost" in refused.err

    assert textclf("select", pile, "--with", to_label, "-n", "6", "-o", more).code == 0
    found = read_table(more)
    assert len(found) == 6
    assert not {row["document_id"] for row in found} & {*labelled}
    assert {row["guess"] for row in found} <= {"invoice", "letter", "receipt"}
    fill_in(more, read_table, table, 6)

    quick = ("--lexicon", "none", "--vectors", "none", "--no-background", "--no-diagnostics", "--jobs", "1")
    said = textclf("train", pile, "--labels", to_label, "--labels", more, "-o", model, *quick)
    assert said.code == 0, said.err
    assert "trained on 21 documents" in said.err
    assert "16 documents of the pile, 15 different ones used" in said.err


def test_groups_are_shown_before_anything_is_labelled(textclf, pile):
    said = textclf("select", pile, "--groups", "-n", "3")
    assert said.code == 0
    assert "typical words" in said.out
    assert "dear" in said.out
    rows = json.loads(textclf("select", pile, "-n", "3", "--json").out)
    assert sum(row["documents"] for row in rows) == 36
    assert [row["rank"] for row in rows] == [1, 2, 3]
    sizes = [row["documents"] for row in sorted(rows, key=lambda row: row["group"])]
    assert sizes == sorted(sizes, reverse=True)
    shown = [line.split()[:2] for line in said.out.splitlines()[1::2]]
    assert shown == [[str(number), str(size)] for number, size in enumerate(sizes, 1)]


def test_the_members_of_each_group_may_be_seen_and_labelled(textclf, pile, tmp_path, read_table, table):
    out = tmp_path / "groups.csv"
    assert textclf("select", pile, "-n", "3", "--all", "-o", out).code == 0
    rows = read_table(out)
    assert len({row["document_id"] for row in rows}) == 37
    assert [row["rank"] for row in rows] == ["1", "2", "3"] + [""] * 34
    others = [row["group"] for row in rows[3:]]
    assert others == [*sorted(others[:-1]), ""]
    assert rows[-1]["document_id"] == "blank"
    for group in "123":
        members = [row for row in rows if row["group"] == group]
        assert {row["documents"] for row in members} == {str(len(members))}

    fill_in(out, read_table, table, 36)
    said = textclf("check", pile, "--labels", out, "--no-label-issues")
    assert "findings in 36 documents of 3 categories" in said.out


def test_papers_of_none_of_the_kinds_are_not_asked_for_again(textclf, corpus, table, tmp_path):
    rows = corpus(30).rows()
    pile = table(tmp_path / "pile.csv", [(name, text) for name, text, _ in rows], HEADER)
    labels = [(name, "None of these" if category == "receipt" else category) for name, _, category in rows]
    # ten invoices, ten letters and 22 receipts remain
    done = table(tmp_path / "done.csv", [*labels[:20], *labels[30:50], *labels[60:68]], ("document_id", "category"))
    found = json.loads(textclf("select", pile, "--with", done, "-n", "6", "--json").out)
    assert {row["guess"] for row in found} <= {"invoice", "letter", "none of these"}
    assert sum(row["document_id"].startswith("receipt") for row in found) <= 1
    labels = [(name, "receipt" if category[0] == "N" else category) for name, category in labels]
    wanted = table(tmp_path / "wanted.csv", [*labels[:20], *labels[30:50], *labels[60:68]], ("document_id", "category"))
    found = json.loads(textclf("select", pile, "--with", wanted, "-n", "6", "--json").out)
    assert sum(row["document_id"].startswith("receipt") for row in found) > 3


def test_labelled_documents_may_have_texts_of_their_own(textclf, pile, corpus, table, tmp_path):
    rows = [row for row in corpus(8, seed=1).rows() if row[2] != "receipt"]
    said = textclf("select", pile, "-n", "4", "--with", table(tmp_path / "labelled.csv", rows), "--json")
    assert said.code == 0
    chosen = [row["document_id"].strip("=")[:-3] for row in json.loads(said.out)]
    assert chosen.count("receipt") > 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "give -o FILE, --groups or --json"),
        (("--groups", "--all"), "--all: the groups on the screen do not name all documents; give -o FILE too"),
        (("--json", "--with", "other.csv"), "1 of 1 labelled document are not in the pile, such as 'nowhere'"),
    ],
)
def test_what_makes_no_sense_is_refused_with_a_remedy(textclf, pile, table, tmp_path, monkeypatch, arguments, words):
    monkeypatch.chdir(tmp_path)
    table(tmp_path / "other.csv", [("nowhere", "letter")], LABELS)
    said = textclf("select", pile, *arguments)
    assert said.code != 0
    assert words in said.err


def test_a_pile_in_which_an_id_occurs_twice_is_refused(textclf, table, tmp_path):
    rows = [("x", "invoice total due"), ("x", "dear madam"), ("y", "cash and change")]
    said = textclf("select", table(tmp_path / "double.csv", rows, ("document_id", "text")), "-n", "2", "--json")
    assert said.code == ExitCode.BAD_DATA
    assert "1 document_id of several documents, such as 'x'; give each document a unique id" in said.err


def test_a_table_that_was_not_filled_in_is_told(textclf, pile, table, tmp_path):
    empty = table(tmp_path / "empty.csv", [("letter-01", "")], LABELS)
    said = textclf("select", pile, "-n", "2", "--json", "--with", empty)
    assert "--with holds no category: fill in its column category" in said.err


def test_labels_that_contradict_each_other_or_match_nothing_are_told(textclf, pile, table, tmp_path):
    one = table(tmp_path / "one.csv", [("letter-01", "letter"), ("letter-01", "invoice")], LABELS)
    said = textclf("train", pile, "--labels", one, "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.BAD_DATA
    assert "document_id 'letter-01' is of category 'letter', and in line 3 of 'invoice'" in said.err
    nowhere = table(tmp_path / "nowhere.csv", [("elsewhere", "letter")], LABELS)
    said = textclf("train", pile, "--labels", nowhere, "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.BAD_DATA
    assert "1 of 1 labelled documents are not in" in said.err
    assert "fill the category column of --labels" in said.err


def test_a_misspelt_category_is_named(textclf, pile, corpus, table, tmp_path):
    ids = [f"={name}" if name.endswith("3") else name for name in corpus(12).ids]
    rows = [(name, "Invocie" if n == 3 else name.strip("=")[:-3].capitalize()) for n, name in enumerate(ids)]
    labelled = table(tmp_path / "labelled.csv", rows[:20], LABELS)
    said = "category 'Invocie' (1 document) is like 'Invoice' (11): if they are one, write one name"
    assert said in textclf("select", pile, "--with", labelled, "-n", "2", "--json").err
    rows[18:20] = (rows[18][0], "none of thes"), (rows[19][0], "none of these")
    none = table(tmp_path / "none.csv", rows[:20], LABELS)
    said = "category 'none of thes' (1 document) is like 'none of these' (papers of no category): if they are one"
    assert said in textclf("select", pile, "--with", none, "-n", "2", "--json").err
    refused = textclf("train", pile, "--labels", labelled, "-o", tmp_path / "m.textclf")
    assert refused.code == ExitCode.BAD_DATA
    assert "one document only: category 'Invocie' (is 'Invoice' meant?); add at least one more" in refused.err


def test_copies_count_among_the_documents_of_a_group(textclf, table, tmp_path):
    texts = ["invoice total due", "invoice total due", "Invoice  total due", "dear madam", "cash and change"]
    pile = table(tmp_path / "pile.csv", [(f"{n}", text) for n, text in enumerate(texts)], HEADER)
    said = textclf("select", pile, "-n", "9", "--json")
    assert sorted((row["snippet"], row["documents"]) for row in json.loads(said.out)) == [
        ("cash and change", 1),
        ("dear madam", 1),
        ("invoice total due", 3),
    ]
    assert "all 3 documents chosen, fewer than -n 9: others have no text, or are copies of these" in said.err
    assert "chosen" not in textclf("select", pile, "-n", "3", "--json").err


def test_ids_and_the_table_come_back_whatever_the_pile_is_like(textclf, corpus, tmp_path, read_table):
    """A pile in another encoding and with other separators, with ids that a spreadsheet would take for formulas."""
    ids = ["=é1", "'=é1", "-x", "@y,z", "'w", "-5"]
    texts = corpus(2).texts
    pile, to_label = tmp_path / "pile.csv", tmp_path / "to_label.csv"
    lines = ["number;text", *(f"{name};{text}" for name, text in zip(ids, texts, strict=True))]
    pile.write_bytes("\n".join(lines).encode("cp1252"))
    options = ("--id-column", "number", "--encoding", "cp1252")
    assert textclf("select", pile, *options, "-n", "6", "-o", to_label).code == 0
    rows = read_table(to_label)
    assert not any(row["number"].startswith(("=", "@")) for row in rows)
    to_label.write_text(to_label.read_text("utf-8").replace(",,,,", ",Café,,,", 4), "utf-8")
    said = textclf("select", pile, *options, "-n", "6", "--with", to_label, "--json")
    assert said.code == 0, said.err
    left = {row["document_id"] for row in json.loads(said.out)}
    assert len(left) == 2
    assert left < {*ids}
    said = textclf("train", pile, *options, "--labels", to_label, "-o", tmp_path / "m.textclf")
    assert "are not in" not in said.err
    assert "all documents are of one category, 'Café'" in said.err


def test_labels_of_documents_that_conditions_leave_out_are_labels(textclf, corpus, table, tmp_path):
    rows = corpus(12).rows()
    pile = table(tmp_path / "pile.csv", [("0007", *rows[0][1:]), *rows[1:]])
    labels = table(tmp_path / "labels.csv", [(name, category) for name, _, category in rows[1:20]], LABELS)
    said = textclf("select", pile, "--where", "category=letter", "--with", labels, "-n", "50", "--json")
    assert said.code == 0, said.err
    assert sorted(row["document_id"] for row in json.loads(said.out)) == [name for name, _, _ in rows[20:24]]
    # those that match nothing are told, with conditions too
    changed = table(tmp_path / "changed.csv", [("7", "letter"), ("letter-00", "letter")], LABELS)
    where = ("--where", "category=invoice", "--no-label-issues")
    said = textclf("check", pile, "--labels", pile, "--labels", changed, *where)
    assert "1 of 37 labelled documents are not in" in said.err
    assert "such as '7'; a spreadsheet may have changed their ids" in said.err
    said = textclf("check", pile, "--labels", pile, *where)
    assert "are not in" not in said.err
    assert "in 12 documents of 1 category," in said.out


def test_labelled_documents_of_other_folders_may_have_the_same_ids(textclf, pile, corpus, table, tmp_path):
    other = table(tmp_path / "o.csv", [("letter-00", "entirely another paper", "x"), ("letter-01", "and more", "x")])
    said = textclf("select", pile, "-n", "50", "--with", other, "--json")
    assert len(json.loads(said.out)) == 36
    # the same paper under the same id is labelled, whatever a spreadsheet made of its line ends
    rows = corpus(12).rows()
    same = table(
        tmp_path / "s.csv", [(name, text.replace(" ", "\r\n", 1), category) for name, text, category in rows[:2]]
    )
    found = json.loads(textclf("select", pile, "-n", "50", "--all", "--with", same, "--with", other, "--json").out)
    assert len(found) == 35
    assert not {rows[0][0], rows[1][0]} & {row["document_id"] for row in found}


def test_rows_that_cannot_be_used_are_counted(textclf, tmp_path, table):
    pile = tmp_path / "pile.csv"
    pile.write_text("document_id,text\na,total due,oops\nb,dear sir\nc\n")
    labels = table(tmp_path / "labels.csv", [("b", "letter"), ("c", "letter")], LABELS)
    said = textclf("select", pile, "-n", "9", "-o", tmp_path / "s.csv")
    assert f"warning: {pile}: left out 2 rows with too few or too many cells" in said.err
    said = textclf("select", pile, "-n", "9", "--with", labels, "--json")
    assert "holds no document with text that is not labelled" in said.error


def test_papers_of_none_of_the_kinds_may_be_all_that_is_labelled(textclf, pile, table, tmp_path, corpus):
    none = table(tmp_path / "none.csv", [("x", "hello there world", "none of these")])
    said = textclf("select", pile, "-n", "5", "--with", none, "--json")
    assert (said.code, len(json.loads(said.out))) == (0, 5)
    documents = table(tmp_path / "d.csv", [*corpus(6).rows(), ("copy", "hello there world", "letter")])
    said = textclf("check", documents, "--against", none, "--no-label-issues")
    assert said.code == 0
    assert "leak: 1 document" in said.out
    said = textclf("train", none, "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.BAD_DATA
    assert "all documents with a category are of 'none of these'; label documents of your categories" in said.error

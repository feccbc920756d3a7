"""What a person sees who types the commands that learn: prepare, train, evaluate."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import replace

import pytest

import textclf as package
from textclf.base.errors import ExitCode
from textclf.commands.train import training_lines
from textclf.model.accept import Acceptance, AcceptanceCurve, Level
from textclf.model.training_record import UnlabelledDocuments

QUICK = ("--lexicon", "none", "--vectors", "none", "--no-background", "--no-diagnostics", "--jobs", "1")


@pytest.fixture
def documents(tmp_path, table, corpus):
    return table(tmp_path / "documents.csv", corpus(5).rows())


# --- train


def test_the_share_accepted_and_its_error_are_stated(model):
    acceptance = Acceptance(max_error=0.2, confidence=0.9, threshold=0.8834, accepted=0.25, error=0.0556)
    *_, line = training_lines(replace(model.training, acceptance=acceptance, acceptance_curve=None))
    for words in ("will accept about 25%", "from 0.883", "5.6% of those were wrong", "90% confidence fewer than 20%"):
        assert words in line
    nothing = replace(acceptance, max_error=0.05, accepted=0.0)
    *_, line = training_lines(replace(model.training, acceptance=nothing, acceptance_curve=None))
    for words in ("accepts nothing", "maximum error of 5% with 90% confidence", "at least the 45 documents"):
        assert words in line


def test_training_shows_what_other_maximum_errors_would_accept(model):
    assert model.training.acceptance.max_error == 0.05
    *_, head, two, five, ten, fifteen, twenty = training_lines(model.training)
    assert "with 90% confidence" in head
    assert [line.split()[0] for line in (two, five, ten, fifteen, twenty)] == ["0.02", "0.05", "0.1", "0.15", "0.2"]
    assert "nothing" in two
    assert f"{model.with_max_error(0.2).training.acceptance.accepted:.0%}" in twenty


def test_training_shows_how_many_documents_of_unknown_kinds_each_maximum_error_would_accept(model):
    levels = [Level(documents=n, wrong=0, expected_wrong=0, threshold=1 - n / 1000, unknown=n / 500) for n in (45, 120)]
    curve = AcceptanceCurve(documents=200, levels=tuple(levels), lowest=replace(levels[0], documents=50))
    record = replace(model.training, acceptance=curve.at(0.01, 0.9), acceptance_curve=curve)
    nothing, _, _, two, *_, why = [*training_lines(record)][-9:]
    assert "--max-error 0.02 would accept 25%, and 9% of documents of unknown kinds" in nothing
    assert two.endswith("0.0% of them wrong in cross-validation; and 9% of documents of unknown kinds")
    assert "no maximum error accepts scores below 0.955" in why
    assert "--max-unknown" in why


def test_the_maximum_error_is_chosen_where_the_model_is_used(
    textclf, documents, tmp_path, model, model_path, read_table, monkeypatch
):
    strict, loose = tmp_path / "strict.csv", tmp_path / "loose.csv"
    said = textclf("predict", model_path, documents, "-o", strict, "--max-error", "0.001")
    assert "accepts nothing: for a maximum error of 0.1%" in said.err
    assert textclf("predict", model_path, documents, "-o", loose, "--max-error", "0.2").code == 0
    assert {row["decision"] for row in read_table(strict)} == {"review"}
    threshold = model.with_max_error(0.2).training.acceptance.threshold
    assert all((row["decision"] == "accept") == (float(row["score"]) >= threshold) for row in read_table(loose))
    monkeypatch.setenv("TEXTCLF_PREDICT_MAX_ERROR", "0.2")
    assert textclf("predict", model_path, documents, "-o", strict).code == 0
    assert strict.read_bytes() == loose.read_bytes()
    said = textclf("predict", model_path, documents, "-o", strict, "--max-error", "2")
    assert said.code == ExitCode.USAGE
    assert "--max-error" in said.error
    said = textclf("compare", model_path, model_path, documents, "--max-error", "0.001")
    assert "accepted  A 0" in said.out


def test_training_says_how_good_it_is_and_writes_a_model(textclf, documents, tmp_path):
    said = textclf("train", documents, "-o", tmp_path / "new" / "m.textclf", *QUICK)
    assert (said.code, said.out) == (0, "")
    assert "accuracy" in said.err
    assert "macro F1" in said.err
    assert package.load(tmp_path / "new" / "m.textclf").categories == ("invoice", "letter", "receipt")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ("x,single,odd\n", "'odd'"),
        ("x,,odd\ny,,odd\n", "'odd' has text"),
    ],
)
def test_a_category_with_one_document_or_no_text_is_refused(textclf, documents, tmp_path, more, words):
    with documents.open("a") as file:
        file.write(more)
    said = textclf("train", documents, "-o", tmp_path / "m.textclf", *QUICK)
    assert said.code == ExitCode.BAD_DATA
    assert words in said.error
    assert not (tmp_path / "m.textclf").exists()


def test_few_documents_are_warned_about(textclf, tmp_path, table, corpus):
    path = table(tmp_path / "few.csv", corpus(3).rows())
    said = textclf("train", path, "-o", tmp_path / "m.textclf", *QUICK)
    assert said.code == 0
    assert said.err.count("warning: category") == 3
    assert "accepts nothing" in said.err


def test_other_columns_and_the_order_of_rows_change_no_byte(textclf, tmp_path, table, corpus):
    rows = corpus(4).rows()
    first = table(tmp_path / "a.csv", rows)
    turned = [(category, "noise", text, name) for name, text, category in reversed(rows)]
    second = table(tmp_path / "b.csv", turned, ("category", "status", "text", "document_id"))
    for path in (first, second):
        assert textclf("train", path, "-o", path.with_suffix(".textclf"), *QUICK).code == 0
    assert first.with_suffix(".textclf").read_bytes() == second.with_suffix(".textclf").read_bytes()


@pytest.mark.parametrize(
    "lexicon", ["learn", pytest.param("none", marks=pytest.mark.slow), pytest.param("file", marks=pytest.mark.slow)]
)
def test_training_from_prepared_columns_gives_the_model_of_the_table(
    textclf, tmp_path, table, corpus, lexicon, lexicon_file
):
    rows = [(name, text.replace(" the ", "\n"), category) for name, text, category in corpus(4).rows()]
    path = table(tmp_path / "documents.csv", [(*rows[0][:2], " invoice "), *rows[1:]])
    options = ("--lexicon", lexicon_file if lexicon == "file" else lexicon, "--vector-size", "4", "--seed", "3")
    assert textclf("prepare", path, "-o", tmp_path / "prepared", *options).code == 0
    run = ("--no-diagnostics", "--jobs", "1")
    assert textclf("train", tmp_path / "prepared", "-o", tmp_path / "p.textclf", *run).code == 0
    assert textclf("train", path, "-o", tmp_path / "t.textclf", *run, *options).code == 0
    assert (tmp_path / "p.textclf").read_bytes() == (tmp_path / "t.textclf").read_bytes()


def test_prepared_columns_are_those_of_amazon(textclf, documents, tmp_path, read_table, lexicon_file):
    out = tmp_path / "prepared"
    assert textclf("prepare", documents, "-o", out, "--lexicon", lexicon_file, "--vector-size", "4").code == 0
    assert sorted(path.name for path in out.iterdir()) == ["datasource.csv", "datasource.csv.schema", "features"]
    rows = read_table(out / "datasource.csv")
    assert list(rows[0]) == [
        *("document_id", "text_data", "common_words", "invoice_common_words", "letter_common_words"),
        *("w2v_000", "w2v_001", "w2v_002", "w2v_003", "category"),
    ]
    assert len(rows) == 15
    for row in rows:
        assert row["invoice_common_words"] == str(int("vat" in row["text_data"] or "gross" in row["text_data"]))
    assert json.loads((out / "datasource.csv.schema").read_text())["targetAttributeName"] == "category"


def test_a_datasource_can_be_predicted_and_evaluated(textclf, documents, tmp_path, model_path, read_table):
    assert textclf("prepare", documents, "-o", tmp_path / "p", "--lexicon", "none", "--vectors", "none").code == 0
    source = tmp_path / "p" / "datasource.csv"
    assert textclf("predict", model_path, source, "-o", tmp_path / "p.csv").code == 0
    assert len(read_table(tmp_path / "p.csv")) == 15
    assert textclf("evaluate", model_path, source, "-o", tmp_path / "report").code == 0
    said = textclf("evaluate", model_path, source, "-o", tmp_path / "report", "--where", "split=test")
    assert said.code == ExitCode.USAGE
    assert textclf("train", tmp_path / "p", "-o", tmp_path / "m", *QUICK, "--where", "a=b").code == ExitCode.USAGE


@pytest.mark.parametrize(
    "damage",
    [
        lambda folder: (folder / "settings.json").unlink(),
        lambda folder: (folder / "settings.json").write_text("[]"),
        lambda folder: (folder / "settings.json").write_text('{"lexicon": "none", "vectors": "none", "odd": 1}'),
        lambda folder: (folder / "keywords.json").write_text("{}"),
        lambda folder: (
            (folder / "settings.json").write_text('{"lexicon": "none", "vectors": "given"}')
            + (folder / "vectors.npz").write_bytes(b"")
        ),
        lambda folder: (
            (folder / "settings.json").write_text('{"lexicon": "none", "vectors": "given"}')
            + (folder / "vectors.npz").write_bytes(b"PK\x03\x04")
        ),
    ],
)
def test_a_prepared_folder_that_was_damaged_is_refused(textclf, documents, tmp_path, lexicon_file, damage):
    out = tmp_path / "p"
    assert textclf("prepare", documents, "-o", out, "--lexicon", lexicon_file, "--vectors", "none").code == 0
    damage(out / "features")
    said = textclf("train", out, "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.BAD_INPUT
    assert "run `textclf prepare` again" in said.error


def test_a_folder_of_texts_trains_as_its_table(textclf, tmp_path, table, corpus):
    rows = [(f"{category}/{name}.txt", text, category) for name, text, category in corpus(3).rows()]
    for name, text, _ in rows:
        (tmp_path / "tree" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "tree" / name).write_text(text)
    assert textclf("train", tmp_path / "tree", "-o", tmp_path / "tree.textclf", *QUICK).code == 0
    path = table(tmp_path / "t.csv", rows)
    assert textclf("train", path, "-o", tmp_path / "table.textclf", *QUICK).code == 0
    assert (tmp_path / "tree.textclf").read_bytes() == (tmp_path / "table.textclf").read_bytes()


def test_a_folder_without_documents_is_refused(textclf, tmp_path):
    (tmp_path / "tree" / "invoice").mkdir(parents=True)
    for folder in (tmp_path / "tree", tmp_path / "tree" / "invoice"):
        said = textclf("train", folder, "-o", tmp_path / "m")
        assert said.code == ExitCode.BAD_DATA
        assert "no scan and no .txt" in said.error
    (tmp_path / "tree" / "invoice.txt").write_text("an invoice")
    said = textclf("train", tmp_path / "tree", "-o", tmp_path / "m")
    assert said.code == ExitCode.BAD_INPUT
    assert "folder per category with documents" in said.error


# --- evaluate


def test_evaluation_prints_figures_and_writes_a_report(textclf, documents, tmp_path, model_path):
    out = tmp_path / "report"
    said = textclf("evaluate", model_path, documents, "-o", out, "--by", "category")
    figures = json.loads((out / "metrics.json").read_text())
    own = next(step for step in figures["by_max_error"] if step["max_error"] == 0.05)
    assert (own["accepted"], own["accepted_right"]) == (figures["accepted"], figures["accepted_right"])
    assert [step["max_error"] for step in figures["by_max_error"]] == [0.02, 0.05, 0.1, 0.15, 0.2]
    assert f"at --max-error 0.2    accepted  {figures['by_max_error'][-1]['accepted']} of" in said.out
    assert "wrong in cross-validation" in (out / "report.html").read_text().lower()
    assert said.code == 0
    assert said.out.startswith("accuracy  1.000   macro F1  1.000   documents  15\n")
    assert "category = letter: accuracy 1.000 of 5" in said.out
    assert {"report.html", "metrics.json", "confusion.csv", "confusion.png"} <= {path.name for path in out.iterdir()}
    printed = textclf("evaluate", model_path, documents, "-o", out, "--json")
    assert json.loads(printed.out) == json.loads((out / "metrics.json").read_text())
    said = textclf("evaluate", model_path, documents, "-o", out, "--by", "colour")
    assert said.code == ExitCode.BAD_DATA
    assert "colour" in said.error


def test_true_categories_may_stand_in_a_table_of_their_own(textclf, documents, tmp_path, model_path, table, read_table):
    rows = read_table(documents)
    texts = table(tmp_path / "texts.csv", [(row["document_id"], row["text"]) for row in rows], ("document_id", "text"))
    labels = [(row["document_id"], row["category"]) for row in rows]
    filled_in = table(tmp_path / "labels.csv", labels, ("document_id", "category"))
    apart = textclf("evaluate", model_path, texts, "--labels", filled_in, "-o", tmp_path / "apart")
    assert apart.code == 0
    assert apart.out == textclf("evaluate", model_path, documents, "-o", tmp_path / "report").out
    compared = textclf("compare", model_path, model_path, texts, "--labels", filled_in)
    assert f"of {len(rows)}; B minus A" in compared.out


def test_a_category_the_model_does_not_know_counts_as_wrong_and_is_named(textclf, documents, tmp_path, model_path):
    with documents.open("a") as file:
        file.write("x,total due,Rechnung\ny,,letter\nz,dear madam,\nw,total due,Invioce\n")
    said = textclf("evaluate", model_path, documents, "-o", tmp_path / "report")
    assert said.code == 0
    assert "accuracy  0.833" in said.out
    assert "1 document without a category" in said.err
    assert (
        "2 documents of a category that the model does not know, counted as wrong, 0 of them accepted: "
        "Invioce (1, is 'invoice' meant?), Rechnung (1)"
    ) in said.err
    assert "Rechnung" in (tmp_path / "report" / "report.html").read_text()
    assert "Rechnung" in (tmp_path / "report" / "confusion.csv").read_text()


def test_papers_of_none_of_the_categories_are_learned_from_and_accepting_them_is_wrong(
    textclf, corpus, table, tmp_path
):
    rows = [(*row[:2], "None of these" if row[2] == "receipt" else row[2]) for row in corpus(24).rows()]
    documents, model = table(tmp_path / "documents.csv", rows), tmp_path / "model.textclf"
    training = ("train", documents, *QUICK)
    said = textclf(*training, "--max-error", "0.1", "-o", model)
    assert "learning from 24 documents of 'none of these'" in said.err
    assert "trained on 48 documents of the categories and 24 of 'none of these'" in said.err
    assert re.search(r"^  letter +24\n  none of these +24$", textclf("model", "info", model).out, re.MULTILINE)
    record = json.loads(textclf("model", "info", model, "--json").out)["training"]
    assert (record["documents"], record["out_of_distribution"]) == ({"invoice": 24, "letter": 24}, 24)
    known = table(tmp_path / "known.csv", rows[:48])
    foreign, same = table(tmp_path / "foreign.csv", rows[:47:-1]), tmp_path / "same.textclf"
    assert textclf("train", known, "--other", foreign, *training[2:], "--max-error", "0.1", "-o", same).code == 0
    assert model.read_bytes() == same.read_bytes()

    said = textclf("evaluate", model, documents, "-o", tmp_path / "report")
    assert "the model was trained on these very documents" in said.err
    assert "accuracy  1.000   macro F1  1.000   documents  48\n" in said.out
    assert "of 72, 0 of them wrong\nnone of these  24, 0 of them accepted\n" in said.out
    assert "category that the model does not know" not in said.err
    assert "48 documents of 2 categories, and on 24 of none of these" in (tmp_path / "report/report.html").read_text()
    figures = json.loads((tmp_path / "report" / "metrics.json").read_text())
    assert (figures["documents"], figures["none_of_these"], figures["none_of_these_accepted"]) == (48, 24, 0)
    said = textclf("prepare", documents, "-o", tmp_path / "prepared", *QUICK[:4])
    assert "left out 24 documents of 'none of these'" in said.err


@pytest.fixture
def of_issuers(tmp_path, table, corpus):
    """Documents of two issuers a category, whose letterheads say more than anything else."""
    rows = []
    for number, (name, text, category) in enumerate(corpus(8).rows()):
        issuer = f"{category}{number // 3 % 2}"
        rows.append((name, f"{issuer} {issuer} {text}", category, issuer))
    return table(tmp_path / "issuers.csv", rows, ("document_id", "text", "category", "issuer"))


def test_documents_of_an_issuer_are_kept_together(textclf, of_issuers, tmp_path):
    model = tmp_path / "m.textclf"
    said = textclf("train", of_issuers, "-o", model, *QUICK, "--group", "issuer")
    assert said.code == 0
    assert "6 groups were kept together" in said.err
    assert package.load(model).training.kept_together == 6
    assert textclf("prepare", of_issuers, "-o", tmp_path / "p", *QUICK[:4], "--group", "issuer").code == 0
    assert json.loads((tmp_path / "p/datasource.csv.schema").read_text())["excludedAttributeNames"] == ["group"]
    again = tmp_path / "p.textclf"
    assert textclf("train", tmp_path / "p", "-o", again, *QUICK).code == 0
    assert again.read_bytes() == model.read_bytes()


def test_documents_without_an_issuer_are_counted_in_a_warning(textclf, of_issuers, tmp_path, table):
    with of_issuers.open(encoding="utf-8", newline="") as file:
        header, *rows = csv.reader(file)
    path = table(tmp_path / "gaps.csv", [(*row[:3], "") if i < 2 else row for i, row in enumerate(rows)], header)
    said = textclf("train", path, "-o", tmp_path / "m", *QUICK, "--group", "issuer")
    assert said.code == 0
    assert f"2 of {len(rows)} documents have no issuer" in said.err
    assert "have no issuer" not in textclf("train", of_issuers, "-o", tmp_path / "n", *QUICK, "--group", "issuer").err


def test_diagnostics_also_say_what_issuers_seen_before_would_give(textclf, of_issuers, tmp_path):
    said = textclf("train", of_issuers, "-o", tmp_path / "m", *QUICK[:4], "--jobs", "1", "--group", "issuer")
    assert "cross-validated, text, groups mixed: accuracy" in said.err


def test_a_group_column_must_be_there_and_a_folder_has_none(textclf, of_issuers, tmp_path):
    said = textclf("train", of_issuers, "-o", tmp_path / "m", *QUICK, "--group", "sender")
    assert said.code == ExitCode.BAD_DATA
    assert "sender" in said.error
    (tmp_path / "tree" / "letter").mkdir(parents=True)
    said = textclf("train", tmp_path / "tree", "-o", tmp_path / "m", *QUICK, "--group", "issuer")
    assert said.code == ExitCode.USAGE
    assert "--group" in said.error


def test_options_that_make_no_sense_are_refused_by_prepare_too(textclf, documents, tmp_path):
    said = textclf("prepare", documents, "-o", tmp_path / "p", "--vector-size", "0")
    assert said.code == ExitCode.USAGE
    assert "--vector-size" in said.error
    assert not (tmp_path / "p").exists()


def test_the_same_training_is_not_done_twice(textclf, documents, tmp_path, lexicon_file, table):
    model, pile = tmp_path / "m.textclf", table(tmp_path / "pile.csv", [("1", "total gross")], ("document_id", "text"))
    run = ("train", documents, "-o", model, "--lexicon", lexicon_file, *QUICK[2:])
    assert textclf(*run).code == 0
    first = model.read_bytes()
    again = textclf(*run)
    assert again.code == 0
    assert "is kept; delete it to train again" in again.err
    assert "cross-validated, text" in again.err
    assert "fitting" not in again.err
    assert model.read_bytes() == first
    for change in (("--max-error", "0.1"), ("--seed", "1"), ("--other", documents), ("--pile", pile)):
        said = textclf(*run, *change)
        assert "fitting" in said.err, change
    lexicon_file.write_text(lexicon_file.read_text().replace("vat", "total"))
    assert "fitting" in textclf(*run).err
    model.write_bytes(first[:100])
    assert "fitting" in textclf(*run).err


def test_unlabelled_documents_come_from_tables_folders_and_rows_without_a_category(textclf, documents, tmp_path, table):
    with documents.open("a") as file:
        file.write("x,invoice total of a friend,\n")
    pile = table(tmp_path / "pile.csv", [("1", "dear madam"), ("2", "dear madam")], ("document_id", "text"))
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "note.txt").write_text("cash and change")
    said = textclf("train", documents, "-o", tmp_path / "m.textclf", "--pile", pile, "--pile", folder, *QUICK)
    assert said.code == 0
    assert "4 documents of the pile, 3 different ones used" in said.err
    assert "no category" not in said.err


@pytest.mark.parametrize(
    ("tried", "why"), [(True, "cross-validation was better without them"), (False, "there are enough labelled ones")]
)
def test_why_unlabelled_documents_were_not_trained_on_is_told(model, tried, why):
    unlabelled = UnlabelledDocuments(given=3, used=2, tried=tried, novel=1)
    said = [*training_lines(replace(model.training, unlabelled=unlabelled))]
    used = "3 documents of the pile, 2 different ones used"
    assert f"{used}; none trained on with a predicted category, as {why}" in said
    assert any(line.startswith("about 1 of the 2 look like none of the categories, an estimate") for line in said)
    # there was none left to label
    assert used in [*training_lines(replace(model.training, unlabelled=replace(unlabelled, novel=2)))]


def test_a_pile_that_is_left_out_entirely_is_told(textclf, documents, tmp_path):
    said = textclf("train", documents, "-o", tmp_path / "m.textclf", "--pile", documents, *QUICK)
    assert "15 documents of the pile, none used: each has no text, or is labelled too" in said.err.splitlines()


def test_the_record_says_whether_self_training_was_tried(classifier, corpus):
    for number, tried in ((4, True), (21, False)):
        _, texts, categories = corpus(number)
        fitted = classifier(augment=False).fit(texts, categories, unlabelled=corpus(5, seed=1).texts)
        assert fitted.model_.training.unlabelled.tried is tried


def test_a_pile_and_keywords_are_enough(textclf, tmp_path, table, corpus, lexicon_file):
    rows = [(name, text, "") for name, text, _ in corpus(8).rows()]
    pile = table(tmp_path / "pile.csv", rows)
    run = ("train", "--pile", pile, "-o", tmp_path / "m.textclf", "--lexicon", lexicon_file, *QUICK[2:])
    said = textclf(*run)
    assert said.code == 0
    assert "no document had a label: categories come from keywords" in said.err
    assert package.load(tmp_path / "m.textclf").categories == ("invoice", "letter")
    assert "is kept" in textclf(*run).err
    assert textclf("train", "-o", tmp_path / "n.textclf").code == ExitCode.USAGE
    said = textclf("predict", tmp_path / "m.textclf", pile, "-o", tmp_path / "p.csv", "--max-error", "0.9")
    assert "learned from keywords alone and accepts nothing: correct predictions" in said.err
    one = tmp_path / "one.toml"
    one.write_text('[invoice]\nen = ["vat"]\n')
    said = textclf("train", "--pile", pile, "--lexicon", one, "-o", tmp_path / "n.textclf")
    assert said.code == ExitCode.BAD_DATA
    assert "the lexicon has fewer than two categories" in said.err


@pytest.mark.parametrize("option", ["--labels", "--where", "--group"])
def test_options_about_documents_need_documents(textclf, tmp_path, table, option):
    pile = table(tmp_path / "pile.csv", [("1", "dear madam")], ("document_id", "text"))
    said = textclf("train", "--pile", pile, option, "a=b", "-o", tmp_path / "m.textclf")
    assert said.code == ExitCode.USAGE
    assert "say something of DOCUMENTS, and there are none" in said.err


# --- names of categories

LONG = "insurance contract for vehicles, machines and all that "
ODD_NAMES = {
    "1": "invoice total due vat",
    "---": "dear madam sincerely yours",
    "発票": "cash change till item",
    "Memo": "note staff meeting agenda",
    "memo": "reminder lunch kitchen friday",
    f"{LONG}is old": "premium insured vehicle policy",
    f"{LONG}is new": "cover machine broker renewal",
}


def test_categories_of_any_name_are_trained_prepared_evaluated_and_predicted(textclf, table, read_table, tmp_path):
    rows = [
        (f"{place}-{number}", f"{words} page {number}", name)
        for place, (name, words) in enumerate(ODD_NAMES.items())
        for number in range(6)
    ]
    source = table(tmp_path / "d.csv", rows)
    options = ("--lexicon", "learn", "--vectors", "none", "--seed", "0")
    assert textclf("prepare", source, "-o", tmp_path / "prepared", *options).code == 0
    header = (tmp_path / "prepared" / "datasource.csv").read_text(encoding="utf-8").splitlines()[0].split(",")
    indicators = [name for name in header if name.endswith("_common_words")]
    assert len(set(indicators)) == 7
    assert {"1_common_words", "u002du002du002d_common_words", "u767au7968_common_words"} <= set(indicators)
    for name, given in (("plain", source), ("prepared", tmp_path / "prepared")):
        quick = ("--no-diagnostics", "--no-augment", "--jobs", "1")
        said = textclf("train", given, "-o", tmp_path / f"{name}.textclf", *options, *quick)
        assert said.code == 0, said.err
        model = package.load(tmp_path / f"{name}.textclf")
        assert model.features.matcher.lexicon.columns == tuple(indicators)
        assert set(model.categories) == set(ODD_NAMES)
    assert textclf("predict", tmp_path / "plain.textclf", source, "-o", tmp_path / "p.csv").code == 0
    # a cell that a spreadsheet could take for a formula stands behind an apostrophe
    predicted = [row["predicted_category"].removeprefix("'") for row in read_table(tmp_path / "p.csv")]
    assert predicted == [name for _, _, name in rows]
    assert textclf("evaluate", tmp_path / "plain.textclf", source, "-o", tmp_path / "report").code == 0
    assert json.loads((tmp_path / "report" / "metrics.json").read_text())["accuracy"] == 1
    # the indicator of a category speaks for it
    client, none = package.LocalClient(model), dict.fromkeys(indicators, "0")

    def scores(**columns):
        record = {"text_data": "page", **none, **columns}
        return client.predict(MLModelId="", PredictEndpoint="", Record=record)["Prediction"]["predictedScores"]

    for column, category in zip(indicators, model.features.matcher.lexicon.categories, strict=True):
        assert scores(**{column: "1"})[category.name] > scores()[category.name]

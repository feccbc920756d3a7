from __future__ import annotations

from collections import Counter

import pytest

from textclf.base.errors import BadDataError
from textclf.checks.data_check import FEW_DOCUMENTS, FEW_WORDS, IMBALANCE, KINDS, check_documents
from textclf.data.sources import Labelled
from textclf.model.training_data import check_categories


def labelled(*rows):
    return Labelled(*(list(column) for column in zip(*rows, strict=True)))


def of_categories(**counts):
    """Documents that differ in every word."""
    return labelled(
        *(
            (f"{category}-{i}", " ".join(f"{category}{i}{letter}" for letter in "abcdefgh"), category)
            for category, count in counts.items()
            for i in range(count)
        )
    )


def kinds(check):
    return dict(Counter(finding.kind for finding in check.findings))


def test_nothing_to_say_about_good_documents():
    check = check_documents(of_categories(bill=6, letter=6), of_categories(bill=1), label_issues=False)
    assert (check.documents, check.categories, check.against) == (12, {"bill": 6, "letter": 6}, 1)
    # the one to test on is among those to train on
    assert kinds(check) == {"leak": 1}
    assert check_documents(of_categories(bill=6, letter=6), label_issues=False).findings == ()


def test_the_same_text_under_two_categories_is_a_copy_and_a_contradiction():
    documents = of_categories(bill=6, letter=6)
    text = documents.texts[0]
    documents = labelled(*zip(*documents[:3], strict=True), ("x", text.upper(), "letter"))
    check = check_documents(documents, label_issues=False)
    assert kinds(check) == {"contradiction": 1, "duplicate": 1}
    (contradiction,) = check.of_kind("contradiction")
    assert {contradiction.document_id, contradiction.other_id} == {"bill-0", "x"}
    assert {contradiction.category, contradiction.other_category} == {"bill", "letter"}
    assert contradiction.score == 1
    assert "the same text" in contradiction.detail
    assert check.problems == 1


@pytest.mark.parametrize(
    ("count", "said"), [(1, "cannot be trained"), (2, "least"), (FEW_DOCUMENTS - 1, "least"), (FEW_DOCUMENTS, "")]
)
def test_categories_too_small(count, said):
    findings = check_documents(of_categories(bill=6, letter=count), label_issues=False).findings
    assert [finding.category for finding in findings] == (["letter"] if said else [])
    assert all(said in finding.detail for finding in findings)


def test_a_category_is_as_large_as_its_documents_with_text():
    documents = labelled(*((str(i), "", "letter") for i in range(9)), *zip(*of_categories(bill=6)[:3], strict=True))
    check = check_documents(documents, label_issues=False)
    assert kinds(check) == {"no text": 9, "small category": 1}
    assert check.of_kind("small category")[0].detail.startswith("0 documents with text")


@pytest.mark.parametrize(("count", "found"), [(5 * IMBALANCE - 1, 0), (5 * IMBALANCE, 1)])
def test_imbalance(count, found):
    check = check_documents(of_categories(bill=count, letter=5), label_issues=False)
    assert [finding.category for finding in check.of_kind("imbalance")] == ["letter"] * found


@pytest.mark.parametrize(
    ("words", "kind"), [(0, ["no text"]), (1, ["few words"]), (FEW_WORDS - 1, ["few words"]), (FEW_WORDS, [])]
)
def test_texts_with_next_to_no_words(words, kind):
    text = " ".join(f"word{i}" for i in range(words)) + " . - a b c"[: 4 if not words else None]
    documents = labelled(("x", text, "bill"), *zip(*of_categories(bill=6)[:3], strict=True))
    assert [finding.kind for finding in check_documents(documents, label_issues=False).findings] == kind


@pytest.mark.parametrize(
    ("first", "second", "alike"),
    [
        ("New York", "new_york", True),
        ("NY", "ny", True),
        ("New York", "NY", True),
        ("Società", "societa", True),
        ("e-mail", "EMAIL", True),
        ("invoice", "invoices", True),
        ("invoice", "invoce", True),
        ("invoice", "inovice", True),
        ("Tax Return", "tax_retrun", True),
        ("certificate", "certifcaet", True),
        ("invoice", "invcoes", False),
        ("memo", "memos", False),
        ("form1", "form2", False),
        ("form 1040", "form 1041", False),
        ("W2", "W9", False),
        ("annex A", "annex B", False),
        ("invoice in", "invoice out", False),
        ("A", "B", False),
        ("+", "-", False),
    ],
)
def test_category_names_that_are_written_alike(first, second, alike):
    documents = of_categories(one=7, two=6)
    documents = Labelled(
        documents.document_ids,
        documents.texts,
        [first if category == "one" else second for category in documents.categories],
    )
    found = check_documents(documents, label_issues=False).of_kind("similar names")
    assert [(finding.category, finding.other_category) for finding in found] == ([(second, first)] if alike else [])


def test_of_two_names_that_are_written_alike_the_one_with_more_documents_counts():
    found = check_documents(of_categories(invocie=2, invoice=6, invoce=1, letter=6), label_issues=False)
    assert [(one.category, one.other_category) for one in found.of_kind("similar names")] == [
        ("invocie", "invoice"),
        ("invoce", "invoice"),
    ]


@pytest.mark.parametrize(
    "name",
    ["none of theese", "None of thes", "nnoe of these", "none_of_them", "none", "noneofthese", "None of the above"],
)
def test_a_mistyped_none_of_these_is_no_category(name):
    documents = of_categories(one=6, two=12, three=6)
    names = {"two": name, "three": "none of these"}
    labels = [names.get(category, category) for category in documents.categories]
    documents = Labelled(documents.document_ids, documents.texts, labels)
    (found,) = check_documents(documents, label_issues=False).of_kind("similar names")
    assert (found.category, found.other_category) == (name, "none of these")
    assert "is like 'none of these' (papers of no category): if" in check_categories(Counter({"a": 6, name: 9}))[0]
    with pytest.raises(BadDataError, match="is 'none of these' meant"):
        check_categories(Counter({"a": 6, "b": 6, name: 1}))


def test_categories_that_training_does_not_know():
    against = labelled(("1", "one thing", "Bill "), ("2", "two things", "memo"), ("3", "three things", "memo"))
    check = check_documents(of_categories(bill=6, letter=6), against, label_issues=False)
    found = check.of_kind("unknown category")
    assert [(finding.category, finding.other_category) for finding in found] == [("memo", ""), ("Bill ", "bill")]
    assert "'bill' is meant" in found[1].detail
    (typed,) = check_documents(
        of_categories(bill=6, letter=6), labelled(("1", "one thing", "leter")), label_issues=False
    ).of_kind("unknown category")
    assert typed.other_category == "letter"


def test_findings_come_by_kind_and_never_change():
    documents = labelled(
        ("1", "", "bill"),
        ("2", "the very same text as before", "bill"),
        ("3", "the very same text as before", "Bill"),
        ("4", "another text of some words", "letter"),
    )
    one, two = (check_documents(documents, documents, label_issues=False) for _ in range(2))
    assert one == two
    order = [KINDS.index(finding.kind) for finding in one.findings]
    assert order == sorted(order)


def test_labels_that_were_turned_are_found_and_no_others(corpus):
    ids, texts, categories = corpus(14, seed=5)
    turned = (3, 8, 13)
    for position in turned:
        categories[position] = "letter"
    check = check_documents(Labelled(ids, texts, categories))
    assert check.labels_checked
    found = check.of_kind("label issue")
    # a turned label is likely wrong if its document is as sure of another category as that category's own are
    assert found
    assert {finding.document_id for finding in found} <= {ids[position] for position in turned}
    for finding in found:
        assert (finding.category, finding.other_category) == ("letter", "invoice")
        assert 0.5 < finding.score <= 1


def test_labels_cannot_be_checked_with_one_category_that_can_be_trained():
    check = check_documents(of_categories(bill=6, letter=1))
    assert not check.labels_checked
    assert kinds(check) == {"small category": 1}


def test_what_is_shown_of_a_text_cannot_steer_a_terminal():
    documents = labelled(("x", "red \x1b[31m\x07 alert\n\u202etwice", "bill"))
    (finding,) = check_documents(documents, label_issues=False).of_kind("few words")
    assert finding.snippet == "red [31m alert twice"

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_recall_fscore_support

from textclf.base.errors import BadDataError
from textclf.evaluation.evaluate import (
    CONFIDENT_ERRORS,
    EXCERPT_LENGTH,
    LABEL_ISSUES,
    MAX_TERMS,
    SNIPPET_LENGTH,
    evaluate_predictions,
)
from textclf.evaluation.results import EvaluationReport
from textclf.model.accept import Acceptance
from textclf.model.prediction import Prediction

CATEGORIES = ["contract", "invoice", "letter"]


def said(category: str, score: float = 0.9, name: str = "d", accept: bool = True) -> Prediction:
    return Prediction(
        document_id=name, predicted_category=category, score=score, decision="accept" if accept else "review"
    )


def unread(name: str = "d") -> Prediction:
    return Prediction(document_id=name, status="skipped", reason="no text", error="the text is empty")


def evaluate(truths: list[str], predictions: list[Prediction], texts: list[str] | None = None) -> EvaluationReport:
    return evaluate_predictions(CATEGORIES, truths, predictions, texts=texts)


def test_figures_worked_out_by_hand() -> None:
    report = evaluate(
        ["contract", "contract", "invoice", "invoice", "letter"],
        [
            said("contract"),
            said("invoice", 0.8),
            said("invoice"),
            said("invoice", accept=False),
            said("contract", 0.4, accept=False),
        ],
    )
    assert (report.documents, report.right, report.accuracy) == (5, 3, 0.6)
    contract, invoice, letter = report.categories
    assert (contract.precision, contract.recall, contract.f1) == (0.5, 0.5, 0.5)
    assert (invoice.precision, invoice.recall) == (pytest.approx(2 / 3), 1.0)
    assert invoice.f1 == pytest.approx(0.8)
    assert (letter.precision, letter.recall, letter.f1, letter.support, letter.predicted) == (0, 0, 0, 1, 0)
    assert report.macro_f1 == pytest.approx((0.5 + 0.8 + 0) / 3)
    assert report.confusion.tolist() == [[1, 1, 0], [0, 2, 0], [1, 0, 0]]
    # a document for review counts by its predicted category
    assert (report.accepted, report.accepted_right, report.accepted_share) == (3, 2, 0.6)
    assert report.accepted_accuracy == pytest.approx(2 / 3)


def test_wilson_interval_is_the_published_one() -> None:
    # R. G. Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263 gives .2553 to .3662
    report = evaluate(["letter"] * 263, [said("letter")] * 81 + [said("invoice")] * 182)
    assert report.accuracy_interval_95 == (pytest.approx(0.2553, abs=1e-4), pytest.approx(0.3662, abs=1e-4))


def test_all_right_and_all_wrong() -> None:
    right = evaluate(["letter"], [said("letter")])
    assert (right.accuracy, right.macro_f1, right.confused_pairs, right.confident_errors) == (1, 1, (), ())
    wrong = evaluate(["letter"] * 2, [said("invoice")] * 2)
    assert (wrong.accuracy, wrong.macro_f1, wrong.accepted_accuracy) == (0, 0, 0)
    assert wrong.accuracy_interval_95[0] == pytest.approx(0, abs=1e-12)


def test_nothing_accepted_has_no_accuracy_among_accepted() -> None:
    report = evaluate(["letter"], [said("letter", accept=False)])
    assert (report.accepted_share, report.accepted_accuracy) == (0, None)


def test_document_without_prediction_is_wrong_and_has_its_own_column() -> None:
    report = evaluate(["letter", "letter"], [said("letter"), unread("blank.png")], ["x", " \n"])
    assert report.accuracy == 0.5
    assert report.categories[2].recall == 0.5
    assert report.predicted_categories == (*CATEGORIES, "")
    assert report.confusion[2].tolist() == [0, 0, 1, 1]
    assert [(m.document_id, m.error) for m in report.not_predicted] == [("blank.png", "the text is empty")]
    assert report.confused_pairs == ()
    assert sum(report.score_histogram.right) + sum(report.score_histogram.wrong) == 1


def test_category_unknown_to_the_model_is_named_and_wrong() -> None:
    report = evaluate(["letter", "recipe", "map"], [said("letter"), said("letter"), said("invoice")])
    assert [(f.category, f.support, f.f1) for f in report.unknown_categories] == [("map", 1, 0), ("recipe", 1, 0)]
    assert report.true_categories == (*CATEGORIES, "map", "recipe")
    assert report.predicted_categories == tuple(CATEGORIES)
    assert report.confusion.shape == (5, 3)
    assert report.accuracy == pytest.approx(1 / 3)
    assert report.macro_f1 == pytest.approx((2 / 3 + 0 + 0) / 3)


def test_papers_of_none_of_the_categories_count_as_wrong_where_they_are_accepted_and_nowhere_else() -> None:
    truths = ["contract", "invoice", "letter", "letter"]
    predictions = [said("contract"), said("letter", 0.8), said("letter", 0.7), unread()]
    none = [said("letter", 0.95, "filed"), said("invoice", 0.6, "turned away", accept=False), unread("blank")]
    limits = [Acceptance(max_error=0.2, confidence=0.9, threshold=0.75, accepted=0.5, error=0.1)]
    texts, ocr = [f"text {i}" for i in range(7)], [90.0] * 7
    alone = evaluate_predictions(CATEGORIES, truths, predictions, texts=texts[:4], ocr_confidences=ocr[:4])
    report = evaluate_predictions(
        CATEGORIES,
        [*truths, *["none of these"] * 3],
        [*predictions, *none],
        texts=texts,
        groups={"issuer": ["a", "b", "a", "b", "a", "c", "c"]},
        ocr_confidences=ocr,
        acceptances=limits,
    )
    assert (report.documents, report.none_of_these, report.none_of_these_accepted) == (4, 3, 1)
    for name in ("right", "accuracy", "accuracy_interval_95", "macro_f1", "categories", "calibration", "not_predicted"):
        assert getattr(report, name) == getattr(alone, name), name
    for name in ("score_histogram", "by_ocr_confidence", "unknown_categories", "label_issues", "unknown_accepted"):
        assert getattr(report, name) == getattr(alone, name), name
    assert report.confusion.tolist() == alone.confusion.tolist()
    assert [(group.value, group.documents, group.accuracy) for group in report.groups] == [("a", 2, 1), ("b", 2, 0)]
    assert (report.accepted, report.accepted_right, report.accepted_accuracy) == (4, 2, 0.5)
    assert report.accepted_share == 4 / 7
    assert (report.by_max_error[0].accepted, report.by_max_error[0].accepted_right) == (3, 1)
    # what was filed wrongly is shown among the mistakes
    assert [one.document_id for one in report.confident_errors] == ["filed", "d"]
    assert ("none of these", "letter") in {(pair.category, pair.predicted_category) for pair in report.confused_pairs}
    assert sum(reason.documents for reason in report.reasons) == 3


def test_papers_of_none_of_the_categories_alone_cannot_be_evaluated() -> None:
    with pytest.raises(BadDataError, match="no document of a category"):
        evaluate(["none of these"], [said("letter")])


def test_category_without_documents_is_no_part_of_macro_f1() -> None:
    report = evaluate(["letter", "invoice"], [said("letter"), said("contract")])
    assert report.macro_f1 == pytest.approx(0.5)
    assert report.categories[0].predicted == 1


def test_pairs_come_with_their_documents_most_first() -> None:
    report = evaluate(
        ["letter", "invoice", "invoice", "contract"],
        [said("invoice", 0.99, "a"), said("letter", 0.3, "b"), said("letter", 0.7, "c"), said("contract", 0.9, "d")],
        ["one", "two\n\n  lines", "w " * 500, "four"],
    )
    first, second = report.confused_pairs
    assert (first.category, first.predicted_category) == ("invoice", "letter")
    assert [document.document_id for document in first.documents] == ["c", "b"]
    assert first.documents[1].snippet == "two lines"
    assert len(first.documents[0].snippet) <= SNIPPET_LENGTH
    assert first.documents[0].snippet.endswith("…")
    assert second.documents[0].document_id == "a"
    assert [document.document_id for document in report.confident_errors] == ["a", "c", "b"]


@pytest.mark.parametrize("wrong", [CONFIDENT_ERRORS, CONFIDENT_ERRORS + 1])
def test_most_confident_errors_are_limited(wrong: int) -> None:
    report = evaluate(["letter"] * wrong, [said("invoice", index / 100, str(index)) for index in range(wrong)])
    assert len(report.confident_errors) == CONFIDENT_ERRORS
    assert report.confident_errors[0].document_id == str(wrong - 1)
    assert len(report.confused_pairs[0].documents) == wrong


def test_histogram_holds_the_ends_of_the_scale() -> None:
    report = evaluate(
        ["letter"] * 5,
        [said("letter", score) for score in (0.0, 0.05, 1.0, 1.0000000002)] + [said("invoice", 0.5)],
    )
    assert (report.score_histogram.right[0], report.score_histogram.right[1], report.score_histogram.right[-1]) == (
        1,
        1,
        2,
    )
    assert report.score_histogram.wrong[10] == 1
    assert len(report.score_histogram.edges) == len(report.score_histogram.right) + 1 == 21


def test_curve_counts_documents_without_an_answer_as_never_accepted() -> None:
    report = evaluate(["letter"] * 4, [said("letter", 0.9), said("letter", 0.8), said("invoice", 0.7), unread()])
    assert report.risk_coverage is not None
    assert report.risk_coverage.accepted.tolist() == [0.25, 0.5, 0.75]
    assert report.risk_coverage.error.tolist() == [0, 0, pytest.approx(1 / 3)]
    assert report.calibration is not None
    assert report.calibration.documents == 3


def test_without_any_answer_there_is_no_curve() -> None:
    report = evaluate(["letter"], [unread()])
    assert (report.risk_coverage, report.calibration, report.familiarity_histogram) == (None, None, None)
    assert report.accepted_error_bound_95 is None


def test_bound_of_the_error_among_accepted() -> None:
    report = evaluate(["letter"] * 59, [said("letter")] * 59)
    # 59 without a mistake: the smallest number that shows 5 % with 95 % confidence
    assert report.accepted_error_bound_95 == pytest.approx(0.0495, abs=1e-4)


def test_losses_leave_out_categories_unknown_to_the_model() -> None:
    sure = dataclasses.replace(said("letter", 0.8), scores=(0.1, 0.1, 0.8))
    report = evaluate(["letter", "recipe"], [sure, sure])
    assert report.calibration is not None
    assert (report.calibration.documents, report.calibration.known) == (2, 1)
    assert report.calibration.log_loss == pytest.approx(-np.log(0.8))
    assert report.calibration.brier == pytest.approx(0.06)
    assert report.calibration.bins[0].right == 0.5


def test_reasons_are_counted_whatever_the_pair() -> None:
    reasons = ["unsure between invoice and letter", "poor scan", "unsure between contract and letter", ""]
    predictions = [
        dataclasses.replace(said(category, accept=not reason), reason=reason)
        for category, reason in zip(["letter", "letter", "invoice", "letter"], reasons, strict=True)
    ]
    report = evaluate(["letter"] * 4, predictions)
    assert [(f.reason, f.documents, f.right) for f in report.reasons] == [("unsure", 2, 1), ("poor scan", 1, 1)]


def test_familiarity_is_shown_where_predictions_carry_it() -> None:
    assert evaluate(["letter"], [said("letter")]).familiarity_histogram is None
    new = dataclasses.replace(said("invoice"), familiarity=0.01)
    known = dataclasses.replace(said("letter"), familiarity=0.5)
    report = evaluate(["letter"] * 2, [new, known])
    assert report.familiarity_histogram is not None
    assert (report.familiarity_histogram.wrong[0], report.familiarity_histogram.right[10]) == (1, 1)


def test_groups_of_ocr_confidence_start_with_the_worst() -> None:
    predictions = [said("letter" if index >= 10 else "invoice", accept=index >= 20) for index in range(40)]
    confidences = [None, None, *(float(index) for index in range(2, 40))]
    report = evaluate_predictions(CATEGORIES, ["letter"] * 40, predictions, texts=None, ocr_confidences=confidences)
    assert [(g.lowest, g.highest, g.documents) for g in report.by_ocr_confidence] == [
        (2, 14, 13), (15, 26, 12), (27, 39, 13)
    ]  # fmt: skip
    worst, middle, best = report.by_ocr_confidence
    assert (worst.right, worst.accepted, best.right, best.accepted_right) == (5, 0, 13, 13)
    assert middle.accepted == 7
    unknown = evaluate_predictions(CATEGORIES, ["letter"], [said("letter")], texts=None, ocr_confidences=[None])
    assert unknown.by_ocr_confidence == ()


def test_only_the_most_confident_errors_are_explained() -> None:
    asked: list[int] = []

    def explain(document: int) -> list[tuple[str, float]]:
        asked.append(document)
        return [("dear", -0.5), ("total", 2.0), ("nothing", 0.0), *((f"word {n}", n / 10) for n in range(1, 9))]

    wrong = CONFIDENT_ERRORS + 1
    report = evaluate_predictions(
        CATEGORIES,
        ["letter"] * (wrong + 1),
        [*(said("invoice", 0.5 + index / 100, str(index)) for index in range(wrong)), said("letter")],
        texts=[f"text {index}\n" + "x" * 2000 for index in range(wrong + 1)],
        explain=explain,
    )
    assert len(asked) == CONFIDENT_ERRORS
    worst = report.confident_errors[0]
    assert worst.spoke_for[:2] == (("total", 2.0), ("word 8", 0.8))
    assert len(worst.spoke_for) == MAX_TERMS
    assert worst.spoke_against == (("dear", -0.5),)
    assert worst.excerpt.startswith(f"text {wrong - 1}\nxxx")
    assert len(worst.excerpt) == EXCERPT_LENGTH
    assert report.confused_pairs[0].documents[0].excerpt == ""


@pytest.mark.parametrize("wrong", [LABEL_ISSUES, LABEL_ISSUES + 1])
def test_label_issues_come_likeliest_first(wrong: int) -> None:
    shares = [0.6, *(0.7 + index / 100 for index in range(wrong))]
    predictions = [
        dataclasses.replace(said("invoice", name=f"{index:02}"), score=share, scores=(0.0, share, 1 - share))
        for index, share in enumerate(shares)
    ]
    report = evaluate(["invoice", *["letter"] * wrong], predictions)
    first = report.label_issues[0]
    assert (first.document_id, first.category, first.suggested) == (f"{wrong:02}", "letter", "invoice")
    assert (first.score, first.category_score) == (shares[-1], pytest.approx(1 - shares[-1]))
    assert len(report.label_issues) == LABEL_ISSUES


def test_no_label_is_an_issue_that_the_model_does_not_know() -> None:
    sure = dataclasses.replace(said("letter", 0.8), scores=(0.1, 0.1, 0.8))
    assert evaluate(["recipe", "letter"], [sure, sure]).label_issues == ()


def test_no_documents_are_refused() -> None:
    with pytest.raises(BadDataError, match="no document of a category"):
        evaluate([], [])


def test_document_without_category_is_refused_by_name() -> None:
    with pytest.raises(BadDataError, match=r"scan\.pdf: has no category"):
        evaluate(["letter", ""], [said("letter"), said("letter", name="scan.pdf")])


def test_what_does_not_belong_together_is_refused() -> None:
    with pytest.raises(ValueError, match="2 categories, 1 predictions"):
        evaluate(["letter", "letter"], [said("letter")])
    with pytest.raises(ValueError, match="map"):
        evaluate(["letter"], [said("map")])


def test_report_cannot_be_changed() -> None:
    report = evaluate(["letter"], [said("letter")])
    with pytest.raises(ValueError, match="read-only"):
        report.confusion[0, 0] = 7
    with pytest.raises(dataclasses.FrozenInstanceError):
        report.documents = 2  # type: ignore[misc]


@settings(max_examples=15)
@given(
    st.lists(
        st.tuples(st.sampled_from([*CATEGORIES, "map", "=2+3"]), st.sampled_from([*CATEGORIES, ""]), st.floats(0, 1)),
        min_size=1,
        max_size=40,
    )
)
def test_figures_are_scikit_learns(rows: list[tuple[str, str, float]]) -> None:
    truths = [truth for truth, _, _ in rows]
    answers = [answer for _, answer, _ in rows]
    report = evaluate(truths, [said(answer, score, str(i)) for i, (_, answer, score) in enumerate(rows)])
    names = list(report.true_categories)
    precision, recall, f1, support = precision_recall_fscore_support(truths, answers, labels=names, zero_division=0)
    figures = np.array([(f.precision, f.recall, f.f1, f.support) for f in report.categories])
    np.testing.assert_allclose(figures, np.column_stack([precision, recall, f1, support]))
    assert report.accuracy == pytest.approx(accuracy_score(truths, answers))
    assert report.macro_f1 == pytest.approx(
        f1_score(truths, answers, labels=sorted(set(truths)), average="macro", zero_division=0)
    )
    assert report.confusion.sum() == report.documents
    wrong = sum(len(pair.documents) for pair in report.confused_pairs) + len(report.not_predicted)
    assert wrong == report.documents - report.right
    assert sum(report.score_histogram.right) == report.right
    low, high = report.accuracy_interval_95
    assert -1e-12 <= low <= report.accuracy + 1e-12
    assert report.accuracy - 1e-12 <= high <= 1 + 1e-12


def test_a_stack_is_accepted_at_no_maximum_error() -> None:
    unsure = dataclasses.replace(said("invoice", 0.8, accept=False), reason="unsure between invoice and letter")
    stack = dataclasses.replace(unsure, pages=(said("invoice", 0.9), said("letter", 0.9)))
    loose = Acceptance(max_error=0.2, confidence=0.9, threshold=0.7, accepted=0.9, error=0.1)
    report = evaluate_predictions(CATEGORIES, ["invoice"] * 2, [unsure, stack], texts=None, acceptances=[loose])
    assert report.by_max_error[0].accepted == 1

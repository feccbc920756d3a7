"""The estimator among scikit-learn's tools: each of them as its users call it."""

from __future__ import annotations

import io
import pickle
import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.exceptions import SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, confusion_matrix, roc_auc_score
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    cross_val_predict,
    cross_val_score,
    cross_validate,
    learning_curve,
    permutation_test_score,
)
from sklearn.multiclass import OneVsOneClassifier, OneVsRestClassifier, OutputCodeClassifier
from sklearn.pipeline import FeatureUnion, make_pipeline
from sklearn.preprocessing import FunctionTransformer, LabelEncoder
from sklearn.svm import LinearSVC
from sklearn.utils import get_tags
from sklearn.utils._param_validation import InvalidParameterError
from sklearn.utils.estimator_checks import (
    check_do_not_raise_errors_in_init_or_set_params,
    check_estimator_cloneable,
    check_estimator_repr,
    check_estimator_tags_renamed,
    check_get_params_invariance,
    check_mixin_order,
    check_no_attributes_set_in_init,
    check_param_validation,
    check_parameters_default_constructible,
    check_set_params,
    check_valid_tag_types,
    parametrize_with_checks,
)

import textclf
from features.vectorizer import NgramVectorizer
from textclf import DocumentClassifier
from textclf.base.errors import BadDataError, TextclfError, UsageError

WORDS = {
    "invoice": "invoice total due vat net gross payment bank",
    "letter": "dear madam sincerely yours regards aunt love",
    "receipt": "cash change till item card shop euro coins",
}


def documents(each: int = 6, kinds: int = 3) -> tuple[list[str], list[str]]:
    draw = np.random.default_rng(0)
    texts, names = [], []
    for name, words in list(WORDS.items())[:kinds]:
        for _ in range(each):
            texts.append(" ".join(draw.choice([*words.split(), "the", "of", "and", "to"], 12)))
            names.append(name)
    return texts, names


TEXTS, NAMES = documents()
NUMBERS = [{"invoice": 2, "letter": 10, "receipt": -1}[name] for name in NAMES]
QUICK = DocumentClassifier(lexicon="none", vectors="none", augment=False, background=False)
NEW = ["total vat due by bank", "dear aunt with love", "coins and change at the till"]


@pytest.fixture(scope="module")
def fitted():
    return clone(QUICK).fit(TEXTS, NAMES)


with warnings.catch_warnings():
    # of estimators of texts scikit-learn checks the interface only, and says so
    warnings.simplefilter("ignore", SkipTestWarning)
    checks = parametrize_with_checks([QUICK])


@checks
def test_what_scikit_learn_expects_of_an_estimator_of_texts(estimator, check):
    check(estimator)


@pytest.mark.parametrize("estimator", [DocumentClassifier(), NgramVectorizer()], ids=lambda one: type(one).__name__)
@pytest.mark.parametrize(
    "check",
    [
        # those of the further checks that feed no numbers
        check_do_not_raise_errors_in_init_or_set_params,
        check_estimator_cloneable,
        check_estimator_repr,
        check_estimator_tags_renamed,
        check_get_params_invariance,
        check_mixin_order,
        check_no_attributes_set_in_init,
        check_param_validation,
        check_parameters_default_constructible,
        check_set_params,
        check_valid_tag_types,
    ],
    ids=lambda check: check.__name__,
)
def test_the_further_checks_that_feed_no_numbers(estimator, check):
    check(type(estimator).__name__, estimator)


def test_the_tags_say_that_it_classifies_texts_and_needs_labels(fitted):
    tags = get_tags(DocumentClassifier())
    assert is_classifier(DocumentClassifier())
    assert (tags.input_tags.string, tags.input_tags.two_d_array, tags.input_tags.sparse) == (True, False, False)
    assert (tags.target_tags.required, tags.requires_fit, tags.non_deterministic) == (True, True, False)
    # as of scikit-learn's own estimators of texts, columns are neither counted nor named
    assert not hasattr(fitted, "n_features_in_")
    assert not hasattr(fitted, "feature_names_in_")


@pytest.mark.parametrize(
    "labels",
    [
        NAMES,
        [np.str_(name) for name in NAMES],
        np.array(NAMES, dtype=object),
        pd.Series(NAMES, index=range(100, 118)),
        pd.Categorical(NAMES),
        NUMBERS,
        np.array(NUMBERS, dtype=np.int16),
        np.array(NUMBERS, dtype=object),
        pd.Series(NUMBERS, dtype="category"),
        pd.Index(NUMBERS),
        [float(number) for number in NUMBERS],
        [name == "letter" for name in NAMES],
        np.array([name == "letter" for name in NAMES]),
    ],
    ids=lambda labels: f"{type(labels).__name__} of {type(labels[0] if isinstance(labels, list) else 0).__name__}",
)
def test_labels_come_back_as_they_were_given(labels):
    fitted = clone(QUICK).fit(TEXTS, labels)
    given = list(labels)
    assert fitted.classes_.tolist() == np.unique(np.array(given)).tolist()
    assert fitted.predict(TEXTS).tolist() == given
    assert {type(label) for label in fitted.predict(TEXTS).tolist()} == {type(np.array(given).tolist()[0])}
    assert fitted.score(TEXTS, given) == accuracy_score(given, fitted.predict(TEXTS)) == 1
    # what the labels are called changes no figure
    plain = clone(QUICK).fit(TEXTS, LabelEncoder().fit_transform(given))
    assert plain.predict_proba(NEW).tobytes() == fitted.predict_proba(NEW).tobytes()


@pytest.mark.parametrize("voting", ["hard", "soft"])
@pytest.mark.parametrize("labels", [NAMES, NUMBERS], ids=["names", "numbers"])
def test_voting(voting, labels):
    voters = [("ours", clone(QUICK)), ("plain", make_pipeline(NgramVectorizer(), LogisticRegression()))]
    fitted = VotingClassifier(voters, voting=voting).fit(TEXTS, labels)
    assert fitted.predict(NEW).tolist() == [labels[0], labels[6], labels[12]]
    assert fitted.score(TEXTS, labels) == 1


@pytest.mark.parametrize("method", ["auto", "decision_function", "predict"])
def test_stacking(method):
    learners = [("ours", clone(QUICK)), ("plain", make_pipeline(NgramVectorizer(), LinearSVC()))]
    stacked = StackingClassifier(
        learners, LogisticRegression(), cv=2, stack_method="auto" if method == "auto" else method
    )
    assert stacked.fit(TEXTS, NAMES).predict(NEW).tolist() == ["invoice", "letter", "receipt"]


@pytest.mark.parametrize("labels", [NAMES, NUMBERS], ids=["names", "numbers"])
def test_predictions_out_of_fold(labels):
    predicted = cross_val_predict(clone(QUICK), TEXTS, labels, cv=3)
    assert confusion_matrix(labels, predicted).trace() > 12
    for method in ("predict_proba", "predict_log_proba", "decision_function"):
        columns = cross_val_predict(clone(QUICK), TEXTS, labels, cv=3, method=method)
        assert columns.shape == (18, 3)
        # the columns stand as the labels are sorted
        assert (np.unique(labels)[columns.argmax(axis=1)] == predicted).all()


@pytest.mark.parametrize(
    "wrapped",
    [OneVsRestClassifier(QUICK), OutputCodeClassifier(QUICK, random_state=0)],
    ids=lambda one: type(one).__name__,
)
@pytest.mark.parametrize("labels", [NAMES, NUMBERS], ids=["names", "numbers"])
def test_one_against_the_rest_and_output_codes(wrapped, labels):
    assert clone(wrapped).fit(TEXTS, labels).predict(NEW).tolist() == [labels[0], labels[6], labels[12]]


@pytest.mark.parametrize(
    "tool", [OneVsOneClassifier(QUICK), BaggingClassifier(QUICK)], ids=lambda one: type(one).__name__
)
def test_tools_that_take_tables_of_numbers_only_say_so_themselves(tool):
    with pytest.raises(ValueError, match=r"could not convert|Expected 2D"):
        clone(tool).fit(np.array(TEXTS, dtype=object), NUMBERS)


def test_one_against_the_rest_with_several_labels_a_document():
    both = np.array([[name != "letter", name != "receipt"] for name in NAMES]).astype(int)
    fitted = OneVsRestClassifier(clone(QUICK)).fit(TEXTS, both)
    assert fitted.predict(NEW).tolist() == [[1, 1], [0, 1], [1, 0]]


def test_a_search_over_settings_with_any_labels():
    search = GridSearchCV(clone(QUICK), {"C": [0.1, 1.0], "augment": [False]}, cv=2, scoring="neg_log_loss")
    search.fit(TEXTS, NUMBERS)
    assert search.best_params_["C"] in (0.1, 1.0)
    assert search.predict(NEW).tolist() == [2, 10, -1]
    assert search.classes_.tolist() == [-1, 2, 10]


@pytest.mark.parametrize(("method", "ensemble"), [("sigmoid", True), ("isotonic", False), ("temperature", True)])
def test_another_calibration(method, ensemble):
    fitted = CalibratedClassifierCV(clone(QUICK), method=method, ensemble=ensemble, cv=2).fit(TEXTS, NUMBERS)
    assert fitted.predict(NEW).tolist() == [2, 10, -1]
    assert np.allclose(fitted.predict_proba(NEW).sum(axis=1), 1)


def test_pipelines_and_metrics_of_two_labels():
    texts, names = documents(kinds=2)
    labels = [name == "letter" for name in names]
    lower = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    fitted = make_pipeline(lower, clone(QUICK)).fit(texts, labels)
    assert fitted.predict(NEW[:2]).tolist() == [False, True]
    assert roc_auc_score(labels, fitted.decision_function(texts)) == 1
    assert roc_auc_score(labels, fitted.predict_proba(texts)[:, 1]) == 1
    assert cross_val_score(clone(QUICK), texts, labels, cv=2, scoring="roc_auc").min() > 0.8
    union = FeatureUnion([("words", NgramVectorizer()), ("characters", NgramVectorizer("character", 2, 3))])
    assert make_pipeline(union, LinearSVC()).fit(texts, labels).predict(NEW[:2]).tolist() == [False, True]


def test_cross_validation_with_groups_inside_and_outside():
    groups = np.arange(18) % 6
    scores = cross_validate(
        clone(QUICK),
        TEXTS,
        NUMBERS,
        groups=groups,
        cv=GroupKFold(2),
        # of the estimator itself, each fold its part
        params={"groups": groups},
        scoring=["accuracy", "f1_macro"],
        return_estimator=True,
    )
    assert scores["test_accuracy"].min() > 0.6
    assert {fitted.model_.training.kept_together for fitted in scores["estimator"]} == {3}


def test_weights_reach_the_estimator_through_the_tools():
    weights = np.where(np.array(NAMES) == "receipt", 0.0, 1.0)
    search = GridSearchCV(clone(QUICK), {"C": [1.0]}, cv=2).fit(TEXTS, NAMES, sample_weight=weights)
    assert search.classes_.tolist() == ["invoice", "letter"]
    voting = VotingClassifier([("ours", clone(QUICK))]).fit(TEXTS, NAMES, sample_weight=np.ones(18))
    assert voting.predict(NEW).tolist() == ["invoice", "letter", "receipt"]


def test_a_weight_of_nought_is_as_if_the_document_were_not_there(fitted):
    noise = [("coins till cash", "letter"), ("dear aunt love", "unheard of"), ("", "letter")]
    texts, labels = [*TEXTS], [*NAMES]
    for place, (text, label) in zip((0, 7, 20), noise, strict=True):
        texts.insert(place, text)
        labels.insert(place, label)
    weights = np.ones(21)
    weights[[0, 7, 20]] = 0
    one, other = io.BytesIO(), io.BytesIO()
    clone(QUICK).fit(texts, labels, weights).save(one)
    fitted.save(other)
    assert one.getvalue() == other.getvalue()


def test_a_weight_of_one_changes_nothing(fitted):
    one, other = io.BytesIO(), io.BytesIO()
    clone(QUICK).fit(TEXTS, NAMES, sample_weight=[1] * 18).save(one)
    fitted.save(other)
    assert one.getvalue() == other.getvalue()


def test_a_weight_of_two_counts_as_the_document_twice():
    order = "purchase order number"
    texts, names = [*TEXTS * 2, *[order] * 4], [*NAMES * 2, "invoice", "invoice", "letter", "letter"]
    twice = np.ones(40)
    twice[36:38] = 2
    weighted = clone(QUICK).fit(texts, names, twice)
    repeated = clone(QUICK).fit([*texts, order, order], [*names, "invoice", "invoice"])
    plain = clone(QUICK).fit(texts, names)
    for ask in ("decision_function", "predict_proba"):
        expected = getattr(repeated, ask)([order])[0]
        near, far = (np.abs(getattr(fitted, ask)([order])[0] - expected).max() for fitted in (weighted, plain))
        assert near < far / 4
    assert weighted.predict([order]).tolist() == repeated.predict([order]).tolist() == ["invoice"]


def test_weights_decide_between_documents_that_contradict_each_other():
    texts = [*TEXTS, *["purchase order number"] * 6]
    labels = [*NAMES, *["invoice", "letter"] * 3]
    for favoured, other in (("invoice", "letter"), ("letter", "invoice")):
        weights = [
            0.05 if text.startswith("purchase") and label == other else 1
            for text, label in zip(texts, labels, strict=True)
        ]
        fitted = clone(QUICK).fit(texts, labels, weights)
        assert fitted.predict(["purchase order number"]).tolist() == [favoured]


def test_logarithms_of_scores_are_finite_and_fit_them(fitted):
    scores, logs = fitted.predict_proba(TEXTS), fitted.predict_log_proba(TEXTS)
    assert np.allclose(np.exp(logs), scores)
    assert np.isfinite(logs).all()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"C": 0}, "The 'C' parameter of DocumentClassifier must be a float in the range .* Got 0 instead"),
        ({"C": "1"}, "'C' parameter"),
        ({"vector_size": 1001}, "'vector_size' parameter"),
        ({"vector_size": 2.5}, "'vector_size' parameter"),
        ({"max_error": 1.0}, "'max_error' parameter"),
        ({"confidence": float("nan")}, "'confidence' parameter"),
        ({"random_state": -1}, "'random_state' parameter"),
        ({"lexicon": None}, "'lexicon' parameter"),
        ({"n_jobs": "all"}, "'n_jobs' parameter"),
    ],
)
def test_parameters_that_make_no_sense_are_refused_at_fit_as_scikit_learn_does(options, says):
    estimator = clone(QUICK).set_params(**options)
    with pytest.raises(InvalidParameterError, match=says) as caught:
        estimator.fit(TEXTS, NAMES)
    assert isinstance(caught.value, UsageError)
    assert "\n" not in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)


def test_the_old_spelling_is_gone():
    with pytest.raises(TypeError):
        DocumentClassifier(c=1.0)


def test_a_random_state_of_any_kind():
    fixed = [clone(QUICK).set_params(random_state=np.random.RandomState(3)).fit(TEXTS, NAMES) for _ in range(2)]
    assert fixed[0].out_of_fold_scores_.tobytes() == fixed[1].out_of_fold_scores_.tobytes()
    drawn = clone(QUICK).set_params(random_state=None).fit(TEXTS, NAMES)
    # what was drawn stands in the model, so that the training can be done again
    again = clone(QUICK).set_params(random_state=drawn.model_.settings["random_state"]).fit(TEXTS, NAMES)
    assert again.out_of_fold_scores_.tobytes() == drawn.out_of_fold_scores_.tobytes()
    assert drawn.random_state is None


@pytest.mark.parametrize(
    "texts",
    ["dear", b"dear", None, 7, [1.5, 2.5], ["dear", None], [b"dear"], np.ones((2, 3)), pd.DataFrame({"a": ["x"]}), {}],
    ids=str,
)
def test_what_is_no_list_of_texts_is_refused_everywhere(fitted, texts):
    model = fitted.model_
    asks = [fitted.predict, fitted.predict_proba, fitted.predict_log_proba, fitted.decision_function]
    asks += [
        model.predict,
        lambda texts: list(model.pipe(texts)),
        model.predict_proba,
        model.features.rows,
        lambda texts: clone(QUICK).fit(texts, NAMES),
    ]
    asks += [lambda texts: clone(QUICK).fit(TEXTS, NAMES, out_of_distribution=texts)]
    for ask in asks:
        if texts is None and ask is asks[-1]:
            continue
        with pytest.raises(BadDataError, match=r"list of strings|not a string"):
            ask(texts)


def test_one_text_that_is_none_is_refused_by_those_who_take_one(fitted):
    model = fitted.model_
    client = textclf.LocalClient(model)
    for text in (None, 7, ["dear"], b"dear", pd.Series(["dear"])):
        with pytest.raises(ValueError, match="not a string"):
            textclf.predict_document_category(client, text)
        with pytest.raises(ValueError, match="text_data"):
            client.predict(MLModelId="", Record={"text_data": text}, PredictEndpoint="")
        with pytest.raises(BadDataError, match="not a string"):
            list(model.pipe(["fine", text]))
    with pytest.raises(BadDataError, match="list of strings"):
        model.pipe(["a", "b"], "ab")


def test_training_says_what_the_person_should_know():
    fitted = clone(QUICK).fit(
        [*TEXTS, "", "memo to all", "memo to you", "lost"],
        [*NAMES, "letter", "memo", "memo", ""],
        groups=["a"] * 6 + ["b", "c"] * 8,
    )
    few, empty, group, nothing = fitted.warnings_
    assert few == "category 'memo' has 2 documents and should have at least 5"
    assert empty == "1 of 21 documents have no text and were left out"
    assert fitted.model_.training.unlabelled.given == 1
    assert group.startswith("category 'invoice': all documents are of group 'a'")
    assert nothing.startswith("accepts nothing: ")
    [again] = fitted.fit(TEXTS, NAMES).warnings_
    assert again.startswith("accepts nothing: ")


def test_what_is_shown_fits_a_screen(trained, model):
    odd = clone(QUICK).fit([*TEXTS] * 4, [f"{name} <b>&{i // 3}" for i, name in enumerate(NAMES * 4)])
    for shown in (DocumentClassifier(), trained, odd, model, odd.model_):
        assert len(repr(shown)) < 700
        html = shown._repr_html_()
        assert "<b>&" not in html
        assert 50 < len(html) < 60_000
    line = repr(model)
    assert line.startswith("<textclf model: 3 categories ('invoice', 'letter', 'receipt'); documents 72; accuracy ")
    assert "\n" not in line
    assert len(repr(odd.model_)) < 300


@pytest.mark.parametrize("labels", [NAMES, NUMBERS, [n == "letter" for n in NAMES], [float(n) for n in NUMBERS]])
def test_labels_survive_the_file(labels, tmp_path):
    fitted = clone(QUICK).fit(TEXTS, labels)
    fitted.save(tmp_path / "model.textclf")
    loaded = textclf.load(tmp_path / "model.textclf")
    assert loaded.labels == tuple(np.unique(labels).tolist())
    assert [type(label) for label in loaded.labels] == [type(np.array(labels).tolist()[0])] * len(loaded.labels)
    assert loaded.categories == tuple(map(str, loaded.labels))
    label_of = dict(zip(loaded.categories, loaded.labels, strict=True))
    assert [label_of[said.predicted_category] for said in loaded.pipe(NEW)] == fitted.predict(NEW).tolist()
    assert loaded.predict(NEW).tolist() == fitted.predict(NEW).tolist()
    assert loaded.classes_.tolist() == fitted.classes_.tolist()
    assert repr(loaded) == repr(fitted.model_)


def test_pickles_learning_curves_and_permutation_tests():
    fitted = pickle.loads(pickle.dumps(clone(QUICK).fit(TEXTS, NUMBERS)))
    assert fitted.predict(NEW).tolist() == [2, 10, -1]
    sizes = learning_curve(clone(QUICK), TEXTS, NUMBERS, cv=2, train_sizes=[0.9, 1.0], shuffle=True)[0]
    assert sizes.tolist() == [8, 9]
    score, _, p_value = permutation_test_score(clone(QUICK), TEXTS, NUMBERS, cv=2, n_permutations=2)
    assert score > 0.6
    assert p_value <= 1


def test_all_errors_are_those_of_the_project():
    with pytest.raises(TextclfError):
        clone(QUICK).fit("text", NAMES)

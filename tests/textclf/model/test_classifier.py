from __future__ import annotations

import io
import itertools
import json
import os
import random
import subprocess
import sys
from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import textclf
from textclf import DocumentClassifier
from textclf.base.errors import BadDataError, BadInputError, BadModelError, LostTaskError, UsageError
from textclf.model.classifier import InvalidOptionError
from textclf.model.file import save_model
from textclf.model.settings import TrainingSettings
from textclf.model.training_data import read_training_data

ROOT = Path(__file__).parents[3]
ODD_TEXTS = ["", " \n", "!?", "zzz qqq", "invoice " * 5000, "\ud800 \0 vat", "𝓲nvoice ﬁ Ⅷ", "dear madam"]


def test_the_loaded_model_and_the_estimator_agree_to_the_bit(trained, model_path, corpus):
    texts = [*corpus(4, seed=9).texts, *ODD_TEXTS]
    model = textclf.load(model_path)
    assert model.margins(texts).tobytes() == trained.decision_function(texts).tobytes()
    scores = trained.predict_proba(texts)
    assert model.predict_proba(texts).tobytes() == scores.tobytes()
    assert model.classes_.tolist() == trained.classes_.tolist()
    assert model.predict(texts).tolist() == trained.predict(texts).tolist()
    predictions = list(model.pipe(texts))
    for prediction, label, row in zip(predictions, trained.predict(texts), scores, strict=True):
        if prediction.status != "skipped":
            assert prediction.predicted_category == label
            assert prediction.scores == tuple(row)
            assert prediction.score == row.max()


def test_one_document_alone_is_predicted_as_in_a_batch(model, corpus):
    texts = [*corpus(20, seed=5).texts, *ODD_TEXTS]
    together = list(model.pipe(texts))
    assert [model(text, one.document_id) for text, one in zip(texts, together, strict=True)] == together


def test_a_stream_is_read_no_further_than_a_batch_ahead(model, corpus):
    text = corpus(1).texts[0]
    given = 0

    def endless():
        nonlocal given
        while True:
            given += 1
            yield text

    stream = model.pipe(endless())
    assert given == 0
    assert [next(stream).document_id for _ in range(3)] == ["0", "1", "2"]
    assert given < 100


def test_every_text_has_its_own_id_and_confidence(model, corpus):
    texts = corpus(12).texts
    names = [f"{number}.pdf" for number in range(len(texts))]
    found = list(model.pipe(texts, names, ocr_confidences=[90.0] * len(texts)))
    assert [prediction.document_id for prediction in found] == names
    assert [prediction.document_id for prediction in model.pipe(texts)] == [str(n) for n in range(len(texts))]
    for wrong in ({"document_ids": names[1:]}, {"ocr_confidences": [50.0]}):
        with pytest.raises(UsageError, match="than texts"):
            list(model.pipe(texts, **wrong))


def test_scores_add_up_to_one_and_unknown_words_are_not_certain(trained, corpus):
    scores = trained.predict_proba([*corpus(4, seed=2).texts, *ODD_TEXTS])
    assert np.allclose(scores.sum(axis=1), 1)
    assert trained.predict_proba(["zzz qqq"]).max() < 0.7


def test_an_empty_text_is_for_review(model):
    for text in ("", " \n", "!?"):
        prediction = model(text)
        assert (prediction.decision, prediction.reason, prediction.status) == ("review", "no text", "skipped")
        assert prediction.predicted_category == ""


def test_any_maximum_error_at_use_decides_as_training_with_it(classifier, model, corpus, tmp_path):
    documents, new = corpus(20, seed=3), corpus(10, seed=4).texts
    fitted = {
        max_error: classifier(max_error=max_error).fit(documents.texts, documents.categories).model_
        for max_error in (0.02, 0.05, 0.13, 0.2)
    }
    save_model(fitted[0.05], tmp_path / "m.textclf")
    loaded = textclf.load(tmp_path / "m.textclf")
    assert len({one.training.acceptance.threshold for one in fitted.values()}) > 1
    for max_error, trained_with_it in fitted.items():
        assert loaded.with_max_error(max_error).training.acceptance == trained_with_it.training.acceptance
        assert list(loaded.pipe(new, max_error=max_error)) == list(trained_with_it.pipe(new))
    assert loaded(new[0], max_error=0.2) == fitted[0.2](new[0])


def test_a_model_that_accepts_nothing_still_says_what_it_is_unsure_of(classifier, corpus):
    documents = corpus(4)
    unsure = classifier().fit(documents.texts, documents.categories).model_
    assert unsure.training.acceptance.accepted == 0
    assert unsure(documents.texts[0]).reason.startswith("unsure between invoice and ")


def test_a_sure_prediction_is_accepted_and_an_unsure_one_says_between_what(model, corpus):
    sure = model(corpus(1, seed=3).texts[0])
    assert (sure.predicted_category, sure.decision, sure.reason) == ("invoice", "accept", "")
    assert sure.score >= model.training.acceptance.threshold
    invoice, letter, _ = (text.split() for text in corpus(1, seed=3).texts)
    unsure = model(" ".join(invoice + letter))
    assert (unsure.decision, unsure.reason) == ("review", "unsure between invoice and letter")
    assert unsure.score < model.training.acceptance.threshold


def test_a_text_without_any_known_word_is_of_an_unknown_kind_however_sure_the_score(model):
    sure_of_everything = replace(
        model, training=replace(model.training, acceptance=replace(model.training.acceptance, threshold=0.0))
    )
    for text in ("zzz qqq", "ζζζ 4711"):
        prediction = sure_of_everything(text)
        assert (prediction.decision, prediction.reason, prediction.status) == ("review", "unknown kind", "ok")


def test_a_text_over_the_limit_is_predicted_by_its_beginning_and_says_so(model):
    limit = 1_000_000
    text = "total due vat " * 80_000
    at, past = model.pipe([text[:limit], text[: limit + 1]])
    assert (at.status, at.error) == ("ok", "")
    assert past.status == "partial"
    assert "1,000,000" in past.error
    assert past.scores == at.scores


@pytest.mark.parametrize("kind", [list, tuple, np.array, pd.Series, lambda x: pd.Series(x, dtype="string"), pd.Index])
def test_any_sequence_of_strings_will_do(classifier, corpus, kind):
    _, texts, categories = corpus(4)
    fitted = classifier().fit(kind(texts), kind(categories))
    assert fitted.predict(kind(texts)).tolist() == classifier().fit(texts, categories).predict(texts).tolist()
    assert fitted.classes_.tolist() == ["invoice", "letter", "receipt"]


def test_a_series_whose_index_is_not_in_order_is_taken_in_its_order(classifier, corpus):
    _, texts, categories = corpus(4)
    index = np.random.default_rng(0).permutation(len(texts))
    fitted = classifier().fit(pd.Series(texts, index), pd.Series(categories, index))
    assert fitted.score(texts, categories) == 1


@pytest.mark.parametrize("bad", [None, float("nan"), 7, b"bytes", ["list"]])
def test_a_missing_value_is_refused_and_not_learned_as_a_word(classifier, corpus, bad):
    _, texts, categories = corpus(2)
    broken = np.empty(len(texts), object)
    broken[:] = texts
    broken[1] = bad
    with pytest.raises(BadDataError, match="text 1 is"):
        classifier().fit(broken, categories)
    with pytest.raises(BadDataError, match="label 1 is"):
        classifier().fit(texts, broken)


def test_two_categories_follow_the_librarys_convention(classifier, corpus, tmp_path):
    _, texts, categories = corpus(8, categories=["invoice", "letter"])
    fitted = classifier().fit(texts, categories)
    margins, scores = fitted.decision_function(texts), fitted.predict_proba(texts)
    assert margins.shape == (16,)
    assert scores.shape == (16, 2)
    assert ((margins > 0) == (scores[:, 1] > 0.5)).all()
    assert (fitted.classes_[(margins > 0).astype(int)] == fitted.predict(texts)).all()
    fitted.save(tmp_path / "two.textclf")
    assert textclf.load(tmp_path / "two.textclf").scores(fitted.model_.margins(texts)).tobytes() == scores.tobytes()


def test_documents_that_nothing_can_be_learned_from_are_refused(classifier, corpus):
    _, texts, categories = corpus(3)
    with pytest.raises(BadDataError, match="one category"):
        classifier().fit(texts[:3], categories[:3])
    with pytest.raises(BadDataError, match="'receipt'"):
        classifier().fit(texts[:7], categories[:7])
    with pytest.raises(BadDataError, match="no document with text"):
        classifier().fit(["", " "], ["a", "b"])
    with pytest.raises(BadDataError, match="9 texts but 8 categories"):
        classifier().fit(texts, categories[:8])
    with pytest.raises(BadDataError, match="no document"):
        classifier().fit([], [])


def test_a_category_whose_texts_are_all_empty_is_refused_and_not_forgotten(classifier, corpus):
    _, texts, categories = corpus(3)
    with pytest.raises(BadDataError, match="'receipt' has text"):
        classifier().fit([*texts[:6], "", " ", "!"], categories)


@pytest.mark.parametrize("each", [2, 3, 4])
def test_few_documents_are_warned_about_and_learned(classifier, corpus, each):
    _, texts, categories = corpus(each)
    fitted = classifier().fit(texts, categories)
    *few, nothing = fitted.warnings_
    assert len(few) == 3
    assert "accepts nothing" in nothing
    assert fitted.score(texts, categories) == 1
    assert fitted.model_.training.acceptance.threshold > 1


def test_empty_texts_are_left_out_and_counted(classifier, corpus):
    _, texts, categories = corpus(6)
    fitted = classifier().fit([*texts, "", "\n"], [*categories, "letter", "invoice"])
    assert fitted.model_.training.empty_texts == 2
    assert any("2 of 20 documents have no text" in warning for warning in fitted.warnings_)
    assert fitted.model_.training.documents == {"invoice": 6, "letter": 6, "receipt": 6}
    assert fitted.out_of_fold_scores_.shape == (18, 3)


@pytest.mark.parametrize("max_error", [0, 1, -0.1, 2, float("nan")])
def test_a_bound_that_is_none_is_refused_at_fit(classifier, corpus, max_error):
    _, texts, categories = corpus(3)
    with pytest.raises(UsageError, match="max_error"):
        classifier(max_error=max_error).fit(texts, categories)


def test_parameters_are_kept_as_given_and_cloned(classifier):
    options = {"C": 2.5, "max_error": 7, "lexicon": "nowhere.toml", "n_jobs": 3}
    estimator = DocumentClassifier(**options)
    assert options.items() <= estimator.get_params().items()
    assert clone(estimator).get_params() == estimator.get_params()
    assert estimator.set_params(C=1.0).C == 1.0
    assert "C=2.5" in repr(DocumentClassifier(C=2.5))


def test_before_fit_nothing_can_be_asked(classifier, tmp_path):
    for ask in (classifier().predict, classifier().predict_proba, classifier().decision_function):
        with pytest.raises(NotFittedError):
            ask(["text"])
    with pytest.raises(NotFittedError):
        classifier().save(tmp_path / "model.textclf")


def test_it_works_within_the_library(classifier, corpus):
    _, texts, categories = corpus(6)
    scores = cross_val_score(classifier(), texts, categories, cv=3)
    assert scores.min() > 0.6
    search = GridSearchCV(classifier(), {"C": [0.1, 1.0], "vectors": ["none"]}, cv=2, scoring="neg_log_loss")
    search.fit(texts, categories)
    assert search.best_params_["C"] in (0.1, 1.0)
    assert search.predict(["vat number total due"]).tolist() == ["invoice"]
    lower = FunctionTransformer(lambda texts: [text.upper() for text in texts])
    assert make_pipeline(lower, classifier()).fit(texts, categories).score(texts, categories) == 1


def test_fitting_again_forgets_the_first_time(classifier, corpus):
    _, texts, categories = corpus(4)
    fitted = classifier().fit(texts, categories).fit(texts[:8], categories[:8])
    assert fitted.classes_.tolist() == ["invoice", "letter"]
    assert fitted.predict_proba(texts).shape == (12, 2)


@pytest.mark.slow
def test_diagnostics_say_what_each_group_gives_and_the_learning_curve(classifier, corpus, caplog):
    _, texts, categories = corpus(10)
    caplog.set_level("INFO")
    fitted = classifier(diagnostics=True, lexicon="learn", vectors="learn", vector_size=4).fit(texts, categories)
    record = fitted.model_.training
    assert [group.features for group in record.groups] == ["text", "text + keywords", "text + keywords + vectors"]
    assert [point.documents for point in record.curve] == [6, 12, 24]
    assert record.curve[-1].accuracy == record.groups[-1].accuracy
    assert len(caplog.messages) == 6


def test_the_settings_in_the_file_name_no_path(classifier, corpus, lexicon_file):
    _, texts, categories = corpus(3)
    fitted = classifier(lexicon=lexicon_file).fit(texts, categories)
    assert fitted.model_.settings["lexicon"] == "given"
    assert str(lexicon_file) not in json.dumps(fitted.model_.settings)
    with pytest.raises(BadInputError):
        classifier(lexicon="nowhere.toml").fit(texts, categories)


TRAIN = """
import csv, sys
from textclf import DocumentClassifier
_, path, out = sys.argv
rows = list(csv.reader(open(path, newline="")))[1:]
made = DocumentClassifier(lexicon="learn", vector_size=4, diagnostics=False, n_jobs=1).fit(
    [row[1] for row in rows], [row[2] for row in rows])
made.save(out)
"""


def test_same_documents_and_seed_give_the_same_bytes_whatever_the_hash_seed(corpus, table, tmp_path):
    documents, other_seed = corpus(3), "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    path, out = table(tmp_path / "documents.csv", documents.rows()), tmp_path / "other.textclf"
    done = subprocess.run(
        [sys.executable, "-c", TRAIN, str(path), str(out)],
        env={"PYTHONHASHSEED": other_seed, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here = DocumentClassifier(lexicon="learn", vector_size=4, diagnostics=False, n_jobs=1)
    here.fit(documents.texts, documents.categories).save(tmp_path / "here.textclf")
    assert out.read_bytes() == (tmp_path / "here.textclf").read_bytes()


def test_the_number_of_processes_changes_no_byte(classifier, corpus):
    _, texts, categories = corpus(3)
    made = []
    for jobs in (1, 2):
        file = io.BytesIO()
        classifier(vectors="learn", vector_size=4, n_jobs=jobs).fit(texts, categories).save(file)
        made.append(file.getvalue())
    assert made[0] == made[1]


def test_the_same_documents_give_the_same_bytes_again(trained, corpus, model_path, tmp_path):
    _, texts, categories = corpus(24)
    clone(trained).fit(texts, categories).save(tmp_path / "again.textclf")
    assert (tmp_path / "again.textclf").read_bytes() == model_path.read_bytes()


def test_another_seed_gives_other_folds(classifier, corpus):
    _, texts, categories = corpus(6)
    one, other = (classifier(random_state=seed).fit(texts, categories) for seed in (0, 1))
    assert one.out_of_fold_scores_.tolist() != other.out_of_fold_scores_.tolist()


@pytest.mark.parametrize("place_tells", [True, False])
def test_parts_of_the_page_stay_only_where_they_tell_the_kind_of_issuers_never_seen(classifier, place_tells):
    draw, common = random.Random(1), ["the", "of", "and", "to", "in", "is", "for", "with", "that", "this"]
    texts, kinds, issuers = [], [], []
    for issuer, kind in itertools.product("abcdefgh", ("order", "reply")):
        for _ in range(4):
            lines = [" ".join(draw.choices(common, k=8)) for _ in range(30)]
            if place_tells:
                lines[0 if kind == "order" else -1] += " please"
                lines[-1 if kind == "order" else 0] += " thanks"
            else:
                # at the same place of all that an issuer sends, and of another kind at each
                lines[0] = f"letterhead {'abcdefgh'.index(issuer) % 4} {kind if issuer < 'e' else 'order'}"
                lines[15] += " please" if kind == "order" else " thanks"
            texts.append("\n".join(lines))
            kinds.append(kind)
            issuers.append(issuer)
    fitted = classifier(diagnostics=False).fit(texts, kinds, groups=issuers)
    views = {table.view.part for table in fitted.model_.features.ngrams.tables}
    assert (views > {"page"}) is place_tells
    rejected = [result.features for result in fitted.model_.training.groups][-2]
    assert rejected.endswith("without parts of the page" if place_tells else "with parts of the page")


def test_every_training_setting_is_a_parameter_and_changes_the_hash_of_the_inputs():
    data = read_training_data(*zip(*[("an invoice", "a"), ("a letter", "b")] * 2, strict=True))
    others = {"lexicon": "none", "vectors": "none", "augment": False, "diagnostics": True}
    hashes = {DocumentClassifier().inputs_hash(data)}
    for one in fields(TrainingSettings):
        value = others.get(one.name, one.default + 0.01 if isinstance(one.default, float) else 7)
        hashes.add(DocumentClassifier(**{one.name: value}).inputs_hash(data))
    assert len(hashes) == len(fields(TrainingSettings)) + 1


@pytest.mark.parametrize(
    ("arguments", "where"),
    [
        ((["a", "b"], ["1"]), "document_ids"),
        ((["a"], ["1", "2"]), "document_ids"),
        ((["a", "b"], None, [50.0]), "ocr_confidences"),
        ((["a"], ["1"], [50.0, 60.0]), "ocr_confidences"),
        ((["a"], None, 50.0), "ocr_confidences"),
        *((((["a"], None, [value]), "ocr_confidence")) for value in (float("nan"), -5, 500, "x")),
    ],
)
def test_ids_and_confidences_that_do_not_fit_the_texts_are_refused(model, arguments, where):
    with pytest.raises(UsageError) as raised:
        list(model.pipe(*arguments))
    assert raised.value.where == where
    assert "\n" not in str(raised.value)


def test_one_confidence_is_none_or_from_0_to_100(model):
    for value in (None, 0, 100, np.float32(50)):
        assert model("vat number", "a", value).document_id == "a"
    with pytest.raises(UsageError, match="0 to 100"):
        model("vat number", "a", 100.1)


def test_models_are_compared_by_identity(model):
    assert model == model
    assert len({model, model, replace(model)}) == 2


@pytest.mark.parametrize("n_jobs", [0, 1.5])
def test_a_wrong_number_of_processes_is_refused(n_jobs):
    with pytest.raises(InvalidOptionError, match="n_jobs"):
        DocumentClassifier(n_jobs=n_jobs).check_options()


def test_saving_to_and_loading_from_what_is_no_place_is_refused(trained):
    with pytest.raises(UsageError, match="give a path"):
        trained.save(None)
    with pytest.raises(BadModelError, match="or its path as a string"):
        textclf.load(b"model.textclf")


def test_a_fold_that_kills_its_process_is_named_with_a_remedy(corpus, monkeypatch):
    _, texts, categories = corpus(5)

    # functions of this module would be sent by name, and each process would import it, with pandas and scikit-learn
    def die_in_a_fold(_shared, _name, fold):
        if fold is not None:
            os._exit(1)

    def load_nothing(**_):
        pass

    monkeypatch.setattr("textclf.model.fit._fit_part", die_in_a_fold)
    monkeypatch.setattr("textclf.model.classifier.get_ready", load_nothing)
    with pytest.raises(LostTaskError, match=r"^fold 1 of 5: .* died; .*--jobs 1$"):
        DocumentClassifier(lexicon="none", vectors="none", n_jobs=2).fit(texts, categories)

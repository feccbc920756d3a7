"""Labels, groups and weights as they are given."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from textclf.base.errors import BadDataError
from textclf.model import training_data
from textclf.model.training_data import check_groups, check_labels, check_weights, label_name, read_training_data


@pytest.mark.parametrize(
    ("labels", "kind", "classes"),
    [
        (["b", "a", "b"], "U", ["a", "b"]),
        ([np.str_("b"), np.str_("a"), "b"], "U", ["a", "b"]),
        (np.array(["b", "a", "b"], dtype=object), "O", ["a", "b"]),
        (pd.Series(["b", "a", "b"], dtype=object), "O", ["a", "b"]),
        (pd.Categorical(["b", "a", "b"], categories=["b", "a"]), "U", ["a", "b"]),
        (pd.Series(["b", "a", "b"], dtype="string"), "U", ["a", "b"]),
        (pd.Index(["b", "a", "b"], dtype=object), "O", ["a", "b"]),
        ([10, 9, 10], "i", [9, 10]),
        ((np.int8(10), np.int64(9), 10), "i", [9, 10]),
        (np.array([10, 9, 10], dtype=np.uint16), "u", [9, 10]),
        (np.array([10, 9, 10], dtype=object), "i", [9, 10]),
        (pd.Series([10, 9, 10], dtype="category"), "i", [9, 10]),
        (pd.Series([10, 9, 10], dtype="Int64"), "i", [9, 10]),
        ([True, False, True], "b", [False, True]),
        (np.array([True, False, True]), "b", [False, True]),
        ([2.0, 1.0, 2.0], "f", [1.0, 2.0]),
        (np.array([2, -1, 2], dtype=np.float32), "f", [-1.0, 2.0]),
    ],
)
def test_labels_keep_their_type_and_are_sorted_as_scikit_learn_does(labels, kind, classes):
    data = read_training_data(["x", "y", "z"], labels)
    assert data.classes.dtype.kind == kind
    assert data.classes.tolist() == classes == np.unique(np.array(list(labels))).tolist()
    assert data.labels.tolist() == [1, 0, 1]
    assert data.categories == tuple(map(str, classes))


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["a", 1], "label 1 is 1, which is a number, where the first label is a string"),
        ([1, True], "label 1 is True, which is a boolean, where the first label is a number"),
        (["a", None], "label 1 is None, which is no label"),
        ([1.0, float("nan")], "label 1 is nan, which is no label"),
        ([1.0, float("inf")], "label 1 is inf, which is no label"),
        ([b"a", b"b"], "label 0 is b'a', which is no label"),
        (pd.Series(["a", None], dtype="string"), "label 1 is <NA>, which is no label"),
        (pd.Series(["a", None], dtype="category"), "label 1 is nan, which is no label"),
        ([["a"], ["b"]], r"label 0 is \['a'\], which is no label"),
        ([1 + 2j, 3j], "which is no label"),
        (np.array(["2026-01-01"] * 2, dtype="datetime64[D]"), "which is no label"),
        (np.array([["a"], ["b"]]), "where a list of labels is wanted"),
        (pd.DataFrame({"a": [1, 2]}), "where a list of labels is wanted"),
        ("ab", "str was given where a list of labels"),
        (None, "NoneType was given"),
        ([0.25, 1.5], "the labels are continuous numbers"),
    ],
)
def test_labels_of_no_or_several_kinds_are_refused(labels, says):
    with pytest.raises(BadDataError, match=says):
        check_labels(labels)


def test_documents_without_a_weight_are_left_out_and_those_without_a_label_are_unlabelled():
    texts, labels = ["a", "b", "c", "d"], ["x", "", " ", "y"]
    data = read_training_data(texts, labels, groups=[1, 2, 3, None], sample_weight=[1, 1, 0, 0.5])
    assert (data.texts, data.truths, data.unlabelled) == (["a", "d"], ["x", "y"], ["b"])
    assert (data.groups, data.weights.tolist(), data.document_ids) == (["1", ""], [1, 0.5], ["0", "1"])


def test_the_unlabelled_are_different_texts_that_have_no_label_elsewhere():
    given = ["new", "a", " ", "outside", "new", "newer"]
    data = read_training_data(["a", "b"], ["x", "y"], unlabelled=iter(given), out_of_distribution=["outside"])
    assert (set(data.unlabelled), len(data.unlabelled), data.unlabelled_given) == ({"new", "newer"}, 2, 6)


def test_of_many_unlabelled_texts_the_same_sample_is_used_in_any_order(monkeypatch):
    monkeypatch.setattr(training_data, "MAX_UNLABELLED", 5)
    many = [f"text {i}" for i in range(100)]
    first, second = (read_training_data(["a", "b"], ["x", "y"], unlabelled=given) for given in (many, many[::-1]))
    assert (first.unlabelled, first.unlabelled_given) == (second.unlabelled, second.unlabelled_given)
    assert (len(first.unlabelled), first.unlabelled_given) == (5, 100)


def test_documents_of_none_of_these_are_out_of_distribution_and_their_order_does_not_matter():
    labels = ["x", "None of these", "y", "none_of_these"]
    data = read_training_data(["a", "d", "b", "c"], labels, out_of_distribution=iter(["f", "e"]), unlabelled=["c"])
    assert (data.categories, data.texts, data.unlabelled) == (("x", "y"), ["a", "b"], [])
    assert data.out_of_distribution == ["c", "d", "e", "f"]


@pytest.mark.parametrize(
    ("weights", "says"),
    [
        ([1, -1e-9], "sample_weight 1 is -1e-09"),
        ([1, float("nan")], "sample_weight 1 is nan"),
        ([float("inf"), 1], "sample_weight 0 is inf"),
        ([1], r"2 texts but sample_weight of shape \(1,\)"),
        ([[1], [1]], "shape"),
        (3.0, "shape"),
        (["much", "little"], "no number"),
        ([0, 0.0], "every sample_weight is zero"),
    ],
)
def test_weights_that_are_none_are_refused(weights, says):
    with pytest.raises(BadDataError, match=says):
        check_weights(weights, 2)


def test_groups_may_be_anything_and_missing_ones_are_none():
    given = [3, "b", None, float("nan"), pd.NA, pd.NaT, "", np.int64(4), np.str_("c")]
    assert check_groups(given) == ["3", "b", "", "", "", "", "", "4", "c"]
    for bad, says in (("ab", "list of groups"), (7, "list of groups"), (["a"], "2 texts but 1 groups")):
        with pytest.raises(BadDataError, match=says):
            read_training_data(["x", "y"], ["a", "b"], groups=bad)


def test_the_name_of_a_label_is_that_of_its_value():
    labels = ["a", np.str_("a"), 3, np.int32(3), 2.0, np.float32(2), True, np.True_]
    assert [label_name(label) for label in labels] == ["a", "a", "3", "3", "2.0", "2.0", "True", "True"]

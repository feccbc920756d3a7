"""The metrics of a pass in the log, compared with scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score

from aws_ml_adapter.api.kinds import ModelType
from aws_ml_adapter.engine.pass_metrics import PassMetrics, area_under_curve


def figures(metrics: PassMetrics) -> dict[str, float]:
    return {name: float(value) for name, value in (part.split("=") for part in metrics.describe().split())}


@given(st.lists(st.tuples(st.booleans(), st.integers(-3, 3)), min_size=2, max_size=40))
@settings(max_examples=40)
def test_the_figures_of_two_classes_are_those_of_scikit_learn(rows):
    truth = np.array([positive for positive, _ in rows])
    margins = np.array([[[margin], [-margin]] for _, margin in rows], np.float32)
    metrics = PassMetrics(ModelType.BINARY, width=1, rows=len(rows), learners=2)
    half = len(rows) // 2
    for part in (slice(0, half), slice(half, len(rows))):
        metrics.add(part, margins[part], truth[part].astype(np.float32))
    metrics.keep([1])
    found, predicted = figures(metrics), margins[:, 1, 0] > 0
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, predicted), abs=1e-5)
    for name, score in (("recall", recall_score), ("precision", precision_score), ("f1", f1_score)):
        assert found[name] == pytest.approx(score(truth, predicted, zero_division=0), abs=1e-5)
    if truth.all() or not truth.any():
        assert np.isnan(found["auc"])
    else:
        assert found["auc"] == pytest.approx(roc_auc_score(truth, margins[:, 1, 0]), abs=1e-5)
        assert area_under_curve(truth, margins[:, 1, 0]) == pytest.approx(roc_auc_score(truth, margins[:, 1, 0]))


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=40))
@settings(max_examples=40)
def test_so_are_those_of_several_classes(rows):
    truth, predicted = (np.array(column) for column in zip(*rows, strict=True))
    metrics = PassMetrics(ModelType.MULTICLASS, width=4, rows=len(rows), learners=1)
    metrics.add(slice(0, len(rows)), np.eye(4, dtype=np.float32)[predicted][:, None], truth.astype(np.float32))
    found = figures(metrics)
    assert found["accuracy"] == pytest.approx(accuracy_score(truth, predicted), abs=1e-5)
    assert found["macro-f1"] == pytest.approx(f1_score(truth, predicted, average="macro", zero_division=0), abs=1e-5)


def test_of_regression_the_loss_says_all():
    metrics = PassMetrics(ModelType.REGRESSION, width=1, rows=3, learners=1)
    metrics.add(slice(0, 3), np.zeros((3, 1, 1), np.float32), np.zeros(3, np.float32))
    assert metrics.describe() == ""

"""The recipe that the local Amazon ML server suggests, compared with fixed numbers of quantile bins and scikit-learn.

Numeric data sets: scikit-learn's own, a curve, and three of 200 rows that scikit-learn generates. Each is split at
random several times: seven tenths for training, the rest for the test; the mean is shown. The server learns with the
parameters of AWS's console: 10 passes, shuffled, L2 1e-6. scikit-learn's logistic and linear regression use the
standardised numbers.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from common import Row, finish, options
from numpy.typing import NDArray
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aws_ml_adapter.api.kinds import ModelType
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine.csv_data import Rows
from aws_ml_adapter.engine.learner import train
from aws_ml_adapter.engine.suggestion import suggest_recipe
from features.schema import AttributeType, Schema

SPLITS = 5
PARAMETERS = Parameters(shuffle=True, l2=1e-6)
FIXED = {"no bins": "ALL_NUMERIC"} | {
    f"{bins} bins": f"quantile_bin(ALL_NUMERIC,{bins})" for bins in (10, 50, 100, 500)
}
MEASURES = {
    ModelType.BINARY: "AUC",
    ModelType.MULTICLASS: "macro F1",
    ModelType.REGRESSION: "RMSE / deviation",
}

Numbers = NDArray[np.float64]


class Problem(NamedTuple):
    """Rows of numbers and the target to learn."""

    type: ModelType
    numbers: Numbers
    targets: NDArray[Any]


def main() -> None:
    arguments = options("amazon_recipes", __doc__).parse_args()
    splits = 1 if arguments.quick else SPLITS
    tables = {
        measure: [measured(name, problem, splits) for name, problem in problems().items() if problem.type is kind]
        for kind, measure in MEASURES.items()
    }
    finish(arguments, tables)


def problems() -> dict[str, Problem]:
    random = np.random.default_rng(2015)
    x = random.uniform(0, 1, 1_000)
    curve = np.sin(11 * x) + 0.7 * np.cos(31 * x + 1) + random.normal(size=1_000) * 0.1
    moons, sides = datasets.make_moons(200, noise=0.25, random_state=11)
    classified, classes = datasets.make_classification(200, 8, n_informative=4, random_state=12)
    friedman, sums = datasets.make_friedman1(200, 10, noise=1, random_state=13)
    own = {
        name: getattr(datasets, f"load_{name}")() for name in ("breast_cancer", "iris", "wine", "digits", "diabetes")
    }
    types = dict.fromkeys(own, ModelType.MULTICLASS)
    types |= {"breast_cancer": ModelType.BINARY, "diabetes": ModelType.REGRESSION}
    return {
        **{name: Problem(types[name], data.data, data.target) for name, data in own.items()},
        "curve, 700 rows": Problem(ModelType.REGRESSION, x[:, None], curve),
        "moons and 3 other numbers": Problem(ModelType.BINARY, np.hstack([moons, random.normal(size=(200, 3))]), sides),
        "make_classification": Problem(ModelType.BINARY, classified, classes),
        "make_friedman1": Problem(ModelType.REGRESSION, friedman, sums),
    }


def measured(name: str, problem: Problem, splits: int) -> Row:
    ways: dict[str, Callable[..., float]] = {
        "suggested": ours(suggestion),
        **{way: ours(lambda *_, output=output: json.dumps({"outputs": [output]})) for way, output in FIXED.items()},
        "scikit-learn": peer,
    }
    found = dict.fromkeys(ways, 0.0)
    for seed in range(splits):
        classes = None if problem.type is ModelType.REGRESSION else problem.targets
        parts = train_test_split(problem.numbers, problem.targets, test_size=0.3, random_state=seed, stratify=classes)
        for way, reach in ways.items():
            found[way] += reach(problem.type, *parts) / splits
    return {"set": name, **found}


def ours(recipe: Callable[[Schema, Rows, ModelType], str]) -> Callable[..., float]:
    def reach(kind: ModelType, numbers: Numbers, unseen: Numbers, targets: Numbers, truth: Numbers) -> float:
        attributes = [(f"x{i}", AttributeType.NUMERIC) for i in range(numbers.shape[1])]
        schema = Schema(attributes=(*attributes, ("y", kind.target_type)), target="y")
        batch = rows(numbers, targets)
        model = train(
            lambda: [batch],
            schema=schema,
            recipe=parse_recipe(recipe(schema, batch, kind), schema),
            model_type=kind,
            parameters=PARAMETERS,
        )
        scores, _ = model.predict(rows(unseen, truth), schema)
        return figure(kind, truth, scores)

    return reach


def suggestion(schema: Schema, batch: Rows, kind: ModelType) -> str:
    return suggest_recipe(schema, lambda: [batch], kind)


def rows(numbers: Numbers, targets: NDArray[Any]) -> list[list[str] | None]:
    return [[*map(str, row), str(target)] for row, target in zip(numbers.tolist(), targets.tolist(), strict=True)]


def peer(kind: ModelType, numbers: Numbers, unseen: Numbers, targets: Numbers, truth: Numbers) -> float:
    learner = LinearRegression() if kind is ModelType.REGRESSION else LogisticRegression(max_iter=2_000)
    fitted = make_pipeline(StandardScaler(), learner).fit(numbers, targets)
    if kind is ModelType.REGRESSION:
        return figure(kind, truth, fitted.predict(unseen)[:, None])
    scores = fitted.predict_proba(unseen)
    return figure(kind, truth, scores[:, 1:] if kind is ModelType.BINARY else scores)


def figure(kind: ModelType, truth: NDArray[Any], scores: NDArray[np.floating]) -> float:
    match kind:
        case ModelType.BINARY:
            return float(roc_auc_score(truth, scores[:, 0]))
        case ModelType.MULTICLASS:
            return float(f1_score(truth, scores.argmax(axis=1), average="macro"))
        case ModelType.REGRESSION:
            return float(np.sqrt(np.mean((truth - scores[:, 0]) ** 2)) / truth.std())


if __name__ == "__main__":
    main()

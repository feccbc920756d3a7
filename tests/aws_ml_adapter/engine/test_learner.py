from __future__ import annotations

import os
import random
import subprocess
import tempfile
import time

import numpy as np
import pytest
from sklearn import datasets
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import f1_score, roc_auc_score
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from aws_ml_adapter.api.faults import DataFault, RequestFault
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine import learner
from aws_ml_adapter.engine.learner import train
from aws_ml_adapter.engine.ml_model import MLModel, ModelType, model_size
from aws_ml_adapter.engine.performance import evaluate
from features.schema import AttributeType, Schema

Rows = list[list[str]]
SHUFFLED = Parameters(shuffle=True)


def schema_of(*attributes: tuple[str, AttributeType], target: str = "y") -> Schema:
    return Schema(attributes=attributes, target=target)


def trained(rows: Rows, schema: Schema, model_type: ModelType, parameters: Parameters = SHUFFLED, **options) -> MLModel:
    recipe = parse_recipe(options.pop("recipe", '{"outputs": ["ALL_INPUTS"]}'), schema)
    batches = [rows[i : i + 100] for i in range(0, len(rows), 100)]
    return train(lambda: batches, schema=schema, recipe=recipe, model_type=model_type, parameters=parameters, **options)


def notes(count: int, seed: int = 1) -> Rows:
    """Make texts in which one word of twenty depends on the class."""
    chance = random.Random(seed)
    rows = []
    for _ in range(count):
        spam = chance.random() < 0.5
        words = [f"w{chance.randrange(500)}" for _ in range(19)] + ["win" if spam else "meet"]
        rows.append([" ".join(words), str(int(spam))])
    return rows


PAIRS = '{"outputs": ["ngram(note, 2)"]}'
NOTES = schema_of(("note", AttributeType.TEXT), ("y", AttributeType.BINARY))


def table(data, model_type: ModelType) -> tuple[Rows, Schema]:
    numbers = [(f"x{i}", AttributeType.NUMERIC) for i in range(data.data.shape[1])]
    targets = [repr(float(y)) if model_type is ModelType.REGRESSION else str(y) for y in data.target.tolist()]
    rows = [[*map(repr, map(float, x)), y] for x, y in zip(data.data.tolist(), targets, strict=True)]
    return rows, schema_of(*numbers, ("y", model_type.target_type))


# scikit-learn's own data. The passes are the API's default if they are enough, and 100, the maximum on its page, for
# few rows, such as iris
@pytest.mark.parametrize(
    ("name", "model_type", "passes"),
    [
        pytest.param("iris", ModelType.MULTICLASS, 100, marks=pytest.mark.slow),
        ("wine", ModelType.MULTICLASS, 10),
        pytest.param("digits", ModelType.MULTICLASS, 10, marks=pytest.mark.slow),
        ("breast_cancer", ModelType.BINARY, 10),
        ("diabetes", ModelType.REGRESSION, 10),
    ],
)
def test_a_model_is_as_good_as_scikit_learns_own(name, model_type, passes):
    data = getattr(datasets, f"load_{name}")()
    rows, schema = table(data, model_type)
    peer = LinearRegression() if model_type is ModelType.REGRESSION else LogisticRegression(max_iter=1_000)
    ours, theirs = [], []
    truth = []
    for learned, unseen in KFold(3, shuffle=True, random_state=0).split(rows):
        model = trained([rows[i] for i in learned], schema, model_type, Parameters(shuffle=True, max_passes=passes))
        scores, usable = model.predict([rows[i] for i in unseen], schema)
        assert usable.all()
        ours.append(scores)
        fitted = make_pipeline(StandardScaler(), peer).fit(data.data[learned], data.target[learned])
        theirs.append(
            fitted.predict(data.data[unseen])[:, None]
            if model_type is ModelType.REGRESSION
            else fitted.predict_proba(data.data[unseen])[:, -scores.shape[1] :]
        )
        truth.append(data.target[unseen])
    measure = MEASURES[model_type]
    reached, wanted = (measure(np.concatenate(truth), np.concatenate(scores)) for scores in (ours, theirs))
    assert reached <= wanted * 1.01 if model_type is ModelType.REGRESSION else reached >= wanted * 0.99


MEASURES = {
    ModelType.MULTICLASS: lambda truth, scores: f1_score(truth, scores.argmax(axis=1), average="macro"),
    ModelType.BINARY: lambda truth, scores: roc_auc_score(truth, scores[:, 0]),
    ModelType.REGRESSION: lambda truth, scores: np.sqrt(np.mean((truth - scores[:, 0]) ** 2)),
}


def test_a_known_line_is_found():
    random_ = np.random.default_rng(0)
    x = random_.normal(size=(500, 2)) * [100, 0.01]
    y = 1e6 + 3 * x[:, 0] - 20_000 * x[:, 1]
    rows = [[repr(a), repr(b), repr(c)] for a, b, c in zip(*x.T.tolist(), y.tolist(), strict=True)]
    schema = schema_of(("a", AttributeType.NUMERIC), ("b", AttributeType.NUMERIC), ("y", AttributeType.NUMERIC))
    model = trained(rows, schema, ModelType.REGRESSION)
    values = [model.predict_record({"a": a, "b": b})[0] for a, b in (("0", "0"), ("100", "0"), ("0", "0.01"))]
    assert values == pytest.approx([1e6, 1e6 + 300, 1e6 - 200], abs=10)


@pytest.mark.parametrize("degree", [3, pytest.param(5, marks=pytest.mark.slow)])
def test_powers_of_one_number_are_learned_as_well_as_by_least_squares(degree):
    random_ = np.random.default_rng(2)
    x = random_.uniform(0, 3, 800)
    powers = np.stack([x**power for power in range(1, degree + 1)], axis=1)
    y = np.sin(2.5 * x) + x + random_.normal(size=800) * 0.1
    names = [f"x{power}" for power in range(1, degree + 1)]
    schema = schema_of(*((name, AttributeType.NUMERIC) for name in names), ("y", AttributeType.NUMERIC))
    rows = [[*map(repr, numbers), repr(value)] for numbers, value in zip(powers.tolist(), y.tolist(), strict=True)]
    model = trained(rows, schema, ModelType.REGRESSION, Parameters(shuffle=True, max_passes=100, l2=1e-6))
    reached = np.sqrt(np.mean((model.predict(rows, schema)[0][:, 0] - y) ** 2))
    wanted = np.sqrt(np.mean((LinearRegression().fit(powers, y).predict(powers) - y) ** 2))
    assert reached < wanted * 1.03


def test_more_passes_do_not_make_few_rows_worse():
    random_ = np.random.default_rng(5)
    x, unseen = random_.normal(size=(2, 300, 12))
    slope = random_.normal(size=12)
    y = x @ slope + random_.standard_t(2, size=300) * 4
    names = [f"x{i}" for i in range(12)]
    schema = schema_of(*((name, AttributeType.NUMERIC) for name in names), ("y", AttributeType.NUMERIC))
    rows = [[*map(repr, numbers), repr(value)] for numbers, value in zip(x.tolist(), y.tolist(), strict=True)]
    others = [[*map(repr, numbers), "0"] for numbers in unseen.tolist()]
    errors = []
    for passes in (3, 100):
        parameters = Parameters(shuffle=True, max_passes=passes)
        recipe = '{"outputs": ["quantile_bin(ALL_NUMERIC, 50)"]}'
        model = trained(rows, schema, ModelType.REGRESSION, parameters, recipe=recipe)
        errors.append(np.sqrt(np.mean((model.predict(others, schema)[0][:, 0] - unseen @ slope) ** 2)))
    assert errors[1] < errors[0] * 1.05


def test_bins_of_a_row_or_two_are_learned():
    random_ = np.random.default_rng(6)
    x = random_.uniform(0, 1, 900)
    rows = [[repr(a), repr(float(np.sin(40 * a)))] for a in x.tolist()]
    recipe = '{"outputs": ["quantile_bin(x, 500)"]}'
    model = trained(rows[:600], NUMBERS, ModelType.REGRESSION, Parameters(shuffle=True, max_passes=30), recipe=recipe)
    scores, _ = model.predict(rows[600:], NUMBERS)
    assert np.sqrt(np.mean((scores[:, 0] - np.sin(40 * x[600:])) ** 2)) < 0.3


# l2 is the factor of half the squared weights beside the mean loss, so scikit-learn's C is 1 / (rows * l2)
@pytest.mark.parametrize("l2", [pytest.param(0.01, marks=pytest.mark.slow), 1.0])
def test_l2_means_what_it_means_to_scikit_learn(l2):
    data = datasets.load_wine()
    rows, schema = table(data, ModelType.MULTICLASS)
    model = trained(rows, schema, ModelType.MULTICLASS, Parameters(shuffle=True, max_passes=100, l2=l2))
    scores, _ = model.predict(rows, schema)
    apart = {}
    for factor in (0.5, 1, 2):
        peer = make_pipeline(StandardScaler(), LogisticRegression(C=1 / (len(rows) * l2 * factor), max_iter=1_000))
        wanted = peer.fit(data.data, data.target).predict_proba(data.data)
        apart[factor] = np.abs(scores - wanted).mean()
    assert apart[1] < 0.02
    assert apart[1] < min(apart[0.5], apart[2]) / 3


def test_l1_leaves_few_weights():
    plain, sparse = (trained(notes(300), NOTES, ModelType.BINARY, Parameters(shuffle=True, l1=l1)) for l1 in (0, 1e-2))
    assert len(sparse.keys) < len(plain.keys) / 10
    assert sparse.predict_record({"note": "win"})[0] > 0.5 > sparse.predict_record({"note": "meet"})[0]


def test_the_same_seed_gives_the_same_model_and_another_seed_another():
    def weights(seed: int) -> bytes:
        return trained(notes(200), NOTES, ModelType.BINARY, seed=seed).weights.tobytes()

    assert weights(7) == weights(7) != weights(8)


def test_without_shuffling_the_order_of_the_rows_counts_and_the_log_warns():
    rows, log = notes(200), []
    ordered, reversed_ = (
        trained(given, NOTES, ModelType.BINARY, Parameters(), log=log.append) for given in (rows, rows[::-1])
    )
    assert ordered.weights.tobytes() != reversed_.weights.tobytes()
    assert any("shuffleType is none" in line for line in log)


def test_what_is_too_large_is_pruned_to_the_most_useful():
    rows = [[f"{note} id{i}a id{i}b id{i}c id{i}d", y] for i, (note, y) in enumerate(notes(1_500))]
    log: list[str] = []
    small = trained(
        rows, NOTES, ModelType.BINARY, Parameters(shuffle=True, max_size=50_000), recipe=PAIRS, log=log.append
    )
    large = trained(rows, NOTES, ModelType.BINARY, recipe=PAIRS)
    assert model_size(small) <= 50_000 < model_size(large)
    assert model_size(small) > 45_000, "what is allowed is used"
    assert small.predict_record({"note": "win"})[0] > 0.7
    assert small.predict_record({"note": "meet"})[0] < 0.3
    assert any(line.startswith("pruned: features=") and not line.endswith("=0") for line in log)


def test_bins_that_fill_the_model_alone_are_a_fault_of_the_data():
    numbers = [(f"x{i}", AttributeType.NUMERIC) for i in range(20)]
    schema = schema_of(*numbers, ("y", AttributeType.BINARY))
    chance = random.Random(0)
    rows = [[*(repr(chance.random()) for _ in numbers), str(i % 2)] for i in range(1_500)]
    recipe = '{"outputs": ["quantile_bin(ALL_NUMERIC, 1000)"]}'
    with pytest.raises(DataFault, match="no room for weights"):
        trained(rows, schema, ModelType.BINARY, Parameters(max_size=100_000), recipe=recipe)


def test_the_log_reports_each_pass():
    log: list[str] = []
    rows: list = [*notes(150), None, ["no target", ""], ["no target", "perhaps"]]
    trained(rows, NOTES, ModelType.BINARY, Parameters(shuffle=True, max_passes=3), log=log.append)
    assert log[0].startswith("training: type=BINARY algorithm=sgd")
    finished = (line.split()[1:] for line in log if line.startswith("finished-pass:"))
    passes = [dict(part.rsplit("=", 1) for part in line) for line in finished]
    assert [line["pass"] for line in passes] == ["1", "2", "3"]
    for line in passes:
        assert all(0 <= float(line[name]) <= 1 for name in ("accuracy", "recall", "precision", "f1", "auc"))
    assert float(passes[-1]["auc"]) == 1
    assert any(line.startswith("progress: records=64 ") and line.count("learning-rate") == 5 for line in log)
    assert any(line.startswith("halted: learning-rates=") for line in log)
    assert log[-1].startswith("finished-training: total-passes=3 valid-records=150 invalid-records=3 ")


def test_poor_rates_are_halted_in_the_first_pass():
    log: list[str] = []
    trained(notes(11_000), NOTES, ModelType.BINARY, Parameters(shuffle=True, max_passes=1), log=log.append)
    assert sum(line.startswith("halted:") for line in log) == 2


def test_where_memory_is_short_fewer_rates_are_tried_and_fewer_features_compete(monkeypatch):
    monkeypatch.setattr(learner, "_STATE_BYTES", 5_000)
    log: list[str] = []
    model = trained(notes(300), NOTES, ModelType.BINARY, Parameters(shuffle=True), log=log.append)
    halted = [i for i, line in enumerate(log) if line.startswith("halted:")]
    assert len(halted) == 3
    assert halted[-1] < next(i for i, line in enumerate(log) if line.startswith("pruned:"))
    assert model.predict_record({"note": "win"})[0] > 0.5 > model.predict_record({"note": "meet"})[0]


def test_it_stops_when_nothing_is_gained_any_more():
    schema = schema_of(("x", AttributeType.CATEGORICAL), ("y", AttributeType.BINARY))
    log: list[str] = []
    trained([["a", "0"], ["a", "1"]] * 50, schema, ModelType.BINARY, Parameters(max_passes=10_000), log=log.append)
    assert "converged" in log
    assert int(log[-1].split("total-passes=")[1].split()[0]) < 1_000


NUMBERS = schema_of(("x", AttributeType.NUMERIC), ("y", AttributeType.NUMERIC))


@pytest.mark.parametrize("value", ["0", "0.1", "1e30"])
def test_it_stops_when_there_is_nothing_to_learn(value):
    log: list[str] = []
    rows = [[str(i), value] for i in range(50)]
    model = trained(rows, NUMBERS, ModelType.REGRESSION, Parameters(shuffle=True, max_passes=300), log=log.append)
    assert int(log[-1].split("total-passes=")[1].split()[0]) < 30
    assert model.predict_record({"x": "7"})[0] == pytest.approx(float(value))


@pytest.mark.parametrize("amount", [{"l1": 1e300}, {"l2": 1e300}])
def test_the_largest_amounts_of_regularisation_leave_no_weights(amount):
    log: list[str] = []
    parameters = Parameters(shuffle=True, max_passes=300, max_size=100_000, **amount)
    # more pairs of words than fit
    model = trained(notes(600), NOTES, ModelType.BINARY, parameters, recipe=PAIRS, log=log.append)
    assert "converged" in log
    assert not any("nan" in line or "inf" in line for line in log if line.startswith("finished-pass:"))
    assert model.predict_record({"note": "win"})[0] == pytest.approx(0.5, abs=0.05)


CLASSES = schema_of(("x", AttributeType.TEXT), ("y", AttributeType.CATEGORICAL))


def test_there_are_a_hundred_classes_at_most():
    rows = [["word", f"class {i % 100}"] for i in range(200)]
    parameters = Parameters(max_passes=1)
    assert len(trained(rows, CLASSES, ModelType.MULTICLASS, parameters).target.classes) == 100
    with pytest.raises(DataFault, match="more than 100 classes"):
        trained([*rows, ["word", "one more"]], CLASSES, ModelType.MULTICLASS, parameters)


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([], "no row has a usable value"),
        ([None, ["word", ""]], "no row has a usable value"),
        ([["word", "a"], ["other", "a"]], "same class"),
    ],
)
def test_data_without_two_classes_teach_nothing(rows, problem):
    with pytest.raises(DataFault, match=problem):
        trained(rows, CLASSES, ModelType.MULTICLASS)


def test_the_model_type_must_fit_the_target():
    with pytest.raises(RequestFault, match="MULTICLASS model predicts a CATEGORICAL attribute"):
        trained(notes(10), NOTES, ModelType.MULTICLASS)
    aimless = Schema(attributes=NOTES.attributes)
    with pytest.raises(RequestFault, match="names no target"):
        trained(notes(10), aimless, ModelType.BINARY)


def test_rows_without_any_feature_are_learned_as_the_share_of_each_class():
    rows = [["", "a"]] * 30 + [["", "b"]] * 10
    model = trained(rows, CLASSES, ModelType.MULTICLASS, Parameters(shuffle=True, max_passes=100))
    assert model.predict_record({}).tolist() == pytest.approx([0.75, 0.25], abs=0.05)


@pytest.mark.parametrize(
    ("first", "step"), [(1e9, 1.0), (-1.7e18, 1e6), (0.0, 1e31), (0.0, 1e150), (0.0, 1.7e306), (1e-290, 1e-300)]
)
def test_a_target_may_have_any_scale_and_lie_far_from_nought(first, step):
    rows = [[str(i), repr(first + i * step)] for i in range(100)]
    parameters = Parameters(shuffle=True, max_passes=100)
    model = trained(rows, NUMBERS, ModelType.REGRESSION, parameters, recipe='{"outputs": ["normalize(x)"]}')
    assert model.target.invalid_rows == 0
    for i in (0, 50, 99):
        assert (model.predict_record({"x": str(i)})[0] - first) / step == pytest.approx(i, abs=0.5)
    found = evaluate(model, [rows], NUMBERS)
    assert found.baseline / step == pytest.approx(28.87, abs=0.01)
    assert found.metric / step < 0.5
    assert np.isfinite(found.details.edges).all()


@pytest.mark.parametrize(("low", "high"), [(9e307, 1e308), (-1.7e308, 1.7e308), (1e-300, 2e-300), (1e150, 1e151)])
def test_numbers_of_any_scale_are_learned_from(low, high):
    schema = schema_of(("x", AttributeType.NUMERIC), ("y", AttributeType.BINARY))
    rows = [[repr((low, high)[i % 2]), str(i % 2)] for i in range(100)]
    model = trained(rows, schema, ModelType.BINARY, recipe='{"outputs": ["normalize(x)"]}')
    assert model.predict_record({"x": repr(low)})[0] < 0.1 < 0.9 < model.predict_record({"x": repr(high)})[0]


def test_a_constant_number_has_no_effect():
    schema = schema_of(("x", AttributeType.NUMERIC), ("y", AttributeType.BINARY))
    rows = [["7.1", str(int(i % 3 > 0))] for i in range(99)]
    model = trained(rows, schema, ModelType.BINARY, recipe='{"outputs": ["normalize(x)"]}')
    for value in ("7.1", "7.2", "-1e9"):
        assert model.predict_record({"x": value})[0] == pytest.approx(2 / 3, abs=0.1)


def test_wild_numbers_do_not_make_weights_wild():
    chance = random.Random(3)
    rows = [[repr(chance.choice([1e300, -1e300, 0.0, 1e-300])), repr(chance.uniform(-8e307, 8e307))] for _ in range(50)]
    model = trained([*rows, ["1", "1e309"]], NUMBERS, ModelType.REGRESSION)
    assert (model.target.rows, model.target.invalid_rows) == (50, 1)
    for value in ("1e308", "-1e308", "1e-308", ""):
        assert np.isfinite(model.predict_record({"x": value})).all()


@pytest.fixture
def full_disk(tmp_path):
    """A full file system."""
    place = tmp_path / "disk"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(place)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("cannot mount a small file system here")
    try:
        with pytest.raises(OSError, match="No space"):
            (place / "filler").write_bytes(b"x" * 70_000)
        yield place
    finally:
        subprocess.run(["umount", str(place)], check=True)


@pytest.mark.parametrize("count", [5, 500])
def test_a_full_disk_is_reported_even_if_only_the_last_bytes_do_not_fit(full_disk, count, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(full_disk))
    with pytest.raises(OSError, match="No space"):
        trained(notes(count), NOTES, ModelType.BINARY)
    assert [path.name for path in full_disk.iterdir()] == ["filler"]


def test_a_model_that_is_deleted_in_training_leaves_no_files(make_server, monkeypatch, tmp_path):
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    server = make_server()
    server.put("notes.csv", "".join(f"{note},{y}\n" for note, y in notes(10_000)))
    server.put("notes.csv.schema", NOTES.to_json())
    server.create_data_source("ds-1", location="s3://bucket/notes.csv")
    server.client.create_ml_model(MLModelId="ml-1", MLModelType="BINARY", TrainingDataSourceId="ds-1")
    end = time.monotonic() + 60
    while not (found := list(server.folder.glob("data/objects/*/*/amazon-ml-*/keys"))):
        assert server.client.get_ml_model(MLModelId="ml-1")["Status"] in ("PENDING", "INPROGRESS")
        assert time.monotonic() < end
        time.sleep(0.005)
    server.client.delete_ml_model(MLModelId="ml-1")
    while found[0].parents[1].exists():
        assert time.monotonic() < end
        time.sleep(0.05)
    assert not list(tmp_path.glob("amazon-ml-*"))
    assert server.stop() == 0

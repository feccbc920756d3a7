from __future__ import annotations

import io
import json
import math
import subprocess
import sys
import zipfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aws_ml_adapter.api.faults import RequestFault
from aws_ml_adapter.api.parameters import Parameters
from aws_ml_adapter.api.recipe import parse_recipe
from aws_ml_adapter.engine.learner import train
from aws_ml_adapter.engine.ml_model import MLModel, ModelType, load_ml_model, model_size, save_ml_model
from features.schema import AttributeType, Schema
from textclf.base.errors import BadInputError, BadModelError, OutputError

ROOT = Path(__file__).parents[3]
ATTRIBUTES = (
    ("note", AttributeType.TEXT),
    ("town", AttributeType.CATEGORICAL),
    ("paid", AttributeType.BINARY),
    ("age", AttributeType.NUMERIC),
)
ROWS = [
    ["early bird", "Rome", "1", "20"],
    ["late bird", "Pisa", "0", "70"],
    ["early start", "Ulm", "1", "35"],
    ["too late", "Rome", "0", ""],
] * 10
RECIPE = (
    '{"outputs": ["ngram(note, 2)", "ALL_CATEGORICAL", "ALL_BINARY", "ALL_NUMERIC", "quantile_bin(ALL_NUMERIC,3)"]}'
)


def learned(target: str) -> MLModel:
    schema = Schema(attributes=ATTRIBUTES, target=target)
    # ALL_BINARY and the like are empty if the target is the only such attribute
    kept = [text for text in json.loads(RECIPE)["outputs"] if not (target == "paid" and "BINARY" in text)]
    kept = [text for text in kept if not (target == "town" and "CATEGORICAL" in text)]
    kept = [text for text in kept if not (target == "age" and "NUMERIC" in text)]
    kind = next(kind for kind in ModelType if kind.target_type is dict(ATTRIBUTES)[target])
    return train(
        lambda: [ROWS],
        schema=schema,
        recipe=parse_recipe(json.dumps({"outputs": kept}), schema),
        model_type=kind,
        parameters=Parameters(shuffle=True),
    )


@pytest.fixture(scope="module", params=["paid", "town", "age"])
def model(request) -> MLModel:
    return learned(request.param)


@pytest.fixture(scope="module")
def binary() -> MLModel:
    return learned("paid")


ROW = st.tuples(
    st.sampled_from(["", "early", "late bird sings", "unknown words"]),
    st.sampled_from(["", "Rome", "Ulm", "Bern"]),
    st.sampled_from(["", "yes", "0", "?"]),
    st.sampled_from(["", "1", "-1e300", "x"]),
).map(list)


@settings(max_examples=25)
@given(st.lists(st.one_of(st.none(), ROW), min_size=1, max_size=6), st.integers(0, 70))
def test_a_record_has_the_same_scores_as_its_row_in_any_batch(model, rows, copies):
    rows = [*rows, *rows[:1] * copies]
    scores, usable = model.predict(rows, model.schema)
    assert scores.shape == (len(rows), model.target.width)
    assert scores.dtype == (np.float64 if model.type is ModelType.REGRESSION else np.float32)
    assert usable.tolist() == [row is not None for row in rows]
    for row, found in list(zip(rows, scores, strict=True))[:6]:
        if row is None:
            assert not found.any()
            continue
        record = dict(zip(model.schema.names, row, strict=True))
        assert model.predict_record(record).tobytes() == found.tobytes()
        assert np.isfinite(found).all()
        if model.type is not ModelType.REGRESSION:
            assert ((found >= 0) & (found <= 1)).all()
        if model.type is ModelType.MULTICLASS:
            assert found.sum() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("margin", [-80.0, -20.0, -7.5, 0.0, 7.5, 80.0, 3e38])
def test_small_probabilities_are_as_exact_as_large_ones(binary, margin):
    certain = replace(binary, weights=np.zeros_like(binary.weights), intercept=np.array([margin], np.float32))
    wanted = math.exp(min(margin, 0)) / (1 + math.exp(-abs(margin)))
    assert certain.predict_record({})[0] == pytest.approx(wanted, rel=1e-6, abs=0)


def test_what_is_left_out_of_a_record_is_missing_and_what_is_unknown_is_ignored(binary):
    assert binary.predict_record({"note": "early"}) == binary.predict_record(
        {"note": "early", "town": "", "age": " ", "id": "7", "paid": "1"}
    )


def test_a_record_may_have_100_kb(binary):
    binary.predict_record({"note": "x" * 102_400})
    with pytest.raises(RequestFault, match="102,400 bytes"):
        binary.predict_record({"note": "x" * 102_401})


def test_columns_are_found_by_name(binary):
    schema = Schema(attributes=tuple(reversed(ATTRIBUTES)), target="paid")
    turned, _ = binary.predict([row[::-1] for row in ROWS], schema)
    scores, _ = binary.predict(ROWS, binary.schema)
    assert turned.tobytes() == scores.tobytes()


def test_a_model_survives_its_file(model, tmp_path):
    save_ml_model(model, tmp_path / "a.model")
    loaded = load_ml_model(tmp_path / "a.model")
    save_ml_model(loaded, tmp_path / "b.model")
    assert (tmp_path / "a.model").read_bytes() == (tmp_path / "b.model").read_bytes()
    assert (tmp_path / "a.model").stat().st_size == model_size(model)
    assert loaded.target == model.target
    batch = ROWS
    assert loaded.predict(batch, model.schema)[0].tobytes() == model.predict(batch, model.schema)[0].tobytes()


def test_another_process_writes_the_same_bytes(binary, tmp_path):
    save_ml_model(binary, tmp_path / "here.model")
    program = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r}); import test_ml_model as t; "
        f"t.save_ml_model(t.learned('paid'), {str(tmp_path / 'there.model')!r})"
    )
    environment = {"PYTHONPATH": str(ROOT), "PYTHONHASHSEED": "5", "PATH": ""}
    subprocess.run([sys.executable, "-c", program], check=True, env=environment, timeout=60)
    assert (tmp_path / "here.model").read_bytes() == (tmp_path / "there.model").read_bytes()


class Entries(dict[str, bytes]):
    """The entries of a model file, to change and write again."""

    @classmethod
    def of(cls, model: MLModel, folder: Path) -> Entries:
        save_ml_model(model, folder / "whole.model")
        with zipfile.ZipFile(folder / "whole.model") as archive:
            return cls({name: archive.read(name) for name in archive.namelist()})

    def put(self, name: str, data: bytes) -> None:
        """Change a part and its digest."""
        self[name] = data
        manifest = json.loads(self["manifest.json"])
        manifest["parts"][name] = sha256(data).hexdigest()
        self["manifest.json"] = json.dumps(manifest).encode()

    def array(self, name: str, array: np.ndarray, **options: bool) -> None:
        buffer = io.BytesIO()
        np.save(buffer, array, **options)
        self.put(name, buffer.getvalue())

    def refused(self, folder: Path, method: int = zipfile.ZIP_STORED) -> bool:
        path = folder / "changed.model"
        with zipfile.ZipFile(path, "w", method) as archive:
            for name, data in self.items():
                archive.writestr(name, data)
        with pytest.raises(BadModelError) as caught:
            load_ml_model(path)
        return str(path) in str(caught.value)


def test_a_model_file_that_was_changed_is_refused(binary, tmp_path):
    def entries() -> Entries:
        return Entries.of(binary, tmp_path)

    changed = entries()
    changed["weights.npy"] = changed["weights.npy"][:-1] + b"\1"
    assert changed.refused(tmp_path)
    missing = entries()
    del missing["keys.npy"]
    assert missing.refused(tmp_path)
    assert entries().refused(tmp_path, zipfile.ZIP_BZIP2)
    newer = entries()
    newer["manifest.json"] = newer["manifest.json"].replace(b'"format": 2', b'"format": 3')
    assert newer.refused(tmp_path)


@pytest.mark.parametrize(
    ("name", "array"),
    [
        ("weights.npy", np.zeros((3, 1), np.float32)),
        ("intercept.npy", np.zeros(2, np.float32)),
        ("keys.npy", np.zeros(3, np.uint64)),
        ("means.npy", np.zeros(7)),
        ("edge_counts.npy", np.zeros(9, np.int64)),
        ("edge_counts.npy", np.array([-5])),
        ("weights.npy", np.array([{}], dtype=object)),
    ],
)
def test_forged_parts_do_not_load(binary, tmp_path, name, array):
    entries = Entries.of(binary, tmp_path)
    entries.array(name, array, allow_pickle=True)
    assert entries.refused(tmp_path)


@pytest.mark.parametrize("text", [b"[]", b"{", b'{"schema": 1}', b"[" * 100_000])
def test_forged_descriptions_do_not_load(binary, tmp_path, text):
    entries = Entries.of(binary, tmp_path)
    entries.put("model.json", text)
    assert entries.refused(tmp_path)


@settings(max_examples=40)
@given(st.data())
def test_damage_anywhere_is_reported(binary, tmp_path_factory, data):
    path = tmp_path_factory.mktemp("damage") / "a.model"
    save_ml_model(binary, path)
    whole = path.read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    path.write_bytes(
        data.draw(st.sampled_from([whole[:place], whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :]]))
    )
    try:
        loaded = load_ml_model(path)
    except BadModelError:
        return
    # an unused bit, such as one of the time of an entry
    assert loaded.weights.tobytes() == binary.weights.tobytes()


def test_files_that_are_not_there_or_cannot_be_written(binary, tmp_path):
    with pytest.raises(BadInputError):
        load_ml_model(tmp_path / "none.model")
    with pytest.raises(BadInputError):
        load_ml_model(tmp_path)
    with pytest.raises(OutputError):
        save_ml_model(binary, tmp_path)


def test_a_file_larger_than_any_model_is_not_read(tmp_path):
    path = tmp_path / "huge.model"
    with path.open("wb") as file:
        file.truncate(2_147_483_649)
    with pytest.raises(BadModelError, match="more than 2,147,483,648 bytes"):
        load_ml_model(path)

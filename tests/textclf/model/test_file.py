from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import zipfile
from dataclasses import replace
from itertools import cycle
from pathlib import Path

import numpy as np
import pytest

import textclf
from textclf.base.archive import read_archive
from textclf.base.errors import BadInputError, BadModelError, OutputError, UsageError
from textclf.model.file import KIND, load_model, model_info, save_model
from textclf.model.training_record import BackgroundUsed, UnlabelledDocuments

ROOT = Path(__file__).parents[3]
TEXTS = ["vat number total due", "dear madam yours", "cash change", ""]


class Parts(dict[str, bytes]):
    """The entries of a model file, to change and write again."""

    @property
    def manifest(self) -> dict:
        return json.loads(self["manifest.json"])

    @manifest.setter
    def manifest(self, value: object) -> None:
        self["manifest.json"] = json.dumps(value).encode()

    def put(self, name: str, data: bytes) -> None:
        """Change a part and what the manifest says of it, as a skilled forger would."""
        self[name] = data
        manifest = self.manifest
        manifest["parts"][name] = hashlib.sha256(data).hexdigest()
        self.manifest = manifest

    def write(self, path: Path, method: int = zipfile.ZIP_DEFLATED) -> Path:
        with zipfile.ZipFile(path, "w", method, compresslevel=1) as archive:
            for name, data in self.items():
                archive.writestr(name, data)
        return path


def read_parts(path: Path) -> Parts:
    with zipfile.ZipFile(path) as archive:
        return Parts({name: archive.read(name) for name in archive.namelist()})


@pytest.fixture
def parts(model_path):
    return read_parts(model_path)


def refusal(path: Path) -> str:
    with pytest.raises(BadModelError) as caught:
        load_model(path)
    assert str(path) in str(caught.value)
    assert caught.value.remedy
    return caught.value.what


def test_what_is_read_predicts_as_what_was_written(model, model_path):
    loaded = textclf.load(model_path)
    assert list(loaded.pipe(TEXTS)) == list(model.pipe(TEXTS))
    assert loaded.training == model.training
    assert loaded.settings == model.settings
    assert loaded.categories == model.categories


def test_writing_what_was_read_gives_the_same_bytes(model_path, tmp_path):
    save_model(load_model(model_path), tmp_path / "again.textclf")
    assert (tmp_path / "again.textclf").read_bytes() == model_path.read_bytes()


def test_the_archive_has_fixed_times_and_holds_json_and_arrays_only(model_path):
    with zipfile.ZipFile(model_path) as archive:
        entries = archive.infolist()
        assert [entry.filename for entry in entries[:2]] == ["manifest.json", "model.json"]
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {Path(entry.filename).suffix for entry in entries} == {".json", ".npy"}
        for entry in entries[2:]:
            array = np.load(io.BytesIO(archive.read(entry)), allow_pickle=False)
            assert array.dtype.kind in "fiu"


def test_other_readers_can_check_every_part(parts):
    manifest = parts.manifest
    assert manifest["kind"] == "textclf model"
    assert manifest["categories"] == ["invoice", "letter", "receipt"]
    assert {"textclf", "python", "numpy", "scikit-learn"} <= manifest["versions"].keys()
    for name, entry in manifest["parts"].items():
        assert entry == hashlib.sha256(parts[name]).hexdigest()


def test_a_file_that_was_cut_short_is_refused(model_path, tmp_path):
    whole = model_path.read_bytes()
    path = tmp_path / "cut.textclf"
    for length in [0, 1, 3, 100, *range(1000, len(whole), 1777), len(whole) - 23, len(whole) - 1]:
        path.write_bytes(whole[:length])
        assert "cut short" in refusal(path), length


def test_a_changed_byte_is_refused_or_changes_nothing(model, model_path, tmp_path):
    whole = model_path.read_bytes()
    expected = model.margins(TEXTS).tobytes()
    path = tmp_path / "changed.textclf"
    directory = whole.index(b"PK\x01\x02")
    places = [
        *range(0, directory, 8191),
        *range(directory, len(whole), 83),
        *range(60),
        *range(len(whole) - 22, len(whole)),
    ]
    unnoticed = 0
    for place, change in zip(places, cycle((0x01, 0x0C, 0xFF)), strict=False):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :])
        try:
            loaded = load_model(path)
        except BadModelError:
            continue
        # dates and attributes of entries change nothing
        unnoticed += 1
        assert loaded.margins(TEXTS).tobytes() == expected, (place, change)
        assert model_info(path).training == model.training
    assert unnoticed < len(places) * 0.7


@pytest.mark.parametrize("name", ["model.json", "intercept.npy", "word_weights.npy", "vectors_matrix.npy"])
def test_a_part_that_was_changed_is_named(parts, tmp_path, name):
    if name not in parts:
        name = next(other for other in parts if other.endswith("_weights.npy"))
    parts[name] = parts[name][:-1] + bytes([parts[name][-1] ^ 1])
    assert refusal(parts.write(tmp_path / "changed.textclf")) == f"part {name} was changed after training"


def test_a_part_that_is_missing_or_too_much_is_refused(parts, tmp_path):
    more = Parts(parts) | {"more.npy": b"x"}
    assert "does not hold the parts" in refusal(Parts(more).write(tmp_path / "more.textclf"))
    del parts["intercept.npy"]
    assert "does not hold the parts" in refusal(parts.write(tmp_path / "less.textclf"))


def test_a_part_that_even_the_manifest_lacks_is_refused(parts, tmp_path):
    for name in [name for name in parts if name != "manifest.json"]:
        less = Parts(parts)
        manifest = less.manifest
        del manifest["parts"][name], less[name]
        less.manifest = manifest
        assert refusal(less.write(tmp_path / "less.textclf")) in (
            "its parts do not fit together",
            "the word vectors do not fit together",
        )


def test_two_entries_of_one_name_are_refused(parts, tmp_path):
    path = parts.write(tmp_path / "twice.textclf")
    with pytest.warns(UserWarning, match="Duplicate"), zipfile.ZipFile(path, "a") as archive:
        archive.writestr("model.json", b"{}")
    assert "does not hold the parts" in refusal(path)


def test_a_newer_format_is_refused_whatever_else_it_holds(parts, tmp_path):
    parts.manifest = {"kind": "textclf model", "format": 6, "layout": "unheard of"}
    what = refusal(parts.write(tmp_path / "newer.textclf"))
    assert "format 6" in what
    assert "up to 5" in what


SINGLE_PRECISION = 1e-6
"""Products were added up in single precision."""


def test_a_model_of_format_2_predicts_as_it_did(tmp_path):
    """The file was written, and these figures were given, by the program that had format 2."""
    path = Path(__file__).with_name("format-2.textclf")
    assert model_info(path).format == 2
    old = load_model(path)
    assert old.settings["augment"] is True
    found = list(old.pipe(["total due", "dear aunt"]))
    assert [prediction.predicted_category for prediction in found] == ["invoice", "letter"]
    assert [prediction.score for prediction in found] == pytest.approx(
        [0.948945375045058, 0.956452844863414], abs=SINGLE_PRECISION
    )
    assert [prediction.familiarity for prediction in found] == pytest.approx([0.900497512437811, 0.9154228855721394])
    save_model(old, tmp_path / "new.textclf")
    assert model_info(tmp_path / "new.textclf").format == 5
    assert list(load_model(tmp_path / "new.textclf").pipe(["total due", "dear aunt"])) == found


def test_a_model_of_format_3_predicts_as_it_did(tmp_path):
    """The file was written, and these figures were given, by the program that had format 3."""
    path = Path(__file__).with_name("format-3.textclf")
    assert model_info(path).format == 3
    old = load_model(path)
    found = list(old.pipe(["total due", "dear aunt"]))
    assert [prediction.score for prediction in found] == pytest.approx(
        [0.9709292213813726, 0.9648972808829008], abs=SINGLE_PRECISION
    )
    assert [prediction.familiarity for prediction in found] == pytest.approx([0.8955223880597015, 0.8557213930348259])
    assert old.training.unlabelled.given == 0
    with pytest.raises(UsageError, match="an older version"):
        old("total due", max_error=0.1)
    assert old("total due", max_error=0.05) == old("total due")
    save_model(old, tmp_path / "new.textclf")
    assert list(load_model(tmp_path / "new.textclf").pipe(["total due", "dear aunt"])) == found


def test_a_model_of_format_4_predicts_as_it_did(tmp_path):
    """The file was written, and these figures were given, by the program that had format 4."""
    path = Path(__file__).with_name("format-4.textclf")
    assert model_info(path).format == 4
    old = load_model(path)
    found = list(old.pipe(["total due", "dear aunt"]))
    assert [prediction.score for prediction in found] == pytest.approx([0.8519449760218195, 0.9653110989006202])
    assert [prediction.familiarity for prediction in found] == pytest.approx(
        [0.02026358119950669, 0.011298172708792869]
    )
    assert old("total due", max_error=0.3).decision == "accept"
    save_model(old, tmp_path / "new.textclf")
    assert model_info(tmp_path / "new.textclf").format == 5
    assert list(load_model(tmp_path / "new.textclf").pipe(["total due", "dear aunt"])) == found


def test_parts_that_hardly_shrink_are_not_compressed_as_they_take_long_to_read(model_path):
    with zipfile.ZipFile(model_path) as archive:
        entries = archive.infolist()
    methods = {entry.compress_type for entry in entries}
    assert methods == {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}
    assert all(entry.compress_size < entry.file_size for entry in entries if entry.compress_type)


def test_the_format_from_before_the_first_release_is_refused(parts, tmp_path):
    parts.manifest = parts.manifest | {"format": 1}
    assert "format 1" in refusal(parts.write(tmp_path / "older.textclf"))


@pytest.mark.parametrize("number", [0, -1, "x", None, [], float("inf"), {}])
def test_a_format_that_is_no_number_is_no_model(parts, tmp_path, number):
    parts.manifest = parts.manifest | {"format": number}
    assert refusal(parts.write(tmp_path / "odd.textclf")) == "is not a textclf model"


@pytest.mark.parametrize(
    "manifest", [{}, [], None, 1, "text", {"kind": "other", "format": 1}, {"kind": "textclf model"}]
)
def test_a_foreign_manifest_is_no_model(parts, tmp_path, manifest):
    parts.manifest = manifest
    assert refusal(parts.write(tmp_path / "foreign.textclf")) == "is not a textclf model"


@pytest.mark.parametrize("change", [{"parts": []}, {"parts": None}, {"parts": {"model.json": {}}}])
def test_a_manifest_with_odd_entries_is_no_model(parts, tmp_path, change):
    parts.manifest = parts.manifest | change
    assert refusal(parts.write(tmp_path / "odd.textclf")) == "is not a textclf model"


@pytest.mark.parametrize("versions", [[], None, {"numpy": 2}, {"numpy": "\x1b[2J"}, {"numpy": "2" * 10**6}])
def test_a_manifest_with_odd_versions_has_no_info(parts, tmp_path, versions):
    parts.manifest = parts.manifest | {"versions": versions}
    with pytest.raises(BadModelError, match="do not fit together"):
        model_info(parts.write(tmp_path / "odd.textclf"))


def test_deeply_nested_json_is_refused(parts, tmp_path):
    parts.put("model.json", b"[" * 100_000)
    assert refusal(parts.write(tmp_path / "deep.textclf")) == "its parts do not fit together"
    parts["manifest.json"] = b"[" * 100_000
    assert refusal(parts.write(tmp_path / "deep.textclf")) == "is not a textclf model"


def test_foreign_files_are_told_from_models(tmp_path):
    text = tmp_path / "text.txt"
    text.write_text("invoice")
    assert "is not a textclf model" in refusal(text)
    foreign = tmp_path / "foreign.zip"
    with zipfile.ZipFile(foreign, "w") as archive:
        archive.writestr("word/document.xml", "<xml/>")
    assert refusal(foreign) == "is not a textclf model"


def test_what_cannot_be_opened_is_another_error(tmp_path):
    for path in (tmp_path / "missing.textclf", tmp_path):
        with pytest.raises(BadInputError, match="cannot be read"):
            load_model(path)


class Evil:
    def __reduce__(self):
        return exec, ("raise SystemExit('ran')",)


def test_a_pickle_in_an_array_is_refused_and_not_run(parts, tmp_path):
    buffer = io.BytesIO()
    np.save(buffer, np.array([Evil()], dtype=object), allow_pickle=True)
    parts.put("intercept.npy", buffer.getvalue())
    assert refusal(parts.write(tmp_path / "evil.textclf")) == "its parts do not fit together"


@pytest.mark.parametrize("shape", ["(1000000000000,)", "(99999999999999999999,)", "(-1,)", "(3, 4)"])
def test_an_array_that_lies_about_its_size_is_refused(parts, tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}".ljust(117).encode() + b"\n"
    parts.put("intercept.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + b"\0" * 12)
    assert refusal(parts.write(tmp_path / "lie.textclf")) == "its parts do not fit together"


def test_an_archive_that_blows_up_is_refused_before_it_does(parts, tmp_path):
    parts.put("intercept.npy", b"\0" * 30_000_000)
    assert "holds more than" in refusal(parts.write(tmp_path / "bomb.textclf"))


@pytest.mark.parametrize("declared", [10, 0])
def test_a_part_larger_than_the_directory_says_is_refused(parts, tmp_path, declared):
    size = 30_000_000
    parts.put("intercept.npy", b"\0" * size)
    path = parts.write(tmp_path / "bomb.textclf")
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), declared.to_bytes(4, "little")))
    assert refusal(path) == "part intercept.npy is damaged"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_packed_otherwise_it_is_no_model_of_ours(parts, tmp_path, method):
    assert refusal(parts.write(tmp_path / "packed.textclf", method)) == "is not a textclf model"


@pytest.mark.parametrize(
    "change",
    [
        {"categories": ["a", "b"]},
        {"categories": ["a", "b", "c", "d"]},
        {"categories": ["receipt", "letter", "invoices"]},
        {"labels": [1, 2, 3]},
        {"labels": ["invoice", "letter"]},
        {"labels": ["invoice", "letter", ["receipt"]]},
        {"labels": 7},
        {"inverse_temperature": "warm"},
        {"views": []},
        {"keywords": {}},
        {"words": ["one"]},
        {"training": {}},
        {"training": None},
    ],
)
def test_parts_that_do_not_fit_together_are_refused(parts, tmp_path, change):
    parts.put("model.json", json.dumps(json.loads(parts["model.json"]) | change).encode())
    assert "not" in refusal(parts.write(tmp_path / "unfit.textclf"))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        *[(("views", 0, "shortest"), value) for value in ({}, None, "1", 1.5, True, 0, -1, 3)],
        *[(("views", 0, "longest"), value) for value in ("x", None, float("nan"), 0, 10**9)],
        *[(("views", 0, "part"), value) for value in (None, {}, "middle")],
        *[(("views", 0, name), None) for name in ("name", "unit", "form")],
        *[(("training", "acceptance", "accepted"), value) for value in (-1, 1.5, float("nan"), True)],
        (("training", "acceptance", "threshold"), float("nan")),
        (("training", "acceptance", "confidence"), 1),
        (("training", "acceptance_curve", "documents"), 1),
        (("training", "acceptance_curve", "levels"), [[1, 0, 0.1, 0.9]]),
        *[(("training", "acceptance_curve", "levels", 0, name), -1) for name in ("documents", "wrong", "threshold")],
        (("training", "documents", "invoice"), -1),
        (("training", "groups"), []),
        (("training", "groups", 0, "accuracy"), float("nan")),
        *[(("settings",), value) for value in (float("nan"), None, [])],
        *[(("settings", "C"), value) for value in ({}, "much", float("nan"), -1)],
        *[(("settings", "vector_size"), value) for value in (1e300, 0, True)],
        *[(("settings", "lexicon"), value) for value in (1, "\x1b[2J", "x" * 10**6)],
        (("settings", "background"), "yes"),
        (("training", "groups", 0, "features"), "\x1b[2J"),
        (("training", "data_hash"), "x" * 10**6),
        (("training", "unlabelled", "pseudo_labelled"), {"of no category": 1}),
        (("training", "out_of_distribution"), -1),
        (("training", "background", "left_out"), {"till receipt": "of no category"}),
        *[(("inverse_temperature",), value) for value in (float("nan"), float("inf"), 0, -1, True, None)],
        (("categories", 0), None),
    ],
)
def test_values_of_another_type_or_range_are_refused(parts, tmp_path, keys, value):
    description = json.loads(parts["model.json"])
    inner = description
    for key in keys[:-1]:
        inner = inner[key]
    assert keys[-1] in inner or isinstance(inner, list)
    inner[keys[-1]] = value
    parts.put("model.json", json.dumps(description).encode())
    assert refusal(parts.write(tmp_path / "odd.textclf")) == "its parts do not fit together"


ARRAYS = (
    "words_buckets",
    "words_idf",
    "words_weights",
    "page_shape_deciles",
    "page_shape_weights",
    "indicator_weights",
    "vector_weights",
    "intercept",
    "familiarity_centroids",
    "familiarity_quantiles",
    "vectors_matrix",
    "vectors_weights",
    "vectors_common",
)


def with_value(value: float):
    def change(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array.flat[-1] = value
        return array

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        *[(name, lambda array: array.astype("S9")) for name in ARRAYS],
        *[(name, lambda array: array.astype(complex)) for name in ARRAYS],
        *[(name, lambda array: array.astype(np.longdouble)) for name in ARRAYS],
        *[(name, lambda array: array[:-1]) for name in ARRAYS],
        *[(name, with_value(float("nan"))) for name in ARRAYS if name != "words_buckets"],
        *[(name, with_value(-float("inf"))) for name in ARRAYS if name != "words_buckets"],
        *[(name, with_value(3e38)) for name in ARRAYS if name != "words_buckets"],
        ("words_buckets", lambda array: array[::-1]),
        ("words_buckets", lambda array: array - array[1]),
        ("words_buckets", lambda array: np.repeat(array[:1], len(array))),
        ("words_buckets", with_value(2**31 - 1)),
        ("words_buckets", lambda array: array.astype(np.int64) << 30),
        ("words_buckets", lambda array: array.astype(np.float64) + 0.5),
        ("words_idf", np.zeros_like),
        ("familiarity_quantiles", lambda array: array[:, ::-1]),
    ],
)
def test_arrays_of_another_type_shape_range_or_order_are_refused(parts, tmp_path, name, change):
    array = change(np.load(io.BytesIO(parts[f"{name}.npy"])))
    buffer = io.BytesIO()
    np.save(buffer, array)
    parts.put(f"{name}.npy", buffer.getvalue())
    assert refusal(parts.write(tmp_path / "odd.textclf")) in (
        "its parts do not fit together",
        "the word vectors do not fit together",
    )


class Pipe(io.RawIOBase):
    """Bytes that come once, a few at a time, as from another program."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        part, self.rest = self.rest[: min(len(buffer), 1000)], self.rest[min(len(buffer), 1000) :]
        buffer[: len(part)] = part
        return len(part)


WAYS = {
    "bytes": bytes,
    "bytearray": bytearray,
    "memoryview": memoryview,
    "BytesIO": io.BytesIO,
    "a stream": lambda data: io.BufferedReader(Pipe(data)),
    "an unbuffered stream": Pipe,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_model_is_loaded_from_its_bytes_and_from_open_files(model, model_path, way):
    assert list(textclf.load(way(model_path.read_bytes())).pipe(TEXTS)) == list(model.pipe(TEXTS))


def test_an_open_file_is_read_from_where_it_stands_and_left_open(model, model_path, tmp_path):
    whole = model_path.read_bytes()
    (tmp_path / "more").write_bytes(b"before" + whole)
    with (tmp_path / "more").open("rb") as file:
        file.seek(6)
        assert textclf.load(file).margins(TEXTS).tobytes() == model.margins(TEXTS).tobytes()
        assert not file.closed


@pytest.fixture(scope="module")
def damaged(model_path, tmp_path_factory):
    whole = model_path.read_bytes()
    path = tmp_path_factory.mktemp("damaged") / "model.textclf"
    changed, bomb = read_parts(model_path), read_parts(model_path)
    changed["intercept.npy"] = changed["intercept.npy"][:-1] + b"\x7f"
    bomb.put("more.npy", bytes(100_000_000))
    written = [one.write(path).read_bytes() for one in (changed, bomb)]
    return [b"", b"no model", whole[: len(whole) // 2], *written]


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_a_damaged_model_has_the_same_fault_however_it_comes(damaged, tmp_path, way):
    path = tmp_path / "damaged.textclf"
    for data in damaged:
        path.write_bytes(data)
        with pytest.raises(BadModelError) as caught:
            load_model(way(data))
        assert caught.value.what == refusal(path)
        assert caught.value.where.startswith("<")


def test_a_stream_without_end_is_not_read_to_its_end():
    asked = []

    class Endless:
        def read(self, size: int = -1) -> bytes:
            asked.append(size)
            return b"a" * size

    with pytest.raises(BadModelError, match="more than 3,000,000 bytes"):
        read_archive(Endless(), replace(KIND, max_bytes=3_000_000), list)
    assert sum(asked) < 6_000_000


def test_a_file_open_as_text_is_refused(model, model_path, tmp_path):
    with (tmp_path / "out").open("w+", encoding="latin-1") as file:
        with pytest.raises(BadInputError, match=r"out: is open as text.*'rb'"):
            textclf.load(file)
        with pytest.raises(OutputError, match=r"out: is no binary file.*'wb'"):
            save_model(model, file)
    with pytest.raises(BadInputError, match="NoneType"):
        textclf.load(None)


def test_a_model_is_written_to_open_files_as_to_paths(trained, model_path, tmp_path):
    for target in (io.BytesIO(), (tmp_path / "open").open("w+b"), (tmp_path / "raw").open("w+b", buffering=0)):
        with target:
            target.write(b"before")
            trained.save(target)
            target.seek(0)
            assert target.read() == b"before" + model_path.read_bytes()


def test_a_full_disk_is_said_for_an_open_file_too(model):
    with Path("/dev/full").open("wb", buffering=0) as file, pytest.raises(OutputError, match=r"/dev/full.*no space"):
        save_model(model, file)


def test_a_file_in_the_place_of_a_folder_is_no_place_to_write(model, tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(OutputError):
        save_model(model, tmp_path / "file" / "model.textclf")


def test_info_says_what_the_model_knows(model, model_path):
    info = model_info(model_path)
    assert info.format == 5
    assert info.bytes == model_path.stat().st_size
    assert info.settings == model.settings
    assert info.training.documents == {"invoice": 24, "letter": 24, "receipt": 24}
    assert info.features["keywords"] == 4
    assert info.features["labels n-grams"] == 0  # no text of these has a colon
    assert all(count > 0 for name, count in info.features.items() if name != "labels n-grams")


def test_a_model_without_keywords_and_vectors_survives(classifier, corpus, tmp_path):
    _, texts, categories = corpus(3)
    fitted = classifier().fit(texts, categories)
    fitted.save(tmp_path / "bare.textclf")
    loaded = load_model(tmp_path / "bare.textclf")
    assert list(loaded.pipe(TEXTS)) == list(fitted.model_.pipe(TEXTS))


def test_odd_category_names_survive(model, tmp_path):
    names = ("=1+1", 'a,"b"\n', "Società ␤")
    record = replace(
        model.training,
        documents=dict.fromkeys(names, 24),
        unlabelled=UnlabelledDocuments(pseudo_labelled=dict.fromkeys(names, 1)),
        background=BackgroundUsed(left_out={"payslip": names[0]}),
    )
    save_model(replace(model, categories=names, labels=names, training=record), tmp_path / "odd.textclf")
    assert load_model(tmp_path / "odd.textclf").categories == names


def test_loading_and_predicting_imports_numpy_and_nothing_else(model_path, tmp_path):
    program = (
        "import sys, textclf; "
        f"textclf.load({str(model_path)!r}).predict(['vat nurnber', 'dear madam', '']); "
        "print(*sorted({name.split('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    heavy = {"pandas", "sklearn", "scipy", "spacy", "gensim", "matplotlib", "rapidfuzz", "joblib", "typer", "pickle"}
    assert heavy & set(done.stdout.split()) <= {"pickle"}
    assert "numpy" in done.stdout.split()

"""Word vectors: trained on texts, and read from files."""

from __future__ import annotations

import logging
import os
import struct
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st

from features.tokens import tokenize
from features.word_vectors import WordVectors, read_word_vectors, train_word_vectors
from textclf.base.errors import BadDataError, BadInputError
from textclf.base.tables import read_rows

ROOT = Path(__file__).parents[2]


def arrays(vectors: WordVectors) -> list[bytes]:
    return [vectors.to_arrays()[name].tobytes() for name in ("matrix", "weights", "common")]


# training


def test_training_gives_a_finite_vector_to_each_word_seen_twice(trained):
    assert "premium" in trained.words
    assert trained.words[0] == "the"
    assert trained.matrix.shape == (len(trained.words), 8)
    assert np.isfinite(trained.matrix).all()
    assert trained.matrix.any(axis=1).all()


def test_same_documents_and_seed_give_the_same_bytes(trained, policies_and_receipts):
    assert arrays(train_word_vectors(policies_and_receipts, size=8)) == arrays(trained)
    assert arrays(train_word_vectors(policies_and_receipts, size=8, seed=1)) != arrays(trained)


def test_vectors_do_not_depend_on_the_hash_seed_of_the_process():
    program = (
        "import hashlib; from features.word_vectors import train_word_vectors\n"
        "v = train_word_vectors([['a', 'b', 'c', 'd', 'e'], ['e', 'c', 'a', 'f']] * 9, size=8)\n"
        "said = v.words, hashlib.sha256(b''.join(a.tobytes() for a in v.to_arrays().values())).hexdigest()\n"
    )
    other_seed = "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2"
    there = subprocess.run(
        [sys.executable, "-c", f"{program}print(said)"],
        env=os.environ | {"PYTHONHASHSEED": other_seed, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    ).stdout
    here: dict[str, object] = {}
    exec(program, here)
    assert there == f"{here['said']}\n"


def test_words_seen_once_have_a_vector_where_no_word_is_seen_twice():
    assert sorted(train_word_vectors([["a", "b"], ["c"]], size=4).words) == ["a", "b", "c"]
    assert train_word_vectors([["a", "b"], ["a"]], size=4).words == ("a",)


@pytest.mark.parametrize("documents", [[], [[]], [[], []]])
def test_without_any_word_there_are_no_vectors_and_no_failure(documents):
    vectors = train_word_vectors(documents, size=4)
    assert vectors.words == ()
    assert vectors.transform([["a"], []]).tolist() == [[0] * 4] * 2


@pytest.mark.parametrize("documents", [[["a"]], [["a"], ["a"]], [["a"] * 50], [["a", "b"]]])
def test_tiny_corpora_give_finite_vectors_without_noise(documents, caplog):
    vectors = train_word_vectors(documents, size=4)
    assert np.isfinite(vectors.transform(documents)).all()
    assert caplog.records == []
    assert logging.getLogger("gensim").level == logging.NOTSET


def test_words_after_the_ten_thousandth_of_a_document_are_learned_too():
    long = ["filler", "word"] * 5_000 + ["far", "end"] * 20
    start = train_word_vectors([["filler", "word", "far", "end"]], size=4, epochs=1)
    after = train_word_vectors([long], size=4, epochs=1)
    assert not np.array_equal(start.matrix[start.words.index("far")], after.matrix[after.words.index("far")])
    assert np.linalg.norm(after.matrix[after.words.index("far")]) > 0.5


# files


@pytest.fixture(params=["text", "binary"])
def file_of(request, tmp_path):
    def _file_of(words: dict[str, list[float]]) -> Path:
        path = tmp_path / f"vectors.{request.param}"
        vectors = KeyedVectors(len(next(iter(words.values()))), count=0)
        vectors.add_vectors(list(words), np.array(list(words.values()), dtype=np.float32))
        vectors.save_word2vec_format(path, binary=request.param == "binary", sort_attr=None)
        return path

    return _file_of


WORDS = {"the": [0.1, -2.5e-7, 3], "casa": [1, 2, 3], "perché": [4, 5, 6], "2024": [1e30, 8, 9]}


def test_reads_what_gensim_writes(file_of):
    found = read_word_vectors(file_of(WORDS))
    assert found.words == ("the", "casa", "perche", "2024")
    assert np.array_equal(found.matrix, np.array(list(WORDS.values()), dtype=np.float32))


def test_of_words_that_fold_to_the_same_the_first_stands(file_of):
    found = read_word_vectors(file_of({"Roma": [1, 2], "roma": [3, 4], "però": [5, 6], "pero": [7, 8]}))
    assert found.words == ("roma", "pero")
    assert found.matrix.tolist() == [[1, 2], [5, 6]]


@pytest.mark.parametrize(("limit", "count"), [(1, 1), (3, 3), (4, 4), (5, 4)])
def test_no_more_words_than_the_limit_are_kept(file_of, limit, count):
    assert len(read_word_vectors(file_of(WORDS), max_words=limit).words) == count


@pytest.mark.parametrize(("limit", "count"), [(12, 1), (35, 2), (36, 3)])
def test_vectors_take_no_more_bytes_than_the_limit(file_of, limit, count):
    assert len(read_word_vectors(file_of(WORDS), max_bytes=limit).words) == count


def test_many_words_over_several_blocks(file_of):
    matrix = np.random.default_rng(0).normal(size=(6_000, 60)).astype(np.float32)
    found = read_word_vectors(file_of({f"w{i}": list(row) for i, row in enumerate(matrix)}))
    assert found.words == tuple(f"w{i}" for i in range(6_000))
    assert found.matrix.tobytes() == matrix.tobytes()


def test_the_original_tool_ends_each_binary_record_with_a_line_feed(tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"2 2\n" + b"".join(w + b" " + struct.pack("<2f", 1, 2) + b"\n" for w in (b"a", b"b\xff")))
    found = read_word_vectors(path)
    assert found.words == ("a", "b\ufffd")
    assert found.matrix.tolist() == [[1, 2], [1, 2]]


def test_lines_end_in_any_way(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"3 2\r\na 1 2 \r\nb 3 4\r\nc 5 6")
    assert read_word_vectors(path).words == ("a", "b", "c")


@pytest.mark.parametrize(
    "content",
    [
        b"3 2\na 1 2\na 3 4\nb 5 6\n\n \n",
        b"3 2\n"
        + b"".join(w + b" " + struct.pack("<2f", *v) for w, v in [(b"a", (1, 2)), (b"a", (3, 4)), (b"b", (5, 6))]),
    ],
    ids=["text", "binary"],
)
def test_of_a_word_that_occurs_twice_the_first_stands(tmp_path, content):
    path = tmp_path / "vectors"
    path.write_bytes(content)
    found = read_word_vectors(path)
    assert found.words == ("a", "b")
    assert found.matrix.tolist() == [[1, 2], [5, 6]]


def test_lines_after_the_limit_are_not_looked_at(tmp_path):
    path = tmp_path / "vectors.txt"
    path.write_bytes(b"3 2\na 1 2\nb 3 4\nc 5\n")
    assert read_word_vectors(path, max_words=2).words == ("a", "b")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "its first line does not give the number of words"),
        (b"the 0.1 0.2 0.3\n", "add that line if the rest has the form"),
        (b"-1 3\n", "its first line"),
        (b"x" * 1_000_000, "its first line"),
        (b"\x1f\x8b\x08\x00", "is compressed; unpack it first"),
        (b"0 3\n", "0 words of 3 numbers"),
        (b"1 0\na\n", "1 words of 0 numbers"),
        (b"1 10001\na " + b"0 " * 10_001, "10,001 numbers, not 1 to 10,000"),
        (b"2 2\nnew york 1 2\nb 3 4\n", "no word may hold a space"),
        (b"1 2\n" + b"x" * 900, "ends before its last word"),
        (b"9999999999999 300\na " + b"0 " * 300, "for which it is too short"),
        (b"3 2\na 1 2\nb 3 4\n" + b" " * 20, "line 4 is damaged"),
        (b"2 3\na 1 2 3\nb 3 4\n        ", "line 3 is damaged"),
        (b"2 2\na 1 2\nb 3 x\n", "numbers are damaged"),
        (b"2 2\ninvoice 1 2\nletter 3\n", "line 3 is damaged"),
        (b"3 2\nletter 3\ninvoice 1 2\nreceipt 3 4\n", "line 2 is damaged"),
        (b"3 2\nletter 1 x\ninvoice 1 2\nreceipt 3 4\n", "numbers are damaged"),
        (b"2 2\n 1 2\nb 3 4\n", "line 2 is damaged"),
        (b"2 2\na 1 2\n\nb 3 4\n", "line 3 is damaged"),
        (b"2 2\na 1 2\nb 3 4\nc 5 6\n", "has more: see line 4"),
        (b"2 2\na 1 2\nb 3 nan\n", "not finite"),
        (b"2 2\na 1 2\nb 3 1e39\n", "not finite"),
        (b"1 2\n" + b"x" * 5_000, "for which it is too long"),
        (b"1 2\nb " + struct.pack("<2f", 1, float("nan")), "not finite"),
        (b"2 2\n" + (b"b " + struct.pack("<2f", 1, 2)) + b"x" * 10, "ends before its last word"),
    ],
)
def test_hostile_and_damaged_files_are_refused_in_one_line(tmp_path, content, message):
    path = tmp_path / "vectors.bin"
    path.write_bytes(content)
    with pytest.raises(BadDataError, match=message) as caught:
        read_word_vectors(path)
    assert str(caught.value).startswith(str(path))
    assert caught.value.remedy


def test_a_header_that_promises_the_moon_takes_no_memory(tmp_path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(b"100000000 10000\n" + b"\0" * 1_000)
    tracemalloc.start()
    with pytest.raises(BadDataError, match="100,000,000 words"):
        read_word_vectors(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2_000_000


def test_a_file_that_is_not_there_is_bad_input(tmp_path):
    with pytest.raises(BadInputError, match="no such file"):
        read_word_vectors(tmp_path / "missing.bin")
    with pytest.raises(BadInputError, match="is a directory"):
        read_word_vectors(tmp_path)


@given(st.binary(max_size=200))
@settings(max_examples=60)
def test_any_bytes_give_vectors_or_our_error(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "any.bin"
    path.write_bytes(b"2 2\n" + content)
    try:
        found = read_word_vectors(path)
    except BadDataError:
        return
    assert len(found.words) in (1, 2)
    assert found.matrix.shape == (len(found.words), 2)


@pytest.mark.slow
def test_related_words_of_real_documents_lie_near_each_other():
    path = ROOT.parent / "shared" / "datasets" / "tobacco3482-ocr" / "documents.csv"
    if not path.exists():
        pytest.skip("the shared data sets are not beside the checkout")
    documents = [tokenize(row.values["text"]) for row in read_rows(path, required=["text"])]
    vectors = train_word_vectors(documents)
    nearest = {word for word, _ in vectors.similar("january", 20)}
    assert len(nearest & {"february", "march", "april", "may", "june", "july", "august", "september"}) >= 2

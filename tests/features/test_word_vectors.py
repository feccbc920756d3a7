"""Document vectors, word algebra, and what a model file holds of word vectors."""

from __future__ import annotations

import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gensim.models import KeyedVectors
from hypothesis import given, settings
from hypothesis import strategies as st

from features.word_vectors import WordVectors
from textclf.base.errors import BadModelError, UsageError

ROOT = Path(__file__).parents[2]


@pytest.fixture
def royal():
    words = {"king": [1, 1, 0], "man": [1, 0, 0], "woman": [0, 0, 1], "queen": [0, 1, 1], "bread": [-1, 0, 0.1]}
    return WordVectors.from_words(words, np.array(list(words.values()), dtype=np.float32))


def arrays(vectors: WordVectors) -> list[bytes]:
    return [vectors.to_arrays()[name].tobytes() for name in ("matrix", "weights", "common")]


# document vectors


def test_a_document_vector_is_the_weighted_mean_without_the_common_component():
    vectors = WordVectors(
        words=("a", "b"),
        matrix=np.array([[1, 2], [3, 4]], dtype=np.float32),
        weights=np.array([1, 3], dtype=np.float32),
        common=np.array([0, 1], dtype=np.float32),
    )
    result = vectors.transform([["a", "b", "unknown"], ["b", "b"], ["unknown"], []])
    assert result.tolist() == [[2.5, 0], [3, 0], [0, 0], [0, 0]]
    assert result.dtype == np.float32


def test_weights_are_inverse_document_frequencies_of_the_training_documents():
    vectors = WordVectors.from_words(("a", "b", "c"), np.eye(3, dtype=np.float32))
    weights = vectors.fit_document_weights([["a", "a", "b"], ["a"], ["a"]]).weights
    assert weights == pytest.approx([1, np.log(4 / 2) + 1, np.log(4) + 1])


def test_what_all_training_documents_share_is_removed():
    generator = np.random.default_rng(0)
    matrix = generator.normal(size=(40, 6)).astype(np.float32) + np.array([5, 0, 0, 0, 0, 0], dtype=np.float32)
    words = [f"w{i}" for i in range(40)]
    documents = [random.Random(i).sample(words, 8) for i in range(30)]
    vectors = WordVectors.from_words(words, matrix).fit_document_weights(documents)
    assert np.linalg.norm(vectors.common) == pytest.approx(1, abs=1e-5)
    assert abs(vectors.common[0]) > 0.95
    means = replace(vectors, common=np.zeros_like(vectors.common)).transform(documents)
    first = np.linalg.svd(means)[2][0]
    assert abs(first @ vectors.common) == pytest.approx(1, abs=1e-5)
    assert np.abs(vectors.transform(documents) @ vectors.common).max() < 1e-4


def test_one_training_document_keeps_its_vector():
    vectors = WordVectors.from_words(("a",), np.ones((1, 2), dtype=np.float32)).fit_document_weights([["a"], ["x"]])
    assert vectors.transform([["a"]]).tolist() == [[1, 1]]


def test_fitting_leaves_the_vectors_it_was_asked_of_as_they_were(royal):
    before = arrays(royal)
    royal.fit_document_weights([["king"], ["man", "king"]])
    assert arrays(royal) == before


def test_restricted_vectors_keep_order_weights_and_what_is_common(royal):
    fitted = royal.fit_document_weights([["king", "man"], ["queen"], ["king"]])
    kept = fitted.restricted_to({"queen", "man", "absent"})
    assert kept.words == ("man", "queen")
    assert kept.matrix.tolist() == fitted.matrix[[1, 3]].tolist()
    assert kept.weights.tolist() == fitted.weights[[1, 3]].tolist()
    assert kept.common.tolist() == fitted.common.tolist()
    assert kept.transform([["queen", "man"]]).tobytes() == fitted.transform([["queen", "man"]]).tobytes()


def test_vectors_restricted_to_nothing_still_know_their_size(royal):
    assert royal.restricted_to(()).transform([["king"]]).tolist() == [[0, 0, 0]]


@given(st.lists(st.lists(st.sampled_from(["the", "premium", "cash", "policy", "unknown"]), max_size=30), max_size=6))
@settings(max_examples=40)
def test_a_document_has_the_same_vector_alone_and_in_a_batch(trained, documents):
    batch = trained.transform(documents)
    assert np.isfinite(batch).all()
    for i, tokens in enumerate(documents):
        alone = trained.transform([tokens])
        assert alone.tobytes() == batch[i].tobytes()


def test_transforming_needs_numpy_and_the_standard_library_only():
    program = (
        "import sys, numpy; from features.word_vectors import WordVectors\n"
        "WordVectors.from_words(['a'], numpy.ones((1, 2), 'f4')).transform([['a']])\n"
        "print(sorted({'gensim', 'scipy', 'rapidfuzz', 'sklearn', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


# word algebra


def test_king_less_man_plus_woman_is_queen(royal):
    assert royal.analogy(["king", "woman"], ["man"], 1)[0][0] == "queen"
    assert [word for word, _ in royal.analogy(["king"], [], 9)] == ["man", "queen", "woman", "bread"]


def test_similar_gives_cosines_the_nearest_first(royal):
    found = royal.similar("King", 2)
    assert found == [("man", pytest.approx(0.5**0.5)), ("queen", pytest.approx(0.5))]
    assert royal.similar("king", 0) == []


def test_algebra_agrees_with_gensim(trained):
    theirs = KeyedVectors(trained.size)
    theirs.add_vectors(list(trained.words), trained.matrix)
    expected = theirs.most_similar(positive=["premium", "cash"], negative=["policy"], topn=5)
    found = trained.analogy(["premium", "cash"], ["policy"], 5)
    assert [word for word, _ in found] == [word for word, _ in expected]
    assert [score for _, score in found] == pytest.approx([score for _, score in expected], abs=1e-5)


def test_an_unknown_word_names_near_spellings(royal):
    with pytest.raises(UsageError, match=r"the word 'kinng' has no vector; did you mean king"):
        royal.similar("kinng")
    with pytest.raises(UsageError, match="try a word of the texts"):
        royal.analogy(["xyzzyx"], [])


# model file


def test_arrays_and_words_restore_the_same_vectors(trained, policies_and_receipts, tmp_path):
    np.savez(tmp_path / "vectors.npz", **trained.to_arrays())
    with np.load(tmp_path / "vectors.npz", allow_pickle=False) as stored:
        restored = WordVectors.from_arrays(list(trained.words), dict(stored))
    assert restored.words == trained.words
    assert restored.transform(policies_and_receipts).tobytes() == trained.transform(policies_and_receipts).tobytes()


@pytest.mark.parametrize(
    "damage",
    [
        lambda words, arrays: (words[:-1], arrays),
        lambda words, arrays: ([words[1], *words[1:]], arrays),
        lambda words, arrays: ([1, *words[1:]], arrays),
        lambda words, arrays: (words, {"matrix": arrays["matrix"]}),
        lambda words, arrays: (words, arrays | {"matrix": arrays["matrix"].astype(np.float64)}),
        lambda words, arrays: (words, arrays | {"matrix": arrays["matrix"][0]}),
        lambda words, arrays: (words, arrays | {"matrix": arrays["matrix"] * np.float32("nan")}),
        lambda words, arrays: (words, arrays | {"weights": arrays["weights"][:-1]}),
        lambda words, arrays: (words, arrays | {"weights": arrays["weights"] * np.float32(-1)}),
        lambda words, arrays: (words, arrays | {"common": arrays["common"][:-1]}),
        lambda words, arrays: (words, arrays | {"common": arrays["common"][None]}),
    ],
)
def test_parts_that_do_not_fit_together_are_refused(trained, damage):
    with pytest.raises(BadModelError, match="word vectors do not fit together"):
        WordVectors.from_arrays(*damage(list(trained.words), trained.to_arrays()))

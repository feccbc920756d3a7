"""``textclf words``."""

from __future__ import annotations

from textclf.base.errors import ExitCode


def test_words_of_a_model_and_of_a_word2vec_file(textclf, model_path, tmp_path):
    said = textclf("words", "similar", model_path, "invoice", "-n", "3")
    assert said.code == 0
    assert len(said.out.splitlines()) == 3
    path = tmp_path / "vectors.txt"
    path.write_text("4 2\nking 1 1\nman 1 0\nwoman -1 0\nqueen -1 1\n")
    said = textclf("words", "analogy", path, "king", "woman", "--minus", "man", "-n", "1")
    assert said.out.split()[0] == "queen"
    said = textclf("words", "similar", path, "quen")
    assert said.code == ExitCode.USAGE
    assert "queen" in said.error

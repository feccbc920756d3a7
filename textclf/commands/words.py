"""``textclf words``: finds similar words and analogies by word vectors."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from textclf.commands.application import Argument, Option
from textclf.commands.console import print_lines

if TYPE_CHECKING:
    from features.word_vectors import WordVectors


def similar(
    source: Annotated[Path, Argument(metavar="VECTORS", help="A model file or a word2vec file.")],
    word: Annotated[str, Argument(help="A word.")],
    n: Annotated[int, Option("-n", help="How many to show.", min=1)] = 10,
) -> None:
    """Show the words most similar to a word.

        textclf words similar model.textclf invoice -n 5

    Prints one line per word, with its cosine similarity.
    """
    print_lines(*(f"{other:<24} {similarity:.3f}" for other, similarity in load_words(source).similar(word, n)))


def analogy(
    source: Annotated[Path, Argument(metavar="VECTORS", help="A model file or a word2vec file.")],
    words: Annotated[list[str], Argument(help="Words to add; give words to subtract with --minus.")],
    minus: Annotated[list[str], Option(help="A word to subtract; repeatable.")] = [],  # noqa: B006
    n: Annotated[int, Option("-n", help="How many to show.", min=1)] = 10,
) -> None:
    """Show the words nearest to a sum of words.

        textclf words analogy vectors.txt king woman --minus man

    Prints one line per word, with its cosine similarity.
    """
    print_lines(*(f"{other:<24} {similarity:.3f}" for other, similarity in load_words(source).analogy(words, minus, n)))


def load_words(source: Path) -> WordVectors:
    """Read the word vectors of a model file or of a word2vec file."""
    import zipfile

    from features.word_vectors import read_word_vectors
    from textclf.model.file import load_model

    return load_model(source).features.vectors if zipfile.is_zipfile(source) else read_word_vectors(source)

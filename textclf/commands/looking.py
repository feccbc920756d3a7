"""Commands that look into models and word vectors."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

from textclf.commands.application import Argument, Option
from textclf.commands.options import AsJson, Model, print_json, print_lines, show_training


def info(model: Model, as_json: AsJson = False) -> None:
    """Show what a model knows, was trained with, and found out about itself.

        textclf model info model.textclf
        textclf model info model.textclf --json

    Prints settings, versions, how many documents of each category it learned from, and from which score it accepts.
    """
    from textclf.model.file import model_info

    found = model_info(model)
    if as_json:
        print_json(asdict(found))
        return
    versions = ", ".join(f"{name} {number}" for name, number in found.versions.items())
    print_lines(f"{model}: format {found.format}, {found.bytes / 1e6:.1f} MB", f"trained with  {versions}")
    print_lines(*(f"  {name:<20} {value}" for name, value in found.settings.items()))
    print_lines("knows", *(f"  {name:<20} {count:,}" for name, count in found.features.items()))
    print_lines("documents", *(f"  {name:<20} {count:,}" for name, count in found.training.documents.items()))
    show_training(found.training, to=print_lines)


def similar(
    source: Annotated[Path, Argument(metavar="VECTORS", help="A model file or a word2vec file.")],
    word: Annotated[str, Argument(help="A word.")],
    n: Annotated[int, Option("-n", help="How many to show.", min=1)] = 10,
) -> None:
    """Show the words that are most like a word.

        textclf words similar model.textclf invoice -n 5

    Prints a line a word, with its cosine similarity.
    """
    from textclf.commands.modelling import load_words

    print_lines(*(f"{other:<24} {likeness:.3f}" for other, likeness in load_words(source).similar(word, n)))


def analogy(
    source: Annotated[Path, Argument(metavar="VECTORS", help="A model file or a word2vec file.")],
    words: Annotated[list[str], Argument(help="Words to add; put the ones to subtract after --minus.")],
    minus: Annotated[list[str], Option(help="A word to subtract. May stand several times.")] = [],  # noqa: B006
    n: Annotated[int, Option("-n", help="How many to show.", min=1)] = 10,
) -> None:
    """Show the words nearest to a sum of words.

        textclf words analogy vectors.txt king woman --minus man

    Prints a line a word, with its cosine similarity.
    """
    from textclf.commands.modelling import load_words

    print_lines(*(f"{other:<24} {likeness:.3f}" for other, likeness in load_words(source).analogy(words, minus, n)))

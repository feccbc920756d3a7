"""The options for features."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.options import option

if TYPE_CHECKING:
    from features.lexicon import Lexicon
    from features.word_vectors import WordVectors


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureOptions:
    """Keywords, word vectors and augmented copies."""

    lexicon: Lexicon | str | Path = option(
        "auto",
        type=str,
        metavar="auto|learn|none|FILE",
        suggestions=("auto", "learn", "none"),
        help="auto: the lexicon that ships where it fits, else keywords learned from the documents; learn; none; or a "
        "TOML file.",
    )
    vectors: WordVectors | str | Path = option(
        "learn",
        type=str,
        metavar="learn|none|FILE",
        suggestions=("learn", "none"),
        help="Word vectors: learn; none; or a word2vec file, text or binary.",
    )
    vector_size: int = option(50, min=1, max=1000, help="Dimensions of learned word vectors.")
    augment: bool = option(
        True, help="Train also on augmented copies: the texts as a bad scan or the upper part of a page gives them."
    )

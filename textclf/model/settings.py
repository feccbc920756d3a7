"""Settings of a training, which `DocumentClassifier` and the commands that train share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from textclf.base.options import check_options, option

if TYPE_CHECKING:
    from features.lexicon import Lexicon
    from features.word_vectors import WordVectors


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSettings:
    """Parameters of `DocumentClassifier` that a command takes too."""

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
    C: float = option(1.0, name="c", min=1e-6, max=1e6, help="Inverse strength of the regularisation.")
    max_error: float = option(
        0.05, min=0.0001, max=0.9999, help="Maximum error among accepted documents, such as 0.05."
    )
    confidence: float = option(
        0.9, min=0.0001, max=0.9999, help="Confidence that the error stays under the maximum, such as 0.9."
    )
    random_state: int = option(
        0, name="seed", min=0, max=2**32 - 1, help="Seed. Same input, seed and versions give the same bytes."
    )

    def __post_init__(self) -> None:
        check_options(self)


DEFAULTS = TrainingSettings()

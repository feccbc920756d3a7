"""The matcher and word vectors that ``textclf prepare`` fits, which compute the columns of a datasource."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from zipfile import BadZipFile

import numpy as np

from features.datasource import DatasourceRow, DatasourceSummary, write_datasource
from features.feature_set import FeatureSettings, fit_matcher, fit_vectors
from features.keyword_matcher import KeywordMatcher, common_words
from features.text_arguments import as_pairs
from features.tokens import tokenize
from features.word_vectors import WordVectors
from textclf.base.errors import BadInputError, BadModelError
from textclf.base.files import write_aside


class PreparedDocument(NamedTuple):
    """A document with cleaned text; category and group may be empty."""

    document_id: str
    text: str
    category: str = ""
    group: str = ""
    look: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PreparedFeatures:
    """The features in the columns of a datasource, which has no n-grams."""

    matcher: KeywordMatcher
    vectors: WordVectors
    # whether there are columns of the look
    looks: bool = False

    @classmethod
    def fit(
        cls, texts: Sequence[str], categories: Sequence[str], settings: FeatureSettings, *, looks: bool = False
    ) -> PreparedFeatures:
        """Fit on cleaned texts and the category of each."""
        texts, categories = as_pairs(texts, categories)
        words = [tokenize(text) for text in texts]
        return cls(matcher=fit_matcher(words, categories, settings), vectors=fit_vectors(words, settings), looks=looks)

    def row(self, document: PreparedDocument) -> DatasourceRow:
        """Compute the columns of a document."""
        words = tokenize(document.text)
        found = self.matcher.find_all([words])
        return DatasourceRow(
            document_id=document.document_id,
            text=document.text,
            common_words=common_words(found[0]),
            indicators=tuple(map(bool, self.matcher.indicators(found)[0])),
            vector=tuple(self.vectors.unit_vectors([words])[0].tolist()),
            category=document.category,
            group=document.group,
            look=document.look,
        )

    def write(
        self, path: Path, documents: Sequence[PreparedDocument], *, seed: int, grouped: bool = False
    ) -> DatasourceSummary:
        """Write documents as a datasource, see `features.datasource.write_datasource`."""
        return write_datasource(
            path,
            documents,
            to_row=self.row,
            indicator_names=self.matcher.lexicon.columns,
            vector_size=self.vectors.size,
            seed=seed,
            grouped=grouped,
            looks=self.looks,
        )

    def save(self, folder: Path) -> None:
        """Write ``keywords.json``, ``words.json``, ``columns.json`` and ``vectors.npz``."""
        contents = (
            ("keywords", self.matcher.to_dict()),
            ("words", list(self.vectors.words)),
            ("columns", {"looks": self.looks}),
        )
        for name, value in contents:
            with write_aside(folder / f"{name}.json") as aside:
                aside.write_text(json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True) + "\n", "utf-8")
        with write_aside(folder / "vectors.npz") as aside, aside.open("wb") as file:
            arrays: dict[str, Any] = self.vectors.to_arrays()
            np.savez(file, **arrays)

    @classmethod
    def load(cls, folder: Path) -> PreparedFeatures:
        """Read what `save` wrote; raises `BadInputError` if it is missing or damaged."""
        try:
            keywords, words, columns = (
                json.loads((folder / f"{name}.json").read_text("utf-8")) for name in ("keywords", "words", "columns")
            )
            with (folder / "vectors.npz").open("rb") as file, np.load(file, allow_pickle=False) as arrays:
                vectors = WordVectors.from_arrays(words, dict(arrays))
            return cls(matcher=KeywordMatcher.from_dict(keywords), vectors=vectors, looks=bool(columns["looks"]))
        except (OSError, EOFError, BadZipFile, ValueError, KeyError, TypeError, BadModelError) as error:
            raise BadInputError(
                "what prepare wrote is missing or damaged",
                where=folder,
                remedy="run `textclf prepare` again, or name the folder that it wrote",
            ) from error

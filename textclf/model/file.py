"""The model file: a trained model as an archive (`textclf.base.archive`), and back.

The manifest adds ``versions`` (of textclf, Python and the libraries that trained it), ``categories`` and ``data_hash``.
``model.json`` holds settings, training record, calibration, views, keyword tables, words of the vectors and, if
training was given numbers or booleans, ``labels``, whose names are ``categories``.

Format 2, from before the first release, had the size of each part in its manifest and called the setting ``augment``
``poor_copies``. Format 1 had n-grams in other buckets and is refused.
"""

from __future__ import annotations

import platform
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.keyword_matcher import KeywordMatcher
from features.language_detection import LanguageDetector
from features.layout import DECILES, LayoutScale
from features.ngrams import NgramView
from features.tfidf import NgramTable, NgramTfidf
from features.word_vectors import WordVectors
from textclf.base import __version__
from textclf.base.archive import ArchiveKind, Contents, Source, pack_archive, read_archive, write_archive
from textclf.base.from_json import from_json
from textclf.model.predict import LinearModel, Model
from textclf.model.prediction import Label
from textclf.model.training_record import TrainingRecord
from textclf.model.typicality import QUANTILES, Typicality

KIND = ArchiveKind(name="textclf model", format=3, oldest=2, written_by="`textclf train`")

# names in the file of the arrays of the linear model and of typicality
_WEIGHTS = {
    "page_shape_weights": "layout",
    "indicator_weights": "indicators",
    "vector_weights": "vectors",
    "intercept": "intercept",
}
_TYPICALITY = {"familiarity_centroids": "centroids", "familiarity_quantiles": "quantiles"}
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "gensim", "spacy", "spacy-lookups-data")


def save_model(model: Model, target: str | Path | BinaryIO) -> None:
    """Write a model file to a path or an open binary file; the same model and versions give the same bytes."""
    data = pack_archive(
        KIND,
        _description(model),
        _arrays(model),
        versions=library_versions(),
        categories=model.categories,
        data_hash=model.training.data_hash,
    )
    write_archive(target, data)


def load_model(source: Source) -> Model:
    """Read a model file.

    Parameters
    ----------
    source : str, pathlib.Path, bytes or binary file object
        What `DocumentClassifier.save` wrote: its path, its content, or an open file, which is read to the end and
        stays open.

    Returns
    -------
    Model
        Predicts with numpy alone.

    Raises
    ------
    textclf.base.errors.BadInputError
        If the file cannot be opened.
    textclf.base.errors.BadModelError
        If it is no model file, was cut short or changed, or has a newer format.
    """
    return read_archive(source, KIND, _build)


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """Facts about a model file: ``bytes`` is its size, ``features`` counts the features of each group."""

    format: int
    versions: dict[str, str]
    bytes: int
    settings: dict[str, str | int | float | None]
    training: TrainingRecord
    features: dict[str, int]


def model_info(path: str | Path) -> ModelInfo:
    """Read facts about a model file; raises as `load_model`."""

    def build(contents: Contents) -> ModelInfo:
        model = _build(contents)
        features = {f"{table.view.name} n-grams": len(table.buckets) for table in model.features.ngrams.tables}
        features["keywords"] = sum(len(category.keywords) for category in model.features.matcher.lexicon.categories)
        features["words with a vector"] = len(model.features.vectors.words)
        return ModelInfo(
            format=contents.manifest["format"],
            versions={str(name): str(found) for name, found in contents.manifest["versions"].items()},
            bytes=contents.size,
            settings=model.settings,
            training=model.training,
            features=features,
        )

    return read_archive(path, KIND, build)


def _description(model: Model) -> dict[str, Any]:
    # labels that are strings are the names of the categories, which are written anyway
    named = {} if model.labels == model.categories else {"labels": list(model.labels)}
    return named | {
        "settings": model.settings,
        "training": asdict(model.training),
        "categories": list(model.categories),
        "inverse_temperature": model.inverse_temperature,
        "views": [asdict(table.view) for table in model.features.ngrams.tables],
        "keywords": model.features.matcher.to_dict(),
        "words": list(model.features.vectors.words),
        "languages": {"stop_words": model.languages.stop_words, "known": model.languages.known},
    }


def _arrays(model: Model) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    ngrams = model.features.ngrams
    for table, weights in zip(ngrams.tables, np.split(model.linear.ngrams, ngrams.starts[1:-1]), strict=True):
        arrays[f"{table.view.name}_buckets"] = table.buckets
        arrays[f"{table.view.name}_idf"] = table.idf
        arrays[f"{table.view.name}_weights"] = weights
    arrays["page_shape_deciles"] = model.features.layout.deciles
    arrays |= {name: getattr(model.linear, block) for name, block in _WEIGHTS.items()}
    arrays |= {name: getattr(model.typicality, field) for name, field in _TYPICALITY.items()}
    return arrays | {f"vectors_{name}": array for name, array in model.features.vectors.to_arrays().items()}


def _build(contents: Contents) -> Model:
    description, arrays = contents.description, contents.arrays
    categories = tuple(map(str, description["categories"]))
    training: TrainingRecord = from_json(description["training"], TrainingRecord)
    model = Model(
        categories=categories,
        labels=_labels(description, categories),
        features=_features(description, arrays),
        linear=LinearModel(
            ngrams=np.concatenate([arrays[f"{view['name']}_weights"] for view in description["views"]]),
            **{block: arrays[name] for name, block in _WEIGHTS.items()},
        ),
        inverse_temperature=float(description["inverse_temperature"]),
        typicality=Typicality(**{field: arrays[name] for name, field in _TYPICALITY.items()}),
        languages=from_json(description["languages"], LanguageDetector),
        # the keys of the JSON are in alphabetical order, the categories in the order of the labels
        training=replace(training, documents={category: training.documents[category] for category in categories}),
        settings=_settings(description["settings"], contents.manifest["format"]),
    )
    # as it would be written: no array is left over, and each view has as many weights as n-grams
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(categories) < 2 or shapes != {name: array.shape for name, array in _arrays(model).items()}:
        raise ValueError("sizes differ")
    if any(shapes[name] != shape for name, shape in _expected_shapes(model).items()):
        raise ValueError("sizes differ")
    return model


def _expected_shapes(model: Model) -> dict[str, tuple[int, ...]]:
    features, width = model.features, len(model.categories)
    tables = features.ngrams.tables
    return {f"{table.view.name}_idf": (len(table.buckets),) for table in tables} | {
        "page_shape_deciles": (len(features.layout.deciles), len(DECILES)),
        "page_shape_weights": (features.layout.size, width),
        "indicator_weights": (len(features.matcher.lexicon.categories), width),
        "vector_weights": (features.vectors.size, width),
        "intercept": (width,),
        "familiarity_centroids": (len(tables[0].buckets), width),
        "familiarity_quantiles": (3, QUANTILES),
    }


def _features(description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> FeatureSet:
    tables = tuple(
        NgramTable(view=NgramView(**view), buckets=arrays[f"{view['name']}_buckets"], idf=arrays[f"{view['name']}_idf"])
        for view in description["views"]
    )
    vectors = {name.removeprefix("vectors_"): array for name, array in arrays.items() if name.startswith("vectors_")}
    return FeatureSet(
        ngrams=NgramTfidf(tables),
        layout=LayoutScale(deciles=arrays["page_shape_deciles"]),
        matcher=KeywordMatcher.from_dict(description["keywords"]),
        vectors=WordVectors.from_arrays(description["words"], vectors),
    )


def _settings(settings: dict[str, Any], number: int) -> dict[str, Any]:
    if number == 2:
        return {"augment" if name == "poor_copies" else name: value for name, value in settings.items()}
    return settings


def _labels(description: dict[str, Any], categories: tuple[str, ...]) -> tuple[Label, ...]:
    labels = tuple(description.get("labels", categories))
    if not all(isinstance(label, Label) for label in labels) or tuple(map(str, labels)) != categories:
        raise ValueError("labels and categories differ")
    return labels


def library_versions() -> dict[str, str]:
    """Versions on which the bytes of a model depend."""
    versions = {"textclf": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions

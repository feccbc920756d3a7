"""The model file: a trained model as an archive (`textclf.base.archive`), and back.

The manifest adds ``versions`` (of textclf, Python and the libraries that trained it), ``categories`` and ``data_hash``.
``model.json`` holds settings, training record, calibration, views, keyword tables, words of the vectors and, if
training was given numbers or booleans, ``labels``, whose names are ``categories``.

Formats 2 and 3 are from before the first release. Format 3 recorded no unlabelled documents and kept
its threshold only. Format 2 had the size of
each part in its manifest and called the setting ``augment`` ``poor_copies``. Format 1 had n-grams in other buckets and
is refused.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from features.feature_set import FeatureSet
from features.keyword_matcher import KeywordMatcher
from features.language_detection import LanguageDetector
from features.layout import DECILES, LAYOUT_FEATURES, LayoutScale
from features.ngrams import BUCKET_BITS, NgramView
from features.tfidf import NgramTable, NgramTfidf
from features.word_vectors import WordVectors
from textclf.base import __version__
from textclf.base.archive import ArchiveKind, Contents, Source, pack_archive, read_archive, write_archive
from textclf.base.from_json import from_json
from textclf.base.look_format import SIZE as LOOK_SIZE
from textclf.base.options import build, described
from textclf.model.accept import NO_THRESHOLD, AcceptanceCurve
from textclf.model.held_out import HeldOut
from textclf.model.look import LookModel
from textclf.model.neighbours import Neighbours
from textclf.model.predict import LinearModel, Model
from textclf.model.prediction import Label
from textclf.model.settings import TrainingSettings
from textclf.model.training_record import CrossValidation, CurvePoint, SingleModality, TrainingRecord
from textclf.model.typicality import QUANTILES, Typicality

KIND = ArchiveKind(name="textclf model", format=5, oldest=2, written_by="`textclf train`")

# names in the file of the arrays of the linear model and of typicality
_WEIGHTS = {
    "page_shape_weights": "layout",
    "indicator_weights": "indicators",
    "vector_weights": "vectors",
    "intercept": "intercept",
}
_TYPICALITY = {"familiarity_centroids": "centroids", "familiarity_quantiles": "quantiles"}
_DENSITIES, _NEIGHBOURS = "familiarity_densities", "neighbours_"
_LOOK = {f"look_{name}": name for name in ("mean", "deviation", "weights", "intercept", "quantiles")}
_HELD_OUT_KEYS, _HELD_OUT_MARGINS = "held_out_keys", "held_out_margins"
# beyond it, sums of products would not be finite in 32 bits
_LARGE = 1e30
# no model has more documents, nor a curve, whose length takes time and memory when a threshold is chosen
_MOST, _MOST_SCORED = 10**12, 10**7
# characters of a word that neither a user nor a document chose
_LONGEST = 200
# inverse document frequencies are 1 + ln(at least 1)
_IDF_RANGE = (1.0, 100.0)
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


def load_model_and_versions(source: Source) -> tuple[Model, dict[str, str]]:
    """Read a model file, and the versions of what trained it; raises as `load_model`."""
    return read_archive(source, KIND, lambda contents: (_build(contents), _versions(contents)))


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
            versions=_versions(contents),
            bytes=contents.size,
            settings=model.settings,
            training=model.training,
            features=features,
        )

    return read_archive(path, KIND, build)


def _versions(contents: Contents) -> dict[str, str]:
    versions: dict[str, str] = from_json(contents.manifest["versions"], dict[str, str])
    _check_words([*versions, *versions.values()])
    return versions


def _description(model: Model) -> dict[str, Any]:
    # labels that are strings are the names of the categories, which are written anyway
    named: dict[str, Any] = {} if model.labels == model.categories else {"labels": list(model.labels)}
    if model.look is not None:
        named["look"] = [model.look.farthest, *model.look.inverse_temperatures]
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
    if model.typicality.neighbours is not None:
        arrays[_DENSITIES] = model.typicality.densities
        arrays |= {_NEIGHBOURS + name: array for name, array in model.typicality.neighbours.to_arrays().items()}
    if model.held_out is not None:
        arrays |= {_HELD_OUT_KEYS: model.held_out.keys, _HELD_OUT_MARGINS: model.held_out.margins}
    if model.look is not None:
        arrays |= {name: getattr(model.look, field) for name, field in _LOOK.items()}
    return arrays | {f"vectors_{name}": array for name, array in model.features.vectors.to_arrays().items()}


def _build(contents: Contents) -> Model:
    description, arrays = contents.description, contents.arrays
    categories: tuple[str, ...] = from_json(description["categories"], tuple[str, ...])
    views: tuple[NgramView, ...] = from_json(description["views"], tuple[NgramView, ...])
    matcher = KeywordMatcher.from_dict(description["keywords"])
    vectors = {name.removeprefix("vectors_"): array for name, array in arrays.items() if name.startswith("vectors_")}
    words = WordVectors.from_arrays(description["words"], vectors)
    of_look = from_json(description.get("look"), tuple[float, float, float] | None)
    _check_arrays(arrays, views, len(categories), len(matcher.lexicon.categories), has_look=of_look is not None)
    inverse_temperature = from_json(description["inverse_temperature"], float)
    if len(set(categories)) < max(2, len(categories)) or not all(
        0 < temperature <= _LARGE for temperature in (inverse_temperature, *(of_look or ()))
    ):
        raise ValueError("no categories or no temperature")
    tables = tuple(
        NgramTable(view=view, buckets=arrays[f"{view.name}_buckets"], idf=arrays[f"{view.name}_idf"]) for view in views
    )
    ngrams = NgramTfidf(tables)
    weights = ngrams.kept.put_beside(np.concatenate([arrays[f"{view.name}_weights"] for view in views]))
    return Model(
        categories=categories,
        labels=_labels(description, categories),
        features=FeatureSet(
            ngrams=ngrams,
            layout=LayoutScale(deciles=arrays["page_shape_deciles"]),
            matcher=matcher,
            vectors=words,
        ),
        linear=LinearModel(
            ngrams=weights,
            **{block: arrays[name] for name, block in _WEIGHTS.items()},
        ),
        inverse_temperature=float(inverse_temperature),
        typicality=_typicality(arrays),
        languages=from_json(description["languages"], LanguageDetector),
        training=_training(description["training"], categories),
        settings=_settings(description["settings"], contents.manifest["format"]),
        held_out=HeldOut(keys=arrays[_HELD_OUT_KEYS], margins=arrays[_HELD_OUT_MARGINS])
        if _HELD_OUT_KEYS in arrays
        else None,
        look=LookModel(
            **{field: arrays[name] for name, field in _LOOK.items()},
            farthest=of_look[0],
            inverse_temperatures=of_look[1:],
        )
        if of_look
        else None,
    )


def _typicality(arrays: Mapping[str, NDArray[Any]]) -> Typicality:
    found = Typicality(centroids=arrays["familiarity_centroids"], quantiles=arrays["familiarity_quantiles"])
    if _DENSITIES not in arrays:
        return found
    own = {name.removeprefix(_NEIGHBOURS): array for name, array in arrays.items() if name.startswith(_NEIGHBOURS)}
    return replace(found, neighbours=Neighbours.from_arrays(own), densities=arrays[_DENSITIES])


def _check_arrays(
    arrays: Mapping[str, NDArray[Any]],
    views: Sequence[NgramView],
    categories: int,
    keyword_categories: int,
    *,
    has_look: bool,
) -> None:
    """Check that these are the arrays of a model, each of its type, shape and range; raises `ValueError`."""
    deciles, dimensions = arrays["page_shape_deciles"], arrays["vectors_common"].shape
    measures = len(LAYOUT_FEATURES) if len(deciles) else 0
    expected: dict[str, tuple[type, tuple[int, ...], float, float]] = {
        "page_shape_deciles": (np.float64, (measures, len(DECILES)), -_LARGE, _LARGE),
        "page_shape_weights": (np.float32, (deciles.size, categories), -_LARGE, _LARGE),
        "indicator_weights": (np.float32, (keyword_categories, categories), -_LARGE, _LARGE),
        "vector_weights": (np.float32, (*dimensions, categories), -_LARGE, _LARGE),
        "intercept": (np.float32, (categories,), -_LARGE, _LARGE),
        "familiarity_centroids": (np.float32, (len(arrays[f"{views[0].name}_buckets"]), categories), 0, _LARGE),
        "familiarity_quantiles": (np.float64, (3, QUANTILES), -_LARGE, _LARGE),
        "vectors_matrix": (np.float32, arrays["vectors_matrix"].shape, -_LARGE, _LARGE),
        "vectors_weights": (np.float32, arrays["vectors_weights"].shape, *_IDF_RANGE),
        "vectors_common": (np.float32, dimensions, -_LARGE, _LARGE),
    }
    if _DENSITIES in arrays:
        rows = {name: arrays[f"{_NEIGHBOURS}{name}"] for name in ("projection", "labelled", "unlabelled")}
        size = rows["projection"].shape[1:]
        expected |= {
            _DENSITIES: (np.float64, (2,), -_LARGE, _LARGE),
            f"{_NEIGHBOURS}projection": (np.float16, (len(arrays["familiarity_centroids"]), *size), -10, 10),
            f"{_NEIGHBOURS}labelled": (np.int8, (max(len(rows["labelled"]), 1), *size), -127, 127),
            f"{_NEIGHBOURS}unlabelled": (np.int8, (max(len(rows["unlabelled"]), 2), *size), -127, 127),
        }
    if _HELD_OUT_KEYS in arrays:
        texts = max(len(arrays[_HELD_OUT_KEYS]), 1)
        expected |= {
            _HELD_OUT_KEYS: (np.uint64, (texts,), 0, (1 << 64) - 1),
            _HELD_OUT_MARGINS: (np.float32, (texts, categories), -_LARGE, _LARGE),
        }
    if has_look:
        expected |= {
            "look_mean": (np.float32, (LOOK_SIZE,), 0, 1),
            "look_deviation": (np.float32, (LOOK_SIZE,), 1e-6, 1),
            "look_weights": (np.float32, (2, LOOK_SIZE, categories), -_LARGE, _LARGE),
            "look_intercept": (np.float32, (2, categories), -_LARGE, _LARGE),
            "look_quantiles": (np.float64, (2, QUANTILES), -_LARGE, _LARGE),
        }
    for view in views:
        kept = arrays[f"{view.name}_buckets"]
        expected[f"{view.name}_buckets"] = (np.int32, (kept.size,), 0, (1 << BUCKET_BITS) - 1)
        expected[f"{view.name}_idf"] = (np.float32, (kept.size,), *_IDF_RANGE)
        expected[f"{view.name}_weights"] = (np.float32, (kept.size, categories), -_LARGE, _LARGE)
    if arrays.keys() != expected.keys():
        raise ValueError("other arrays than a model has")
    for name, (kind, shape, lowest, highest) in expected.items():
        array = arrays[name]
        # the least and the greatest value are NaN if any value is
        if (
            array.dtype != kind
            or array.shape != shape
            or not (lowest <= array.min(initial=highest) and array.max(initial=lowest) <= highest)
        ):
            raise ValueError(f"{name} has another type, shape or range")
    if any((np.diff(arrays[f"{view.name}_buckets"]) <= 0).any() for view in views):
        raise ValueError("n-grams out of order")
    if any((np.diff(arrays[name]) < 0).any() for name in arrays if name.endswith("_quantiles")):
        raise ValueError("quantiles out of order")


def _training(data: object, categories: Sequence[str]) -> TrainingRecord:
    record: TrainingRecord = from_json(data, TrainingRecord)
    parts = [part for part in (record.without_look, record.look_alone) if part]
    acceptances = [record.acceptance, *(part.acceptance for part in parts)]
    curves = [record.acceptance_curve, *(part.acceptance_curve for part in parts)]
    counts = [*record.documents.values(), record.empty_texts, record.folds, record.kept_together]
    counts += [record.unlabelled.given, record.unlabelled.used, record.unlabelled.novel]
    counts += record.unlabelled.pseudo_labelled.values()
    counts += [record.background.texts, record.out_of_distribution]
    counts += [*(point.documents for point in record.curve), *(part.documents for part in parts)]
    shares = [share for one in acceptances for share in (one.accepted, one.error, one.threshold / NO_THRESHOLD)]
    shares += [one.unknown_accepted for one in acceptances if one.unknown_accepted is not None]
    measured: list[CrossValidation | CurvePoint | SingleModality] = [*record.groups, *record.curve, *parts]
    shares += [share for one in measured for share in (one.accuracy, one.macro_f1)]
    if (
        not record.groups
        or not all(0 <= count <= _MOST for count in counts)
        # a weighted mean may be above 1 by a rounding error
        or not all(0 <= share < 1.001 for share in shares)
        or not all(0 < share < 1 for one in acceptances for share in (one.max_error, one.confidence))
        or not all(curve is None or _is_curve(curve) for curve in curves)
    ):
        raise ValueError("figures out of range")
    if not {*record.unlabelled.pseudo_labelled, *record.background.left_out.values()} <= {*categories}:
        raise ValueError("other categories")
    _check_words([record.data_hash, record.inputs_hash, *record.background.left_out])
    _check_words(group.features for group in record.groups)
    # the keys of the JSON are in alphabetical order, the categories in the order of the labels
    return replace(record, documents={category: record.documents[category] for category in categories})


def _is_curve(curve: AcceptanceCurve) -> bool:
    counts = np.array([0, *(min(level.documents, _MOST) for level in curve.levels)])
    every = [*curve.levels, *filter(None, [curve.lowest])]
    return (
        bool((np.diff(counts) > 0).all())
        and bool(counts[-1] <= curve.documents <= _MOST_SCORED)
        and all(0 <= level.wrong <= level.documents <= curve.documents for level in every)
        and all(0 <= level.expected_wrong <= level.documents for level in every)
        and all(0 <= share <= 1 for level in every for share in (level.threshold, level.unknown or 0.0))
    )


def _settings(data: object, number: int) -> dict[str, Any]:
    plain = str | bool | int | float | None
    settings: dict[str, Any] = from_json(data, dict[str, plain])
    if number == 2:
        settings = {"augment" if name == "poor_copies" else name: value for name, value in settings.items()}
    # a later version may know others
    kinds = {one.name: kind for one, _, kind in described(TrainingSettings)}
    for name, value in settings.items():
        from_json(value, kinds.get(name, plain))
    build(TrainingSettings, settings)
    _check_words([*settings, *(value for value in settings.values() if isinstance(value, str))])
    return settings


def _check_words(words: Iterable[str]) -> None:
    """Check words that neither a user nor a document chose; raises `ValueError`."""
    if not all(len(word) <= _LONGEST and word.isprintable() for word in words):
        raise ValueError("long words or control characters")


def _labels(description: dict[str, Any], categories: tuple[str, ...]) -> tuple[Label, ...]:
    labels = tuple(description.get("labels", categories))
    if not all(isinstance(label, Label) for label in labels) or tuple(map(str, labels)) != categories:
        raise ValueError("labels and categories differ")
    return labels


def library_versions() -> dict[str, str]:
    """Versions on which the bytes of a model depend."""
    found = {name: _version(name) for name in _LIBRARIES}
    versions = {name: version for name, version in found.items() if version is not None}
    return {"textclf": __version__, "python": platform.python_version(), **versions}


@cache
def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

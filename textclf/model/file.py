"""The model file: a plain archive of JSON and arrays, the same bytes for the same model.

Layout of format 2, a ZIP archive whose entries stand in this order, all dated 1980-01-01:

``manifest.json``
    ``format`` (number), ``kind`` (``textclf model``), ``versions`` (of textclf, Python and the libraries that trained
    it), ``categories``, ``data_hash``, and ``parts``: name, size and SHA-256 of each further entry.
``model.json``
    Settings, training record, calibration, views, keyword tables, words of the vectors; and ``labels``, where training
    was given numbers or booleans: ``categories`` are their names.
``<name>.npy``
    Arrays in NumPy's format 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), no objects.

A new format number is given whenever an older textclf could not read a file as it is meant, and only then; the reader
of every older format stays, with a test on a file of that format. (Format 1 was that of no release, and is refused: it
had n-grams in other buckets.) Nothing in the file is ever run: no pickle.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import platform
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.columns import FeatureSet
from features.keywords import KeywordMatcher
from features.languages import LanguageGuess
from features.ngram_columns import NgramColumns, NgramTable
from features.ngrams import NgramView
from features.page_shape import DECILES, PageShape
from features.word_vectors import WordVectors
from textclf import __version__
from textclf.base.errors import BadInputError, BadModelError, OutputError
from textclf.base.files import output_error, write_aside
from textclf.model.predict import LinearModel, Runtime
from textclf.model.prediction import Acceptance, CrossValidation, CurvePoint, Label, TrainingRecord
from textclf.model.typicality import QUANTILES, Familiarity

FORMAT = 2
KIND = "textclf model"
MAX_BYTES = 4 * 1024**3
"""Size of all parts together that is read at most."""
MAX_RATIO = 100
"""Size of all parts together, as a multiple of the file's, that is read at most: weights hardly shrink."""
MAX_MANIFEST = 16 * 1024**2
_CHUNK = 1024**2

_RETRAIN = "train the model again"
ENTRY_TIME = (1980, 1, 1, 0, 0, 0)
"""Of every entry, so that the bytes do not depend on the day."""
_LIBRARIES = ("numpy", "scipy", "scikit-learn", "gensim", "spacy", "spacy-lookups-data")


class _UnreadableError(Exception):
    """An entry of the archive that cannot be read."""


# what comes of JSON and arrays that are not as we write them; an array may say that it is larger than any memory
_MALFORMED = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
    _UnreadableError,
)


def save_model(runtime: Runtime, target: str | Path | BinaryIO) -> None:
    """Write a model file; the same model and versions give the same bytes.

    Parameters
    ----------
    runtime : Runtime
        The trained model.
    target : str, pathlib.Path or binary file object
        Where to; a file object is written to from where it stands, and left open.

    Raises
    ------
    textclf.base.errors.OutputError
        If it cannot be written; an older file there stays as it was.
    """
    data = _archive(runtime)
    if isinstance(target, str | os.PathLike):
        with write_aside(target) as aside:
            aside.write_bytes(data)
        return
    where = _name_of(target)
    try:
        target.write(data)
    except TypeError as error:
        raise OutputError("is no binary file", where=where, remedy="open it with mode 'wb'") from error
    except OSError as error:
        raise output_error(error, where) from error


def _archive(runtime: Runtime) -> bytes:
    parts = {"model.json": json_part(_description(runtime))}
    parts |= {f"{name}.npy": array_part(array) for name, array in _arrays(runtime).items()}
    manifest = {
        "format": FORMAT,
        "kind": KIND,
        "versions": library_versions(),
        "categories": list(runtime.categories),
        "data_hash": runtime.training.data_hash,
        "parts": {
            name: {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()} for name, data in parts.items()
        },
    }
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, data in {"manifest.json": json_part(manifest), **parts}.items():
            entry = zipfile.ZipInfo(name, ENTRY_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return whole.getvalue()


def load_model(source: str | Path | bytes | BinaryIO) -> Runtime:
    """Read a model file.

    Parameters
    ----------
    source : str, pathlib.Path, bytes or binary file object
        What `save_model` wrote: its path, its content, or an open file, which is read to its end and left open.

    Returns
    -------
    Runtime
        Predicts with numpy alone.

    Raises
    ------
    textclf.base.errors.BadInputError
        If the file cannot be opened.
    textclf.base.errors.BadModelError
        If it is no model file, was cut short or changed, or has a newer format.
    """
    with _open(source) as file:
        manifest = _manifest(file)
        parts = {name: _part(file, name, entry) for name, entry in manifest["parts"].items()}
    try:
        return _rebuild(
            json.loads(parts.pop("model.json")),
            {name.removesuffix(".npy"): read_array(data) for name, data in parts.items()},
        )
    except _MALFORMED as error:
        raise BadModelError("its parts do not fit together", where=file.where, remedy=_RETRAIN) from error
    except BadModelError as error:
        raise BadModelError(error.what, where=file.where, remedy=error.remedy) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelInfo:
    """What a model file says about itself.

    Parameters
    ----------
    format : int
        Its format number.
    versions : dict of str to str
        What it was trained with.
    bytes : int
        Size of the file.
    settings : dict
        Training options.
    training : TrainingRecord
        What training found out.
    features : dict of str to int
        How many n-grams of each view, keywords and words with a vector it knows.
    """

    format: int
    versions: dict[str, str]
    bytes: int
    settings: dict[str, str | int | float | None]
    training: TrainingRecord
    features: dict[str, int]


def model_info(path: str | Path) -> ModelInfo:
    """Read what a model file says about itself; raises as `load_model`."""
    runtime = load_model(path)
    with _open(path) as file:
        manifest = _manifest(file)
    features = {f"{table.view.name} n-grams": len(table.buckets) for table in runtime.features.ngrams.tables}
    lexicon = runtime.features.matcher.lexicon
    features["keywords"] = sum(len(category.keywords) for category in lexicon.categories)
    features["words with a vector"] = len(runtime.features.vectors.words)
    return ModelInfo(
        format=manifest["format"],
        versions=manifest["versions"],
        bytes=file.size,
        settings=runtime.settings,
        training=runtime.training,
        features=features,
    )


def _description(runtime: Runtime) -> dict[str, Any]:
    # labels that are strings are the categories' names, and stand there
    named = {} if runtime.labels == runtime.categories else {"labels": list(runtime.labels)}
    return named | {
        "settings": runtime.settings,
        "training": asdict(runtime.training),
        "categories": list(runtime.categories),
        "inverse_temperature": runtime.inverse_temperature,
        "views": [asdict(table.view) for table in runtime.features.ngrams.tables],
        "keywords": runtime.features.matcher.to_dict(),
        "words": list(runtime.features.vectors.words),
        "languages": {"stop_words": runtime.languages.stop_words, "known": runtime.languages.known},
    }


def _arrays(runtime: Runtime) -> dict[str, NDArray[Any]]:
    arrays: dict[str, NDArray[Any]] = {}
    ngrams = runtime.features.ngrams
    for table, weights in zip(ngrams.tables, np.split(runtime.model.ngrams, ngrams.starts[1:-1]), strict=True):
        arrays[f"{table.view.name}_buckets"] = table.buckets
        arrays[f"{table.view.name}_idf"] = table.idf
        arrays[f"{table.view.name}_weights"] = weights
    arrays["page_shape_deciles"] = runtime.features.page_shape.deciles
    arrays["page_shape_weights"] = runtime.model.page_shape
    arrays["indicator_weights"] = runtime.model.indicators
    arrays["vector_weights"] = runtime.model.vectors
    arrays["intercept"] = runtime.model.intercept
    arrays["familiarity_centroids"] = runtime.familiarity.centroids
    arrays["familiarity_quantiles"] = runtime.familiarity.quantiles
    return arrays | {f"vectors_{name}": array for name, array in runtime.features.vectors.to_arrays().items()}


def _rebuild(description: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> Runtime:
    categories = tuple(map(str, description["categories"]))
    views = [NgramView(**view) for view in description["views"]]
    tables = tuple(
        NgramTable(view=view, buckets=arrays[f"{view.name}_buckets"], idf=arrays[f"{view.name}_idf"]) for view in views
    )
    weights = [arrays[f"{view.name}_weights"] for view in views]
    vectors = WordVectors.from_arrays(
        description["words"],
        {name.removeprefix("vectors_"): array for name, array in arrays.items() if name.startswith("vectors_")},
    )
    page_shape = PageShape(deciles=arrays["page_shape_deciles"])
    matcher = KeywordMatcher.from_dict(description["keywords"])
    model = LinearModel(
        ngrams=np.concatenate(weights),
        page_shape=arrays["page_shape_weights"],
        indicators=arrays["indicator_weights"],
        vectors=arrays["vector_weights"],
        intercept=arrays["intercept"],
    )
    familiarity = Familiarity(centroids=arrays["familiarity_centroids"], quantiles=arrays["familiarity_quantiles"])
    languages = LanguageGuess(
        stop_words={
            str(code): tuple(map(str, words)) for code, words in description["languages"]["stop_words"].items()
        },
        known=tuple(map(str, description["languages"]["known"])),
    )
    shapes = [(len(table.buckets), len(rows)) for table, rows in zip(tables, weights, strict=True)]
    shapes += [(len(table.idf), len(table.buckets)) for table in tables]
    shapes += [(len(matcher.lexicon.categories), model.indicators.shape[0]), (len(categories), len(model.intercept))]
    shapes += [(page_shape.size, model.page_shape.shape[0]), (page_shape.deciles.shape[1], len(DECILES))]
    shapes += [(vectors.size, model.vectors.shape[0])]
    shapes += [
        (len(categories), rows.shape[1]) for rows in (model.ngrams, model.page_shape, model.indicators, model.vectors)
    ]
    shapes += [(len(tables[0].buckets), familiarity.centroids.shape[0]), (3, familiarity.quantiles.shape[0])]
    shapes += [(len(categories), familiarity.centroids.shape[1]), (QUANTILES, familiarity.quantiles.shape[1])]
    if any(one != other for one, other in shapes) or len(categories) < 2:
        raise ValueError("sizes differ")
    record = dict(description["training"])
    # JSON's keys stand in alphabetical order, the categories in that of the labels
    record["documents"] = {category: int(record["documents"][category]) for category in categories}
    record["groups"] = tuple(CrossValidation(**group) for group in record["groups"])
    record["curve"] = tuple(CurvePoint(**point) for point in record["curve"])
    record["acceptance"] = Acceptance(**record["acceptance"])
    runtime = Runtime(
        categories=categories,
        labels=_labels(description, categories),
        features=FeatureSet(ngrams=NgramColumns(tables), page_shape=page_shape, matcher=matcher, vectors=vectors),
        model=model,
        inverse_temperature=float(description["inverse_temperature"]),
        familiarity=familiarity,
        languages=languages,
        training=TrainingRecord(**record),
        settings=description["settings"],
    )
    if _arrays(runtime).keys() != arrays.keys():
        raise ValueError("there are arrays that belong to nothing")
    return runtime


def _labels(description: dict[str, Any], categories: tuple[str, ...]) -> tuple[Label, ...]:
    labels = tuple(description.get("labels", categories))
    if not all(isinstance(label, Label) for label in labels) or tuple(map(str, labels)) != categories:
        raise ValueError("labels and categories differ")
    return labels


class _File(NamedTuple):
    """A model file that is open: what it is called in messages, and its size in bytes."""

    archive: zipfile.ZipFile
    where: str
    size: int


@contextmanager
def _open(source: str | Path | bytes | BinaryIO) -> Iterator[_File]:
    where = _name_of(source)
    with ExitStack() as stack:
        yield _open_archive(source, where, stack)


def _open_archive(source: str | Path | bytes | BinaryIO, where: str, stack: ExitStack) -> _File:
    try:
        content = stack.enter_context(_content(source, where))
        size = content.seek(0, io.SEEK_END)
        return _File(stack.enter_context(zipfile.ZipFile(content)), where, size)
    # what zipfile raises over a directory at the end of the file that makes no sense
    except (zipfile.BadZipFile, NotImplementedError, ValueError, ArithmeticError, struct.error) as error:
        what = "is not a textclf model, or was cut short"
        raise BadModelError(what, where=where, remedy="give a file that `textclf train` wrote") from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise BadInputError(f"cannot be read ({reason})", where=where, remedy="check the path") from error


def _content(source: str | Path | bytes | BinaryIO, where: str) -> BinaryIO:
    """Open a path; hold what is no file in memory, since a stream may not be able to go back."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        # a device may have no end, which is where an archive is read from
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise BadInputError("is not a file", where=path, remedy="give a file that `textclf train` wrote")
        return path.open("rb")
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if not hasattr(source, "read"):
        raise BadInputError("is no model file", where=where, remedy="give a path, bytes or an open file")
    content = io.BytesIO()
    data = source.read(_CHUNK)
    if isinstance(data, str):
        raise BadInputError("is open as text", where=where, remedy="open it with mode 'rb'")
    # an unbuffered stream may give less than it is asked for
    while data and content.tell() <= MAX_BYTES:
        content.write(data)
        data = source.read(_CHUNK)
    if content.tell() > MAX_BYTES:
        raise BadModelError(f"holds more than {MAX_BYTES:,} bytes", where=where, remedy=_RETRAIN)
    content.seek(0)
    return content


def _name_of(source: object) -> str:
    if isinstance(source, str | os.PathLike):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else f"<{type(source).__name__}>"


def _manifest(file: _File) -> Mapping[str, Any]:
    """Read and check the manifest: of a format that this version knows, with parts of bearable size."""
    foreign = BadModelError("is not a textclf model", where=file.where, remedy="give a file that `textclf train` wrote")
    try:
        manifest = json.loads(_read(file.archive, "manifest.json", MAX_MANIFEST))
        number = int(manifest["format"]) if manifest["kind"] == KIND else 0
        if number > FORMAT:
            # of a format to come nothing else is known
            raise BadModelError(
                f"has format {number}, this version of textclf reads up to {FORMAT}",
                where=file.where,
                remedy=f"install a newer textclf, or {_RETRAIN}",
            )
        if number == 1:
            raise BadModelError("has format 1, from before the first release", where=file.where, remedy=_RETRAIN)
        versions = {str(name): str(found) for name, found in manifest["versions"].items()}
        parts = {str(name): (int(entry["bytes"]), str(entry["sha256"])) for name, entry in manifest["parts"].items()}
    except _MALFORMED as error:
        raise foreign from error
    if number < 1 or any(size < 0 for size, _ in parts.values()):
        raise foreign
    limit = min(MAX_BYTES, MAX_RATIO * file.size)
    if sum(size for size, _ in parts.values()) > limit:
        raise BadModelError(f"holds more than {limit:,} bytes", where=file.where, remedy=_RETRAIN)
    if sorted(file.archive.namelist()) != sorted(["manifest.json", *parts]):
        raise BadModelError("does not hold the parts its manifest lists", where=file.where, remedy=_RETRAIN)
    return {**manifest, "format": number, "versions": versions, "parts": parts}


def _part(file: _File, name: str, entry: tuple[int, str]) -> bytes:
    size, digest = entry
    try:
        data = _read(file.archive, name, size)
    except _UnreadableError as error:
        raise BadModelError(
            f"part {name} is damaged", where=file.where, remedy="copy the file again, or train"
        ) from error
    if hashlib.sha256(data).hexdigest() != digest:
        raise BadModelError(f"part {name} was changed after training", where=file.where, remedy=_RETRAIN)
    return data


def _read(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        if archive.getinfo(name).compress_type != zipfile.ZIP_DEFLATED:
            raise _UnreadableError(name)
        with archive.open(name) as file:
            data = file.read(limit + 1)
    except (
        LookupError,
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        MemoryError,
    ) as error:
        raise _UnreadableError(name) from error
    if len(data) > limit:
        raise _UnreadableError(name)
    return data


def json_part(value: object) -> bytes:
    """Write a JSON part of a model file: the same bytes for the same value."""
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode("utf-8", "surrogatepass")


def array_part(array: NDArray[Any]) -> bytes:
    """Write an array of a model file, in NumPy's format 1.0, without objects."""
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def read_array(data: bytes) -> NDArray[Any]:
    """Read what `array_part` wrote; objects are refused."""
    return np.asarray(np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))


def library_versions() -> dict[str, str]:
    """Give the versions that the bytes of a model depend on."""
    versions = {"textclf": __version__, "python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            versions[name] = version(name)
        except PackageNotFoundError:
            continue
    return versions

"""Checked training data: texts, labels of any plain type, groups and weights."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from itertools import chain
from math import isfinite
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from features.text_arguments import as_texts, iter_texts
from textclf.base.errors import BadDataError
from textclf.base.hashing import hash_parts, hash_text
from textclf.model.category_names import NONE_OF_THESE, as_category, similar_names, similar_names_warnings
from textclf.model.pages import without_page_breaks

FEW = 5
"""Categories with fewer documents are warned about."""
MAX_UNLABELLED = 1_000
"""Unlabelled documents that are used: each takes about 0.7 MB while training, and more teach little."""

_REMEDY = "give strings, whole numbers or booleans, all of one kind; an empty string for an unknown label"


class TrainingData(NamedTuple):
    """Documents to learn from, without those of weight 0; those whose label names no category stand apart."""

    texts: list[str]
    classes: NDArray[Any]  # the k different labels, sorted
    labels: NDArray[np.int64]  # position of each document's label in `classes`
    categories: tuple[str, ...]  # names of the classes
    document_ids: list[str]
    groups: list[str] | None  # what each document belongs to; empty strings for nothing
    weights: NDArray[np.float64]  # above 0
    looks: list[str]  # of the first page of each document; empty where it is unknown
    out_of_distribution: list[str]  # texts of no category, sorted, as those given apart have no ids to sort by
    unlabelled: list[str]  # different texts of unknown category, at most `MAX_UNLABELLED`
    unlabelled_given: int  # all texts given as unlabelled

    @property
    def truths(self) -> list[str]:
        """Name of the category of each document."""
        return [self.categories[label] for label in self.labels.tolist()]

    @property
    def hash(self) -> str:
        """SHA-256 of ids, texts and categories."""
        return data_hash(self.document_ids, self.texts, self.truths)

    def take(self, chosen: Sequence[int]) -> TrainingData:
        """Select documents by position; the categories stay."""
        return self._replace(
            texts=[self.texts[i] for i in chosen],
            labels=self.labels[chosen],
            document_ids=[self.document_ids[i] for i in chosen],
            groups=None if self.groups is None else [self.groups[i] for i in chosen],
            weights=self.weights[chosen],
            looks=[self.looks[i] for i in chosen],
        )


def read_training_data(
    texts: object,
    labels: object,
    sample_weight: object = None,
    *,
    groups: object = None,
    out_of_distribution: object = (),
    unlabelled: object = (),
    document_ids: object = None,
    looks: object = None,
) -> TrainingData:
    """Check the arguments of `DocumentClassifier.fit`; `BadDataError` if one has the wrong type or length."""
    texts = list(map(without_page_breaks, iter_texts(texts)))
    given = check_labels(labels)
    checked_groups = None if groups is None else check_groups(groups)
    ids = None if document_ids is None else as_texts(document_ids, name="document id")
    seen = None if looks is None else as_texts(looks, name="look")
    columns = (("categories", given), ("groups", checked_groups), ("document ids", ids), ("looks", seen))
    for name, column in columns:
        if column is not None and len(column) != len(texts):
            raise BadDataError(f"{len(texts)} texts but {len(column)} {name}", remedy="give one per text")
    weights = check_weights(sample_weight, len(texts))
    names = np.array([as_category(label) if isinstance(label, str) else None for label in given.tolist()], object)
    counted = weights > 0
    unknown, none = counted & (names == ""), counted & (names == NONE_OF_THESE)
    kept = np.flatnonzero(counted & ~unknown & ~none).tolist()
    classes, numbers = np.unique(given[kept], return_inverse=True)
    outside = [*map(without_page_breaks, iter_texts(out_of_distribution)), *(texts[i] for i in np.flatnonzero(none))]
    pile, pile_given = _sample(
        chain((texts[i] for i in np.flatnonzero(unknown)), map(without_page_breaks, iter_texts(unlabelled))),
        known={*(texts[i] for i in kept), *outside},
    )
    return TrainingData(
        texts=[texts[i] for i in kept],
        classes=classes,
        labels=numbers.astype(np.int64),
        categories=tuple(map(label_name, classes)),
        # documents of weight 0 are not numbered either
        document_ids=[str(i) for i in range(len(kept))] if ids is None else [ids[i] for i in kept],
        groups=None if checked_groups is None else [checked_groups[i] for i in kept],
        weights=weights[kept],
        looks=[""] * len(kept) if seen is None else [seen[i] for i in kept],
        out_of_distribution=sorted(outside),
        unlabelled=pile,
        unlabelled_given=pile_given,
    )


def check_labels(values: object) -> NDArray[Any]:
    """Check labels: all strings, all whole numbers or all booleans, and no measurements such as 0.25."""
    from sklearn.utils.multiclass import check_classification_targets

    given: Any = getattr(values, "dtype", None)
    items = [value.item() if isinstance(value, np.generic) else value for value in _each(values, "label")]
    kinds = [_kind(value) for value in items]
    for number, (value, kind) in enumerate(zip(items, kinds, strict=True)):
        if not kind or kind != kinds[0]:
            trouble = f"{kind}, where the first label is {kinds[0]}" if kind and kinds[0] else "no label"
            raise BadDataError(f"label {number} is {value!r:.40}, which is {trouble}", remedy=_REMEDY)
    kind_given = given.kind if isinstance(given, np.dtype) else ""
    if not items or (kind_given == "O" and kinds[0] == "a string"):
        return np.array(items, dtype=object)
    # scikit-learn's metrics refuse numbers in an array of objects
    labels = np.asarray(values if kind_given and kind_given in "biufU" else items)
    try:
        if labels.dtype.kind == "f":
            check_classification_targets(labels)
    except ValueError as error:
        raise BadDataError("the labels are continuous numbers, not categories", remedy=_REMEDY) from error
    return labels


def label_name(label: object) -> str:
    """Name of the category of a label."""
    return str(label.item() if isinstance(label, np.generic) else label)


def check_groups(values: object) -> list[str]:
    """Check groups: strings or numbers; None, NaN or an empty string for a document that belongs to nothing."""
    return ["" if _is_missing(value) else label_name(value) for value in _each(values, "group")]


def check_weights(values: object, documents: int) -> NDArray[np.float64]:
    """Check weights, one per document: finite, 0 or more, and not all 0; without weights, 1 each."""
    if values is None:
        return np.ones(documents)
    remedy = "give one number per text, 0 or more"
    try:
        weights = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise BadDataError("sample_weight holds something that is no number", remedy=remedy) from error
    if weights.shape != (documents,):
        raise BadDataError(f"{documents} texts but sample_weight of shape {weights.shape}", remedy=remedy)
    if documents and not weights.any():
        raise BadDataError("every sample_weight is zero, so that no document counts", remedy=remedy)
    wrong = np.flatnonzero(~(np.isfinite(weights) & (weights >= 0)))
    if len(wrong):
        raise BadDataError(f"sample_weight {wrong[0]} is {weights[wrong[0]]}", remedy=remedy)
    return weights


def check_categories(counts: Counter[str]) -> list[str]:
    """Refuse numbers of documents per category that cannot be trained on; warn of small and of misspelt categories."""
    if not counts:
        raise BadDataError("no document with text and category", remedy="give documents with both columns filled")
    if len(counts) == 1:
        raise BadDataError(
            f"all documents are of one category, {next(iter(counts))!r}",
            remedy="add documents of at least one other: nothing can be learned from one class",
        )
    single = sorted(category for category, count in counts.items() if count == 1)
    if single:
        near = dict(similar_names(counts))
        named = (f"{name!r}{f' (is {near[name]!r} meant?)' if name in near else ''}" for name in single)
        raise BadDataError(
            f"one document only: category {', '.join(named)}",
            remedy="add at least one more, or correct or remove the category; five or more are better",
        )
    return similar_names_warnings(counts) + [
        f"category {category!r} has {count} documents and should have at least {FEW}"
        for category, count in sorted(counts.items())
        if count < FEW
    ]


def data_hash(*columns: Sequence[str]) -> str:
    """SHA-256 over columns of strings of the same length."""
    cells = (value.encode("utf-8", "surrogatepass") for row in zip(*columns, strict=True) for value in row)
    return hash_parts(part for cell in cells for part in (len(cell).to_bytes(8, "big"), cell))


def _sample(texts: Iterable[str], known: Set[str]) -> tuple[list[str], int]:
    """Draw different texts that are neither blank nor known, and count all texts.

    Those of least hash are drawn, so that neither the order of the texts nor a repetition matters.
    """
    kept: dict[str, str] = {}
    given = 0
    for text in texts:
        given += 1
        if not text.strip() or text in known:
            continue
        kept[hash_text(text)] = text
        if len(kept) == 2 * MAX_UNLABELLED:
            kept = dict(sorted(kept.items())[:MAX_UNLABELLED])
    return [text for _, text in sorted(kept.items())[:MAX_UNLABELLED]], given


def _kind(value: object) -> str:
    if isinstance(value, str):
        return "a string"
    if isinstance(value, bool):
        return "a boolean"
    return "a number" if isinstance(value, int) or (isinstance(value, float) and isfinite(value)) else ""


def _each(values: object, name: str) -> Iterable[Any]:
    ndim = getattr(values, "ndim", 1)
    if isinstance(values, str | bytes | Mapping | Set) or not isinstance(values, Iterable) or ndim != 1:
        what = f"{type(values).__name__} was given where a list of {name}s is wanted"
        raise BadDataError(what, remedy=f"give a list, with one {name} per text")
    return values


def _is_missing(value: object) -> bool:
    if value is None:
        return True
    # NaN is not equal to itself; pandas.NA is neither equal nor unequal
    unequal = value != value
    return not isinstance(unequal, bool | np.bool_) or bool(unequal)

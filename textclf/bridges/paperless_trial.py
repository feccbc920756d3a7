"""What could be filed of an archive without a person: tried on its filed documents, and nothing is changed."""

from __future__ import annotations

import logging
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textclf.bridges.paperless_archive import Archive, TextOf, sender_of, texts_of
from textclf.bridges.paperless_client import PaperlessClient, PaperlessDocument
from textclf.bridges.paperless_http import GoneError
from textclf.model.category_names import NONE_OF_THESE

if TYPE_CHECKING:
    from textclf.data.sources import InputDocument
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.predict import Model

_log = logging.getLogger(__name__)

FOLDS = 3
"""Parts of the archive; each is judged by a model that was trained on the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A filed document and what a model said that had not seen it."""

    id: int
    title: str
    category: str
    """Its type; `NONE_OF_THESE` if too few documents have it."""
    predicted: str
    score: float
    accepted: tuple[bool, ...]
    """Whether its type would have been set, by maximum error."""

    @property
    def right(self) -> bool:
        """Whether the prediction is its type."""
        return self.predicted == self.category


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What a maximum error would accept."""

    max_error: float
    accepted: int
    wrong: int
    inbox: int
    """Of the documents that are in the inbox now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSuggestions:
    """What paperless-ngx itself suggests for a sample of the filed documents, and what textclf says of the same."""

    documents: int
    right: int
    wrong: int
    """Suggestions without the right type."""
    none: int
    textclf_right: int


@dataclass(frozen=True, slots=True, kw_only=True)
class TypeFigures:
    """Figures of one document type."""

    name: str
    documents: int
    right: int
    accepted: int
    accepted_wrongly: int
    """Documents of other types that would have been given this one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The figures of a trial."""

    address: str
    new_senders: bool
    """Whether all documents were judged as those of a new sender."""
    archive: tuple[str, ...]
    """What was found there, in sentences."""
    documents: int
    """Filed documents of the types that can be predicted."""
    right: int
    rare: int
    """Filed documents of types with too few documents, for which nothing is right."""
    inbox: int
    max_error: float
    """For which the types and the disagreements are given."""
    steps: tuple[Step, ...]
    own: OwnSuggestions | None
    types: tuple[TypeFigures, ...]
    disagreements: tuple[Judged, ...]
    """Documents whose type would have been set to another than they have: highest score first."""


def run_trial(
    client: PaperlessClient,
    archive: Archive,
    text_of: TextOf,
    make_classifier: Callable[[], DocumentClassifier],
    *,
    sample: int,
    max_errors: Sequence[float],
    max_error: float,
    new_senders: bool = False,
    describe: Sequence[str] = (),
) -> Trial:
    """Judge every filed document by a model that was not trained on it, and ask paperless-ngx about a sample.

    Parameters
    ----------
    client : PaperlessClient
        Only read from.
    archive : Archive
        Its documents.
    text_of : callable
        Gives the text of a document.
    make_classifier : callable
        Makes an estimator that is not trained yet.
    sample : int
        Documents about which paperless-ngx is asked; each is a request.
    max_errors : sequence of float
        Maximum errors among accepted documents; `max_error` is one of them.
    max_error : float
        The one of the figures of each type.
    new_senders : bool
        Whether the documents of a correspondent are kept together, so that all are judged as those of a new sender.
    describe : sequence of str
        What was found in the archive.
    """
    category_of = dict(zip((document.id for document in archive.filed), archive.categories, strict=True))
    found = list(texts_of(archive.filed, text_of))
    unlabelled = [text for _, text in texts_of(archive.untyped, text_of)]
    inbox = [text for _, text in texts_of(archive.inbox, text_of)]
    categories = [category_of[document.id] for document, _ in found]
    senders = [sender_of(document) for document, _ in found] if new_senders else None
    judged: list[Judged] = []
    models: list[Model] = []
    for train, test in _folds(categories, senders):
        _log.info(f"training on {len(train)} documents to judge {len(test)} others, {len(models) + 1} of {FOLDS}")
        part = [found[i] for i in train]
        models.append(_fit(make_classifier(), part, [categories[i] for i in train], unlabelled, new_senders))
        judged += _judge([found[i] for i in test], category_of, models[-1], max_errors)
    judged.sort(key=lambda one: one.id)
    waiting = [sum(_accepted(models[0], inbox, max_error)) for max_error in max_errors]
    own = _ask(client, archive, {one.id: one for one in judged if one.category != NONE_OF_THESE}, sample)
    chosen = max_errors.index(max_error)
    wrongly = [one for one in judged if one.accepted[chosen] and not one.right]
    known = [one for one in judged if one.category != NONE_OF_THESE]
    return Trial(
        address=client.address,
        new_senders=new_senders,
        archive=tuple(describe),
        documents=len(known),
        right=sum(one.right for one in known),
        rare=len(judged) - len(known),
        inbox=len(inbox),
        max_error=max_error,
        steps=tuple(_step(judged, number, max_errors[number], waiting[number]) for number in range(len(max_errors))),
        own=own,
        types=tuple(_types(known, Counter(one.predicted for one in wrongly), chosen)),
        disagreements=tuple(sorted(wrongly, key=lambda one: (-one.score, one.id))),
    )


def _fit(
    classifier: DocumentClassifier,
    documents: Sequence[tuple[PaperlessDocument, InputDocument]],
    categories: Sequence[str],
    unlabelled: Sequence[InputDocument],
    new_senders: bool,
) -> Model:
    classifier.fit(
        [text.text for _, text in documents],
        categories,
        unlabelled=[text.text for text in unlabelled],
        looks=[text.look for _, text in documents],
        groups=[sender_of(document) for document, _ in documents] if new_senders else None,
    )
    return classifier.model_


def _folds(categories: Sequence[str], senders: Sequence[str] | None) -> list[tuple[list[int], list[int]]]:
    import numpy as np

    from textclf.model.folds import group_numbers, stratified_folds

    names, found = np.unique(categories, return_inverse=True)
    labels, groups = found.astype(np.int64), None
    if senders is not None:
        # what is not known of a type of one sender is warned about where it is trained on
        groups, _ = group_numbers(senders, labels, names.tolist())
    return [(train.tolist(), test.tolist()) for train, test in stratified_folds(labels, FOLDS, 0, groups)]


def _judge(
    documents: Sequence[tuple[PaperlessDocument, InputDocument]],
    category_of: Mapping[int, str],
    model: Model,
    max_errors: Sequence[float],
) -> Iterator[Judged]:
    texts = [text for _, text in documents]
    predictions = model.pipe([text.text for text in texts], None, _confidences(texts), [text.look for text in texts])
    accepted = zip(*(_accepted(model, texts, max_error) for max_error in max_errors), strict=True)
    for (document, _), prediction, steps in zip(documents, predictions, accepted, strict=True):
        yield Judged(
            id=document.id,
            title=document.title,
            category=category_of[document.id],
            predicted=prediction.predicted_category,
            score=prediction.score,
            accepted=tuple(steps),
        )


def _accepted(model: Model, texts: Sequence[InputDocument], max_error: float) -> list[bool]:
    looks = [text.look for text in texts]
    predictions = model.pipe([text.text for text in texts], None, _confidences(texts), looks, max_error=max_error)
    return [prediction.decision == "accept" for prediction in predictions]


def _confidences(texts: Sequence[InputDocument]) -> list[float | None]:
    return [text.ocr_confidence for text in texts]


def _step(judged: Sequence[Judged], number: int, max_error: float, inbox: int) -> Step:
    accepted = [one for one in judged if one.accepted[number]]
    return Step(max_error=max_error, accepted=len(accepted), wrong=sum(not one.right for one in accepted), inbox=inbox)


def _types(known: Sequence[Judged], wrongly: Mapping[str, int], chosen: int) -> Iterator[TypeFigures]:
    for name in sorted({one.category for one in known}):
        own = [one for one in known if one.category == name]
        yield TypeFigures(
            name=name,
            documents=len(own),
            right=sum(one.right for one in own),
            accepted=sum(one.accepted[chosen] and one.right for one in own),
            accepted_wrongly=wrongly.get(name, 0),
        )


def _ask(client: PaperlessClient, archive: Archive, judged: Mapping[int, Judged], sample: int) -> OwnSuggestions | None:
    """Ask paperless-ngx for its own suggestions on a sample; None if nothing was asked."""
    ids = sorted(judged)
    asked = sorted(random.Random(0).sample(ids, min(sample, len(ids))))  # noqa: S311 - a sample, not a secret
    counts: Counter[str] = Counter()
    for document_id in asked:
        try:
            suggested = {archive.types.get(number, "") for number in client.suggested_types(document_id)}
        except GoneError:
            continue
        one = judged[document_id]
        counts["right" if one.category in suggested else "wrong" if suggested else "none"] += 1
        counts["textclf"] += one.right
        counts["documents"] += 1
    if not counts["documents"]:
        return None
    return OwnSuggestions(
        documents=counts["documents"],
        right=counts["right"],
        wrong=counts["wrong"],
        none=counts["none"],
        textclf_right=counts["textclf"],
    )

"""What a library can teach: training on decisions, and a fair comparison with the model on duty."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textclf.base.errors import BadDataError
from textclf.library.undecided import Undecided, iter_undecided
from textclf.model.category_names import NONE_OF_THESE
from textclf.service.pages.doubts import find_doubts
from textclf.service.pages.jobs import Progress

if TYPE_CHECKING:
    from textclf.library.library import Library
    from textclf.library.records import Correction
    from textclf.model.predict import Model

KEPT_OUT = 4
"""One document in so many that are decided is kept out of training, to compare models on."""
MOST_REPLAYED = 200
"""Accepted documents of each category that a new model learns from too."""
MOST_PILE = 5_000
"""Undecided documents that a new model learns from as unlabelled ones."""
_CHANGES = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Lesson:
    """Documents to train on, and documents kept out of it."""

    learned: list[Correction]
    kept_out: list[Correction]


def is_kept_out(sha256: str) -> bool:
    """Return whether a document is never trained on: by its content, so that it is so for every model.

    Examples
    --------
    >>> is_kept_out("00000000" + "f" * 56), is_kept_out("00000001" + "f" * 56)
    (True, False)
    """
    return int(sha256[:8], 16) % KEPT_OUT == 0


def divide(corrections: Sequence[Correction], since: str | None, learned_before: Collection[int] = ()) -> Lesson:
    """Keep some of the documents out that were first decided since a time; before, all were learned from.

    Of each category at most one in `KEPT_OUT` is kept out, and none of the ids that a model learned from before. None
    keeps none out.
    """
    start = None if since is None else datetime.fromisoformat(since)
    counts = Counter(one.category for one in corrections if one.text.strip())
    left = {category: count // KEPT_OUT for category, count in counts.items()}
    lesson = Lesson(learned=[], kept_out=[])
    for one in corrections:
        is_new = start is not None and one.first_at >= start and one.document_id not in learned_before
        if is_new and one.text.strip() and is_kept_out(one.sha256) and left[one.category]:
            left[one.category] -= 1
            lesson.kept_out.append(one)
        else:
            lesson.learned.append(one)
    return lesson


def train(
    library: Library,
    target: Path,
    *,
    started_at: str,
    progress: Progress,
    since: str | None,
    replay: bool,
    max_error: float | None = None,
    learned_before: Collection[int] = (),
) -> dict[str, Any]:
    """Train a model on decisions, and compare it with the one on duty on documents that neither learned from.

    Parameters
    ----------
    library : Library
        Decisions and documents.
    target : pathlib.Path
        Where the model goes.
    started_at : str
        When the job began.
    progress : callable
        Told of each step.
    since : str or None
        Documents decided since then may be kept out; None to learn from all, where there is no model to compare with.
    replay : bool
        Whether to learn from documents, too, that the model on duty accepted.
    max_error : float, optional
        Maximum error that holds for both models; by default that of the model on duty.
    learned_before : collection of int
        Ids of documents that are not kept out, as models before learned from them.

    Returns
    -------
    dict
        Figures for the page.
    """
    from textclf.base.resources import usable_cores
    from textclf.model.classifier import DocumentClassifier
    from textclf.model.file import load_model
    from textclf.model.settings import TrainingSettings
    from textclf.model.training_data import read_training_data

    progress(step="reading")
    lesson = divide([*library.corrections()], since, frozenset(learned_before))
    undecided = list(iter_undecided(library.database))
    replayed = _replayed(undecided) if replay else []
    taken = {one.document_id for one in replayed}
    pile = [one.text for one in undecided if one.document_id not in taken][:MOST_PILE]
    decided = [one for one in lesson.learned if one.category != NONE_OF_THESE and one.text.strip()]
    examples, left_out = _without_single([*decided, *replayed])
    others = [one.text for one in lesson.learned if one.category == NONE_OF_THESE and one.text.strip()]
    _check({one.category for one in examples})
    on_duty = library.model_on_duty()
    old = load_model(library.model_path(on_duty.id)).with_max_error(max_error) if on_duty else None
    progress(step="training")
    wanted = old.training.acceptance.max_error if old else max_error or TrainingSettings().max_error
    classifier = DocumentClassifier(max_error=wanted, n_jobs=usable_cores())
    data = read_training_data(
        [one.text for one in examples],
        [one.category for one in examples],
        out_of_distribution=others,
        unlabelled=pile,
        document_ids=[str(one.document_id) for one in examples],
        looks=[one.look for one in examples],
    )
    classifier.fit_data(data)
    classifier.save(target)
    new: Model = classifier.model_
    progress(step="comparing")
    doubts = find_doubts(classifier, decided, lesson.kept_out)
    record = new.training
    return {
        "since": since if since is not None else started_at,
        "learned": [one.document_id for one in lesson.learned if is_kept_out(one.sha256)],
        "left_out": left_out,
        "documents": record.documents,
        "none_of_these": len(others),
        "replayed": len(replayed),
        "pile": len(pile),
        "kept_out": len(lesson.kept_out),
        "accuracy": record.groups[-1].accuracy,
        "confidence": record.acceptance.confidence,
        "max_error": record.acceptance.max_error,
        "ladder": [asdict(step) for step in record.ladder()],
        "warnings": [str(message) for message in classifier.warnings_],
        "doubts": [asdict(one) for one in doubts],
        "comparison": _compare(old, new, lesson.kept_out) if old and lesson.kept_out else None,
        "parent": on_duty.id if on_duty else None,
        "taken": None,
    }


def _replayed(undecided: Sequence[Undecided]) -> list[Undecided]:
    """Choose accepted documents, so that the new model knows what the old one learned from documents elsewhere."""
    counts: Counter[str] = Counter()
    found = []
    for one in undecided:
        is_wanted = one.decision == "accept" and one.text.strip() and counts[one.category] < MOST_REPLAYED
        # nor may these be documents on which models are compared, once somebody decides them
        if is_wanted and not is_kept_out(one.sha256):
            counts[one.category] += 1
            found.append(one)
    return found


def _without_single(examples: Sequence[Correction | Undecided]) -> tuple[list[Correction | Undecided], list[str]]:
    """Leave out categories of one document, from which nothing can be learned, and name them."""
    counts = Counter(one.category for one in examples)
    left_out = sorted(category for category, count in counts.items() if count == 1)
    return [one for one in examples if counts[one.category] > 1], left_out


def _check(categories: set[str]) -> None:
    if len(categories) < 2:
        found = f"only {categories.pop()}" if categories else "no category"
        raise BadDataError(
            f"{found} was given to two or more documents with text", remedy="decide documents of two categories"
        )


def _compare(old: Model, new: Model, kept_out: Sequence[Correction]) -> dict[str, Any]:
    from textclf.data.sources import InputDocument
    from textclf.evaluation.comparison import compare_models
    from textclf.model.pages import several_pages, without_page_breaks

    def documents() -> Iterator[InputDocument]:
        for one in kept_out:
            yield InputDocument(
                document_id=one.name,
                text=without_page_breaks(one.text),
                pages=several_pages(one.text),
                category=one.category,
                look=one.look,
                values={} if one.confidence is None else {"ocr_confidence": f"{one.confidence:g}"},
            )

    found = compare_models(old, new, documents())
    told = asdict(found) | {"changes": [asdict(one) for one in found.changes[:_CHANGES]]}
    return {**told, "changed": len(found.changes)}

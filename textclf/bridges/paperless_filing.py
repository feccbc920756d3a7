"""Judging a document of paperless-ngx, and writing there what follows: a document type, tags, a score."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from textclf.base.errors import UsageError
from textclf.bridges.paperless_client import PaperlessClient, PaperlessDocument
from textclf.bridges.paperless_http import InvalidError
from textclf.bridges.paperless_options import FilingOptions
from textclf.model.category_names import as_category

if TYPE_CHECKING:
    from textclf.model.prediction import Prediction

_log = logging.getLogger(__name__)

NUMBER, TEXTS = "float", ("string", "longtext")
"""Types of custom fields that a score may be written into."""
DIGITS = 4
"""Decimals of a score."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Targets:
    """The ids of what may be written, as paperless-ngx has them now."""

    types: dict[str, tuple[int, ...]]
    """Document types by name; several users may have one of the same name."""
    inbox_tags: frozenset[int] = frozenset()
    accepted_tag: int | None = None
    review_tag: int | None = None
    score_field: int | None = None
    score_as_text: bool = False
    done_tag: int | None = None
    """A tag that is taken away once a document was judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What is to be written about a document; nothing where it is so already."""

    document_type: int | None = None
    score: float | str | None = None
    add_tags: tuple[int, ...] = ()
    remove_tags: tuple[int, ...] = ()
    note: str = ""
    """What was decided, for people."""

    def __bool__(self) -> bool:
        return self.document_type is not None or self.score is not None or bool(self.add_tags or self.remove_tags)


def find_targets(client: PaperlessClient, options: FilingOptions, *, done_tag: str = "") -> Targets:
    """Look up what the options name; nothing is ever made.

    Raises
    ------
    textclf.base.errors.UsageError
        If a tag or a custom field is not there, is there twice, or the field is of another type.
    """
    tags = client.tags()
    tag_ids: dict[str, list[int]] = defaultdict(list)
    for tag in tags:
        tag_ids[tag.name].append(tag.id)
    types: dict[str, tuple[int, ...]] = {}
    for number, name in client.document_types().items():
        types[as_category(name)] = (*types.get(as_category(name), ()), number)

    def tag_named(name: str, flag: str) -> int | None:
        return _only(name, tag_ids.get(name, []), flag, "tag") if name else None

    score_field, as_text = _score_field(client, options.score_field) if options.score_field else (None, False)
    return Targets(
        types=types,
        inbox_tags=frozenset(tag.id for tag in tags if tag.is_inbox),
        accepted_tag=tag_named(options.accepted_tag, "--accepted-tag"),
        review_tag=tag_named(options.review_tag, "--review-tag"),
        score_field=score_field,
        score_as_text=as_text,
        done_tag=tag_named(done_tag, "--tag"),
    )


def _score_field(client: PaperlessClient, name: str) -> tuple[int | None, bool]:
    fields = [one for one in client.custom_fields() if one.name == name]
    number = _only(name, [one.id for one in fields], "--score-field", "custom field")
    if fields[0].data_type not in (NUMBER, *TEXTS):
        raise UsageError(
            f"custom field {name!r} is of type {fields[0].data_type}",
            where="--score-field",
            remedy="make one of type float",
        )
    return number, fields[0].data_type in TEXTS


def _only(name: str, ids: list[int], flag: str, what: str) -> int:
    if len(ids) != 1:
        count = "several" if ids else "no"
        raise UsageError(
            f"paperless-ngx has {count} {what} {name!r} that the user of the token may see",
            where=flag,
            remedy=f"make the {what} there, or correct the name",
        )
    return ids[0]


def is_done(document: PaperlessDocument, targets: Targets, options: FilingOptions) -> bool:
    """Say whether a document keeps its type and score: it has a type, whoever set it, or was judged before."""
    judged = targets.score_field is not None and document.fields.get(targets.score_field) not in (None, "")
    return not options.replace and (document.document_type is not None or judged)


def plan(document: PaperlessDocument, prediction: Prediction, targets: Targets, options: FilingOptions) -> Changes:
    """Decide what is to be written about a document, given the prediction of its text.

    An accepted document gets the document type of that name, all others the tag for review. What is so already is not
    written again, so a document that is planned twice has no changes the second time.
    """
    name, found = prediction.predicted_category, targets.types.get(prediction.predicted_category, ())
    reason = "" if prediction.decision == "accept" else prediction.reason or "for review"
    if not reason and len(found) != 1:
        what = f"several document types are named {name!r}" if found else f"there is no document type {name!r}"
        _log.warning(f"document {document.id}: {what}, so nothing is set")
        reason = what
    accepted = not reason
    tags = {*document.tags}
    add = {targets.accepted_tag if accepted else targets.review_tag} - {None, *tags}
    # a document may change sides when it is judged anew
    remove = {targets.review_tag if accepted else targets.accepted_tag} if options.replace else set()
    if accepted and options.clear_inbox:
        remove |= targets.inbox_tags
    remove = (remove | {targets.done_tag}) & tags
    score: float | str | None = round(prediction.score, DIGITS)
    if targets.score_field is None:
        score = None
    else:
        score = f"{score:.{DIGITS}f}" if targets.score_as_text else score
        score = None if _same(document.fields.get(targets.score_field), score) else score
    kind = found[0] if accepted and document.document_type != found[0] else None
    percent = f"{prediction.score:.1%}"
    return Changes(
        document_type=kind,
        score=score,
        add_tags=tuple(sorted(tag for tag in add if tag is not None)),
        remove_tags=tuple(sorted(tag for tag in remove if tag is not None)),
        note=f"{name} ({percent})" if accepted else f"for review, {reason}" + (f" ({name} {percent})" if name else ""),
    )


def _same(value: Any, score: float | str | None) -> bool:
    return value == score if isinstance(score, str) else isinstance(value, int | float) and value == score


def without_mark(document: PaperlessDocument, targets: Targets) -> Changes:
    """Take the tag away from a document that is left as it is."""
    return Changes(remove_tags=tuple(tag for tag in document.tags if tag == targets.done_tag), note="left alone")


def write(client: PaperlessClient, document: PaperlessDocument, changes: Changes, targets: Targets) -> None:
    """Write changes, tags first and type and score at once; if that is interrupted, the next time completes it."""
    first = tuple(tag for tag in changes.remove_tags if tag != targets.done_tag)
    if changes.add_tags or first:
        client.modify_tags(document.id, add=changes.add_tags, remove=first)
    _write_type_and_score(client, document.id, changes, targets.score_field)
    if last := tuple(tag for tag in changes.remove_tags if tag == targets.done_tag):
        client.modify_tags(document.id, add=(), remove=last)


def _write_type_and_score(client: PaperlessClient, document_id: int, changes: Changes, score_field: int | None) -> None:
    kind, score = changes.document_type, changes.score
    if kind is not None and score is not None and score_field is not None:
        # one by one where the value of another field is not valid any more
        with suppress(InvalidError):
            client.set_type_and_field(document_id, kind, score_field, score)
            return
    if kind is not None:
        client.set_document_type(document_id, kind)
    if score is not None and score_field is not None:
        client.set_custom_field(document_id, score_field, score)


@dataclass(slots=True, kw_only=True)
class Filer:
    """Files documents of paperless-ngx with a model; what it may write is looked up once, and when that was outdated.

    Parameters
    ----------
    client : PaperlessClient
        Where the documents are.
    predict : callable
        Predicts a document.
    options : FilingOptions
        What is written.
    done_tag : str
        Name of a tag that is taken away once a document was judged; empty for none.
    """

    client: PaperlessClient
    predict: Callable[[PaperlessDocument], Prediction]
    options: FilingOptions
    done_tag: str = ""
    _targets: Targets | None = field(default=None, init=False)

    def targets(self, *, anew: bool = False) -> Targets:
        """Give what may be written."""
        if self._targets is None or anew:
            self._targets = find_targets(self.client, self.options, done_tag=self.done_tag)
        return self._targets

    def file(self, document_id: int) -> Changes:
        """Judge a document and write what follows from it; gives what was written."""
        try:
            return self._file(document_id, self.targets())
        except InvalidError as error:
            # a type, tag or field may have been deleted since they were looked up
            _log.debug(f"document {document_id}: {error}; looking up types, tags and fields again")
            return self._file(document_id, self.targets(anew=True))

    def _file(self, document_id: int, targets: Targets) -> Changes:
        # as it is now: a person may have set its type in the meantime
        document = self.client.document(document_id)
        if is_done(document, targets, self.options):
            changes = without_mark(document, targets)
        else:
            changes = plan(document, self.predict(document), targets, self.options)
        write(self.client, document, changes, targets)
        return changes

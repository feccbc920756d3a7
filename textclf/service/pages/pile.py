"""Documents that nobody decided: their groups, and judging them anew."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any

from textclf.library.undecided import iter_undecided
from textclf.service.pages.jobs import Progress

if TYPE_CHECKING:
    from textclf.library.library import Library

MOST_GROUPED = 20_000
_MEMBERS = 12


def find_groups(library: Library, *, progress: Progress, n: int) -> dict[str, Any]:
    """Group the documents that nobody decided, and choose from each the one to label first."""
    from textclf.checks.selection import select_documents

    progress(step="collecting")
    pile = [*islice((one for one in iter_undecided(library.database) if one.text.strip()), MOST_GROUPED)]
    known = [*library.corrections()]
    progress(step="grouping", total=len(pile) + len(known))
    chosen = select_documents(
        [one.text for one in pile],
        n,
        labelled=[one.text for one in known],
        categories=[one.category for one in known],
        progress=lambda done: progress(done=done),
    )
    return {
        "documents": len(pile),
        "groups": [
            {
                "document_id": pile[one.position].document_id,
                "name": pile[one.position].name,
                "number": one.group,
                "documents": one.documents,
                "words": list(one.words),
                "members": [pile[i].document_id for i in one.members[:_MEMBERS]],
                "guess": one.guess,
            }
            for one in chosen
        ],
    }


def predict_anew(library: Library, *, progress: Progress, max_error: float | None = None) -> dict[str, Any]:
    """Let the model on duty judge all documents that nobody decided and that it has not judged yet."""
    from textclf.model.file import load_model

    on_duty = library.model_on_duty()
    if on_duty is None:
        return {"documents": 0}
    model = load_model(library.model_path(on_duty.id)).with_max_error(max_error)
    waiting = {one.document_id for one in iter_undecided(library.database) if one.model_id != on_duty.id}
    progress(step="predicting", total=len(waiting))
    done = 0
    for one in iter_undecided(library.database):
        if one.document_id not in waiting:
            continue
        prediction = model(one.text, one.name, one.confidence, look=one.look)
        library.record_prediction(
            one.document_id,
            on_duty.id,
            prediction,
            categories=model.categories,
            max_error=model.training.acceptance.max_error,
            at=datetime.now(UTC),
        )
        done += 1
        progress(done=done)
    return {"documents": done}

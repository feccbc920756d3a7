"""Teach: a new model from what people decided, beside the old one, and taken only if somebody says so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Form
from starlette.responses import RedirectResponse, Response

from textclf.base.errors import BadDataError, UsageError
from textclf.base.files import write_aside
from textclf.base.problems import ProblemError
from textclf.library.undecided import count_undecided
from textclf.model.category_names import NONE_OF_THESE
from textclf.service.pages.html import page
from textclf.service.pages.requests import TheState, TheVisitor

if TYPE_CHECKING:
    from textclf.library.records import StoredModel
    from textclf.service.pages.jobs import Job
    from textclf.service.pages.state import PageState

MIN_CATEGORIES, MIN_EACH = 2, 2
"""Categories, and documents of each, from which a model is trained."""
HARMFUL = ("accepted wrongly now", "wrong now", "no longer accepted")
"""Effects of a new model on a document that is worse off."""

router = APIRouter(include_in_schema=False)


@router.get("/teach")
def teach_page(state: TheState, visitor: TheVisitor) -> Response:
    """Show the model on duty, what was decided, and the new model if there is one."""
    counts = state.counts()
    job, running = state.jobs.latest("train"), state.jobs.running()
    with state.library.database.reading() as session:
        undecided = count_undecided(session)
    on_duty = state.library.model_on_duty()
    return page(
        "teach.html",
        visitor,
        section="teach",
        on_duty=on_duty,
        accepting=_acceptance(state, on_duty),
        fixed_error=state.duty.max_error,
        before=state.model_before(),
        counts=counts,
        decided=sum(counts.values()),
        outside=counts.get(NONE_OF_THESE, 0),
        undecided=undecided,
        is_enough=is_enough(counts),
        taught=state.taught(),
        job=job,
        failure=state.failure("train"),
        running=running,
        harmful=HARMFUL,
        seconds=seconds_of(running),
    )


@router.get("/teach/state")
def job_state(state: TheState, visitor: TheVisitor) -> dict[str, Any]:
    """Tell how far the job is that runs."""
    running = state.jobs.running()
    if running is None:
        return {"running": False}
    told = {name: getattr(running, name) for name in ("kind", "step", "done", "total", "detail")}
    return {"running": True, "seconds": seconds_of(running), **told}


@router.post("/teach/start")
def start(state: TheState, visitor: TheVisitor, replay: Annotated[str, Form(max_length=8)] = "") -> Response:
    """Start to train."""
    if not is_enough(state.counts()) and not replay:
        raise ProblemError(409, "too-little", "too little is decided")
    request = {
        "since": _since(state),
        "learned_before": _learned_before(state),
        "replay": bool(replay),
        "max_error": state.duty.max_error,
    }
    try:
        state.jobs.start("train", by=visitor.name, request=request)
    except UsageError as error:
        raise something_runs() from error
    return RedirectResponse("/teach", 303)


@router.post("/teach/stop")
def stop(state: TheState, visitor: TheVisitor) -> Response:
    """Stop what runs."""
    state.jobs.stop()
    return RedirectResponse("/teach", 303)


@router.post("/teach/take")
def take(
    state: TheState,
    visitor: TheVisitor,
    job: Annotated[str, Form(max_length=64)],
    max_error: Annotated[float, Form(gt=0, lt=1)],
) -> Response:
    """Put the new model on duty, with the maximum error that was chosen, and let it judge what nobody decided."""
    with state.jobs.lock:
        found = state.jobs.latest("train")
        if found is None or found.id != job or found.state != "success":
            raise ProblemError(409, "newer-model", "there is a newer model")
        # a second click, or somebody else was faster: the page says who took it
        on_duty, taken = state.library.model_on_duty(), found.result["taken"]
        if not taken or on_duty is None or on_duty.id != taken["model"]:
            _refuse_while_running(state)
            _put_on_duty(state, found, state.duty.max_error or max_error, visitor.name)
    return RedirectResponse("/teach", 303)


@router.post("/teach/back")
def go_back(state: TheState, visitor: TheVisitor, to: Annotated[str, Form(max_length=64)]) -> Response:
    """Put the model on duty again that was so before."""
    with state.jobs.lock:
        # a second click
        if (on_duty := state.library.model_on_duty()) is not None and on_duty.id == to:
            return RedirectResponse("/teach", 303)
        _refuse_while_running(state)
        before = state.model_before()
        if before is None or before.id != to:
            raise ProblemError(409, "newer-model", "another model is on duty meanwhile")
        try:
            state.library.go_back(by=visitor.name, at=state.clock())
        except BadDataError as error:
            raise ProblemError(409, "nothing-before", error.what) from error
        _follow(state, visitor.name)
    return RedirectResponse("/teach", 303)


def _acceptance(state: PageState, on_duty: StoredModel | None) -> Any:
    """Give what the model on duty accepts, by the maximum error that holds for it."""
    if on_duty is None:
        return None
    loaded = state.duty.current
    if loaded is not None and loaded.id == on_duty.id:
        return loaded.model.training.acceptance
    return on_duty.figures["training"]["acceptance"]


def _refuse_while_running(state: PageState) -> None:
    if state.jobs.running() is not None:
        raise something_runs()


def something_runs() -> ProblemError:
    """Make the problem of a job that cannot start beside another one."""
    return ProblemError(409, "something-runs", "something else runs; wait until it has ended, or stop it")


def is_enough(counts: dict[str, int]) -> bool:
    """Return whether so many documents of each category are decided that a model can be trained."""
    return sum(count >= MIN_EACH for name, count in counts.items() if name != NONE_OF_THESE) >= MIN_CATEGORIES


def _put_on_duty(state: PageState, job: Job, max_error: float, by: str) -> None:
    from textclf.model.file import load_model, save_model

    now, path = state.clock(), state.jobs.model_path(job)
    model = load_model(path)
    if max_error != model.training.acceptance.max_error:
        with write_aside(path) as aside:
            save_model(model.with_max_error(max_error), aside)
    stored = state.library.add_model(path, at=now, name=f"{now:%Y-%m-%d %H:%M}", parent_id=job.result["parent"])
    state.library.put_on_duty(stored.id, by=by, at=now)
    taken = {"by": by, "at": now.isoformat(), "model": stored.id}
    state.jobs.update(replace(job, result={**job.result, "taken": taken}))
    _follow(state, by)


def _follow(state: PageState, by: str) -> None:
    """Let everything follow the model that was put on duty."""
    state.duty.refresh()
    state.ask_doubts()
    state.jobs.start("predict", by=by, request={"max_error": state.duty.max_error})


def _since(state: PageState) -> str | None:
    """Give the time since which some of the documents decided are kept out of training.

    What the first model of a library learned from, where there was none before, is known to every later one.
    """
    taken = [one for one in state.jobs.list_jobs("train") if one.result.get("taken")]
    if taken:
        since: str = taken[0].result["since"]
        return since
    return None if state.duty.current is None else datetime.min.replace(tzinfo=UTC).isoformat()


def _learned_before(state: PageState) -> list[int]:
    """Give documents that would be kept out of training, had not a model that was taken learned from them."""
    return sorted({document for one in state.taught().values() for document in one.result.get("learned", ())})


def seconds_of(job: Job | None) -> int:
    """Give for how long a job has run."""
    if job is None:
        return 0
    return round((datetime.now(UTC) - datetime.fromisoformat(job.started_at)).total_seconds())

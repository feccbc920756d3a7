"""What the pages work with: the library, the model on duty, pictures of pages, the queue, and sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from textclf.library.decisions import count_decided, last_change
from textclf.library.label_issues import keep_label_issues, list_label_issues
from textclf.library.models import duty_rows, get_model
from textclf.library.records import LabelIssue, StoredModel
from textclf.library.rows import record
from textclf.model.category_names import NONE_OF_THESE
from textclf.service.pages.closed_pages import ClosedPages
from textclf.service.pages.dropped import DroppedFiles
from textclf.service.pages.html import filled
from textclf.service.pages.jobs import Jobs
from textclf.service.pages.languages import strings
from textclf.service.pages.page_pictures import PagePictures
from textclf.service.pages.review_queue import ReviewQueue
from textclf.service.pages.shown import ShownDocument, doubted, explain, show
from textclf.service.pages.visitors import Sessions, Visitor

if TYPE_CHECKING:
    from textclf.service.desk import Desk
    from textclf.service.keys import Keys
    from textclf.service.pages.jobs import Job, Kind


class PageState:
    """What the pages work with, one of each.

    Parameters
    ----------
    desk : Desk
        Who reads and judges, and whose library they show.
    keys : Keys, optional
        Without them nobody needs a key to sign in.
    """

    def __init__(self, desk: Desk, keys: Keys | None = None) -> None:
        self.desk, self.library, self.duty, self.keys = desk, desk.library, desk.duty, keys
        self.sessions = Sessions(keys.secret if keys else b"")
        self.pictures = PagePictures(desk.library, desk.limits)
        self.dropped = DroppedFiles(desk.uploads)
        self.closed = ClosedPages()
        self.jobs = Jobs(desk.library)
        self.queue = ReviewQueue(desk.library, self.clock)
        self.ask_doubts()

    @staticmethod
    def clock() -> datetime:
        """Give the time."""
        return datetime.now(UTC)

    def close(self) -> None:
        """End what runs in the background."""
        self.jobs.stop()
        self.queue.close()
        self.pictures.close()
        self.dropped.close()

    def model_before(self) -> StoredModel | None:
        """Give the model to which one can go back."""
        with self.library.database.reading() as session:
            rows = duty_rows(session)
            return record(StoredModel, get_model(session, rows[-2].model_id)) if len(rows) > 1 else None

    def failure(self, kind: Kind) -> Job | None:
        """Give the last job of a kind if it failed, unless somebody decided or another job began since."""
        job = self.jobs.latest(kind)
        if job is None or job.state != "failure" or self.jobs.last_started() != job.id:
            return None
        with self.library.database.reading() as session:
            changed = last_change(session)
        return None if changed is not None and changed > datetime.fromisoformat(job.started_at) else job

    def taught(self) -> dict[str, Job]:
        """Give the jobs whose models were taken, by the ids of the models."""
        jobs = (job for job in self.jobs.list_jobs("train") if job.result.get("taken"))
        return {job.result["taken"]["model"]: job for job in jobs}

    def ask_doubts(self) -> None:
        """Ask about the decisions that the model on duty doubts, and about no others."""
        on_duty = self.library.model_on_duty()
        job = self.taught().get(on_duty.id) if on_duty else None
        doubts = [LabelIssue(**one) for one in job.result.get("doubts", ())] if job else []
        with self.library.database.writing() as session:
            keep_label_issues(session, doubts, at=self.clock())

    def counts(self) -> dict[str, int]:
        """Count the decisions that hold by category."""
        with self.library.database.reading() as session:
            return count_decided(session)

    def categories(self) -> list[str]:
        """List the categories that people can choose: those of the model on duty, and those that people gave."""
        on_duty = self.duty.current
        known = set(on_duty.model.categories if on_duty else ()) | set(self.counts())
        return sorted(known - {NONE_OF_THESE}, key=str.casefold)

    def shown(self, document_id: int, visitor: Visitor) -> ShownDocument | None:
        """Put together what a visitor is shown of a document."""
        library = self.library
        document = library.document(document_id)
        if document is None:
            return None
        on_duty = self.duty.current
        judged = None
        with library.database.reading() as session:
            doubt = next((one for one in list_label_issues(session) if one.document_id == document_id), None)
        if on_duty is not None and document.status in ("ok", "partial"):
            judged = explain(on_duty.model, document, library.text(document_id), doubt)
        texts = strings(visitor.language)
        shown = show(
            document,
            library.pages(document_id),
            model=on_duty.model if on_duty else None,
            judged=judged,
            stored=library.prediction(document_id),
            counts=self.counts(),
            reasons=texts["reasons"],
        )
        if doubt is None:
            return shown
        asked = texts["review"]["doubt_own" if doubt.by == visitor.name else "doubt"]
        names = {NONE_OF_THESE: texts["common"]["none_of_these"]}
        said = names.get(doubt.decided, doubt.decided)
        return doubted(shown, doubt, filled(asked, by=doubt.by, decided=said, category=doubt.category))

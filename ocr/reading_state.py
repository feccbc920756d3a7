"""The state of a document that is being read: its reading steps, and the pages read so far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ocr.document import Document, Page
from ocr.ocr_result import OcrResult, stacked
from ocr.reading_options import Effort, Limits
from ocr.source_file import Source, content_hash
from textclf.base.errors import TextclfError

_MANY_UNREAD, _UNREAD_SHARE = 30, 1 / 3


class Strip(NamedTuple):
    """A strip across a page, from a share of its rows with ink, 0 to 1, to another."""

    start: float
    end: float


WHOLE = Strip(0.0, 1.0)
NOTHING = Strip(0.0, 0.0)
"""Of a page that is looked at and not read."""
STRIPS = (Strip(0.0, 0.25), Strip(0.25, 0.5), Strip(0.5, 1.0))
"""A page in strips, the most informative first."""


class ReadingStep(NamedTuple):
    """A page, from 1, or a strip of it, to be read; ``turn`` counts the steps from 0."""

    turn: int
    number: int
    strip: Strip


def reading_steps(effort: Effort, pages: int) -> list[ReadingStep]:
    """List what to read of a document, the most informative first: strips of pages, or whole pages.

    With ``glance``, nothing comes before the first strip.
    """
    strips = {"fast": STRIPS, "glance": (NOTHING, *STRIPS)}.get(effort, (WHOLE,))
    # the last page is read along with the first, because it may be another paper
    ends = range(1, pages + 1) if effort == "full" else sorted({1, pages} & {*range(1, pages + 1)})
    wanted = [(number, strip) for strip in strips for number in ends]
    wanted += [(number, strip) for number in range(1, pages + 1) if number not in ends for strip in strips]
    return [ReadingStep(turn, number, strip) for turn, (number, strip) in enumerate(wanted)]


@dataclass(kw_only=True)
class OpenDocument:
    """A document that is being read; its steps, None before the survey, end in any order but are settled in theirs."""

    # so the result does not depend on which worker is faster

    document_id: str
    source: Source
    sha256: str = ""
    page_count: int = 0
    steps: list[ReadingStep] | None = None
    pages: dict[int, Page] = field(default_factory=dict)
    enough: bool = False
    """Whether reading was stopped early because enough is known."""
    error: str = ""
    """Why it could not be opened, or what is missing besides its pages."""
    seconds: float = 0.0
    _sure: float = 0.0
    _begun: int = 0
    _settled: int = 0
    _waiting: dict[int, Page] = field(default_factory=dict)

    def is_done(self) -> bool:
        """Return whether nothing is left to read."""
        return self.steps is not None and self._settled == len(self.steps)

    def held(self) -> int:
        """Count the pages and strips held in memory."""
        return len(self.pages) + len(self._waiting)

    def next_step(self, *, one_by_one: bool) -> ReadingStep | None:
        """Start the next step, if there is one; if `one_by_one`, only when all before it are settled."""
        if self.steps is None or self._begun == len(self.steps) or (one_by_one and self._begun > self._settled):
            return None
        self._begun += 1
        return self.steps[self._begun - 1]

    def settle(self, step: ReadingStep, page: Page) -> Iterator[Page]:
        """Take the result of a step; yield each page that is settled by it, with `pages` up to date."""
        steps = self.steps or []
        if self._settled <= step.turn < len(steps):
            self._waiting[step.turn] = page
        while self._settled in self._waiting:
            page, now = self._waiting.pop(self._settled), steps[self._settled]
            self._settled += 1
            page = joined(self.pages[now.number], page) if now.strip.start > 0 else page
            self.pages[now.number] = page
            # steps are skipped whose part of the page was read along with another
            while self._settled < len(steps) and self._is_read(steps[self._settled]):
                self._waiting.pop(self._settled, None)
                self._settled += 1
            self._begun = max(self._begun, self._settled)
            yield page

    def _is_read(self, step: ReadingStep) -> bool:
        return step.number in self.pages and step.strip.end <= self.pages[step.number].part

    def both_ends_are_known(self) -> bool:
        """Return whether something of the first page and of the last was read, or tried."""
        numbers = {step.number for step in self.steps or []}
        return bool(numbers) and {1, max(numbers)} <= self.pages.keys()

    def is_enough(self, sure: float, page: Page) -> bool:
        """Return whether to stop reading: `sure` is 1, or did not rise with the last page that was read in full."""
        if sure >= 1 or page.part < 1:
            return sure >= 1
        before, self._sure = self._sure, sure
        return 0 < sure <= before

    def stop(self) -> int:
        """Drop all steps that are not settled, and count the pages of which nothing will be read."""
        steps = self.steps or []
        left = {step.number for step in steps} - self.pages.keys()
        self.enough = True
        self._waiting.clear()
        del steps[self._settled :]
        self._begun = len(steps)
        return len(left)

    def closed(self, limits: Limits) -> Document:
        """Make the document of its pages, with one line on what is missing and why."""
        faults = [self.error] if self.error else []
        pages = [_accounted(self.pages[number]) for number in sorted(self.pages)]
        faults += page_faults(pages, several=self.page_count > 1)
        if self.page_count > len(pages) > 0 and not self.enough:
            faults.append(f"only the first {len(pages)} of {self.page_count} pages were read")
        room = limits.max_text_length
        if sum(len(page.raw_text) for page in pages) > room:
            faults.append(f"the text was cut after {room:,} characters")
            for place, page in enumerate(pages):
                if len(page.raw_text) > room:
                    pages[place] = replace(page, text=page.text[:room], raw_text=page.raw_text[:room])
                room = max(0, room - len(page.raw_text))
        return Document(
            document_id=self.document_id,
            file="" if isinstance(self.source, bytes) else str(self.source),
            sha256=self.sha256 or content_hash(self.source, limits),
            pages=tuple(pages),
            page_count=self.page_count,
            status="ok" if not faults else "failed" if all(page.status == "failed" for page in pages) else "partial",
            error="; ".join(faults),
            seconds=self.seconds + sum(page.seconds for page in pages),
        )


def page_faults(pages: Sequence[Page], *, several: bool) -> list[str]:
    """Say in one line, if anything, what is missing of pages; with the page's number if the file has several."""
    flawed = [page for page in pages if page.status != "ok"]
    if not flawed:
        return []
    which = f"page {flawed[0].number}: " if several else ""
    others = f" (and {len(flawed) - 1} more of {len(pages)} pages)" if len(flawed) > 1 else ""
    return [f"{which}{flawed[0].error}{others}"]


def joined(upper: Page, lower: Page) -> Page:
    """Join two adjacent strips of a page."""
    result = stacked(OcrResult(words=strip.words, text=strip.raw_text) for strip in (upper, lower))
    failed = lower.status == "failed"
    return replace(
        upper,
        text="\n".join(filter(None, (upper.text, lower.text))),
        raw_text=result.text,
        words=result.words,
        confidence=result.confidence,
        letters=upper.letters + lower.letters,
        letters_unread=upper.letters_unread + lower.letters_unread,
        part=upper.part if failed else lower.part,
        status="partial" if failed else upper.status,
        error=lower.error or upper.error,
        seconds=upper.seconds + lower.seconds,
    )


def failed_page(number: int, error: Exception, seconds: float) -> Page:
    """Make the page for one that could not be read."""
    if isinstance(error, TextclfError):
        what = str(error)
    elif isinstance(error, MemoryError):
        what = "the page needs more memory than there is"
    else:
        what = " ".join(f"could not be read ({type(error).__name__}: {error}".split())[:200] + ")"
    return Page(number=number, status="failed", error=what, seconds=seconds)


def _accounted(page: Page) -> Page:
    """Set the status ``partial`` if many letters of a page lie in no word."""
    if page.status != "ok" or page.letters_unread < max(_MANY_UNREAD, _UNREAD_SHARE * page.letters):
        return page
    share = f"{page.letters_unread / page.letters:.0%}"
    return replace(page, status="partial", error=f"{share} of what looks like letters could not be read")

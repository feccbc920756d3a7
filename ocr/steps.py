"""What of a document is read, in which order, and how far that is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from ocr.documents import Page
from ocr.effort import STRIPS, WHOLE, Part
from ocr.pages import Source
from ocr.reading import joined

Effort = Literal["fast", "balanced", "full"]


class Step(NamedTuple):
    """One thing to read: a page, from 1, or a part of it; ``turn`` counts the steps from 0."""

    turn: int
    number: int
    part: Part


def reading_steps(effort: Effort, pages: int) -> list[Step]:
    """List what of a document is read, the most telling first.

    Parameters
    ----------
    effort : {"fast", "balanced", "full"}
        ``fast``: of each page the uppermost quarter of its text, then the second, then the rest. Else whole pages.
    pages : int
        How many there are to read.

    Returns
    -------
    list of Step
        In order.

    Examples
    --------
    >>> [(step.number, *step.part) for step in reading_steps("fast", 2)][:4]
    [(1, 0.0, 0.25), (1, 0.25, 0.5), (1, 0.5, 1.0), (2, 0.0, 0.25)]
    """
    parts = STRIPS if effort == "fast" else (WHOLE,)
    wanted = ((number, part) for number in range(1, pages + 1) for part in parts)
    return [Step(turn, number, part) for turn, (number, part) in enumerate(wanted)]


@dataclass(kw_only=True)
class OpenDocument:
    """A document that is being read.

    Steps may end in any order, but are settled in theirs, so that what is known after each of them does not depend
    on which worker was faster.

    Parameters
    ----------
    document_id : str
        Its name.
    source : pathlib.Path or bytes
        Where it comes from.
    sha256 : str
        Of its content; empty before the survey.
    page_count : int
        Pages that it has; 0 before the survey.
    steps : list of Step, optional
        What is to be read; None before the survey.
    pages : dict of int to Page
        What was read, by page number, as far as it is settled.
    enough : bool
        Whether some steps were left out because what is known will do.
    error : str
        Why it could not be opened, or what of it no page shows.
    seconds : float
        Time of the survey.
    """

    document_id: str
    source: Source
    sha256: str = ""
    page_count: int = 0
    steps: list[Step] | None = None
    pages: dict[int, Page] = field(default_factory=dict)
    enough: bool = False
    error: str = ""
    seconds: float = 0.0
    _sure: float = 0.0
    _begun: int = 0
    _settled: int = 0
    _waiting: dict[int, Page] = field(default_factory=dict)

    def is_done(self) -> bool:
        """Tell whether nothing is left to read."""
        return self.steps is not None and self._settled == len(self.steps)

    def held(self) -> int:
        """Count the pages, or parts of them, that are kept here."""
        return len(self.pages) + len(self._waiting)

    def next_step(self, *, one_by_one: bool) -> Step | None:
        """Begin the next step, if there is one; one by one, none begins before the last is settled."""
        if self.steps is None or self._begun == len(self.steps) or (one_by_one and self._begun > self._settled):
            return None
        self._begun += 1
        return self.steps[self._begun - 1]

    def settle(self, step: Step, page: Page) -> Iterator[Page]:
        """Take in what a step gave.

        Parameters
        ----------
        step : Step
            As `next_step` gave it.
        page : Page
            What was read, or a failed page.

        Yields
        ------
        Page
            Each page as the steps settled by it leave it; `pages` is then what is known. Where more of a page was read
            than was asked for, there is no further step for it.
        """
        steps = self.steps or []
        if self._settled <= step.turn < len(steps):
            self._waiting[step.turn] = page
        while self._settled in self._waiting:
            page, now = self._waiting.pop(self._settled), steps[self._settled]
            self._settled += 1
            page = joined(self.pages[now.number], page) if now.part.start > 0 else page
            self.pages[now.number] = page
            while self._settled < len(steps) and self._is_read(steps[self._settled]):
                self._waiting.pop(self._settled, None)
                self._settled += 1
            self._begun = max(self._begun, self._settled)
            yield page

    def _is_read(self, step: Step) -> bool:
        return step.number in self.pages and step.part.end <= self.pages[step.number].part

    def is_enough(self, sure: float, page: Page) -> bool:
        """Tell whether to stop.

        Parameters
        ----------
        sure : float
            How sure `pages` make; 1 is enough.
        page : Page
            The last of them. If it is read in full, and makes no surer than one was before, others will hardly.
        """
        if sure >= 1 or page.part < 1:
            return sure >= 1
        before, self._sure = self._sure, sure
        return 0 < sure <= before

    def stop(self) -> int:
        """Leave out all steps that are not settled, and count the pages of which nothing will be read."""
        steps = self.steps or []
        left = {step.number for step in steps} - self.pages.keys()
        self.enough = True
        self._waiting.clear()
        del steps[self._settled :]
        self._begun = len(steps)
        return len(left)

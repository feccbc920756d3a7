from __future__ import annotations

from dataclasses import replace

import pytest

from ocr.document import Page, Word
from ocr.reading_state import STRIPS, WHOLE, OpenDocument, ReadingStep, joined, reading_steps


def opened(effort: str = "fast", pages: int = 2) -> OpenDocument:
    return OpenDocument(document_id="a", source=b"", page_count=pages, steps=reading_steps(effort, pages))


def page(number: int, text: str, part: float = 1.0, **more: object) -> Page:
    return Page(number=number, text=text, raw_text=text, part=part, **more)


def settle(document: OpenDocument, step: ReadingStep, read: Page) -> list[str]:
    return ["|".join(p.text for p in document.pages.values()) for _ in document.settle(step, read)]


def begin(document: OpenDocument) -> list[ReadingStep]:
    steps = []
    while step := document.next_step(one_by_one=False):
        steps.append(step)
    return steps


def test_the_last_page_is_read_along_with_the_first():
    assert [step.number for step in reading_steps("full", 4)] == [1, 2, 3, 4]
    assert [step.number for step in reading_steps("balanced", 4)] == [1, 4, 2, 3]
    assert [step.number for step in reading_steps("fast", 3)] == [1, 3, 1, 3, 1, 3, 2, 2, 2]
    assert [step.turn for step in reading_steps("fast", 3)] == list(range(9))
    assert [reading_steps(effort, 0) for effort in ("full", "balanced", "fast")] == [[], [], []]


@pytest.mark.parametrize("effort", ["balanced", "full"])
def test_but_for_fast_pages_are_read_whole(effort):
    assert [(step.number, step.strip) for step in reading_steps(effort, 2)] == [(1, WHOLE), (2, WHOLE)]


def test_one_by_one_no_step_begins_before_the_last_is_settled():
    document = opened()
    top = document.next_step(one_by_one=True)
    assert document.next_step(one_by_one=True) is None
    assert settle(document, top, page(1, "top", 0.25)) == ["top"]
    assert document.next_step(one_by_one=True) == ReadingStep(1, 2, STRIPS[0])


def test_steps_that_end_out_of_order_are_settled_in_theirs():
    document = opened()
    top, second, middle, *_ = begin(document)
    assert settle(document, second, page(2, "second", 0.3)) == []
    assert not document.both_ends_are_known()
    assert settle(document, middle, page(1, "middle", 0.5)) == []
    assert settle(document, top, page(1, "top", 0.25)) == ["top", "top|second", "top\nmiddle|second"]
    assert document.both_ends_are_known()
    assert document.pages[1].part == 0.5
    assert document.held() == 2
    assert not document.is_done()


@pytest.mark.parametrize("ahead", [0, 1, 2])
def test_where_the_whole_was_read_the_rest_is_left_out(ahead):
    document = opened(pages=1)
    top = document.next_step(one_by_one=True)
    others = [document.next_step(one_by_one=False) for _ in range(ahead)]
    assert settle(document, top, page(1, "all")) == ["all"]
    assert [settle(document, other, page(1, "other", 0.4)) for other in others] == [[]] * ahead
    assert document.is_done()
    assert document.pages[1].text == "all"


@pytest.mark.parametrize("ahead", [0, 1])
def test_where_the_whole_first_page_was_read_the_last_page_is_next(ahead):
    document = opened(pages=2)
    top, last = document.next_step(one_by_one=True), ReadingStep(1, 2, STRIPS[0])
    assert settle(document, top, page(1, "all")) == ["all"]
    assert document.next_step(one_by_one=True) == last
    others = [document.next_step(one_by_one=False) for _ in range(ahead)]
    assert settle(document, last, page(2, "second", 0.25)) == ["all|second"]
    assert [settle(document, other, page(1, "other", 0.5)) for other in others] == [[]] * ahead
    assert document.next_step(one_by_one=True) == ReadingStep(3, 2, STRIPS[1])
    assert document.pages[1].text == "all"


@pytest.mark.parametrize("ahead", [0, 1])
def test_where_more_than_the_top_was_read_reading_goes_on_below(ahead):
    document = opened(pages=1)
    top = document.next_step(one_by_one=True)
    others = [document.next_step(one_by_one=False) for _ in range(ahead)]
    assert settle(document, top, page(1, "half", 0.5)) == ["half"]
    assert [settle(document, other, page(1, "middle", 0.5)) for other in others] == [[]] * ahead
    rest = document.next_step(one_by_one=True)
    assert rest == ReadingStep(2, 1, STRIPS[2])
    assert settle(document, rest, page(1, "rest")) == ["half\nrest"]
    assert document.is_done()


def test_what_was_read_ahead_of_enough_is_left_out():
    document = opened(pages=3)
    steps = begin(document)
    settle(document, steps[2], page(1, "middle", 0.5))
    settle(document, steps[1], page(3, "last", 0.3))
    for read in document.settle(steps[0], page(1, "top", 0.3)):
        if read.number == 3:
            assert document.stop() == 1
            break
    assert settle(document, steps[3], page(3, "below", 0.5)) == []
    assert document.is_done()
    assert document.enough
    assert [read.text for read in document.pages.values()] == ["top", "last"]
    assert document.next_step(one_by_one=False) is None


def word(text: str, line: int, confidence: float) -> Word:
    return Word(text=text, confidence=confidence, box=(0, 0, 1, 1), line=line)


def test_parts_make_one_page():
    top = page(1, "Dear\nMadam", 0.25, words=(word("Dear", 0, 90), word("Madam", 1, 90)), seconds=1.0)
    rest = page(1, "yours", words=(word("yours", 0, 60),), seconds=2.0)
    whole = joined(top, rest)
    assert (whole.text, whole.part, whole.seconds, whole.status) == ("Dear\nMadam\nyours", 1.0, 3.0, "ok")
    assert [read.line for read in whole.words] == [0, 1, 2]
    assert whole.confidence == pytest.approx((9 * 90 + 5 * 60) / 14)
    failed = joined(top, replace(rest, status="failed", error="ouch", text="", raw_text="", words=()))
    assert (failed.text, failed.part, failed.status, failed.error) == ("Dear\nMadam", 0.25, "partial", "ouch")
    last = joined(failed, rest)
    assert (last.text, last.part, last.status, last.error) == ("Dear\nMadam\nyours", 1.0, "partial", "ouch")


def test_only_whole_pages_are_held_against_what_was_known_before():
    document = opened()
    top = replace(page(1, "top"), part=0.3)
    assert document.is_enough(1.0, top)
    assert not any(document.is_enough(sure, top) for sure in (0.5, 0.5, 0.4))
    assert [document.is_enough(sure, page(1, "all")) for sure in (0.5, 0.6, 0.6)] == [False, False, True]

"""Where stacks are cut."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ocr.document import Document, Page, Word
from ocr.stack import each_page, page_cutter

LETTER_END = ("We remain at your disposal for any question.", "Yours sincerely,", "Margaret Johnson")
TERMS = tuple(
    f"{n}. The insurer pays for damage of the kind that is named in the schedule of the policy" for n in range(4, 16)
)


def sheet(number: int, *lines: str, foot: str = "", head: str = "", size: tuple[int, int] = (1240, 1754)) -> Page:
    """A page on which OCR read these lines, from the top."""
    words = []
    placed = [(60 + 40 * row, line) for row, line in enumerate([*([head] if head else []), *lines])]
    placed += [(size[1] - 60, foot)] if foot else []
    for line, (top, text) in enumerate(placed):
        left = 100
        for word in text.split():
            right = left + 14 * len(word)
            words.append(Word(text=word, confidence=95, box=(left, top, right, top + 24), line=line))
            left = right + 10
    text = "\n".join(text for _, text in placed)
    source = "ocr" if words else "none"
    return Page(
        number=number,
        text=text,
        raw_text=text,
        words=tuple(words),
        source=source,
        width=size[0],
        height=size[1],
        confidence=95,
    )


def document(*pages: Page) -> Document:
    numbered = tuple(replace(page, number=number) for number, page in enumerate(pages, 1))
    return Document(document_id="stack.pdf", file="stack.pdf", sha256="ab", pages=numbered, page_count=len(pages))


def letter(of: str, date: str) -> Page:
    return sheet(
        1,
        of,
        "1 High Street, Carlton  Tel. 0123 456789",
        date,
        "Dear Mr Barlow,",
        "thank you for your order.",
        *LETTER_END,
    )


def policy(page: int, total: int) -> Page:
    top = ("Harbour Mutual Insurance", "POLICY SCHEDULE 4711882") if page == 1 else ()
    return sheet(page, *top, *TERMS, head="Policy 4711882", foot=f"Page {page} of {total}")


def ids(parts: list[Document]) -> list[str]:
    return [part.document_id for part in parts]


def test_a_stack_becomes_its_documents():
    pages = [
        letter("Acme Ltd", "3 May 2021"),
        policy(1, 3),
        policy(2, 3),
        policy(3, 3),
        letter("Bell plc", "9 June 2022"),
    ]
    parts = page_cutter().split(document(*pages))
    assert ids(parts) == ["stack.pdf#1", "stack.pdf#2-4", "stack.pdf#5"]
    assert [part.page_count for part in parts] == [1, 3, 1]
    assert parts[1].paged_text.count("\f") == 2
    assert parts[1].paged_text.startswith("Policy 4711882")
    assert {(part.file, part.sha256, part.part.of) for part in parts} == {("stack.pdf", "ab", "stack.pdf")}
    assert (parts[1].part.first_page, parts[1].part.last_page) == (2, 4)
    assert all(0.5 <= part.part.score <= 1 for part in parts)


def test_a_document_of_several_pages_keeps_its_id():
    (whole,) = page_cutter().split(document(policy(1, 3), policy(2, 3), policy(3, 3)))
    assert whole.document_id == "stack.pdf"
    assert (whole.part.first_page, whole.part.last_page) == (1, 3)


def test_a_page_alone_is_surely_one_document():
    (whole,) = page_cutter().split(document(letter("Acme Ltd", "3 May 2021")))
    assert (whole.document_id, whole.part.score, whole.part.is_sure) == ("stack.pdf", 1.0, True)


def test_a_file_without_pages_stays_as_it_is():
    failed = Document(document_id="a.pdf", status="failed", error="is encrypted")
    assert page_cutter().split(failed) == [failed]
    assert each_page(failed) == [failed]


def test_blank_pages_stay_with_the_document_before_them():
    blank = Page(number=1, width=1240, height=1754)
    pages = [letter("Acme Ltd", "3 May 2021"), blank, letter("Bell plc", "9 June 2022"), blank]
    assert ids(page_cutter().split(document(*pages))) == ["stack.pdf#1-2", "stack.pdf#3-4"]


def test_a_blank_page_does_not_separate_what_goes_on():
    blank = Page(number=1, width=1240, height=1754)
    assert ids(page_cutter().split(document(policy(1, 2), blank, policy(2, 2)))) == ["stack.pdf"]


def test_blank_pages_alone_are_one_document():
    blank = Page(number=1, width=1240, height=1754)
    (whole,) = page_cutter().split(document(blank, blank, blank))
    assert (whole.document_id, whole.text, whole.part.is_sure) == ("stack.pdf", "", True)


def test_separator_sheets_cut_and_belong_to_no_document():
    sheet_between = replace(sheet(1, "PATCH T"), is_separator=True)
    pages = [sheet_between, policy(1, 2), sheet_between, policy(2, 2), sheet_between]
    parts = page_cutter().split(document(*pages))
    assert ids(parts) == ["stack.pdf#2", "stack.pdf#4"]
    assert all(part.part.is_sure for part in parts)
    (nothing,) = page_cutter().split(document(sheet_between))
    assert nothing.document_id == "stack.pdf"


def test_each_page():
    assert ids(each_page(document(policy(1, 2), policy(2, 2)))) == ["stack.pdf#1", "stack.pdf#2"]


def test_faults_stay_with_their_pages():
    broken = replace(policy(2, 2), status="failed", error="took longer than 60 s", words=(), text="")
    whole = document(letter("Acme Ltd", "3 May 2021"), policy(1, 2), broken)
    whole = replace(
        whole,
        status="partial",
        page_count=5,
        error="page 3: took longer than 60 s; only the first 3 of 5 pages were read",
    )
    first, second, third = each_page(whole)
    assert (first.status, first.error) == ("ok", "")
    assert (second.status, second.error) == ("ok", "")
    assert (third.status, third.error) == ("failed", whole.error)


def test_a_stack_of_which_pages_were_not_read_is_doubtful():
    whole = document(policy(1, 2), policy(2, 2))
    assert page_cutter().split(whole)[0].part.is_sure
    cut_short = replace(whole, status="partial", page_count=3, error="only the first 2 of 3 pages were read")
    (part,) = page_cutter().split(cut_short)
    assert not part.part.is_sure
    assert part.error == cut_short.error


@pytest.mark.parametrize("pages", [0, 1, 2])
def test_scores_are_of_the_gaps(pages):
    cuts = page_cutter().cuts(document(*[policy(n, 2) for n in range(1, pages + 1)]).pages)
    assert [cut.page for cut in cuts] == list(range(2, pages + 1))


LINES = st.lists(st.text(max_size=40), max_size=6)
PAGES = st.lists(
    st.builds(
        lambda lines, separator, failed: replace(
            sheet(1, *lines), is_separator=separator, status="failed" if failed else "ok"
        ),
        LINES,
        st.booleans(),
        st.booleans(),
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(PAGES)
def test_every_page_is_in_one_document_unless_it_separates(pages):
    whole = document(*pages)
    parts = page_cutter().split(whole)
    numbers = [page.number for part in parts for page in part.pages]
    kept = [page.number for page in whole.pages if not page.is_separator]
    assert numbers == (kept or [page.number for page in whole.pages])
    assert len(set(ids(parts))) == len(parts)

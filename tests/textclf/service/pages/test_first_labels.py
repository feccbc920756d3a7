"""From a pile that nobody labelled to a first model."""

from __future__ import annotations

import pytest

from tests.textclf.service.pages.conftest import Desk, add_documents
from tests.textclf.service.pages.test_review import press, shown_name
from textclf.library.library import Library

pytestmark = pytest.mark.slow


def test_groups_of_a_pile_are_named_by_hand_and_a_first_model_learns_from_them(tmp_path, texts, start, visit):
    with Library.open(tmp_path / "library") as library:
        add_documents(library, tmp_path / "scans", None, "", texts(60))
    made = Desk(tmp_path, start)
    page = visit(made.url, path="/first-labels")
    page.fill("[name=number]", "12")
    page.click("button:text-is('Find groups')")
    page.wait_for_selector(".groups li >> nth=11", timeout=600_000)
    page.click("a[href='/first-labels/name']")
    # the field has the focus: nothing else is done by keys, and no key is named
    shown_name(page)
    for typed in ("n", "non", "s", "u"):
        page.keyboard.type(typed)
        if typed[0] == "n":
            page.keyboard.press("Enter")
            assert page.get_attribute("#review", "data-document")
        page.fill("#find", "")
    assert not page.is_visible(".actions kbd >> nth=1")
    assert page.text_content("h1") == "First labels"
    for _ in range(12):
        kind = shown_name(page).split("-")[0]
        # in the first document the field is open already, as there is nothing to choose
        if not page.evaluate("document.activeElement.id === 'find'"):
            page.keyboard.press("/")
        press(page, kind, "Enter")
    assert page.is_visible("[data-show=done]")
    page.click("[data-show=done] a")
    page.wait_for_selector("text=All groups are named.")
    page.click("button:text-is('Teach a new model')")
    page.wait_for_selector("#new", timeout=600_000)
    assert "There is nothing yet to compare on" in page.text_content("#new")
    page.check("[name=max_error][value='0.2']")
    page.click("button:text-is('Take the new model')")
    page.wait_for_selector("text=Taken by Anna")
    page.wait_for_selector("#running", state="detached", timeout=600_000)
    with made.open() as library:
        assert library.model_on_duty().figures["training"]["documents"].keys() == {"invoice", "letter", "receipt"}
        predicted = {one.name: library.prediction(one.id) for one in library.list_documents(limit=100)}
    judged = [found.predicted_category == name.split("-")[0] for name, found in predicted.items() if found]
    assert len(judged) == 48
    assert sum(judged) > 40

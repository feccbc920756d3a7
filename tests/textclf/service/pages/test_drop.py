"""Dropping scans onto a page: read by the real engine, judged, and shown."""

from __future__ import annotations

import pytest

from textclf.base.hashing import hash_bytes
from textclf.library.library import Library

pytestmark = pytest.mark.slow


@pytest.fixture
def open_drop(tmp_path, model_path, start, visit):
    def begin(*arguments, name="Anna"):
        service = start(*arguments, "--jobs", 1, folder=tmp_path)
        return service, visit(service.url, name, "/drop")

    return begin


def test_dropped_scans_are_judged_and_shown_with_their_words_lit(open_drop, model_path, scan, tmp_path, visit):
    service, page = open_drop("--model", model_path, "--max-error", 0.4)
    hostile = scan(tmp_path / "scans" / "<img src=x onerror=alert(1)>.png", "dear madam sincerely yours", "aunt love")
    plain = scan(tmp_path / "scans" / "a.png", "invoice total due vat number", "net gross payment terms bank")
    noise = tmp_path / "scans" / "noise.png"
    noise.write_bytes(b"no picture")
    page.set_input_files("input[type=file]", [plain, hostile, noise])
    page.wait_for_function("() => document.querySelectorAll('.files button.read, .files button.failed').length === 3")
    assert page.locator(".files .label").all_text_contents() == ["a.png", hostile.name, "noise.png"]
    assert page.locator(".files li:first-child .kind").text_content() == "invoice"
    assert page.locator(".files li:nth-child(3) .note.fault").text_content().startswith("not read: ")
    assert page.locator(".files li:nth-child(3) .kind").count() == 0
    page.set_input_files("input[type=file]", plain.rename(plain.with_name("again.png")))
    page.wait_for_selector(".files li:nth-child(4) button.read")
    assert "The same file was here before as a.png." in page.text_content(".files li:nth-child(4)")
    # whichever was read first is shown
    page.click(".files li:first-child button")
    page.wait_for_selector("#sheet svg rect.for")
    page.keyboard.press("ArrowDown")
    page.wait_for_function("name => document.querySelector('#sheet img')?.alt.startsWith(name)", arg=hostile.name)
    assert page.locator("img[src=x]").count() == 0
    # nobody else sees what a person dropped
    picture = page.get_attribute("#sheet img", "src")
    other = visit(service.url, "Bruno")
    assert other.request.get(f"{service.url}{picture}").status == 404
    assert page.request.get(f"{service.url}{picture}").status == 200


def test_without_a_model_scans_are_read_and_kept(open_drop, scan, tmp_path):
    service, page = open_drop()
    plain = scan(tmp_path / "scans" / "a.png", "invoice total due vat number", "net gross payment terms bank")
    page.set_input_files("input[type=file]", plain)
    page.wait_for_selector(".files button.read")
    with Library.open(service.library) as library:
        assert library.document_of(hash_bytes(plain.read_bytes())).name == "a.png"

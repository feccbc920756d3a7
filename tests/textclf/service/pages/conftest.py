"""Libraries with documents to look at, the real service over them, and a real browser."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr.document import Document, Page, Word
from textclf.base.hashing import hash_bytes
from textclf.library.library import Library
from textclf.model.predict import Model

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDTH, HEIGHT = 620, 877
COLUMN, LINE, MARGIN = 110, 30, 40


def drawn_page(words: list[str], place: Path) -> Page:
    """Draw words on a page, and give it as if it had been read."""
    image = Image.new("L", (WIDTH, HEIGHT), "white")
    pen, font = ImageDraw.Draw(image), ImageFont.load_default(15)
    boxes: list[Word] = []
    across = (WIDTH - 2 * MARGIN) // COLUMN
    for number, word in enumerate(words):
        left, top = MARGIN + COLUMN * (number % across), MARGIN + LINE * (number // across)
        pen.text((left, top), word, fill="black", font=font)
        box = (left, top, left + round(pen.textlength(word, font=font)), top + 18)
        boxes.append(Word(text=word, confidence=95, box=box, line=number // across))
    image.save(place)
    return Page(number=1, text=" ".join(words), words=tuple(boxes), width=WIDTH, height=HEIGHT)


def add_documents(
    library: Library, scans: Path, model: Model | None, model_id: str, texts: dict[str, str], *, review: bool = True
) -> list[int]:
    """Add documents with drawn pages; with `review` all are for review, whatever their score."""
    scans.mkdir(parents=True, exist_ok=True)
    ids = []
    for number, (name, text) in enumerate(texts.items()):
        place = scans / f"{number}.png"
        page = drawn_page(text.split(), place)
        content = place.read_bytes()
        now = datetime.now(UTC)
        stored, _ = library.add_document(
            sha256=hash_bytes(content), name=name, size=len(content), at=now, path=str(place)
        )
        read = Document(document_id=name, pages=(page,), page_count=1, sha256=stored.sha256)
        library.record_reading(stored.id, read)
        if model is not None:
            max_error = 0.02 if review else 0.4
            prediction = model.with_max_error(max_error)(text, name)
            given = {"categories": model.categories, "max_error": max_error, "at": now}
            library.record_prediction(stored.id, model_id, prediction, **given)
        ids.append(stored.id)
    return ids


@pytest.fixture(scope="session")
def texts(corpus) -> Callable[[int], dict[str, str]]:
    """Texts of documents by file name, none twice."""

    def make(count: int) -> dict[str, str]:
        found = corpus(-(-count // 3), seed=9)
        rows = list(zip(found.ids, found.texts, strict=True))
        random.Random(1).shuffle(rows)
        return {f"{name}.png": f"{text} number {place}" for place, (name, text) in enumerate(rows[:count])}

    return make


@pytest.fixture(scope="session")
def _browser() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if CHROMIUM is None:
        pytest.skip("no chromium installed")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=[*FLAGS])
        yield browser
        browser.close()


@pytest.fixture
def visit(_browser) -> Iterator[Callable[..., Any]]:
    """Opens the desk for a person in a window of its own; no page may meet an error, or load from elsewhere."""
    contexts: list[Any] = []
    faults: list[str] = []

    def note(message: Any) -> None:
        # a request that a test let fail is none, nor is one after signing out
        if message.type == "error" and "net::ERR_" not in message.text and "status of 401" not in message.text:
            faults.append(message.text)

    def open_page(url: str, name: str = "Anna", path: str = "/review", **options: Any) -> Any:
        context = _browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB", **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15_000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda message: note(message))
        page.on(
            "request", lambda request: None if request.url.startswith((url, "blob:")) else faults.append(request.url)
        )
        page.goto(f"{url}{path}")
        if name:
            page.fill("[name=name]", name)
            page.keyboard.press("Enter")
            page.wait_for_url(f"**{path}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not faults


class Desk:
    """A library of documents, and the service over it."""

    def __init__(self, folder: Path, start: Callable[..., Any], *arguments: object) -> None:
        self.folder = folder / "library"
        self.service = start(*arguments, "--jobs", 1, folder=folder)
        self.url = self.service.url.replace("127.0.0.1", "localhost")

    def open(self) -> Library:
        return Library.open(self.folder)


@pytest.fixture
def desk(tmp_path, model, model_path, texts, start) -> Callable[..., Desk]:
    """Makes a library of documents for review, and starts the service over it."""

    def make(count: int = 0, *, named: dict[str, str] | None = None, review: bool = True) -> Desk:
        with Library.open(tmp_path / "library") as library:
            model_id = library.add_model(model_path, at=datetime.now(UTC)).id
            add_documents(library, tmp_path / "scans", model, model_id, named or texts(count), review=review)
        return Desk(tmp_path, start, "--model", model_path)

    return make

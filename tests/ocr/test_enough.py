"""Reading no more than is needed: until somebody is sure."""

from __future__ import annotations

from contextlib import nullcontext

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

import ocr.batch
from ocr.batch import iter_documents
from ocr.cache import PageCache
from ocr.document import Word
from ocr.engines import TesseractEngine
from ocr.ocr_result import OcrResult
from ocr.page_image import read_strip, row_at
from ocr.reading_options import ReadingOptions
from ocr.reading_state import STRIPS
from textclf.base.errors import UsageError
from textclf.base.executor import in_process

AS_IT_IS = ReadingOptions(scale=1.0, languages=("eng",))


class BarReader:
    """An engine that reads bars: the length of each is a page and a line. It writes down what it reads."""

    name, version = "bars", "1"

    def __init__(self, log):
        self.log = log

    def languages(self):
        return ("eng",)

    def read(self, image, *, languages, page_segmentation, timeout):
        with self.log.open("a") as log:
            print(image.size, file=log)
        lengths = (np.asarray(image) < 128).sum(axis=1)
        edges = np.flatnonzero(np.diff(lengths, prepend=0, append=0)).reshape(-1, 2).tolist()
        words = tuple(
            Word(
                text=f"page{lengths[top] // 50}line{lengths[top] % 50:02}",
                confidence=90.0,
                box=(40, top, 40 + int(lengths[top]), bottom),
                line=line,
            )
            for line, (top, bottom) in enumerate(edges)
        )
        return OcrResult(words=words, text="\n".join(word.text for word in words))

    def runs(self) -> int:
        return len(self.log.read_text().splitlines()) if self.log.exists() else 0


class WordsOnly(BarReader):
    """Reads no line that is as thin as a rule."""

    def read(self, image, **options):
        reading = super().read(image, **options)
        words = tuple(word for word in reading.words if word.box[2] - word.box[0] > 20)
        return OcrResult(words=words, text="\n".join(word.text for word in words))


@pytest.fixture
def _in_process(monkeypatch):
    """Read in this process, where nothing is read ahead, so that what is read can be counted."""
    monkeypatch.setattr(ocr.batch, "open_executor", lambda *_, **__: nullcontext(in_process()))


@pytest.fixture
def engine(tmp_path) -> BarReader:
    return BarReader(tmp_path / "runs")


def bars(number: int) -> Image.Image:
    image = Image.new("L", (600, 800), 255)
    for line in range(24):
        image.paste(0, (40, 40 + 30 * line, 40 + 50 * number + line, 52 + 30 * line))
    return image


def sheet() -> Image.Image:
    image = Image.new("L", (1240, 1754), 255)
    draw = ImageDraw.Draw(image)
    for row in range(24):
        text = f"The {('upper', 'lower')[row > 7]} lines of this sheet are printed here"
        draw.text((80, 60 + 65 * row), text, font=ImageFont.load_default(34), fill=0)
    return image


@pytest.fixture
def sheets(encoded):
    return [("sheets.tiff", encoded(bars(1), "TIFF", save_all=True, append_images=[bars(2), bars(3)]))]


def until(word: str):
    """Surer with every page, and sure enough with a word."""

    def how_sure(document):
        sure = word in document.text and document.confidence > 60
        return 1.0 if sure else min(0.9, len(document.text) / 10_000)

    return how_sure


@pytest.mark.parametrize(
    ("effort", "word", "pages_read", "runs"),
    [
        ("full", "page1line00", 3, 3),
        # the last page is always looked at
        ("balanced", "page1line00", 2, 2),
        ("balanced", "page3", 2, 2),
        ("balanced", "page2", 3, 3),
        ("balanced", "nowhere", 3, 3),
        ("fast", "page1line00", 1 / 2, 2),
        ("fast", "page1line10", 3 / 4, 3),
        ("fast", "page1line23", 3 / 2, 5),
        ("fast", "page2line00", 9 / 4, 7),
        ("fast", "nowhere", 3, 9),
    ],
)
@pytest.mark.usefixtures("_in_process")
def test_no_more_is_read_than_is_needed(sheets, engine, effort, word, pages_read, runs):
    (document,) = iter_documents(sheets, options=AS_IT_IS, engine=engine, effort=effort, how_sure=until(word))
    assert (document.status, document.error, document.page_count) == ("ok", "", 3)
    assert document.pages_read == pages_read
    assert engine.runs() == runs
    assert (word in document.text) != (word == "nowhere")


@pytest.mark.parametrize(("sureness", "pages"), [([0.5, 0.6, 0.6], 4), ([0.5, 0.5, 0.9], 3), ([0, 0, 0.9], 4)])
@pytest.mark.usefixtures("_in_process")
def test_reading_ends_where_a_page_makes_no_surer_unless_nothing_is_known(encoded, engine, sureness, pages):
    answers = iter(sureness)
    options = {"options": AS_IT_IS, "engine": engine, "jobs": 1}
    sheets = [("sheets.tiff", encoded(bars(1), "TIFF", save_all=True, append_images=[bars(2), bars(3), bars(4)]))]
    (document,) = iter_documents(sheets, effort="balanced", how_sure=lambda document: next(answers), **options)
    assert (document.status, document.pages_read) == ("ok", pages)


@pytest.mark.usefixtures("_in_process")
def test_parts_say_what_the_whole_says(encoded):
    options = {"options": AS_IT_IS, "jobs": 1}
    sheets = [("sheet.png", encoded(sheet()))]
    (parts,) = iter_documents(sheets, effort="fast", how_sure=until("nowhere"), **options)
    (whole,) = iter_documents(sheets, **options)
    assert parts.text.split() == whole.text.split()
    assert [word.line for word in parts.pages[0].words] == [word.line for word in whole.pages[0].words]
    for one, other in zip(parts.pages[0].words, whole.pages[0].words, strict=True):
        assert one.box == pytest.approx(other.box, abs=10)


def test_what_workers_read_ahead_does_not_change_the_result(sheets, engine):
    options = {"options": AS_IT_IS, "effort": "fast", "how_sure": until("page2line00"), "engine": engine}
    alone, ahead = (next(iter(iter_documents(sheets, jobs=jobs, **options))) for jobs in (1, 2))
    assert alone.text == ahead.text
    assert [page.part for page in alone.pages] == [page.part for page in ahead.pages]


@pytest.mark.usefixtures("_in_process")
def test_a_part_is_not_read_twice_and_a_whole_page_in_the_cache_is_taken(sheets, engine, tmp_path):
    options = {"options": AS_IT_IS, "engine": engine, "cache": PageCache(tmp_path / "cache")}
    for runs in (2, 2):
        list(iter_documents(sheets, effort="fast", how_sure=until("page1line00"), **options))
        assert engine.runs() == runs
    list(iter_documents(sheets, effort="fast", how_sure=until("page1line23"), **options))
    assert engine.runs() == 5
    (whole,) = iter_documents(sheets, **options)
    assert engine.runs() == 8
    (document,) = iter_documents(sheets, effort="fast", how_sure=until("page1line00"), **options)
    assert engine.runs() == 8
    assert document.text == f"{whole.pages[0].text}\n\n{whole.pages[2].text}"


@pytest.mark.usefixtures("_in_process")
def test_a_page_upside_down_is_read_whole(encoded):
    files = [("turned.png", encoded(sheet().rotate(180)))]
    (document,) = iter_documents(files, options=AS_IT_IS, effort="fast", how_sure=until("upper"), jobs=1)
    assert (document.pages[0].rotation, document.pages_read) == (180, 1)
    assert "upper" in document.text.splitlines()[0]


@pytest.mark.usefixtures("_in_process")
def test_a_text_layer_is_taken_whole(text_pdf):
    files = [("digital.pdf", text_pdf("Total amount due", "42 euro"))]
    (document,) = iter_documents(files, effort="fast", how_sure=until("Total"), jobs=1)
    assert (document.pages_read, document.text.split()[-1]) == (1, "euro")


@pytest.mark.usefixtures("_in_process")
def test_a_page_that_fails_is_passed_over(encoded, fake_tesseract, tsv):
    fake_tesseract(
        f'[ $(head -c 8 "$input" | tail -n 1 | cut -d" " -f1) = 301 ] && exit 1\ncat > $output <<END\n{tsv("word")}END'
    )
    blots = [Image.new("L", (width, 300), 255) for width in (301, 302, 303)]
    for blot in blots:
        blot.paste(0, (50, 50, 100, 200))
    files = [("blots.tiff", encoded(blots[0], "TIFF", save_all=True, append_images=blots[1:]))]
    options = {"options": AS_IT_IS, "engine": TesseractEngine(), "jobs": 1}
    (document,) = iter_documents(
        files, effort="balanced", how_sure=lambda document: float(document.text == "word"), **options
    )
    assert (document.status, document.text, len(document.pages)) == ("partial", "word", 2)
    assert document.error.startswith("page 1: tesseract failed")


@pytest.mark.usefixtures("_in_process")
def test_progress_ends_with_all_pages_that_were_wanted(sheets, engine):
    seen = []
    options = {"options": AS_IT_IS, "engine": engine, "effort": "balanced", "how_sure": until("page1")}
    list(iter_documents(sheets, progress=seen.append, jobs=1, **options))
    assert (seen[-1].pages_done, seen[-1].pages_known) == (2, 2)


def test_an_effort_without_sense_is_refused(sheets):
    with pytest.raises(UsageError, match="fast, balanced or full"):
        iter_documents(sheets, effort="lazy", how_sure=until("upper"))
    with pytest.raises(UsageError, match="needs how_sure"):
        iter_documents(sheets, effort="fast")


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_page_is_parted_between_two_lines(share):
    image = sheet()
    edge = row_at(image, share)
    assert abs(edge - image.height * share) < 0.06 * image.height
    assert set(image.crop((0, edge, image.width, edge + 1)).tobytes()) == {255}


def test_margins_do_not_count_where_a_page_is_parted():
    written = bars(1)
    page = Image.new("L", (600, 2000), 255)
    page.paste(written, (0, 1000))
    assert [row_at(page, share) - 1000 for share in (0.25, 0.5)] == pytest.approx(
        [row_at(written, share) for share in (0.25, 0.5)], abs=20
    )


@pytest.mark.parametrize("height", [1, 2, 199])
def test_an_image_of_few_rows_is_read_whole(height):
    seen = []

    def read(image: Image.Image) -> OcrResult:
        seen.append(image.size)
        return OcrResult()

    assert read_strip(Image.new("L", (50, height)), STRIPS[0], read)[2] == 1
    assert seen == [(50, height)]


@given(seed=st.integers(0, 1 << 32), height=st.integers(200, 700), blank=st.floats(0, 1))
def test_parts_of_any_image_make_the_whole(seed, height, blank):
    random = np.random.default_rng(seed)
    rows = np.where(random.random(height) < blank, 255, random.integers(256, size=height)).astype(np.uint8)
    image = Image.fromarray(np.repeat(rows[:, None], 3, axis=1))
    seen = []

    def read(part: Image.Image) -> OcrResult:
        seen.extend(np.asarray(part)[:, 0].tolist())
        return OcrResult(words=(Word(text="word", confidence=90.0, box=(0, 0, 3, 1), line=0),))

    end = 0.0
    for part in STRIPS:
        if part.start == end:
            *_, end = read_strip(image, part, read)
    assert end == 1
    assert seen == rows.tolist()


@pytest.mark.usefixtures("_in_process")
def test_where_the_top_holds_no_word_what_is_below_is_read_too(sheets, engine, encoded):
    page = bars(1)
    page.paste(255, (0, 0, 600, 300))
    page.paste(0, (500, 40, 520, 120))
    files = [("logo.png", encoded(page))]
    engine = WordsOnly(engine.log)
    (document,) = iter_documents(files, options=AS_IT_IS, engine=engine, effort="fast", how_sure=until("p"), jobs=1)
    assert (document.status, document.pages_read, engine.runs()) == ("ok", 0.5, 2)
    assert min(word.box[1] for word in document.pages[0].words) == 310


@pytest.mark.usefixtures("_in_process")
def test_the_top_alone_keeps_its_place_on_the_page(sheets, engine):
    (document,) = iter_documents(sheets, options=AS_IT_IS, engine=engine, effort="fast", how_sure=until("l"), jobs=1)
    for page in document.pages:
        assert (page.width, page.height) == (600, 800)
        assert 150 < max(word.box[3] for word in page.words) < 250

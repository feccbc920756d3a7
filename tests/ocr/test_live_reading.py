from __future__ import annotations

import time
from concurrent.futures import wait
from contextlib import closing
from dataclasses import replace

import pytest
from PIL import Image

from ocr.batch import read_document
from ocr.cache import PageCache
from ocr.document import Document
from ocr.live_reading import LiveReader
from ocr.reading_options import Limits, ReadingOptions
from textclf.base.errors import LostTaskError, OutputError

AS_IT_IS = ReadingOptions(scale=1.0)


@pytest.fixture
def blots(encoded):
    """Images that are not blank, and whose widths tell a fake engine which one it has."""

    def draw(*widths: int) -> bytes:
        images = [Image.new("L", (width, 200), 255) for width in widths]
        for image in images:
            image.paste(0, (50, 50, 100, 100))
        return encoded(images[0], "TIFF", save_all=True, append_images=images[1:])

    return draw


def reads_width(tsv, *, also: str = "") -> str:
    return (
        f'width=$(head -c 8 "$input" | tail -n 1 | cut -d" " -f1)\n{also}\ncat > $output <<END\n{tsv("width$width")}END'
    )


def timeless(document: Document) -> Document:
    return replace(document, seconds=0, pages=tuple(replace(page, seconds=0) for page in document.pages))


def read(reader: LiveReader, sources: list[bytes]) -> list[Document]:
    readings = [reader.submit(f"{number}.png", source) for number, source in enumerate(sources)]
    return [reading.future.result(60) for reading in readings]


def test_documents_that_come_one_by_one_are_read_as_alone(page, encoded):
    sources = [
        encoded(page()),
        b"no image",
        encoded(page(), "TIFF", save_all=True, append_images=[page(("Second page of the letter",))]),
    ]
    alone = [read_document(source, document_id=f"{number}.png") for number, source in enumerate(sources)]
    with closing(LiveReader(jobs=2)) as reader:
        assert list(map(timeless, read(reader, sources))) == list(map(timeless, alone))
        # the second round finds the reader idle
        assert list(map(timeless, read(reader, sources[:2]))) == list(map(timeless, alone[:2]))


def test_a_short_document_does_not_wait_for_all_pages_of_a_long_one(blots, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv, also="sleep 0.2"))
    with closing(LiveReader(options=AS_IT_IS, jobs=1)) as reader:
        long = reader.submit("long.tif", blots(*range(300, 308)))
        short = reader.submit("short.tif", blots(320))
        assert short.future.result(60).text == "width320"
        assert not long.future.done()
        assert [page.text for page in long.future.result(60).pages] == [f"width{width}" for width in range(300, 308)]


def test_a_page_that_kills_its_process_or_hangs_fails_alone(blots, fake_tesseract, tsv):
    faults = "[ $width = 301 ] && kill -9 $PPID; [ $width = 302 ] && exec sleep 60"
    fake_tesseract(reads_width(tsv, also=faults))
    options = replace(AS_IT_IS, limits=Limits(seconds_per_page=4))
    with closing(LiveReader(options=options, jobs=2)) as reader:
        documents = read(reader, [blots(width) for width in range(300, 305)])
    assert [document.status for document in documents] == ["ok", "failed", "failed", "ok", "ok"]
    assert documents[1].error == "the process that read it died"
    assert documents[2].error == "took longer than 4 s; allow more with --seconds-per-page"


def test_what_nobody_waits_for_any_more_is_not_read(blots, fake_tesseract, tsv, tmp_path):
    fake_tesseract(reads_width(tsv, also=f"echo $width >> {tmp_path}/runs; sleep 0.3"))
    with closing(LiveReader(options=AS_IT_IS, jobs=1)) as reader:
        long, waiting = reader.submit("long.tif", blots(*range(300, 320))), reader.submit("b.tif", blots(330))
        while not (tmp_path / "runs").exists():
            time.sleep(0.02)
        long.abandon()
        waiting.abandon()
        assert reader.submit("c.tif", blots(340)).future.result(60).text == "width340"
    assert len((tmp_path / "runs").read_text().split()) < 8


def test_reading_stops_when_enough_is_known(blots, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv))

    def sure(document: Document) -> float:
        return 1.0

    with closing(LiveReader(options=AS_IT_IS, jobs=1, effort="balanced", how_sure=sure)) as reader:
        document = reader.submit("a.tif", blots(*range(300, 310))).future.result(60)
    assert {1, 10} <= {page.number for page in document.pages}
    assert document.pages_read < 10
    assert document.status == "ok"


def test_a_cache_that_cannot_be_written_is_told_with_the_document(blots, fake_tesseract, tsv, tmp_path):
    fake_tesseract(reads_width(tsv))
    (tmp_path / "cache").write_text("a file is in the way")
    with closing(LiveReader(options=AS_IT_IS, cache=PageCache(tmp_path / "cache"), jobs=1)) as reader:
        for _ in range(2):
            with pytest.raises(OutputError, match="cannot be written"):
                reader.submit("a.tif", blots(300)).future.result(60)


def test_a_document_that_cannot_be_judged_ends_the_reading_of_no_other(blots, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv))

    def sure(document: Document) -> float:
        if "odd" in document.document_id:
            raise ZeroDivisionError("a fault of the model")
        return 1.0

    with closing(LiveReader(options=AS_IT_IS, jobs=1, effort="balanced", how_sure=sure)) as reader:
        odd = reader.submit("odd.tif", blots(*range(300, 310)))
        with pytest.raises(ZeroDivisionError):
            odd.future.result(60)
        assert reader.submit("a.tif", blots(*range(300, 310))).future.result(60).status == "ok"
        assert reader.is_alive
    assert not reader.is_alive


def test_closing_tells_those_who_wait_and_takes_nothing_more(blots, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv, also="exec sleep 60"))
    reader = LiveReader(options=AS_IT_IS, jobs=1)
    readings = [reader.submit("a.tif", blots(width)) for width in (300, 301)]
    reader.close()
    wait([reading.future for reading in readings], timeout=5)
    for reading in readings:
        with pytest.raises(LostTaskError, match="reading was stopped"):
            reading.future.result(0)
    with pytest.raises(LostTaskError, match="closed"):
        reader.submit("b.tif", blots(300))

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from PIL import Image

import ocr.batch
from ocr.batch import Progress, iter_documents, read_document
from ocr.cache import PageCache
from ocr.document import Document, Word
from ocr.engines import TesseractEngine
from ocr.file_search import find_files
from ocr.ocr_result import OcrResult
from ocr.reading_options import Limits, ReadingOptions
from textclf.base.errors import MissingProgramError, OutputError, SomeFailedError
from textclf.base.processes import WorkerProcess

AS_IT_IS = ReadingOptions(scale=1.0)
PATIENT = ReadingOptions(limits=Limits(seconds_per_page=300))
SHARED = Path(__file__).parents[3] / "shared"


def timeless(document: Document) -> Document:
    return replace(document, seconds=0, pages=tuple(replace(page, seconds=0) for page in document.pages))


def blot(width: int) -> Image.Image:
    """An image that is not blank; its width tells a fake engine which one it has."""
    image = Image.new("L", (width, 200), 255)
    image.paste(0, (50, 50, 100, 100))
    return image


@pytest.fixture
def blots(encoded):
    return [(f"{width}.png", encoded(blot(width))) for width in range(300, 306)]


def reads_width(tsv, *, also: str = "") -> str:
    """A fake engine's work: what the image's width is, in words."""
    return (
        f'width=$(head -c 8 "$input" | tail -n 1 | cut -d" " -f1)\n{also}\ncat > $output <<END\n{tsv("width$width")}END'
    )


def test_one_document_alone_is_read_as_in_a_batch_and_the_order_is_kept(page, encoded):
    files = [
        ("letter.png", encoded(page())),
        ("none.png", b"no image"),
        ("two.tiff", encoded(page(), "TIFF", save_all=True, append_images=[page(("Second page of the letter",))])),
        ("blank.png", encoded(Image.new("L", (900, 900), 255))),
    ]
    batch = list(iter_documents(files, jobs=2))
    assert [document.document_id for document in batch] == [name for name, _ in files]
    assert [document.status for document in batch] == ["ok", "failed", "ok", "ok"]
    assert list(map(timeless, batch)) == [timeless(read_document(source, document_id=name)) for name, source in files]
    assert "payment of your insurance" in batch[0].text
    assert batch[0].confidence >= batch[0].confidence_low > 80
    assert "Second page of the letter" in batch[2].pages[1].text
    assert (batch[3].text, batch[3].pages[0].source) == ("", "none")


def test_a_worker_that_dies_takes_only_its_own_page(blots, fake_tesseract, tsv, tmp_path):
    fake_tesseract(reads_width(tsv, also=f"[ $width = 302 ] && echo x >> {tmp_path}/deaths && kill -9 $PPID"))
    documents = list(iter_documents(blots, options=AS_IT_IS, jobs=2))
    assert [document.text for document in documents] == ["width300", "width301", "", "width303", "width304", "width305"]
    assert documents[2].status == "failed"
    assert documents[2].error == "the process that read it died"
    assert (tmp_path / "deaths").read_text() == "x\n" * 2


def test_a_page_whose_worker_dies_once_is_read_the_second_time(blots, fake_tesseract, tsv, tmp_path):
    once = f"[ -e {tmp_path}/died ] || {{ touch {tmp_path}/died; kill -9 $PPID; }}"
    fake_tesseract(reads_width(tsv, also=once))
    assert all(document.status == "ok" for document in iter_documents(blots, options=AS_IT_IS, jobs=1))


def test_an_engine_that_hangs_fails_its_page_in_time(blots, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv, also="[ $width = 301 ] && exec sleep 60"))
    options = replace(AS_IT_IS, limits=Limits(seconds_per_page=4))
    documents = list(iter_documents(blots, options=options, jobs=2))
    assert [document.status for document in documents] == ["ok", "failed", "ok", "ok", "ok", "ok"]
    assert documents[1].error == "took longer than 4 s; allow more with --seconds-per-page"


@pytest.mark.slow
def test_a_page_that_heeds_no_timeout_is_ended_from_outside(blots, monkeypatch):
    class Sleeper:
        name, version = "sleeper", "1"

        def languages(self):
            return ("eng",)

        def read(self, image, *, languages, page_segmentation, timeout):
            if image.width == 300:
                time.sleep(60)
            return OcrResult()

    monkeypatch.setattr(ocr.batch, "GRACE", 4)
    options = replace(AS_IT_IS, limits=Limits(seconds_per_page=4))
    documents = list(iter_documents(blots[:3], options=options, engine=Sleeper(), jobs=2))
    assert [document.status for document in documents] == ["failed", "ok", "ok"]
    assert documents[0].error == "took longer than 8 s and was stopped"


def test_what_was_read_before_a_stop_is_not_read_again(blots, fake_tesseract, tsv, tmp_path):
    fake_tesseract(reads_width(tsv, also=f"echo $width >> {tmp_path}/runs"))
    cache = PageCache(tmp_path / "cache")
    batch = iter_documents(blots, options=AS_IT_IS, cache=cache, jobs=1)
    first = [next(batch), next(batch)]
    batch.close()
    read = (tmp_path / "runs").read_text().split()
    documents = list(iter_documents(blots, options=AS_IT_IS, cache=cache, jobs=1))
    runs = (tmp_path / "runs").read_text().split()
    assert [timeless(document) for document in documents[:2]] == [timeless(document) for document in first]
    # a page whose reading was cut off is the only one that may be begun twice
    assert len(runs) <= len(blots) + len(read) - len(first)


def test_other_options_or_content_are_read_anew_but_cleaning_is_not_reading(encoded, fake_tesseract, tsv, tmp_path):
    fake_tesseract(reads_width(tsv, also=f"echo $width >> {tmp_path}/runs"))
    cache = PageCache(tmp_path / "cache")
    variants = (("Breite", "width300"),)
    for options in (AS_IT_IS, AS_IT_IS, replace(AS_IT_IS, variants=variants)):
        text = read_document(encoded(blot(300)), options=options, cache=cache).text
    assert text == "Breite"
    for options in (replace(AS_IT_IS, scale=2.0), replace(AS_IT_IS, page_segmentation=6)):
        read_document(encoded(blot(300)), options=options, cache=cache)
    read_document(encoded(blot(301)), options=AS_IT_IS, cache=cache)
    assert (tmp_path / "runs").read_text().split() == ["300", "600", "300", "301"]


def test_what_is_in_the_cache_is_given_without_starting_a_process(blots, fake_tesseract, tsv, tmp_path, monkeypatch):
    fake_tesseract(reads_width(tsv))
    options: dict[str, Any] = {"options": AS_IT_IS, "cache": PageCache(tmp_path / "cache"), "jobs": 2}
    files = [*blots, ("none.png", b"no image")]
    first = list(map(timeless, iter_documents(files, **options)))
    with monkeypatch.context() as patched:
        patched.setattr(WorkerProcess, "start", lambda _: pytest.fail("a process was started"))
        assert list(map(timeless, iter_documents(blots, **options))) == first[:-1]
    # what could not be opened is tried again
    assert list(map(timeless, iter_documents(files, **options))) == first


def test_a_document_in_the_cache_is_refused_by_limits_that_it_exceeds(encoded, fake_tesseract, tsv, tmp_path):
    fake_tesseract(reads_width(tsv))
    cache, source = PageCache(tmp_path / "cache"), encoded(blot(300))
    for limits, status in (
        (Limits(), "ok"),
        (Limits(max_bytes=len(source) - 1), "failed"),
        (Limits(max_declared_pixels=300 * 200 - 1), "failed"),
        (Limits(max_text_length=4), "partial"),
        (Limits(), "ok"),
    ):
        (document,) = iter_documents([("a.png", source)], options=replace(AS_IT_IS, limits=limits), cache=cache, jobs=1)
        assert document.status == status


def test_a_page_that_failed_is_tried_again(encoded, fake_tesseract, tsv, tmp_path):
    fake_tesseract("exit 1")
    cache = PageCache(tmp_path / "cache")
    assert read_document(encoded(blot(300)), options=AS_IT_IS, cache=cache).status == "failed"
    fake_tesseract(reads_width(tsv))
    assert read_document(encoded(blot(300)), options=AS_IT_IS, cache=cache).text == "width300"


def test_a_cache_that_cannot_be_written_ends_the_batch(blots, fake_tesseract, tsv, tmp_path):
    fake_tesseract(reads_width(tsv))
    (tmp_path / "cache").write_text("a file is in the way")
    with pytest.raises(OutputError, match="cannot be written"):
        list(iter_documents(blots, options=AS_IT_IS, cache=PageCache(tmp_path / "cache"), jobs=1))


def test_strict_gives_all_documents_and_then_raises(blots, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv, also="[ $width = 300 ] && exit 1"))
    batch = iter_documents(blots[:2], options=AS_IT_IS, jobs=1, strict=True)
    assert [next(batch).status, next(batch).status] == ["failed", "ok"]
    with pytest.raises(SomeFailedError, match="1 of 2 documents"):
        next(batch)


def test_progress_counts_up_to_all(blots, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv))
    seen: list[Progress] = []
    list(iter_documents(blots, options=AS_IT_IS, jobs=1, progress=seen.append))
    assert [p.pages_done for p in seen] == sorted(p.pages_done for p in seen)
    assert any("300.png" in p.current for p in seen)
    assert seen[-1] == Progress(
        documents_done=6, documents_total=6, pages_done=6, pages_known=6, failures=0, current=()
    )


def test_a_slow_document_at_the_front_does_not_let_the_others_pile_up(blots, fake_tesseract, tsv, monkeypatch):
    fake_tesseract(reads_width(tsv, also="[ $width = 300 ] && sleep 2"))
    monkeypatch.setattr(ocr.batch, "_MAX_OPEN_DOCUMENTS", 3)
    seen: list[Progress] = []
    assert len(list(iter_documents(blots, options=AS_IT_IS, jobs=2, progress=seen.append))) == 6
    assert max(p.pages_known - p.documents_done for p in seen) <= 3


def test_where_no_process_can_be_had_all_is_read_in_this_one(blots, fake_tesseract, tsv, monkeypatch):
    def none(*_: object) -> None:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(WorkerProcess, "start", none)
    fake_tesseract(reads_width(tsv))
    assert [document.text for document in iter_documents(blots[:2], options=AS_IT_IS)] == ["width300", "width301"]


def test_a_missing_language_is_told_before_anything_is_read(blots):
    with pytest.raises(MissingProgramError, match="tesseract-ocr-xyz"):
        iter_documents(blots, options=ReadingOptions(languages=("xyz",)))


def test_no_documents_are_no_error():
    assert list(iter_documents([])) == []


def _pdf(pages: int) -> bytes:
    pdf = pypdfium2.PdfDocument.new()
    for _ in range(pages):
        pdf.new_page(72, 72)
    stream = BytesIO()
    pdf.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize(("pages", "status"), [(3, "ok"), (4, "partial")])
def test_pages_at_the_limit_and_one_past_it(pages, status):
    document = read_document(_pdf(pages), options=ReadingOptions(limits=Limits(max_pages=3)))
    assert (document.status, len(document.pages), document.page_count) == (status, 3, pages)
    assert document.error == ("" if pages == 3 else "only the first 3 of 4 pages were read")


def test_of_a_pdf_of_2000_pages_the_first_are_read():
    (document,) = iter_documents([("long.pdf", _pdf(2000))])
    assert (document.status, len(document.pages), document.page_count) == ("partial", 100, 2000)
    assert document.error == "only the first 100 of 2000 pages were read"


@pytest.mark.parametrize(("room", "status"), [(8, "ok"), (7, "partial")])
def test_text_at_the_limit_and_one_character_past_it(encoded, fake_tesseract, tsv, room, status):
    fake_tesseract(reads_width(tsv))
    document = read_document(encoded(blot(300)), options=replace(AS_IT_IS, limits=Limits(max_text_length=room)))
    assert (document.status, document.text) == (status, "width300"[:room])
    assert document.error == ("" if status == "ok" else "the text was cut after 7 characters")


def test_one_bad_page_makes_a_document_partial(encoded, fake_tesseract, tsv):
    fake_tesseract(reads_width(tsv, also="[ $width = 301 ] && { echo ouch >&2; exit 1; }"))
    content = encoded(blot(300), "TIFF", save_all=True, append_images=[blot(301), blot(302)])
    document = read_document(content, options=AS_IT_IS)
    assert (document.status, document.text) == ("partial", "width300\n\nwidth302")
    assert document.error == "page 2: tesseract failed (status 1: ouch)"


def test_a_page_read_poorly_without_time_to_turn_it_is_partial_and_not_kept(encoded, fake_tesseract, tsv, tmp_path):
    poor = tsv(*["payment"] * 30, confidence=30)
    runs = tmp_path / "runs"
    fake_tesseract(f"[ -e {runs} ] && exec sleep 60\ntouch {runs}\ncat > $output <<END\n{poor}END")
    cache = PageCache(tmp_path / "cache")
    options = replace(AS_IT_IS, limits=Limits(seconds_per_page=2))
    document = read_document(encoded(blot(300)), options=options, cache=cache)
    assert document.status == "partial"
    assert document.error.startswith(
        "was read poorly, and not tried in another orientation: took longer than 2 s; allow more"
    )
    assert document.text.startswith("payment")
    assert not [entry for entry in map(Path.read_text, cache.folder.rglob("*.json")) if '"page":' in entry]


def test_a_scan_in_a_pdf_is_read(page, encoded):
    document = read_document(encoded(page(), "PDF", resolution=150))
    assert document.pages[0].source == "ocr"
    assert "payment of your insurance" in document.text


@pytest.mark.parametrize(("text_layer", "source"), [("auto", "text layer"), ("ignore", "ocr")])
def test_a_page_with_a_text_layer_is_not_read_unless_asked(text_pdf, text_layer, source):
    document = read_document(text_pdf("Total amount due", "42 euro"), options=ReadingOptions(text_layer=text_layer))
    assert document.pages[0].source == source
    assert document.text.split() == ["Total", "amount", "due", "42", "euro"]


def test_a_text_layer_without_sense_is_read_and_the_better_text_kept(text_pdf):
    (page,) = read_document(text_pdf("xwrt qwrt zzgh kwrt", "Total amount")).pages
    assert page.source == "text layer"
    assert "Total amount" in page.text


def test_ctrl_c_ends_at_once_and_leaves_nothing_running(tmp_path, fake_tesseract, encoded):
    fake_tesseract(f"echo $$ >> {tmp_path}/engines; exec sleep 61")
    (tmp_path / "a.png").write_bytes(encoded(blot(300)))
    (tmp_path / "b.png").write_bytes(encoded(blot(301)))
    script = (
        "import sys, ocr, tempfile; from pathlib import Path\n"
        "files = ocr.find_files(sys.argv[1:])\n"
        "for document in ocr.iter_documents(files, jobs=2): pass\n"
    )
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(scratch)},
        stderr=subprocess.PIPE,
    )
    engines = tmp_path / "engines"
    deadline = time.monotonic() + 30
    while not (engines.exists() and len(engines.read_text().split()) == 2):
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=10)
    assert errors.rstrip().endswith(b"KeyboardInterrupt")
    for engine in engines.read_text().split():
        state = subprocess.run(["ps", "-o", "stat=", "-p", engine], capture_output=True, text=True).stdout
        assert state.startswith("Z") or not state
    assert list(scratch.glob("textclf-*")) == []


def test_no_private_image_stays_behind_when_a_page_is_ended(blots, fake_tesseract, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    fake_tesseract(f"ls {scratch} >> {tmp_path}/seen; kill -9 $PPID")
    list(iter_documents(blots[:1], options=AS_IT_IS, jobs=1))
    assert "textclf-" in (tmp_path / "seen").read_text()
    assert list(scratch.iterdir()) == []


@dataclass(frozen=True)
class Slow:
    """Takes its time, says how wide the image is, and dies of images that are 66 pixels wide."""

    name: str = "slow"
    version: str = "1"
    seconds: float = 0.05

    def languages(self):
        return ("eng",)

    def read(self, image, *, languages, page_segmentation, timeout):
        if image.width % 66 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        words = tuple(
            Word(text=word, box=(0, 0, 9, 9), confidence=90.0, line=0) for word in ("width", str(image.width))
        )
        return OcrResult(words=words, text=f"width {image.width}")


def read_on_cluster(files, cluster, engine):
    return list(map(timeless, iter_documents(files, options=AS_IT_IS, engine=engine, cluster=cluster)))


def test_a_cluster_reads_what_this_machine_reads(cluster, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page(("Total due 12.50",), size=(900, 200)).save("one.png")
    page(("Dear Sir or Madam",), size=(900, 200)).save("two.tif")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7")
    files = [("one", Path("one.png")), ("bytes", Path("two.tif").read_bytes()), ("bad", Path("bad.pdf"))]
    assert read_on_cluster(files, cluster, TesseractEngine()) == read_on_cluster(files, "", TesseractEngine())


@pytest.mark.slow
def test_a_worker_of_a_cluster_that_is_killed_loses_and_doubles_no_document(cluster, encoded):
    files = [(str(width), encoded(blot(width))) for width in range(100, 115)]
    victim = next(iter(cluster.run(os.getpid).values()))
    threading.Timer(0.5, os.kill, (victim, signal.SIGKILL)).start()
    found = read_on_cluster(files, cluster, Slow(seconds=0.2))
    assert [document.document_id for document in found] == [name for name, _ in files]
    assert [document.text for document in found] == [f"width {name}" for name, _ in files]


@pytest.mark.slow
def test_a_page_that_kills_every_worker_of_a_cluster_is_given_up_and_no_other(doomed_cluster, encoded):
    files = [(str(width), encoded(blot(width))) for width in (100, 101, 66, 102, 103, 104)]
    found = read_on_cluster(files, doomed_cluster, Slow())
    assert [document.status for document in found] == ["ok", "ok", "failed", "ok", "ok", "ok"]
    assert found[2].error == "every process that read it died"


@pytest.mark.slow
@pytest.mark.skipif(not (SHARED / "datasets/awkward-files").is_dir(), reason="the shared datasets are not there")
def test_awkward_files_give_documents_or_an_error_of_one_line():
    files = find_files(sorted((SHARED / "datasets/awkward-files").iterdir()))
    documents = {Path(found.document_id).name: found for found in iter_documents(files, options=PATIENT)}
    assert len(documents) == len(files)
    assert all("\n" not in document.error for document in documents.values())
    assert all(document.error for document in documents.values() if document.status != "ok")
    assert {name for name, found in documents.items() if found.status == "failed"} == {"README.rst", "invalid.pdf"}
    assert [page.rotation for page in documents["cardinal.pdf"].pages] == [0, 90, 180, 270]
    assert documents["cmyk.pdf"].pages[0].source == "ocr"
    assert documents["blank.pdf"].text == ""
    assert documents["tagged.pdf"].pages[0].source == "text layer"

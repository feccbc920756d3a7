from __future__ import annotations

import os
import pickle
import sys
import tempfile
from pathlib import Path

import pytest
from PIL import Image

from ocr.batch import iter_documents, read_document
from ocr.cache import PageCache
from ocr.engine_comparison import compare_engines, text_similarity
from ocr.engines import TesseractEngine, TesserocrEngine, open_engine, system_tessdata
from ocr.ocr_result import OcrResult
from ocr.reading_options import ReadingOptions
from textclf.base.errors import BadInputError, MissingProgramError, UsageError

pytest.importorskip("tesserocr")
AS_IT_IS = ReadingOptions(scale=1.0, languages=("eng",))


@pytest.fixture(scope="module")
def engine() -> TesserocrEngine:
    return TesserocrEngine(system_tessdata())


def read(engine, image: Image.Image, timeout: float = 20, page_segmentation: int = 3) -> OcrResult:
    return engine.read(image, languages=("eng",), page_segmentation=page_segmentation, timeout=timeout)


def test_both_engines_read_a_page_alike(engine, page):
    ours, theirs = read(engine, page()), read(TesseractEngine(), page())
    assert text_similarity(ours.text, theirs.text) > 0.97
    assert [line.split()[0] for line in ours.text.splitlines() if line] == [
        line.split()[0] for line in theirs.text.splitlines() if line
    ]
    assert ours.confidence == pytest.approx(theirs.confidence, abs=5)
    assert [word.line for word in ours.words] == [word.line for word in theirs.words]
    for one, other in zip(ours.words, theirs.words, strict=True):
        assert one.box == pytest.approx(other.box, abs=8)


def test_a_page_reads_the_same_whatever_was_read_before(engine, page):
    letter, other = page(), page(("Invoice no. 4711", "Total amount due 42.00"))
    first = read(engine, letter)
    assert "Invoice" in read(engine, other, page_segmentation=6).text
    assert read(engine, letter) == first


def test_no_page_goes_through_a_file(engine, page, monkeypatch, tmp_path):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "missing"))
    assert "insurance" in read(engine, page()).text


def test_the_library_travels_to_another_process_without_its_model(engine, page):
    read(engine, page())
    copy = pickle.loads(pickle.dumps(engine))
    assert (copy, copy.version) == (engine, engine.version)
    assert copy.version[0].isdigit()


def test_an_image_without_text_is_an_empty_reading(engine):
    assert read(engine, Image.new("L", (60, 60), 255)) == OcrResult()
    assert read(engine, Image.new("L", (1, 1), 0)) == OcrResult()


def test_a_page_beyond_its_time_is_stopped_and_the_next_is_read(engine, page):
    with pytest.raises(BadInputError, match=r"not done after 0\.0 s and was stopped"):
        read(engine, page(), timeout=0.002)
    assert "insurance" in read(engine, page()).text


def test_an_image_that_the_library_refuses_is_an_error_of_one_line(engine):
    with pytest.raises(BadInputError, match="tesserocr failed"):
        read(engine, Image.new("L", (40_000, 30), 0))


def test_a_language_that_is_not_there_is_an_error(engine, tmp_path):
    with pytest.raises(MissingProgramError, match="cannot load xyz"):
        engine.read(Image.new("L", (60, 60)), languages=("xyz",), page_segmentation=3, timeout=1)
    assert TesserocrEngine(str(tmp_path)).languages() == ()
    assert TesserocrEngine(str(tmp_path / "missing")).languages() == ()


def test_the_environment_is_left_as_it_was(engine, page, monkeypatch):
    monkeypatch.delenv("OMP_THREAD_LIMIT", raising=False)
    read(engine, page())
    assert "OMP_THREAD_LIMIT" not in os.environ


def test_the_library_is_chosen_where_it_finds_the_languages_of_the_program(monkeypatch, tmp_path):
    chosen = open_engine()
    assert chosen.name == "tesserocr"
    assert chosen.languages() == TesseractEngine().languages()
    monkeypatch.setenv("TESSDATA_PREFIX", str(tmp_path))
    assert open_engine().name == "tesseract"
    with pytest.raises(MissingProgramError, match="finds no language in"):
        open_engine("tesserocr")


def test_without_the_library_the_program_is_chosen(monkeypatch):
    monkeypatch.setitem(sys.modules, "tesserocr", None)
    assert open_engine().name == "tesseract"
    with pytest.raises(MissingProgramError, match="pip install tesserocr"):
        open_engine("tesserocr")


def test_a_program_that_does_not_tell_its_folder_is_used_itself(fake_tesseract):
    fake_tesseract("")
    assert open_engine().name == "tesseract"
    with pytest.raises(MissingProgramError, match="TESSDATA_PREFIX"):
        open_engine("tesserocr")


def test_an_engine_that_is_none_is_refused():
    with pytest.raises(UsageError, match="auto, tesserocr or tesseract"):
        open_engine("cuneiform")


def test_a_crash_of_the_library_takes_only_its_page(page, encoded, engine):
    class Crashing:
        name, version, languages = "crashing", "1", engine.languages

        def read(self, image, **options):
            if image.width == 400:
                os.abort()
            return engine.read(image, **options)

    files = [("a.png", page()), ("b.png", page().crop((0, 0, 400, 400))), ("c.png", page())]
    files = [(name, encoded(image)) for name, image in files]
    documents = list(iter_documents(files, options=AS_IT_IS, engine=Crashing(), jobs=1))
    assert [document.status for document in documents] == ["ok", "failed", "ok"]
    assert documents[1].error == "the process that read it died"
    assert documents[0].engine == "crashing 1"


def test_each_engine_has_its_own_pages_in_the_cache(engine, page, encoded, tmp_path):
    cache = PageCache(tmp_path)
    for reader in (engine, TesseractEngine(), engine):
        document = read_document(encoded(page()), options=AS_IT_IS, engine=reader, cache=cache)
        assert document.engine == f"{reader.name} {reader.version}"
    assert sum('"page":' in entry.read_text() for entry in Path(tmp_path).rglob("*.json")) == 2


def test_a_text_layer_names_no_engine(text_pdf):
    assert read_document(text_pdf("Total amount due", "42 euro")).engine == ""


def test_texts_are_compared_by_their_edits_whatever_their_white_space():
    assert text_similarity("Total  due", "Tota1\ndue") == pytest.approx(8 / 9)


def test_two_engines_are_compared_document_by_document(engine, page, tmp_path):
    page().save(tmp_path / "letter.png")
    (tmp_path / "none.png").write_bytes(b"no image")
    files = [(name, tmp_path / name) for name in ("letter.png", "none.png")]
    letter, none = compare_engines(files, (engine, TesseractEngine()), options=AS_IT_IS, jobs=1)
    assert letter.similarity > 0.97
    assert min(letter.seconds) > 0
    assert min(letter.confidences) > 80
    assert (none.document_id, none.similarity) == ("none.png", 1)
    assert all("neither an image nor a PDF" in error for error in none.errors)

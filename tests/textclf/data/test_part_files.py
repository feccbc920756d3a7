"""The files that the documents of a stack are written to."""

from __future__ import annotations

import ctypes
from io import BytesIO

import numpy as np
import pypdfium2
import pypdfium2.raw as pdfium_c
import pytest
from PIL import Image, ImageChops

from ocr.document import Document, Page
from ocr.reading_options import Limits
from textclf.base.errors import BadInputError, OutputError
from textclf.data.part_files import file_stem, write_part

LIMITS = Limits()


def pdf_of(*texts):
    """A PDF with a page for each text."""
    pdf = pypdfium2.PdfDocument.new()
    for words in texts:
        sheet = pdf.new_page(300, 200)
        font = pdfium_c.FPDFText_LoadStandardFont(pdf, b"Helvetica")
        text = pdfium_c.FPDFPageObj_CreateTextObj(pdf, font, 20)
        pdfium_c.FPDFText_SetText(text, (ctypes.c_ushort * (len(words) + 1))(*map(ord, words), 0))
        pdfium_c.FPDFPageObj_Transform(text, 1, 0, 0, 1, 20, 100)
        pdfium_c.FPDFPage_InsertObject(sheet, text)
        sheet.gen_content()
    stream = BytesIO()
    pdf.save(stream)
    return stream.getvalue()


def part_of(file, first, last):
    pages = tuple(Page(number=number) for number in range(first, last + 1))
    return Document(document_id=f"{file.name}#{first}-{last}", file=str(file), pages=pages)


def texts_of(path):
    with pypdfium2.PdfDocument(path) as pdf:
        return [page.get_textpage().get_text_range().strip() for page in pdf]


@pytest.fixture
def stack(tmp_path):
    path = tmp_path / "stack.pdf"
    path.write_bytes(pdf_of("one", "two", "three", "four"))
    return path


def test_pages_of_a_pdf_are_copied_with_their_text(stack, tmp_path):
    written = write_part(part_of(stack, 2, 3), tmp_path / "out", "invoice", LIMITS)
    assert written == tmp_path / "out" / "invoice.pdf"
    assert texts_of(written) == ["two", "three"]
    with pypdfium2.PdfDocument(stack) as source, pypdfium2.PdfDocument(written) as copy:
        one, other = (page.render(scale=2).to_pil().convert("L") for page in (source[1], copy[0]))
    assert ImageChops.difference(one, other).getbbox() is None


def test_the_same_pages_give_the_same_bytes(stack, tmp_path):
    one, other = (write_part(part_of(stack, 1, 2), tmp_path / name, "a", LIMITS) for name in ("x", "y"))
    assert one.read_bytes() == other.read_bytes()


def test_names_are_numbered_and_nothing_is_overwritten(stack, tmp_path):
    (tmp_path / "letter.pdf").write_text("mine")
    names = [write_part(part_of(stack, page, page), tmp_path, "letter", LIMITS).name for page in (1, 2)]
    assert names == ["letter-2.pdf", "letter-3.pdf"]
    assert (tmp_path / "letter.pdf").read_text() == "mine"
    assert not list(tmp_path.glob(".*.part"))


def test_a_whole_file_is_copied_byte_by_byte(stack, tmp_path):
    assert write_part(part_of(stack, 1, 4), tmp_path, "all", LIMITS).read_bytes() == stack.read_bytes()
    photo = tmp_path / "photo.JPG"
    Image.new("L", (30, 20), 99).save(photo, "JPEG")
    written = write_part(part_of(photo, 1, 1), tmp_path, "card", LIMITS)
    assert written.name == "card.jpg"
    assert written.read_bytes() == photo.read_bytes()


@pytest.mark.parametrize(
    ("mode", "packed", "kept"),
    [
        ("1", "group4", "group4"),
        ("L", "tiff_lzw", "tiff_lzw"),
        ("L", "jpeg", "tiff_adobe_deflate"),
        ("RGB", "jpeg", "tiff_adobe_deflate"),
        ("RGB", None, "raw"),
    ],
)
def test_frames_of_a_tiff_keep_their_pixels(tmp_path, mode, packed, kept):
    random = np.random.default_rng(0)
    frames = [Image.fromarray(random.integers(0, 256, (40, 30, 3), dtype=np.uint8)).convert(mode) for _ in range(4)]
    path = tmp_path / "stack.tif"
    frames[0].save(path, save_all=True, append_images=frames[1:], compression=packed, dpi=(200, 200))
    written = write_part(part_of(path, 2, 3), tmp_path, "invoice", LIMITS)
    with Image.open(path) as source, Image.open(written) as copy:
        assert copy.n_frames == 2
        for frame in (0, 1):
            source.seek(frame + 1)
            copy.seek(frame)
            assert np.array_equal(np.asarray(source), np.asarray(copy))
            assert (copy.mode, copy.info["compression"], copy.info["dpi"]) == (mode, kept, (200, 200))


@pytest.mark.parametrize("category", ["a/b", "..", "", "con", "x" * 300, "ü" * 300, "tab\there", "\x00"])
def test_any_category_makes_a_file_in_the_folder(stack, tmp_path, category):
    folder = tmp_path / "out"
    written = write_part(part_of(stack, 1, 1), folder, category, LIMITS)
    assert written.parent == folder
    assert written.is_file()
    assert len(written.name.encode()) < 100
    assert file_stem(category) == file_stem(file_stem(category))


def test_a_file_that_is_gone_leaves_nothing_behind(stack, tmp_path):
    part = part_of(stack, 1, 2)
    stack.write_bytes(b"%PDF-1.4 cut short")
    with pytest.raises(BadInputError, match="cannot be copied"):
        write_part(part, tmp_path / "out", "a", LIMITS)
    stack.unlink()
    with pytest.raises(BadInputError, match="cannot be opened"):
        write_part(part, tmp_path / "out", "a", LIMITS)
    assert not any((tmp_path / "out").iterdir())


def test_a_folder_that_cannot_be_written_is_told(stack, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="is a file, not a folder"):
        write_part(part_of(stack, 1, 1), tmp_path / "file", "a", LIMITS)

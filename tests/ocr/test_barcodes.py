"""Separator sheets, which are found by their bar codes."""

from __future__ import annotations

import sys

import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr.barcodes import can_read_barcodes, is_separator_sheet
from ocr.engines import open_engine
from ocr.page_reading import read_page
from ocr.reading_options import ReadingOptions
from textclf.base.hashing import hash_bytes
from textclf.data.scans import ScanOptions, find_scans

zxingcpp = pytest.importorskip("zxingcpp", reason="bar codes are read with the extra barcodes")


def sheet_with(text, kind="QRCode", *, turned=0, words="PATCH T"):
    """A page with a bar code in the middle and some words."""
    made = zxingcpp.create_barcode(text, getattr(zxingcpp.BarcodeFormat, kind))
    code = Image.fromarray(zxingcpp.write_barcode_to_image(made, scale=6)).convert("L")
    page = Image.new("L", (1240, 1754), 255)
    page.paste(code, (300, 600))
    ImageDraw.Draw(page).text((300, 200), words, font=ImageFont.load_default(40), fill=0)
    return page.rotate(turned, expand=True, fillcolor=255)


@pytest.mark.parametrize("kind", ["QRCode", "Code128", "DataMatrix"])
@pytest.mark.parametrize("turned", [0, 90, 180, 3])
def test_separators_of_any_kind_and_direction(kind, turned):
    assert is_separator_sheet(sheet_with("PATCHT", kind, turned=turned))


@pytest.mark.parametrize("text", ["patch-t", "PATCH T", "PATCHT"])
def test_spellings(text):
    assert is_separator_sheet(sheet_with(text))


@pytest.mark.parametrize("text", ["https://example.org", "PATCHT4711", "4006381333931"])
def test_other_codes_separate_nothing(text):
    assert not is_separator_sheet(sheet_with(text))


def test_pages_without_a_code_separate_nothing():
    assert not is_separator_sheet(Image.new("L", (1240, 1754), 255))
    assert not is_separator_sheet(Image.new("L", (1, 1), 255))


def test_only_where_it_is_asked_for(encoded):
    content = encoded(sheet_with("PATCHT"))
    options = {"sha256": hash_bytes(content), "engine": open_engine()}
    asked = read_page(content, 1, options=ReadingOptions(separators=True, languages=("eng",)), **options)
    assert asked.is_separator
    assert not read_page(content, 1, options=ReadingOptions(languages=("eng",)), **options).is_separator


def test_a_stack_with_sheets_is_cut_at_them(tmp_path, page):
    path = tmp_path / "stack.pdf"
    pages = [page(), sheet_with("PATCHT"), page(), page()]
    pages[0].save(path, save_all=True, append_images=pages[1:], resolution=150)
    scans = ScanOptions(split="auto", no_cache=True, jobs=1, reading=ReadingOptions(languages=("eng",)))
    first, *others = scans.iter_documents(find_scans([path]))
    assert first.document_id == "stack.pdf#1"
    assert others[0].part.first_page == 3


def test_without_the_extra_one_line_says_so(tmp_path, page, monkeypatch, caplog):
    monkeypatch.setitem(sys.modules, "zxingcpp", None)
    assert not can_read_barcodes()
    path = tmp_path / "page.png"
    page().save(path)
    scans = ScanOptions(split="auto", no_cache=True, jobs=1, reading=ReadingOptions(languages=("eng",)))
    with caplog.at_level("INFO"):
        assert len(list(scans.iter_documents(find_scans([path])))) == 1
    told = [record.message for record in caplog.records if "[barcodes]" in record.message]
    assert len(told) == 1

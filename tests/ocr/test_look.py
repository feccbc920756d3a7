from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from ocr import read_document
from ocr.cache import PageCache
from ocr.look import measure_look
from ocr.page_content import open_page
from ocr.reading_options import Limits
from textclf.base.look_format import NO_LOOK, decode_look

SCANS = Path(__file__).parents[2] / "data" / "scans"


def distance(one: str, other: str) -> float:
    return float(np.linalg.norm(decode_look(one) - decode_look(other)))


def look_of(name: str) -> str:
    (file,) = SCANS.glob(f"{name}.*")
    with open_page(file, 1, Limits()) as content:
        return measure_look(content.preview())


@pytest.fixture(scope="module")
def looks() -> dict[str, str]:
    return {name: look_of(name) for name in ("invoice-01", "invoice-03", "identity_card-01", "identity_card-03")}


def test_papers_of_a_kind_look_more_alike_than_others(looks):
    cards, invoices = (distance(looks[f"{kind}-01"], looks[f"{kind}-03"]) for kind in ("identity_card", "invoice"))
    assert max(cards, invoices) < distance(looks["invoice-01"], looks["identity_card-01"])


def test_a_look_is_short_and_the_same_each_time(looks):
    assert look_of("invoice-01") == looks["invoice-01"]
    assert all(len(look) <= 1_000 for look in looks.values())


def test_a_finer_scan_looks_the_same(page):
    coarse = page(size=(1240, 1754))
    fine = coarse.resize((2480, 3508), Image.Resampling.BICUBIC)
    far = distance(measure_look(coarse), measure_look(coarse.rotate(90, expand=True)))
    assert distance(measure_look(coarse), measure_look(fine)) < far / 2


@pytest.mark.parametrize("size", [(1, 1), (3, 4000), (4000, 3), (700, 900)])
@pytest.mark.parametrize("shade", [0, 128, 255])
def test_any_image_has_a_look(size, shade):
    image = Image.new("L", size, shade)
    assert decode_look(measure_look(image)) is not None


def test_noise_has_a_look_of_bounded_length():
    noise = np.random.default_rng(0).integers(0, 256, (900, 700), dtype=np.uint8)
    look = measure_look(Image.fromarray(noise))
    assert decode_look(look) is not None
    assert len(look) <= 1_500


def test_reading_measures_the_upright_page(page, encoded):
    upright = page(size=(1240, 1754))
    read, turned = (read_document(encoded(image)) for image in (upright, upright.rotate(180)))
    assert turned.pages[0].rotation == 180
    assert read.look == turned.look == measure_look(upright)


def test_a_blank_page_has_no_look_and_the_next_stands_for_the_document(page, encoded):
    blank, written = Image.new("L", (1240, 900), 255), page()
    document = read_document(encoded(blank, "TIFF", save_all=True, append_images=[written]))
    assert [page.look for page in document.pages] == [NO_LOOK, document.look]
    assert document.look == measure_look(written)
    assert read_document(encoded(blank)).look == ""


def test_a_page_that_an_earlier_version_read_is_measured_without_reading_it_again(tmp_path, page, encoded):
    scan = encoded(page())
    document = read_document(scan, cache=PageCache(tmp_path))
    (file,) = (entry for entry in tmp_path.rglob("*.json") if '"page":' in entry.read_text())
    cache = PageCache(tmp_path)
    cache.put(file.stem, replace(document.pages[0], look="", engine="kept"))
    again = read_document(scan, cache=cache)
    assert again.pages[0].engine == "kept"
    assert again.look == document.look
    # and is kept with its look
    assert cache.get(file.stem).look == document.look


def test_a_digital_page_has_a_look_too():
    (digital,) = SCANS.glob("identity_card-06.pdf")
    document = read_document(digital)
    assert document.pages[0].source == "text layer"
    assert decode_look(document.look) is not None

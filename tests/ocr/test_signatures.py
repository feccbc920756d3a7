"""Places for signatures on drawn forms and sample files, read by the real engine."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from ocr import Limits, TemplatePlace, read_document
from ocr.document import Page, Word
from ocr.page_content import open_page
from ocr.page_marks import page_marks
from ocr.signature_cues import cue_of, find_labels
from ocr.signature_search import MOST_PLACES, candidate_places, overlap, page_view
from ocr.signatures import find_signatures, signature_model

SAMPLES = Path(__file__).parents[2] / "data" / "signing"


def places_of(file: str) -> list[tuple[str, tuple[float, ...]]]:
    with (SAMPLES / "places.csv").open(newline="", encoding="utf-8") as stream:
        rows = [row for row in csv.DictReader(stream) if row["file"] == file]
    return [(row["kind"], tuple(float(row[edge]) for edge in ("left", "top", "right", "bottom"))) for row in rows]


@pytest.fixture(scope="module")
def read():
    """Give the upright image of a sample and what the engine reads of it, once."""
    known: dict[str, tuple[Image.Image, Page]] = {}

    def one(file: str) -> tuple[Image.Image, Page]:
        if file not in known:
            page = read_document(SAMPLES / file).pages[0]
            with open_page(SAMPLES / file, 1, Limits()) as content:
                known[file] = content.image().rotate(page.rotation, expand=True), page
        return known[file]

    return one


def form(*lines: tuple[int, str], rules: tuple[tuple[int, int, int], ...] = ()) -> tuple[Image.Image, Page]:
    """A page of 850 by 1,100 pixels with words as an engine gives them, and ruled lines."""
    image = Image.new("L", (850, 1100), 255)
    pen = ImageDraw.Draw(image)
    words = []
    for number, (y, text) in enumerate(lines):
        x = 80
        for part in text.split():
            wide = 7 * len(part)
            pen.text((x, y - 11), part, fill=0)
            words.append(Word(text=part, confidence=95.0, box=(x, y - 10, x + wide, y + 1), line=number))
            x += wide + 7
    for left, right, y in rules:
        pen.line((left, y, right, y), fill=0, width=2)
    return image, Page(number=1, words=tuple(words), width=850, height=1100)


@pytest.mark.parametrize("file", ["consent-01.jpg", "consent-03.png", "consent-04.pdf", "consent-06.tif"])
def test_most_places_of_a_sample_are_judged_rightly(file, read):
    image, page = read(file)
    marked = [(kind, box) for kind, box in places_of(file) if kind != "none"]
    judged = find_signatures(image, page, template=[TemplatePlace(box=box) for _, box in marked])
    right = [kind == place.kind for (kind, _), place in zip(marked, judged, strict=True)]
    assert np.mean(right) >= 0.6


@pytest.mark.parametrize(("file", "kind"), [("consent-01.jpg", "signature"), ("consent-06.tif", "placeholder")])
def test_places_of_a_sample_are_found(file, kind, read):
    image, page = read(file)
    found = [place.box for place in find_signatures(image, page) if place.kind == kind]
    marked = [box for other, box in places_of(file) if other == kind]
    met = [any(overlap(box, one) > 0.4 for one in found) for box in marked]
    assert np.mean(met) >= 0.6


def test_places_come_from_the_top_with_shares_of_the_page(read):
    found = find_signatures(*read("consent-05.jpg"))
    assert found == sorted(found, key=lambda place: (place.box[1], place.box[0]))
    for place in found:
        left, top, right, bottom = place.box
        assert 0 <= left < right <= 1
        assert 0 <= top < bottom <= 1
        assert 0 <= place.score <= 1


def test_the_same_page_gives_the_same_places(read):
    assert find_signatures(*read("consent-02.tif")) == find_signatures(*read("consent-02.tif"))


def test_a_threshold_says_what_is_for_review(read):
    image, page = read("consent-02.tif")
    assert all(place.review for place in find_signatures(image, page, threshold=1.0))
    assert not any(place.review for place in find_signatures(image, page, threshold=0.0))


def test_a_page_of_running_text_has_no_place():
    image, page = form(
        *((100 + 30 * n, "the signature of a contract is a matter of some weight for all") for n in range(12))
    )
    assert find_signatures(image, page) == []


@pytest.mark.parametrize("size", [(1, 1), (11, 2000), (2000, 40), (300, 300)])
def test_any_image_is_looked_at(size):
    page = Page(number=1, width=size[0], height=size[1])
    assert find_signatures(Image.new("L", size, 255), page) == []


def test_noise_gives_a_bounded_number_of_places():
    noise = np.random.default_rng(0).integers(0, 256, (1100, 850), dtype=np.uint8)
    image = Image.fromarray(noise).resize((850, 1100)).reduce(3).resize((850, 1100))
    assert len(find_signatures(image, Page(number=1, width=850, height=1100))) <= MOST_PLACES


def test_a_template_is_judged_on_its_page_only_and_keeps_its_names(read):
    image, page = read("consent-06.tif")
    template = [
        TemplatePlace(box=(0.1, 0.1, 0.4, 0.2), name="patient"),
        TemplatePlace(box=(0.1, 0.1, 0.4, 0.2), page=2, name="physician"),
    ]
    assert [place.name for place in find_signatures(image, page, template=template)] == ["patient"]


def test_a_line_beside_a_label_is_a_place_and_one_beside_a_date_is_none():
    image, page = form((300, "Signature:"), (500, "Date:"), rules=((170, 430, 302), (170, 430, 502)))
    boxes = candidate_places(page_view(page_marks(image, page)))
    assert any(overlap(box, (170, 280, 430, 305)) > 0.5 for box in boxes)
    assert not any(overlap(box, (170, 480, 430, 505)) > 0.5 for box in boxes)


def test_the_gap_that_closes_a_letter_is_a_place():
    image, page = form((600, "Yours sincerely,"), (680, "Margaret Holloway"))
    boxes = candidate_places(page_view(page_marks(image, page)))
    assert any(overlap(box, (80, 610, 220, 665)) > 0.8 for box in boxes)


@pytest.mark.parametrize(
    ("word", "cue"),
    [
        ("Signature:", "sign"),
        ("S1gnature", "sign"),
        ("FIRMA", "sign"),
        ("sottoscritt0", "sign"),
        ("Approved", "approve"),
        ("Sincerely,", "closing"),
        ("saluti", "closing"),
        ("Data", "date"),
        ("cognome", "field"),
        ("tobacco", None),
        ("by", "approve"),
        ("", None),
    ],
)
def test_words_of_both_languages_are_known_even_if_misread(word, cue):
    assert cue_of(word) == cue


def test_a_word_in_running_text_is_no_label():
    _, page = form((100, "this is the signature of the person who wrote the text above the line"))
    assert find_labels(page_marks(Image.new("L", (850, 1100), 255), page)) == []


def test_the_model_is_small_and_needs_no_pickle():
    model = signature_model()
    assert model.probabilities(model.mean[None]).sum() == pytest.approx(1)
    assert (Path(__file__).parents[2] / "ocr" / "signatures.npz").stat().st_size < 300_000

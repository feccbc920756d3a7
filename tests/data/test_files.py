"""The files are of the kind, resolution and number of pages that the labels say."""

from __future__ import annotations

from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

Labels = list[dict[str, str]]
FORMATS = {
    "jpeg": ("JPEG", {"L", "RGB"}),
    "grey png": ("PNG", {"P"}),
    "bilevel png": ("PNG", {"1"}),
    "ccitt tiff": ("TIFF", {"1"}),
    "jpeg tiff": ("TIFF", {"L"}),
    "webp": ("WEBP", {"RGB"}),
    "bmp": ("BMP", {"1"}),
    "gif": ("GIF", {"L", "P"}),
}


def test_images_open_as_labelled(samples: Path, labels: Labels) -> None:
    rows = [row for row in labels if not row["file"].endswith(".pdf")]
    for row in rows:
        form, modes = FORMATS[row["kind"]]
        with Image.open(samples / row["file"]) as image:
            image.load()
            assert (image.format, image.mode in modes) == (form, True), row["file"]
            assert str(getattr(image, "n_frames", 1)) == row["pages"], row["file"]
            if form not in ("WEBP", "GIF"):
                assert round(image.info["dpi"][0]) == int(row["dpi"]), row["file"]
            if row["kind"] == "ccitt tiff":
                assert image.info["compression"] == "group4"
    assert {row["kind"] for row in rows} == set(FORMATS)


def test_pictures_are_no_larger_than_a4_at_their_resolution(samples: Path, labels: Labels) -> None:
    for row in labels:
        if not row["file"].endswith(".pdf"):
            with Image.open(samples / row["file"]) as image:
                inches = sorted(side / int(row["dpi"]) for side in image.size)
            assert 2 < inches[0] < 8.5, row["file"]
            assert inches[1] < 12.6, row["file"]


def test_pdfs_have_a_text_layer_where_labelled_and_only_there(samples: Path, labels: Labels) -> None:
    rows = [row for row in labels if row["file"].endswith(".pdf")]
    for row in rows:
        pdf = pypdfium2.PdfDocument(samples / row["file"])
        layers = [len(page.get_textpage().get_text_range()) > 20 for page in pdf]
        pdf.close()
        assert len(layers) == int(row["pages"]), row["file"]
        if row["language"]:
            expected = {
                "digital pdf": [True] * len(layers),
                "scanned pdf": [False] * len(layers),
                "mixed pdf": [True] + [False] * (len(layers) - 1),
            }
            assert layers == expected[row["kind"]], row["file"]
    assert {row["kind"] for row in rows} == {"digital pdf", "scanned pdf", "mixed pdf"}


def test_text_layer_is_the_truth(samples: Path, labels: Labels, truth: dict[str, str]) -> None:
    row = next(row for row in labels if row["kind"] == "digital pdf" and row["language"] == "it")
    pdf = pypdfium2.PdfDocument(samples / row["file"])
    text = " ".join(page.get_textpage().get_text_range() for page in pdf)
    pdf.close()
    words = truth[row["file"]].split()
    found = sum(word in text for word in words)
    assert found / len(words) > 0.95


@pytest.mark.parametrize("kind", ["ccitt tiff", "bilevel png"])
def test_bilevel_pages_are_mostly_paper(kind: str, samples: Path, labels: Labels) -> None:
    for row in labels:
        if row["kind"] == kind and row["issuer"] not in ("photograph", "blank"):
            with Image.open(samples / row["file"]) as image:
                black = image.convert("L").histogram()[0] / (image.width * image.height)
            assert 0.002 < black < 0.45, row["file"]

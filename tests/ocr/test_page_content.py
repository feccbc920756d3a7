from __future__ import annotations

import warnings
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pypdfium2
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr.page_content import drawing_dpi, open_page, survey
from ocr.reading_options import Limits
from ocr.source_file import content_hash
from textclf.base.errors import BadInputError


def pdf_of(*sizes: tuple[float, float]) -> bytes:
    pdf = pypdfium2.PdfDocument.new()
    for size in sizes:
        pdf.new_page(*size)
    stream = BytesIO()
    pdf.save(stream)
    return stream.getvalue()


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_every_image_format_opens_by_its_content_whatever_its_name(page, encoded, tmp_path, file_format):
    file = tmp_path / "scan.txt"
    file.write_bytes(encoded(page(mode="RGB"), file_format))
    assert survey(file, Limits()).page_count == 1
    with open_page(file, 1, Limits()) as opened:
        image = opened.image()
    assert (image.mode, image.size) == ("L", (1240, 900))
    assert image.getpixel((0, 0)) > 250
    assert image.getextrema()[0] < 40


@pytest.mark.parametrize("mode", ["1", "L", "P", "LA", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "YCbCr"])
def test_every_kind_of_pixel_becomes_black_on_white(encoded, mode, grey_of):
    image = Image.new("L", (40, 40), 255)
    image.paste(0, (10, 10, 30, 30))
    if mode == "I;16":
        image = Image.fromarray(np.asarray(image).astype(np.uint16) * 257)
    elif mode == "F":
        image = Image.fromarray(np.asarray(image).astype(np.float32) / 255)
    else:
        image = image.convert(mode)
    content = encoded(image, "JPEG" if mode == "YCbCr" else "TIFF", **({"quality": 95} if mode == "YCbCr" else {}))
    grey = grey_of(content)
    assert grey.getpixel((20, 20)) < 20
    assert grey.getpixel((2, 2)) > 235


def test_what_is_transparent_is_paper(encoded, grey_of):
    image = Image.new("RGBA", (30, 30), (0, 0, 0, 0))
    image.paste((0, 0, 0, 255), (10, 10, 20, 20))
    grey = grey_of(encoded(image))
    assert (grey.getpixel((1, 1)), grey.getpixel((15, 15))) == (255, 0)


def test_a_photo_stands_as_its_exif_says(encoded, grey_of):
    image = Image.new("RGB", (60, 30), "white")
    image.paste((0, 0, 0), (0, 0, 20, 10))
    exif = Image.Exif()
    exif[0x0112] = 6
    grey = grey_of(encoded(image, "JPEG", exif=exif, quality=95))
    assert grey.size == (30, 60)
    assert grey.getpixel((25, 5)) < 60
    assert grey.getpixel((5, 5)) > 200


def test_pages_of_a_tiff_are_told_apart(encoded, grey_of):
    frames = [Image.new("L", (20 + n, 30), 255) for n in range(4)]
    content = encoded(frames[0], "TIFF", save_all=True, append_images=frames[1:])
    assert survey(content, Limits()).page_count == 4
    assert grey_of(content, 3).size == (22, 30)


def test_an_animation_is_one_page(encoded):
    frames = [Image.new("P", (20, 30), n) for n in range(3)]
    content = encoded(frames[0], "GIF", save_all=True, append_images=frames[1:])
    assert survey(content, Limits()).page_count == 1


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"Dear Sir", "plain text"),
        (b"PK\x03\x04 zipped \0", "office document"),
        (b"\x00\x01\x02\x03", "begins with the bytes 00 01 02 03"),
        (b"%PDF-1.4\nbroken", "the PDF is damaged"),
        (b"\x89PNG\r\n\x1a\n\0\0", "damaged"),
    ],
)
def test_what_cannot_be_opened_says_what_it_is(content, message):
    with pytest.raises(BadInputError, match=message) as caught:
        survey(content, Limits())
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_refused(tmp_path):
    with pytest.raises(BadInputError, match="no such file"):
        survey(tmp_path / "none.png", Limits())
    with pytest.raises(BadInputError, match="not a file"):
        survey(tmp_path, Limits())


@pytest.mark.parametrize("file_format", ["PNG", "JPEG", "TIFF", "BMP", "WEBP"])
def test_a_truncated_image_is_an_error_of_one_line(page, encoded, file_format, grey_of):
    content = encoded(page(mode="RGB"), file_format)
    with pytest.raises(BadInputError, match=r"damaged|cut short") as caught:
        grey_of(content[: len(content) // 2])
    assert "\n" not in str(caught.value)


def test_a_file_at_the_limit_opens_and_one_byte_more_does_not(encoded):
    content = encoded(Image.new("L", (30, 30), 255))
    assert survey(content, Limits(max_bytes=len(content)))
    with pytest.raises(BadInputError, match="too large"):
        survey(content, Limits(max_bytes=len(content) - 1))


def test_declared_pixels_at_the_limit_and_one_past_it(encoded):
    content = encoded(Image.new("L", (30, 30), 255))
    assert survey(content, Limits(max_declared_pixels=900))
    with pytest.raises(BadInputError, match="announces 30 x 30 pixels"):
        survey(content, Limits(max_declared_pixels=899))


def test_a_decompression_bomb_is_refused_before_it_is_decoded(png):
    content = png(2_000_000_000, 2_000_000_000, zlib.compress(bytes(1000)))
    with pytest.raises(BadInputError, match="announces"):
        survey(content, Limits())


def test_a_bomb_in_a_later_page_of_a_tiff_is_refused(encoded):
    content = encoded(
        Image.new("1", (10, 10)),
        "TIFF",
        save_all=True,
        append_images=[Image.new("1", (4000, 4000))],
        compression="group4",
    )
    limits = Limits(max_declared_pixels=1_000_000)
    assert survey(content, limits).page_count == 2
    with pytest.raises(BadInputError, match="announces"), open_page(content, 2, limits):
        pass


def test_pixels_at_the_limit_stay_and_one_past_it_shrinks(encoded, grey_of):
    content = encoded(Image.new("L", (100, 100), 255))
    assert grey_of(content, max_pixels=10_000).size == (100, 100)
    assert grey_of(content, max_pixels=9_999).size == (99, 99)


def test_an_image_of_30000_pixels_is_scaled_down(grey_of, png):
    rows = zlib.compressobj(1)
    line = b"\0" + bytes([255]) * 30_000
    data = b"".join([rows.compress(line * 100) for _ in range(20)]) + rows.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grey = grey_of(png(30_000, 2_000, data), max_pixels=15_000_000)
    assert grey.size == (15_000, 1_000)
    assert grey.getextrema() == (255, 255)


def test_a_compressed_tiff_beyond_the_limit_of_pillow_is_scaled_down(grey_of):
    buffer = BytesIO()
    Image.new("1", (20_000, 10_000), 1).save(buffer, "TIFF", compression="group4")
    assert grey_of(buffer.getvalue(), max_pixels=2_000_000).size == (2_000, 1_000)


@pytest.mark.slow
def test_a_square_of_30000_pixels_is_scaled_down(grey_of, png):
    rows = zlib.compressobj(1)
    line = b"\0" + b"\xff" * 3_750
    data = b"".join([rows.compress(line * 1000) for _ in range(30)]) + rows.flush()
    width, height = grey_of(png(30_000, 30_000, data, bits=1)).size
    assert width == height
    assert 0.99 * Limits().max_pixels < width * height <= Limits().max_pixels


def test_opening_leaves_pillows_own_limit_alone(encoded):
    before = Image.MAX_IMAGE_PIXELS
    survey(encoded(Image.new("L", (30, 30))), Limits())
    assert before == Image.MAX_IMAGE_PIXELS


@settings(max_examples=40)
@given(
    start=st.sampled_from([b"", b"%PDF-1.7\n", b"II*\0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"\xff\xd8\xff"]),
    content=st.binary(max_size=300),
)
def test_what_only_begins_as_a_file_gives_an_error_of_one_line(grey_of, start, content):
    with pytest.raises(BadInputError) as caught:
        grey_of(start + content, max_declared_pixels=1_000_000)
    assert "\n" not in str(caught.value)


@settings(max_examples=40)
@given(
    file_format=st.sampled_from(["PNG", "JPEG", "TIFF", "BMP", "GIF", "WEBP"]),
    place=st.floats(0, 1),
    damage=st.binary(max_size=8),
)
@example(file_format="BMP", place=0.9, damage=b"\0")
def test_a_damaged_image_opens_in_full_or_gives_an_error_of_one_line(encoded, grey_of, file_format, place, damage):
    content = encoded(Image.new("L", (40, 30), 255), file_format)
    start = round(place * len(content))
    try:
        grey = grey_of(content[:start] + damage + content[start + len(damage) :], max_declared_pixels=1_000_000)
        assert grey.mode == "L"
    except BadInputError as error:
        assert "\n" not in str(error)  # noqa: PT017 - some damaged files open


def test_pages_of_a_pdf_have_their_size_and_an_image_within_bounds():
    content = pdf_of((612, 792), (144, 72))
    assert survey(content, Limits()).page_count == 2
    with open_page(content, 2, Limits()) as opened:
        assert (opened.width, opened.height, opened.text_layer.text) == (144, 72, "")
        assert opened.image().size == (2000, 1000)
        assert opened.preview().size == (2000, 1000)
    with open_page(content, 1, Limits()) as opened:
        assert opened.image().size == pytest.approx((2550, 3300), abs=1)
        assert opened.preview().size == (1000, 1295)
    with open_page(content, 2, Limits(max_pixels=45_000)) as opened:
        assert opened.image().size == (300, 150)


def test_a_huge_pdf_page_is_drawn_within_bounds():
    with open_page(pdf_of((14_400, 14_400)), 1, Limits(max_pixels=1_000_000)) as opened:
        width, height = opened.image().size
    assert width * height <= 1_010_000


def test_a_scan_in_a_pdf_is_drawn_at_its_own_resolution(page, encoded):
    with open_page(encoded(page(), "PDF", resolution=150), 1, Limits()) as opened:
        assert opened.image().size == pytest.approx((1240, 900), abs=2)


@pytest.mark.parametrize("resolution", [150, 1500, 15_000])
def test_a_scan_in_a_pdf_of_false_size_is_drawn_with_its_own_pixels(page, encoded, resolution):
    with open_page(encoded(page(), "PDF", resolution=resolution), 1, Limits()) as opened:
        assert opened.image().size == pytest.approx((1240, 900), rel=0.1)


def test_a_scan_in_strips_is_drawn_with_their_pixels():
    pictures = [((0.0, 84.0 * n, 600.0, 84.0 * (n + 1)), 200.0) for n in range(10)]
    assert drawing_dpi(pictures, 600 * 840) == 200
    assert drawing_dpi(pictures[:4], 600 * 840) == 300


def test_a_large_scan_is_drawn_with_no_more_pixels_than_are_of_use():
    a4, a3 = 595 * 842, 1190 * 842
    assert drawing_dpi([((0, 0, 595, 842), 600.0)], a4) == pytest.approx(305, abs=1)
    assert drawing_dpi([((0, 0, 1190, 842), 600.0)], a3) == 300


def test_a_background_of_few_pixels_is_no_scan():
    a4 = 600 * 800
    assert drawing_dpi([((0, 0, 600, 800), 56.9)], a4) == 300
    assert drawing_dpi([((0, 0, 600, 800), 57.0)], a4) == 57
    assert drawing_dpi([((0, 0, 600, 800), 1.0)], a4) == 300


def test_a_text_layer_gives_words_with_boxes_from_the_top_left(text_pdf):
    with open_page(text_pdf("Total amount", "42 euro"), 1, Limits()) as opened:
        layer = opened.text_layer
    assert layer.text.split() == ["Total", "amount", "42", "euro"]
    assert [word.line for word in layer.words] == [0, 0, 1, 1]
    left, top, right, bottom = layer.words[0].box
    assert 18 <= left < right < 80
    assert 20 <= top < bottom <= 45
    assert layer.words[2].box[1] > bottom


def test_a_page_that_is_not_there_is_an_error():
    with pytest.raises(BadInputError, match="page 2 of the PDF is damaged"), open_page(pdf_of((72, 72)), 2, Limits()):
        pass


def test_same_content_same_hash_other_content_other_hash(tmp_path: Path, encoded):
    first, second = encoded(Image.new("L", (9, 9), 0)), encoded(Image.new("L", (9, 9), 1))
    (tmp_path / "a.png").write_bytes(first)
    assert survey(first, Limits()).sha256 == survey(tmp_path / "a.png", Limits()).sha256
    assert survey(first, Limits()).sha256 != survey(second, Limits()).sha256


def test_what_cannot_be_opened_has_a_hash_if_it_can_be_read(tmp_path):
    assert content_hash(b"Dear Sir", Limits()).startswith("335b600d")
    assert content_hash(b"Dear Sir", Limits(max_bytes=7)) == ""
    assert content_hash(tmp_path / "none", Limits()) == ""

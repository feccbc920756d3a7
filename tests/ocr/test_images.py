"""Whatever a picture is made of, it is read as people see it."""

from __future__ import annotations

import struct
import sys
import zlib
from io import BytesIO

import numpy as np
import pillow_heif
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from ocr import find_files, read_document
from ocr.page_content import survey
from ocr.reading_options import Limits
from textclf.base.errors import BadInputError

INK, PAPER = (15, 15), (2, 2)


def square(ink: float = 0, paper: float = 255, kind: type = np.uint8) -> np.ndarray:
    """A square of ink in the middle of paper, 30 pixels wide."""
    values = np.full((30, 30), paper, dtype=kind)
    values[10:20, 10:20] = ink
    return values


def tiff(data: bytes, *, bits: int, photometric: int = 1, order: str = "<", **tags: int) -> bytes:
    """An uncompressed TIFF of 30 x 30 pixels."""
    entries = {256: 30, 257: 30, 258: bits, 259: 1, 262: photometric, 273: 0, 277: 1, 278: 30, 279: len(data)}
    entries |= {{"max_sample": 281, "sample_format": 339}[name]: value for name, value in tags.items()}
    entries[273] = 8 + 2 + 12 * len(entries) + 4
    head = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HI", 42, 8)
    body = b"".join(struct.pack(f"{order}HHII", tag, 4, 1, value) for tag, value in sorted(entries.items()))
    return head + struct.pack(f"{order}H", len(entries)) + body + bytes(4) + data


def packed(values: np.ndarray, bits: int) -> bytes:
    """Rows of samples of 1, 2, 4 or 12 bits, each row filled up to whole bytes."""
    rows = ("".join(f"{value:0{bits}b}" for value in row) for row in values)
    return b"".join(int(row.ljust(-(-len(row) // 8) * 8, "0"), 2).to_bytes(-(-len(row) // 8), "big") for row in rows)


def assert_black_on_white(grey: Image.Image) -> None:
    assert grey.mode == "L"
    assert grey.getpixel(INK) < 20
    assert grey.getpixel(PAPER) > 235


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG2000"])
@pytest.mark.parametrize("bits", [8, 10, 12, 14, 16])
def test_fewer_bits_within_sixteen_are_white_where_they_are_full(encoded, bits, file_format, grey_of):
    image = Image.fromarray(square(0, 2**bits - 16, np.uint16))
    assert_black_on_white(grey_of(encoded(image, file_format)))


def test_what_the_file_states_as_its_largest_value_is_white(grey_of):
    dark = square(0, 900, np.uint16).tobytes()
    assert grey_of(tiff(dark, bits=16, max_sample=4095)).getpixel(PAPER) == 56
    assert grey_of(tiff(dark, bits=16)).getpixel(PAPER) == 224
    # a statement that the values belie
    assert grey_of(tiff(dark, bits=16, max_sample=500)).getpixel(PAPER) == 224


@settings(max_examples=40)
@given(st.lists(st.integers(0, 65535), min_size=2, max_size=60, unique=True))
def test_no_two_shades_of_sixteen_bits_change_places_and_none_is_cut_off(grey_of, values):
    shades = np.array([sorted(values)], dtype=np.uint16)
    stream = BytesIO()
    Image.fromarray(shades).save(stream, "PNG")
    grey = np.asarray(grey_of(stream.getvalue())).astype(int)[0]
    assert (np.diff(grey) >= 0).all()
    assert grey[0] <= shades[0, 0] / max(255, shades.max()) * 255 + 1
    assert (grey == 255).sum() <= 1 + (shades >= shades.max() * 0.99).sum()


def test_a_black_page_with_the_noise_of_the_scanner_holds_no_text(encoded):
    noise = np.random.default_rng(0).normal(300, 60, (1400, 1000)).clip(0).astype(np.uint16)
    document = read_document(encoded(Image.fromarray(noise)))
    assert (document.text, document.status) == ("", "ok")


@pytest.mark.parametrize("photometric", [0, 1])
@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_white_may_be_zero(bits, photometric, grey_of):
    most = 2**bits - 1
    ink, paper = (most, 0) if photometric == 0 else (0, most)
    values = square(ink, paper, np.uint16)
    data = values.tobytes() if bits == 16 else values.astype(np.uint8).tobytes() if bits == 8 else packed(values, bits)
    assert_black_on_white(grey_of(tiff(data, bits=bits, photometric=photometric)))


def test_twelve_bits_packed_are_twelve_bits(grey_of):
    assert_black_on_white(grey_of(tiff(packed(square(0, 4095, np.uint16), 12), bits=12)))
    assert grey_of(tiff(packed(square(0, 900, np.uint16), 12), bits=12)).getpixel(PAPER) == 56


def test_sixteen_bits_with_the_upper_byte_first_are_read(grey_of):
    assert_black_on_white(grey_of(tiff(square(0, 65535, np.uint16).astype(">u2").tobytes(), bits=16, order=">")))
    large = grey_of(tiff(square(0, 4095, np.uint16).astype(">u2").tobytes(), bits=16, order=">"), max_pixels=300)
    assert (large.size, large.getpixel((0, 0))) == ((17, 17), 255)


@pytest.mark.parametrize("white", [1.0, 255.0, 4095.0, 65535.0, 1e9])
def test_floating_point_values_are_read_and_no_number_is_paper(white, grey_of):
    values = square(0, white, np.float32)
    values[0, 0], values[29, 29], values[0, 29] = np.nan, np.inf, -np.inf
    grey = grey_of(tiff(values.tobytes(), bits=32, sample_format=3))
    assert_black_on_white(grey)
    assert [grey.getpixel(place) for place in ((0, 0), (29, 29), (29, 0))] == [255, 255, 0]


@pytest.mark.parametrize("colour", [2, 6])
@pytest.mark.parametrize("bits", [10, 12, 16])
def test_colours_of_sixteen_bits_are_read_also_if_fewer_are_used(bits, colour, grey_of, png):
    channels = 3 if colour == 2 else 4
    values = np.repeat(square(0, 2**bits - 1, np.uint16)[:, :, None], channels, axis=2)
    if channels == 4:
        values[:, :, 3] = 65535
    rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in values)
    assert_black_on_white(grey_of(png(30, 30, zlib.compress(rows), bits=16, colour=colour)))


def with_alpha(grey: np.ndarray, alpha: np.ndarray, mode: str) -> Image.Image:
    return Image.merge("LA", [Image.fromarray(grey), Image.fromarray(alpha)]).convert(mode)


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
@pytest.mark.parametrize(
    ("grey", "alpha"),
    [
        (square(), square(255, 255)),
        (square(0, 0), square(255, 0)),
        (square(), square(0, 0)),
        (square(255, 255), square(0, 255)),
    ],
    ids=["opaque", "the ink is in the alpha", "all is clear", "white with a clear square"],
)
def test_transparency(encoded, mode, grey, alpha, grey_of):
    image = grey_of(encoded(with_alpha(grey, alpha, mode)))
    if alpha[15, 15] < alpha[2, 2]:
        # nothing but white can be seen on white, so it is looked at on black
        assert image.getpixel(INK) != image.getpixel(PAPER)
    else:
        assert_black_on_white(image)


def test_white_ink_on_a_clear_ground_is_not_lost(encoded, grey_of):
    image = grey_of(encoded(with_alpha(square(255, 255), square(255, 0), "RGBA")))
    assert (image.getpixel(INK), image.getpixel(PAPER)) == (255, 0)


@pytest.mark.parametrize(("transparency", "paper"), [(b"\0\xff", 255), (b"\0\0", 90), (0, 255)])
def test_a_palette_with_clear_colours(encoded, transparency, paper, grey_of):
    image = Image.fromarray(square(1, 0)).convert("P")
    image.putpalette([90, 90, 90, 0, 0, 0])
    grey = grey_of(encoded(image, "PNG", transparency=transparency))
    assert (grey.getpixel(INK), grey.getpixel(PAPER)) == (0, paper)


@pytest.mark.parametrize("mode", ["RGBa", "La", "PA", "HSV", "LAB", "YCbCr", "CMYK", "RGBX"])
def test_any_mode_becomes_grey(mode):
    from ocr.images import grey_image

    if mode == "LAB":
        image = Image.merge("LAB", [Image.fromarray(square())] + [Image.new("L", (30, 30), 128)] * 2)
    elif mode in ("RGBa", "La"):
        image = Image.fromarray(square()).convert("RGBA" if mode == "RGBa" else "LA").convert(mode)
    else:
        image = Image.fromarray(square()).convert("P" if mode == "PA" else "RGB").convert(mode)
    assert_black_on_white(grey_image(image, 10_000))


def test_lightness_of_a_lab_tiff(encoded, grey_of):
    lab = Image.merge("LAB", [Image.fromarray(square())] + [Image.new("L", (30, 30), 128)] * 2)
    assert_black_on_white(grey_of(encoded(lab, "TIFF")))


def test_a_cmyk_jpeg_as_adobe_writes_it(encoded, grey_of):
    content = encoded(Image.fromarray(square()).convert("RGB").convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in content
    assert_black_on_white(grey_of(content))


@pytest.mark.parametrize("ground", ["opaque", "clear"])
def test_white_text_on_black_is_read(page, encoded, ground):
    lines = page(("Dear Madam,", "thank you for the payment"), size=(1240, 300))
    image = Image.eval(lines, lambda value: 255 - value)
    if ground == "clear":
        image = Image.merge("LA", [Image.new("L", image.size, 255), image])
    assert read_document(encoded(image)).text.split() == ["Dear", "Madam,", "thank", "you", "for", "the", "payment"]


def corner(size: tuple[int, int] = (96, 64)) -> Image.Image:
    """A white picture, wider than high, with ink in its upper left corner."""
    image = Image.new("RGB", size, "white")
    image.paste((0, 0, 0), (0, 0, 32, 16))
    return image


def inked_corner(grey: Image.Image) -> tuple[bool, bool]:
    """Whether the ink is at the left, and at the top."""
    values = np.asarray(grey) < 128
    rows, columns = np.nonzero(values)
    return bool(columns.mean() < values.shape[1] / 2), bool(rows.mean() < values.shape[0] / 2)


@pytest.mark.parametrize("file_format", ["JPEG", "PNG", "TIFF", "WEBP", "HEIF", "AVIF"])
@pytest.mark.parametrize(
    ("orientation", "left", "top"), [(1, True, True), (3, False, False), (6, False, True), (8, True, False)]
)
def test_a_photo_is_set_upright_once(encoded, orientation, left, top, file_format, grey_of):
    exif = Image.Exif()
    exif[0x0112] = orientation
    if file_format == "HEIF":
        stream = BytesIO()
        pillow_heif.from_pillow(corner()).save(stream, exif=exif.tobytes(), quality=90)
        content = stream.getvalue()
        assert content[4:8] == b"ftyp"
    else:
        content = encoded(corner(), file_format, exif=exif)
    grey = grey_of(content)
    assert grey.size == ((64, 96) if orientation > 4 else (96, 64))
    assert inked_corner(grey) == (left, top)


def heif(*images: Image.Image, primary: int = 0) -> bytes:
    file = pillow_heif.from_pillow(images[0])
    for image in images[1:]:
        file.add_from_pillow(image)
    stream = BytesIO()
    file.save(stream, primary_index=primary, quality=90)
    return stream.getvalue()


def test_of_several_pictures_in_a_heic_the_primary_one_is_read(grey_of):
    content = heif(Image.new("RGB", (64, 64), "white"), corner(), primary=1)
    assert survey(content, Limits()).page_count == 1
    assert grey_of(content).size == (96, 64)


def test_a_heic_is_text(page):
    document = read_document(heif(page(("Dear Madam,", "thank you for the payment"), size=(1240, 300), mode="RGB")))
    assert document.text.split() == ["Dear", "Madam,", "thank", "you", "for", "the", "payment"]


@pytest.mark.parametrize("file_format", ["HEIF", "AVIF", "JPEG2000"])
def test_limits_and_damage_of_the_newer_formats(encoded, file_format, grey_of):
    content = heif(corner()) if file_format == "HEIF" else encoded(corner(), file_format)
    assert survey(content, Limits(max_declared_pixels=96 * 64)).page_count == 1
    with pytest.raises(BadInputError, match="announces 96 x 64 pixels"):
        survey(content, Limits(max_declared_pixels=96 * 64 - 1))
    assert grey_of(content, max_pixels=96 * 64 // 4).size == (48, 32)
    for end in range(16, len(content) - 1, max(1, len(content) // 25)):
        try:
            grey_of(content[:end])
        except BadInputError as error:
            assert "\n" not in str(error)  # noqa: PT017 - cut late, some still open


def test_what_reads_heic_is_loaded_for_heic_only():
    import subprocess

    program = "import sys, ocr; ocr.read_document('x.png'); print('pillow_heif' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "False", done.stderr


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "a video"),
        (b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom", "a video"),
        (b"\0\0\0\x08wide\0\0\0\0mdat", "a video"),
        (b"RIFF\0\0\0\0AVI LIST", "a video"),
        (b"RIFF\0\0\0\0WAVEfmt ", "a sound recording"),
        (b"\0\0\0\x14ftypM4A \0\0\0\0M4A ", "a sound recording"),
        (b"\0\0\0\x14ftypcrx \0\0\0\1crx ", "a camera's raw photo"),
    ],
)
def test_films_and_sounds_are_called_by_their_name(content, kind):
    with pytest.raises(BadInputError, match=f"looks like {kind}.*HEIC, AVIF, JPEG 2000 or PDF"):
        survey(content + bytes(40), Limits())


@settings(max_examples=40)
@given(
    st.binary(max_size=200),
    st.sampled_from(
        [b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", b"\0\0\0\x0cjP  \r\n\x87\n", b"\0\0\0\x14ftypavif\0\0\0\0avif"]
    ),
)
def test_any_bytes_of_the_newer_formats_give_an_error_of_one_line(grey_of, content, start):
    with pytest.raises(BadInputError) as caught:
        grey_of(start + content, max_declared_pixels=1_000_000)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("ending", ["HEIC", "heif", "avif", "jp2", "j2k", "JPX"])
def test_the_newer_formats_are_found_in_a_folder(tmp_path, ending):
    (tmp_path / f"IMG_0001.{ending}").write_bytes(b"\0")
    assert [document_id for document_id, _ in find_files([tmp_path])] == [f"IMG_0001.{ending}"]

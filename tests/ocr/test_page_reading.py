"""Everything on a page is read or reported as missing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import pytest
from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.textpath import TextPath
from PIL import Image, ImageDraw, ImageFont

from ocr.batch import read_document
from ocr.cache import PageCache
from ocr.cached_reading import _page_key
from ocr.document import Document, Page
from ocr.engines import TesseractEngine
from ocr.ocr_result import OcrResult
from ocr.reading_options import Limits, ReadingOptions
from ocr.reading_state import WHOLE, OpenDocument
from textclf.base.errors import BadInputError

A4 = (8.27, 11.69)
STAMP = "Town of Milton, general register, number 0012345 of 14 March, class 6.3"
FONT = font_manager.FontProperties(family="DejaVu Sans")


def pdf(draw: Callable[[Figure], None], size: tuple[float, float] = A4) -> bytes:
    """A page on which lengths are inches from the lower left corner."""
    # takes a second, which every process that collects tests would spend
    from matplotlib.backends.backend_pdf import PdfPages

    figure = Figure(figsize=size)
    draw(figure)
    stream = BytesIO()
    with PdfPages(stream, metadata={"CreationDate": None}) as pages:
        pages.savefig(figure)
    return stream.getvalue()


def typed(figure: Figure, text: str, x: float, y: float, size: float = 11) -> None:
    figure.text(x / A4[0], y / A4[1], text, fontproperties=FONT, fontsize=size)


def outlined(figure: Figure, text: str, x: float, y: float, size: float = 16) -> None:
    curves = TextPath((x * 72, y * 72), text, size=size, prop=FONT)
    # PDFs are drawn at 72 dots per inch
    figure.add_artist(PathPatch(curves, lw=0, fc="black", transform=None))


def pictured(figure: Figure, image: Image.Image, box: tuple[float, float, float, float]) -> None:
    axes = figure.add_axes((box[0] / A4[0], box[1] / A4[1], box[2] / A4[0], box[3] / A4[1]))
    axes.axis("off")
    axes.imshow(image, cmap="gray", vmin=0, vmax=255, aspect="auto", interpolation="none")


def read(content: bytes, **options: object) -> Document:
    return read_document(content, options=ReadingOptions(**options))


def test_a_scan_under_a_typed_stamp_is_read_with_it(page):
    def draw(figure):
        pictured(figure, page(size=(1240, 1754)), (0, 0, *A4))
        typed(figure, STAMP, 0.7, 0.5)

    (only,) = read(pdf(draw)).pages
    assert only.source == "ocr"
    assert "payment of your insurance" in only.text
    assert STAMP in only.text
    assert only.text.index("payment") < only.text.index("Milton")
    assert only.letters_unread < 8


@pytest.mark.parametrize("rotation", [90, pytest.param(180, marks=pytest.mark.slow), 270])
def test_a_turned_scan_under_a_stamp_that_stands_upright_is_put_upright(page, rotation):
    size = (1240, 1754) if rotation == 180 else (1754, 1240)

    def draw(figure):
        pictured(figure, page(size=size).rotate(rotation, expand=True), (0, 0, *A4))
        typed(figure, STAMP, 0.7, 0.5)

    (only,) = read(pdf(draw)).pages
    assert only.rotation == 360 - rotation
    assert "payment of your insurance" in only.text
    assert STAMP in only.text


def test_a_typed_line_is_kept_though_its_words_stand_elsewhere_on_the_page(page):
    def draw(figure):
        pictured(figure, page(size=(1240, 1400)), (0, 0, A4[0], 9.3))
        typed(figure, "Dear Margaret,", 1, 10.5)

    assert read(pdf(draw)).text.startswith("Dear Margaret,\nDear Madam,")


def test_text_drawn_as_curves_is_read_beside_a_typed_footer():
    def draw(figure):
        for row, line in enumerate(("Invoice 4711", "consulting in October", "total due 960.00 euro")):
            outlined(figure, line, 1, 9 - row * 0.5)
        typed(figure, "printed on 14 March, page 1 of 1", 1, 0.5)

    text = read(pdf(draw)).text
    assert "consulting in October" in text
    assert text.endswith("printed on 14 March, page 1 of 1")


def test_a_small_picture_on_a_typed_page_is_read_and_the_typed_words_are_kept(page):
    receipt = page(("MILTON CAFE", "two coffees 3.00", "one cake 1.40", "TOTAL 4.40"), size=(700, 400))

    def draw(figure):
        for row in range(8):
            typed(figure, f"line {row} of the report on what the journey to Milton cost us", 1, 10.5 - 0.25 * row)
        pictured(figure, receipt, (1, 5, 2.5, 1.43))
        typed(figure, "signed by Ann Illness of Westminster", 1, 1)

    (only,) = read(pdf(draw)).pages
    assert only.source == "text layer"
    assert only.engine.startswith("tesser")
    lines = [line for line in only.text.split("\n") if line]
    assert lines[:8] == [f"line {row} of the report on what the journey to Milton cost us" for row in range(8)]
    assert lines[8:-1] == ["MILTON CAFE", "two coffees 3.00", "one cake 1.40", "TOTAL 4.40"]
    assert lines[-1] == "signed by Ann Illness of Westminster"
    cafe = next(word for word in only.words if word.text == "CAFE")
    # in points: the picture begins an inch from the left and 5.26 from the top
    assert 72 < cafe.box[0] < 252
    assert 378 < cafe.box[1] < 482


def test_a_picture_that_lies_on_its_side_is_read_too(page):
    def draw(figure):
        for row in range(12):
            typed(figure, f"line {row} of the report on what the journey to Milton cost us", 1, 10.5 - 0.25 * row)
        pictured(figure, page().rotate(90, expand=True), (1, 1, 4, 5.5))

    assert "payment of your insurance" in read(pdf(draw)).text


def test_a_typed_page_with_a_photo_and_a_frame_is_not_read():
    photo = Image.radial_gradient("L").resize((600, 600))

    def draw(figure):
        for row in range(8):
            typed(figure, f"line {row} of the report on what the journey to Milton cost us", 1, 10.5 - 0.25 * row)
        pictured(figure, photo, (1, 3, 3, 3))

    (only,) = read(pdf(draw)).pages
    assert (only.source, only.engine) == ("text layer", "")


@pytest.mark.parametrize("resolution", [50, 150, 2400])
def test_the_size_that_a_pdf_states_does_not_matter(page, encoded, resolution):
    assert "payment of your insurance" in read(encoded(page(), "PDF", resolution=resolution)).text


def test_a_layer_in_an_alphabet_that_the_engine_cannot_read_is_believed():
    lines = ("Уважаемый господин Иванов, благодарим вас за оплату", "страхового взноса за октябрь, договор 4711-0815")

    def draw(figure):
        for row, line in enumerate(lines):
            typed(figure, line, 1, 10 - 0.4 * row)

    (only,) = read(pdf(draw)).pages
    assert (only.source, only.text) == ("text layer", "\n".join(lines))


def long_receipt(lines: int) -> Image.Image:
    image = Image.new("L", (560, 100 + 90 * lines), 255)
    pen = ImageDraw.Draw(image)
    for line in range(lines):
        pen.text((40, 60 + 90 * line), f"coffee number {line + 10}", font=ImageFont.load_default(18), fill=0)
    return image


def test_a_long_receipt_is_read_to_its_end(encoded):
    (only,) = read(encoded(long_receipt(60))).pages
    assert (only.height, only.scale) == (5500, pytest.approx(2, abs=0.5))
    assert sum(f"coffee number {line + 10}" in only.text for line in range(60)) >= 59
    assert only.words[-1].box[:2] == pytest.approx((165, 5374), abs=12)


@pytest.mark.parametrize("width", [1, 3, 6])
def test_a_table_with_thick_rules_is_read_cell_by_cell(encoded, width):
    image = Image.new("L", (1400, 1000), 255)
    pen = ImageDraw.Draw(image)
    pen.text((80, 40), "what the tenants of Milton owe", font=ImageFont.load_default(36), fill=0)
    words = ("Rent", "Water", "Light", "Heating")
    for row in range(9):
        for column, word in enumerate(words):
            left, top = 80 + 300 * column, 130 + 90 * row
            pen.rectangle((left, top, left + 300, top + 90), outline=0, width=width)
            pen.text((left + 40, top + 25), f"{word} {row + 21}", font=ImageFont.load_default(36), fill=0)
    text = read(encoded(image)).text
    assert sum(f"{word} {row + 21}" in text for row in range(9) for word in words) >= 34


@pytest.mark.parametrize("rotation", [90, pytest.param(180, marks=pytest.mark.slow), 270])
def test_a_tilted_photo_that_lies_on_its_side_is_put_upright(page, encoded, rotation):
    photo = page(size=(1240, 1000)).rotate(2, fillcolor=235).point(lambda value: 60 + value // 2)
    assert "payment of your insurance" in read(encoded(photo.rotate(rotation, expand=True))).text


def test_an_image_wider_than_tesseract_takes_is_read(page, encoded):
    image = Image.new("L", (34_000, 300), 255)
    image.paste(page(("thank you for the payment",), size=(900, 200)), (20_000, 50))
    assert "thank you for the payment" in read(encoded(image)).text


def test_white_words_on_a_black_band_are_read(page, encoded):
    image = page(size=(1240, 1100))
    image.paste(0, (0, 700, 1240, 1000))
    ImageDraw.Draw(image).text((80, 800), "insurance premium of October", font=ImageFont.load_default(36), fill=255)
    text = read(encoded(image)).text
    assert "insurance premium of October" in text
    assert "payment of your insurance" in text


@dataclass(frozen=True)
class _Engine:
    """Reads so many images, then fails, and finds nothing on any."""

    images: int
    name: str = "few"
    version: str = "1"

    def languages(self) -> tuple[str, ...]:
        return ("eng",)

    def read(self, image: Image.Image, *, languages: object, page_segmentation: int, timeout: float) -> OcrResult:
        if _READ.append(image.size) or len(_READ) > self.images:
            raise BadInputError("no time left")
        return OcrResult()


_READ: list[tuple[int, int]] = []


@pytest.fixture(autouse=True)
def _forget() -> None:
    _READ.clear()


def test_of_a_long_image_that_takes_too_long_what_was_read_is_kept(encoded):
    document = read_document(encoded(long_receipt(100)), engine=_Engine(images=2))
    assert document.status == "partial"
    assert document.error == "the lower 60% of it was not read: no time left"


def test_a_page_of_which_nothing_is_read_in_time_is_failed(encoded):
    document = read_document(encoded(long_receipt(100)), engine=_Engine(images=0))
    assert (document.status, document.error) == ("failed", "no time left")


def test_letters_that_no_engine_can_read_are_reported_and_remembered(page, encoded, tmp_path):
    cache = PageCache(tmp_path)
    for _ in range(2):
        document = read_document(encoded(page()), engine=_Engine(images=99), cache=cache)
        assert document.status == "partial"
        assert document.error == "100% of what looks like letters could not be read"
        readings = len(_READ)
    assert len(_READ) == readings


def test_a_typed_line_over_what_no_engine_can_read_is_kept_and_the_rest_reported(page):
    def draw(figure):
        pictured(figure, page(size=(1240, 1754)), (0, 0, *A4))
        typed(figure, STAMP, 0.7, 0.5)

    document = read_document(pdf(draw), engine=_Engine(images=99))
    (only,) = document.pages
    assert (only.source, only.text, document.status) == ("text layer", STAMP, "partial")
    assert (only.width, only.height) == (595, 842)


@pytest.mark.parametrize(
    ("letters", "unread", "status"),
    [(300, 99, "ok"), (300, 100, "partial"), (301, 100, "ok"), (30, 30, "partial"), (29, 29, "ok")],
)
def test_much_unread_is_a_third_of_the_page_and_not_a_few_letters(letters, unread, status):
    page = Page(number=1, letters=letters, letters_unread=unread)
    document = OpenDocument(document_id="d", source=b"", page_count=1, pages={1: page})
    assert document.closed(Limits()).status == status


@pytest.mark.parametrize("group", [ReadingOptions, Limits])
def test_a_new_option_is_part_of_the_cache_key(group):
    @dataclass(frozen=True, kw_only=True)
    class More(group):
        new: int

    def key(value):
        more = More(new=value)
        options = more if group is ReadingOptions else ReadingOptions(limits=more)
        return _page_key("ab", 1, WHOLE, options, TesseractEngine())

    assert key(1) != key(2)


def test_a_text_that_was_cut_is_not_taken_from_the_cache(page, encoded, tmp_path):
    cache, engine = PageCache(tmp_path), TesseractEngine()
    short = ReadingOptions(limits=Limits(max_text_length=5))
    assert len(read_document(encoded(page()), options=short, engine=engine, cache=cache).raw_text) == 5
    assert len(read_document(encoded(page()), engine=engine, cache=cache).raw_text) > 100

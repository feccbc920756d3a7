"""What is read from a PDF is what a person sees of it."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from io import BytesIO

import pytest
from PIL import Image

from ocr import ReadingOptions, iter_documents, read_document
from ocr.cache import PageCache
from ocr.document import Word
from ocr.layer_check import contradicts
from ocr.ocr_result import OcrResult
from ocr.page_content import open_page, survey
from ocr.reading_options import Limits
from textclf.base.errors import BadInputError

PAGE, FONT, FREE = 3, 4, 6
"""Numbers of the page, of its font, and of the first object of a test's own."""
OCR_MARK = 3
NO_VIEW, HIDDEN, SHOWN = 32, 2, 4


def rc4(key: bytes, data: bytes) -> bytes:
    state, j = list(range(256)), 0
    for i in range(256):
        j = (j + state[i] + key[i % len(key)]) % 256
        state[i], state[j] = state[j], state[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + state[i]) % 256
        state[i], state[j] = state[j], state[i]
        out.append(byte ^ state[(state[i] + state[j]) % 256])
    return bytes(out)


PADDING = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")


def pdf(
    content: str = "",
    *objects: str | tuple[str, str | bytes],
    page: str = "/MediaBox [0 0 600 400]",
    resources: str = "",
    catalog: str = "",
    font: str = "",
    password: str | None = None,
) -> bytes:
    """A PDF of one page; ``objects`` have the numbers from `FREE` on, streams are given as dictionary and content."""
    numbered: list[str | tuple[str, str | bytes]] = [
        f"<< /Type /Catalog /Pages 2 0 R {catalog} >>",
        "<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        f"<< /Type /Page /Parent 2 0 R {page} /Contents 5 0 R /Resources << /Font << /F 4 0 R >> {resources} >> >>",
        f"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding {font} >>",
        ("", content),
        *objects,
    ]
    trailer, key = "", b""
    if password is not None:
        # the standard security handler, revision 2 (PDF 1.7, 7.6.3)
        padded = (password.encode() + PADDING)[:32]
        owner = rc4(hashlib.md5(padded).digest()[:5], padded)
        key = hashlib.md5(padded + owner + (-4 & 0xFFFFFFFF).to_bytes(4, "little") + b"id").digest()[:5]
        user = rc4(key, PADDING).hex()
        trailer = f"/Encrypt << /Filter /Standard /V 1 /R 2 /P -4 /O <{owner.hex()}> /U <{user}> >> /ID [<6964> <6964>]"
    out, places = BytesIO(), []
    out.write(b"%PDF-1.7\n")
    for number, item in enumerate(numbered, 1):
        places.append(out.tell())
        body = item.encode() if isinstance(item, str) else b""
        if isinstance(item, tuple):
            stream = item[1].encode() if isinstance(item[1], str) else item[1]
            if key:
                stream = rc4(hashlib.md5(key + number.to_bytes(3, "little") + b"\0\0").digest()[:10], stream)
            body = f"<< {item[0]} /Length {len(stream)} >>\nstream\n".encode() + stream + b"\nendstream"
        out.write(f"{number} 0 obj\n".encode() + body + b"\nendobj\n")
    start = out.tell()
    out.write(f"xref\n0 {len(places) + 1}\n0000000000 65535 f \n".encode())
    out.write("".join(f"{place:010} 00000 n \n" for place in places).encode())
    out.write(f"trailer << /Size {len(places) + 1} /Root 1 0 R {trailer} >>\nstartxref\n{start}\n%%EOF\n".encode())
    return out.getvalue()


def said(text: str, x: int = 50, y: int = 300, *, before: str = "", size: int = 12) -> str:
    return f"{before} BT /F {size} Tf {x} {y} Td ({text}) Tj ET\n"


def note(text: str, rect: str, *, kind: str = "FreeText", flags: int = SHOWN) -> tuple[str, tuple[str, str]]:
    """An annotation whose appearance is the object after it."""
    box = [float(edge) for edge in rect.split()]
    form = f"/Type /XObject /Subtype /Form /BBox [0 0 {box[2] - box[0]} {box[3] - box[1]}]"
    return (
        f"<< /Type /Annot /Subtype /{kind} /Rect [{rect}] /F {flags} /AP << /N %d 0 R >> /Contents (not shown) >>",
        (f"{form} /Resources << /Font << /F 4 0 R >> >>", said(text, 2, 5)),
    )


def annotated(content: str, *notes: tuple[str, tuple[str, str]], page: str = "/MediaBox [0 0 600 400]") -> bytes:
    objects: list[str | tuple[str, str]] = []
    for annotation, appearance in notes:
        objects += [annotation % (FREE + len(objects) + 1), appearance]
    places = " ".join(f"{FREE + 2 * index} 0 R" for index in range(len(notes)))
    return pdf(content, *objects, page=f"{page} /Annots [{places}]")


def lines_of(content: bytes) -> list[str]:
    with open_page(content, 1, Limits()) as page:
        return page.text_layer.text.split("\n")


def words_of(content: bytes) -> list[str]:
    return " ".join(lines_of(content)).split()


@pytest.mark.parametrize(
    ("crop", "words"),
    [("0 0 300 400", ["Dear", "aunt"]), ("300 0 600 400", ["Total", "due"]), ("-50 -50 900 300", [])],
)
def test_what_the_crop_box_leaves_out_is_not_read(crop, words):
    content = said("Dear aunt", 50, 350) + said("Total due", 350, 350)
    assert words_of(pdf(content, page=f"/MediaBox [0 0 600 400] /CropBox [{crop}]")) == words


def test_boxes_count_from_the_corner_of_the_crop_box():
    picture = ("/Type /XObject /Subtype /Image /Width 1 /Height 1 /BitsPerComponent 8 /ColorSpace /DeviceGray", b"\x80")
    content = "q 600 0 0 400 0 0 cm /I Do Q" + said("here", 350, 150, size=20)
    page = "/MediaBox [0 0 600 400] /CropBox [300 100 500 200]"
    with open_page(pdf(content, picture, page=page, resources="/XObject << /I 6 0 R >>"), 1, Limits()) as opened:
        (word,) = opened.text_layer.words
        assert (opened.width, opened.height) == (200, 100)
    assert 48 <= word.box[0] <= 54
    assert 30 <= word.box[1] < word.box[3] <= 52


def test_a_picture_in_a_form_lies_where_the_form_puts_it():
    picture = (
        "/Type /XObject /Subtype /Image /Width 600 /Height 800 /BitsPerComponent 8 /ColorSpace /DeviceGray",
        b"\x80" * 480_000,
    )
    form = "/Type /XObject /Subtype /Form /BBox [0 0 1 1] /Resources << /XObject << /I 6 0 R >> >>"
    content = pdf("q 300 0 0 400 0 0 cm /X Do Q", picture, (form, "/I Do"), resources="/XObject << /X 7 0 R >>")
    with open_page(content, 1, Limits()) as opened:
        # it covers half of the page, which is drawn with its pixels
        assert opened.image().size == (1200, 800)


LAYERS = {
    "catalog": "/OCProperties << /OCGs [6 0 R 7 0 R] /D << /ON [6 0 R] /OFF [7 0 R] >> >>",
    "resources": "/Properties << /On 6 0 R /Off 7 0 R >> /XObject << /X 8 0 R >>",
}
LAYER_OBJECTS = ("<< /Type /OCG /Name (on) >>", "<< /Type /OCG /Name (off) >>")


@pytest.mark.parametrize("height", [300, 200])
def test_a_layer_that_is_switched_off_is_not_read_even_where_another_text_stands(height):
    content = said("English words", 50, 300, before="/OC /On BDC") + "EMC "
    content += said("German words", 50, height, before="/OC /Off BDC") + "EMC"
    assert lines_of(pdf(content, *LAYER_OBJECTS, **LAYERS)) == ["English words"]


def test_a_form_of_a_layer_that_is_switched_off_is_not_read():
    form = "/Type /XObject /Subtype /Form /BBox [0 0 600 400] /OC 7 0 R /Resources << /Font << /F 4 0 R >> >>"
    content = pdf(said("Seen") + "/X Do", *LAYER_OBJECTS, (form, said("Unseen", 50, 200)), **LAYERS)
    assert lines_of(content) == ["Seen"]


@pytest.mark.parametrize(
    "unseen",
    [
        "q 0 0 9 9 re W n" + said("Clipped", 50, 200) + "Q",
        "1 1 1 rg" + said("White", 50, 200),
        said("Covered", 50, 200) + "0.4 g 40 190 100 30 re f",
        said("Elsewhere", 700, 200),
        "/Clear gs" + said("Clear", 50, 200),
        said("Invisible", 50, 200, before="3 Tr"),
    ],
)
def test_what_is_drawn_so_that_nobody_sees_it_is_not_read(unseen):
    assert lines_of(pdf(said("Seen") + unseen, resources="/ExtGState << /Clear << /ca 0 >> >>")) == ["Seen"]


@pytest.mark.parametrize(
    "seen",
    [
        "0.9 g" + said("Pale", 50, 200),
        "0 g 40 190 100 30 re f 1 g" + said("Pale", 50, 200),
        said("Pale", 50, 200, before="1 Tr"),
        "/Half gs" + said("Pale", 50, 200),
        said("Pale", 50, 200, size=3),
        said("Pale", 50, 200) + said("Pale", 50.3, 200),
    ],
)
def test_what_can_be_seen_is_read_however_it_is_drawn(seen):
    assert lines_of(pdf(said("Seen") + seen, resources="/ExtGState << /Half << /ca .3 >> >>")) == ["Seen", "Pale"]


def test_a_pale_mark_across_the_page_hides_no_text_and_is_read():
    body = "".join(said("many words of a letter on this line", 50, 300 - 14 * n) for n in range(10))
    mark = "/Half gs 0.7 g BT /F 120 Tf .7 .7 -.7 .7 180 150 Td (COPY) Tj ET"
    words = words_of(pdf(body + mark, resources="/ExtGState << /Half << /ca .3 >> >>"))
    assert (words.count("letter"), words.count("COPY")) == (10, 1)


@pytest.mark.parametrize("order", ["under the picture", "invisible upon it", "white under it"])
def test_the_text_of_a_scan_that_was_read_before_stays(order, page):
    scan = page(("Total amount due",), size=(600, 400))
    picture = (
        "/Type /XObject /Subtype /Image /Width 600 /Height 400 /BitsPerComponent 8 /ColorSpace /DeviceGray",
        scan.tobytes(),
    )
    text = said("Total amount due", 80, 305, size=38)
    drawn = "q 600 0 0 400 0 0 cm /I Do Q"
    content = {
        "under the picture": text + drawn,
        "invisible upon it": drawn + " 3 Tr" + text,
        "white under it": "1 g" + text + drawn,
    }[order]
    assert words_of(pdf(content, picture, resources="/XObject << /I 6 0 R >>")) == ["Total", "amount", "due"]


def test_what_is_typed_on_a_page_is_read_where_it_stands():
    labels = said("Name:", 50, 300) + said("Town:", 50, 270) + said("Date:", 250, 270) + said("Yours", 50, 200)
    content = annotated(
        labels,
        note("June", "300 265 400 285"),
        note("Ada Byron", "100 295 300 315"),
        note("Verona", "100 265 200 285", kind="Stamp"),
        note("late", "50 225 200 245"),
    )
    assert lines_of(content) == ["Name: Ada Byron", "Town: Verona Date: June", "late", "Yours"]


def test_a_note_of_several_lines_stays_together():
    form = "/Type /XObject /Subtype /Form /BBox [0 0 200 60] /Resources << /Font << /F 4 0 R >> >>"
    text = said("first", 2, 45) + said("second", 2, 25) + said("third", 2, 5)
    annotation = "<< /Type /Annot /Subtype /FreeText /Rect [300 255 500 315] /F 4 /AP << /N 7 0 R >> >>"
    body = said("one", 50, 300) + said("two", 50, 280) + said("three", 50, 260)
    content = pdf(body, annotation, (form, text), page="/MediaBox [0 0 600 400] /Annots [6 0 R]")
    assert lines_of(content) == ["one", "first", "second", "third", "two", "three"]


def test_an_annotation_without_appearance_shows_what_it_says():
    annotation = (
        "<< /Type /Annot /Subtype /FreeText /Rect [50 200 300 220] /F 4 /DA (/Helv 12 Tf 0 g) /Contents (Paid) >>"
    )
    content = pdf(said("Page"), annotation, page="/MediaBox [0 0 600 400] /Annots [6 0 R]")
    assert lines_of(content) == ["Page", "Paid"]


@pytest.mark.parametrize("drawn", ["/AP << /N 7 0 R >>", ""])
def test_what_was_typed_into_a_form_is_read_beside_its_label(drawn):
    appearance = "/Type /XObject /Subtype /Form /BBox [0 0 200 20] /Resources << /Font << /F 4 0 R >> >>"
    field = (
        f"<< /Type /Annot /Subtype /Widget /FT /Tx /T (a) /V (Verona) /Rect [100 295 300 315] /F 4 "
        f"/DA (/F 12 Tf 0 g) {drawn} >>"
    )
    content = pdf(
        said("Town:") + said("Yours", 50, 250),
        field,
        (appearance, said("Verona", 2, 5)),
        page="/MediaBox [0 0 600 400] /Annots [6 0 R]",
        catalog="/AcroForm << /Fields [6 0 R] /DA (/F 12 Tf 0 g) /DR << /Font << /F 4 0 R >> >> >>",
    )
    assert lines_of(content) == ["Town: Verona", "Yours"]


def test_an_annotation_that_is_not_shown_is_neither_read_nor_drawn():
    content = annotated(
        said("Page"),
        note("Secret", "50 200 300 220", flags=HIDDEN),
        note("Unseen", "50 150 300 170", flags=NO_VIEW | SHOWN),
        note("Bubble", "50 100 300 120", kind="Popup"),
    )
    assert lines_of(content) == ["Page"]
    with open_page(content, 1, Limits()) as opened:
        assert opened.image().crop((0, 600, 2500, 1666)).getextrema() == (255, 255)


def test_links_and_marks_add_nothing():
    link = "<< /Type /Annot /Subtype /Link /Rect [50 295 200 315] /A << /S /URI /URI (x:y) >> >>"
    mark = "<< /Type /Annot /Subtype /Highlight /Rect [50 295 100 315] /F 4 "
    mark += "/C [1 1 0] /QuadPoints [50 315 100 315 50 295 100 295] /Contents (why) >>"
    content = pdf(said("Page"), link, mark, page="/MediaBox [0 0 600 400] /Annots [6 0 R 7 0 R]")
    assert lines_of(content) == ["Page"]


@pytest.mark.parametrize("text_turn", [0, 90, 180, 270])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_turned_and_cropped_page_with_an_annotation_is_read_as_it_is_shown(rotation, text_turn):
    page = f"/MediaBox [0 0 600 400] /CropBox [100 100 500 360] /Rotate {rotation}"
    along, across = {0: (1, 0), 90: (0, 1), 180: (-1, 0), 270: (0, -1)}[text_turn]
    turned = f"{along} {across} {-across} {along}"
    x, y = 300 - 100 * along, 230 - 100 * across
    label = f"BT /F 12 Tf {turned} {x} {y} Tm (Town:) Tj ET" + said("Outside", 20, 300)
    x, y = x + 60 * along, y + 60 * across
    form = f"/Type /XObject /Subtype /Form /BBox [-300 -300 300 300] /Matrix [{turned} 0 0]"
    annotation = (
        f"<< /Type /Annot /Subtype /Stamp /Rect [{x - 300} {y - 300} {x + 300} {y + 300}] /F 4 /AP << /N 7 0 R >> >>"
    )
    stamp = (f"{form} /Resources << /Font << /F 4 0 R >> >>", said("Verona", 0, 0))
    content = pdf(label + said(" "), annotation, stamp, page=f"{page} /Annots [6 0 R]")
    with open_page(content, 1, Limits()) as opened:
        layer, image = opened.text_layer, opened.image()
        assert layer.text == "Town: Verona"
        covered = image.copy()
        for word in layer.words:
            left, top, right, bottom = (edge * image.width / opened.width for edge in word.box)
            assert image.crop((int(left), int(top), int(right), int(bottom))).getextrema()[0] < 100
            covered.paste(255, (int(left) - 6, int(top) - 6, int(right) + 6, int(bottom) + 6))
        assert covered.getextrema() == (255, 255)


def test_a_heading_of_spaced_letters_is_words_again():
    x, drawn = 50, ""
    for letter in "CONTO CORRENTE":
        drawn += said(letter, x, 300) if letter != " " else ""
        x += 25
    document = read_document(pdf(drawn + said("of the year", 50, 250)))
    assert [word.text for word in document.pages[0].words][:3] == ["C", "O", "N"]
    assert document.text == "CONTO CORRENTE\nof the year"


def test_text_beyond_the_limit_of_characters_is_not_looked_at():
    content = pdf("".join(said(f"word{n}", 50, 390 - 4 * n, size=4) for n in range(90)))
    with open_page(content, 1, Limits(max_text_length=20)) as opened:
        assert len(opened.text_layer.text) <= 21


@pytest.mark.parametrize(
    ("names", "said_of"), [(["a.pdf"], "1 attached file is not read"), (["a.pdf", "b.png"], "2 attached files are")]
)
def test_attached_files_are_said(names, said_of):
    files = []
    for name in names:
        number = FREE + len(files)
        files += [
            f"<< /Type /Filespec /F ({name}) /UF ({name}) /EF << /F {number + 1} 0 R >> >>",
            ("/Type /EmbeddedFile", "x"),
        ]
    tree = " ".join(f"({name}) {FREE + 2 * n} 0 R" for n, name in enumerate(names))
    content = pdf(said("Cover"), *files, catalog=f"/Names << /EmbeddedFiles << /Names [{tree}] >> >>")
    document = read_document(content)
    assert document.text == "Cover"
    assert document.status == "partial"
    assert said_of in document.error


def test_the_data_of_an_electronic_invoice_are_no_missing_page():
    spec = "<< /Type /Filespec /F (factur-x.xml) /UF (factur-x.xml) /EF << /F 7 0 R >> >>"
    tree = "/Names << /EmbeddedFiles << /Names [(factur-x.xml) 6 0 R] >> >>"
    document = read_document(pdf(said("Invoice"), spec, ("/Type /EmbeddedFile", "<a/>"), catalog=tree))
    assert (document.text, document.status, document.error) == ("Invoice", "ok", "")


LOCKED = pdf(said("Salary"), password="open sesame")


def test_an_encrypted_pdf_opens_with_its_password_only():
    assert read_document(LOCKED, options=ReadingOptions(password="open sesame")).text == "Salary"
    with pytest.raises(BadInputError, match="encrypted; give its password with --password"):
        survey(LOCKED, Limits())
    with pytest.raises(BadInputError, match="the password given does not open the PDF; check --password"):
        survey(LOCKED, Limits(), "open barley")


def test_a_password_reaches_workers_and_is_shown_nowhere(encoded):
    options = ReadingOptions(password="open sesame")
    assert "sesame" not in repr(options)
    files = [("a", LOCKED), ("b", pdf(said("Plain"))), ("c", encoded(Image.new("L", (40, 40), 255)))]
    assert [document.text for document in iter_documents(files, options=options, jobs=2)] == ["Salary", "Plain", ""]
    wrong = read_document(LOCKED, options=ReadingOptions(password="open barley"))
    assert wrong.status == "failed"
    assert "barley" not in wrong.error


def test_an_encrypted_pdf_in_the_cache_still_needs_its_password(tmp_path):
    cache = PageCache(tmp_path)
    for password, status in (("open sesame", "ok"), ("", "failed"), ("open sesame", "ok")):
        options = ReadingOptions(password=password)
        (document,) = iter_documents([("locked.pdf", LOCKED)], options=options, cache=cache, jobs=1)
        assert document.status == status


def test_a_pdf_with_an_owner_password_only_opens_without():
    assert read_document(pdf(said("Open"), password="")).text == "Open"


@pytest.mark.parametrize("way", ["option", "environment"])
def test_the_command_line_takes_the_password(tmp_path, way):
    (tmp_path / "locked.pdf").write_bytes(LOCKED)
    given = ["--password", "open sesame"] if way == "option" else []
    command = [sys.executable, "-m", "textclf", "ocr", "locked.pdf", "-o", "out.csv", "--cache", "cache", "--jobs", "1"]
    environment = {**os.environ, "TEXTCLF_OCR_PASSWORD": "" if given else "open sesame"}
    done = subprocess.run(
        [*command, *given], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    assert "Salary" in (tmp_path / "out.csv").read_text(encoding="utf-8")
    kept = "".join(file.read_text() for file in (tmp_path / "cache").rglob("*.json"))
    assert "sesame" not in done.stdout + done.stderr + kept


LETTER = (
    "Dear Mr Warrington, thank you for the payment of the",
    "premium in October. The next will be due in November.",
    "Contract 4711-0815, premium 1,250.00 euro, index 96.",
    "Yours sincerely, Margaret Johnson of the Insurance Office",
)


def letter_whose_font_names(tell: Callable[[str], str]) -> bytes:
    rows = "\n".join(f"<{code:02X}> <{ord(tell(chr(code))):04X}>" for code in range(32, 127))
    table = (
        "/CIDInit /ProcSet findresource begin 12 dict begin begincmap /CMapName /A def /CMapType 2 def\n"
        f"1 begincodespacerange <00> <FF> endcodespacerange\n95 beginbfchar\n{rows}\nendbfchar\nendcmap end end"
    )
    lines = "".join(said(line, 50, 350 - 30 * number, size=14) for number, line in enumerate(LETTER))
    return pdf(lines, ("", table), font="/ToUnicode 6 0 R")


def shifted(alphabet: str, to: str) -> Callable[[str], str]:
    return lambda letter: letter.translate(str.maketrans(alphabet, to))


@pytest.mark.parametrize(
    "tell",
    [
        shifted("abcdefghijklmnopqrstuvwxyz", "bcdefghijklmnopqrstuvwxyza"),
        shifted("aeiou", "eioua"),
        shifted("abcdefghijklmnopqrstuvwxyz", "абвгдежзийклмнопрстуфхцчшщ"),
        shifted("0123456789", "5678901234"),
        shifted("0123456789", "".join(chr(0xE000 + n) for n in range(10))),
    ],
    ids=["next letter", "vowels", "other alphabet", "digits", "digits without meaning"],
)
def test_a_font_that_names_its_letters_falsely_is_not_believed(tell):
    (page,) = read_document(letter_whose_font_names(tell)).pages
    assert page.source == "ocr"
    assert "thank you for the payment" in page.text
    assert "4711-0815" in page.text


def test_a_font_that_names_its_letters_rightly_is_believed():
    (page,) = read_document(letter_whose_font_names(str)).pages
    assert page.source == "text layer"
    assert page.text == "\n".join(LETTER)


def test_a_large_name_beside_small_lines_proves_nothing_against_a_layer():
    beside = said("Warrington", 40, 300, size=40) + said("paid by Margaret Johnson", 270, 300)
    content = pdf(beside + said("of the Insurance Office in Milton", 270, 318) + said("4711-0815 in October", 270, 285))
    assert read_document(content).pages[0].source == "text layer"


def test_a_reading_that_is_not_sure_proves_nothing_against_a_layer():
    layer = OcrResult(words=(Word(text="Счётчиков", confidence=100, box=(10, 10, 100, 30), line=0),))
    for confidence, doubted in ((79, False), (80, True)):
        read = OcrResult(words=(Word(text="CuetunkoB", confidence=confidence, box=(4, 4, 90, 20), line=0),))
        assert contradicts(Image.new("L", (200, 200), 255), layer, lambda _, read=read: read) == doubted


def test_a_layer_without_a_line_of_four_letters_is_not_checked():
    layer = OcrResult(words=(Word(text="no.", confidence=100, box=(10, 10, 100, 30), line=0),))
    assert not contradicts(Image.new("L", (200, 200), 255), layer, pytest.fail)

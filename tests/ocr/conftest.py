from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image, ImageDraw, ImageFont

from ocr.page_content import open_page
from ocr.reading_options import Limits

LETTER = (
    "Dear Madam,",
    "thank you for the payment of your insurance",
    "premium. The contract number is 4711 and the",
    "next premium is due in October.",
    "",
    "Please keep this letter with your policy.",
    "Yours sincerely,",
    "Margaret Johnson",
)


def _page(lines: tuple[str, ...] = LETTER, *, size: tuple[int, int] = (1240, 900), mode: str = "L") -> Image.Image:
    image = Image.new("L", size, 255)
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(lines):
        draw.text((80, 60 + 70 * row), line, font=ImageFont.load_default(40), fill=0)
    return image.convert(mode)


@pytest.fixture(scope="session")
def page() -> Callable[..., Image.Image]:
    """A page at about 150 dpi that Tesseract reads without a fault."""
    return _page


@pytest.fixture(scope="session")
def encoded() -> Callable[..., bytes]:
    """The bytes of an image file."""

    def encode(image: Image.Image, file_format: str = "PNG", **options: object) -> bytes:
        stream = BytesIO()
        image.save(stream, file_format, **options)
        return stream.getvalue()

    return encode


@pytest.fixture(scope="session")
def grey_of() -> Callable[..., Image.Image]:
    """Opens a page of a document within limits, and gives its image."""

    def grey(content: bytes, number: int = 1, **limits: int) -> Image.Image:
        with open_page(content, number, Limits(**limits)) as opened:
            return opened.image()

    return grey


@pytest.fixture(scope="session")
def png() -> Callable[..., bytes]:
    """A PNG of rows that are packed already."""

    def write(width: int, height: int, data: bytes, *, bits: int = 8, colour: int = 0) -> bytes:
        def chunk(kind: bytes, body: bytes) -> bytes:
            return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

        head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, 0)
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")

    return write


@pytest.fixture
def fake_tesseract(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Put a program named tesseract first on the PATH that answers what is asked of it, but reads as given."""

    def install(reading: str) -> None:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        script = folder / "tesseract"
        script.write_text(
            "#!/bin/sh\n"
            'case "$1" in\n'
            '--version) echo "tesseract 5.0.0";;\n'
            '--list-langs) printf "List of available languages (2):\\neng\\nosd\\n";;\n'
            f"*) input=$1; output=$2.tsv\n{reading}\n;;\n"
            "esac\n"
        )
        script.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder), prepend=":")

    return install


@pytest.fixture
def tsv() -> Callable[..., str]:
    """A table as Tesseract writes it, of words on one line."""

    def table(*words: str, confidence: float = 90.0) -> str:
        head = "level page_num block_num par_num line_num word_num left top width height conf text"
        rows = [
            ["5", "1", "1", "1", "1", str(n), str(n * 50), "10", "40", "20", str(confidence), word]
            for n, word in enumerate(words, 1)
        ]
        return "\n".join("\t".join(row) for row in [head.split(), *rows]) + "\n"

    return table

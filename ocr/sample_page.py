"""The page that workers read first, and that the self-test reads."""

from __future__ import annotations

from io import BytesIO

_LINES = ("2026 textclf 0123456789", "is this page read")


def sample_page() -> bytes:
    """Draw the page, as a PNG."""
    from PIL import Image, ImageDraw, ImageFont

    image = Image.new("L", (900, 260), 255)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate(_LINES):
        pen.text((60, 50 + 80 * row), line, font=ImageFont.load_default(44), fill=0)
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()

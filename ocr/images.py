"""Opening images: any of the usual formats to one kind of pixels, 8-bit grey, within bounds."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from ocr.limits import Limits
from textclf.errors import BadInputError

if TYPE_CHECKING:
    from PIL import Image

__all__ = ["frame_count", "grey_image", "opened_image"]

_FORMATS = ("BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP")
_STARTS: tuple[tuple[bytes | tuple[bytes, ...], str], ...] = (
    ((b"\x89PNG", b"\xff\xd8", b"II*\0", b"MM\0*", b"GIF8", b"RIFF", b"BM"), "a damaged image"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "PostScript"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"<", "HTML or XML"),
)
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, IndexError, KeyError, TypeError)
"""What Pillow's decoders raise over damaged files; several are plain faults of parsing."""

_BAND_PIXELS = 10_000_000
_PILLOW_LOCK = threading.Lock()


@contextmanager
def opened_image(file: IO[bytes], limits: Limits, *, page: int = 1) -> Iterator[Image.Image]:
    """Open an image without decoding it.

    Parameters
    ----------
    file : binary file
        At its beginning; the content decides the format, whatever the name says.
    limits : Limits
        ``max_declared_pixels`` applies.
    page : int
        Which frame to stand at, from 1.

    Yields
    ------
    PIL.Image.Image
        Not yet decoded. Damage that shows inside the block is raised as `BadInputError` too.

    Raises
    ------
    textclf.errors.BadInputError
        If it is no image, damaged or too large.
    """
    from PIL import Image, UnidentifiedImageError

    try:
        with _pillow_unbounded(), warnings.catch_warnings():
            # Pillow tells every oddity in the metadata of a damaged file; what matters is whether it decodes
            warnings.simplefilter("ignore")
            image = Image.open(file, formats=_FORMATS)
            if page > 1:
                image.seek(page - 1)
        with image, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if image.width * image.height > limits.max_declared_pixels:
                raise BadInputError(
                    f"announces {image.width:,} x {image.height:,} pixels"
                    f" (the limit is {limits.max_declared_pixels:,} in all)",
                    remedy="scale it down first",
                )
            yield image
    except UnidentifiedImageError as error:
        file.seek(0)
        raise BadInputError(
            f"is neither an image nor a PDF ({_found(file.read(64))})",
            remedy="give PNG, JPEG, TIFF, BMP, WebP, GIF or PDF",
        ) from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInputError(f"the image is damaged or cut short ({reason})") from error


@contextmanager
def _pillow_unbounded() -> Iterator[None]:
    """Lift Pillow's bomb limit: there is one for the whole process, far below a 30,000-pixel scan. Ours follows."""
    from PIL import Image

    with _PILLOW_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def _found(head: bytes) -> str:
    for start, kind in _STARTS:
        if head.startswith(start):
            return f"it looks like {kind}"
    return "it looks like plain text" if min(head) >= 9 else f"it begins with the bytes {head[:8].hex(' ')}"


def frame_count(image: Image.Image) -> int:
    """Count the pages of an opened image: the frames of a TIFF; an animation or a photo's preview is no page."""
    return getattr(image, "n_frames", 1) if image.format == "TIFF" else 1


def grey_image(image: Image.Image, max_pixels: int) -> Image.Image:
    """Decode to 8 bits of grey: upright as EXIF says, alpha on white, at most ``max_pixels`` pixels.

    A large image is brought down band by band, so that only the decoder's own copy is ever whole in memory;
    a JPEG is decoded at a fraction of its size in the first place.

    Parameters
    ----------
    image : PIL.Image.Image
        Opened, of any mode.
    max_pixels : int
        Bound on the result.

    Returns
    -------
    PIL.Image.Image
        Mode ``L``; an image that must shrink is shrunk by a whole factor.

    Examples
    --------
    >>> from PIL import Image
    >>> grey_image(Image.new("RGBA", (300, 200)), 15_000)
    <PIL.Image.Image image mode=L size=150x100 at ...>
    """
    from PIL import Image

    factor = _shrink_factor(image.size, max_pixels)
    if factor > 1:
        image.draft("L", (image.width // factor, image.height // factor))
    image.load()
    factor = _shrink_factor(image.size, max_pixels)
    bounds = _value_range(image)
    if factor == 1:
        grey = _to_grey(image, bounds)
    else:
        rows = max(1, _BAND_PIXELS // image.width // factor) * factor
        grey = Image.new("L", (-(-image.width // factor), -(-image.height // factor)))
        for top in range(0, image.height, rows):
            band = image.crop((0, top, image.width, min(top + rows, image.height)))
            grey.paste(_to_grey(band, bounds).reduce(factor), (0, top // factor))
    turn = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_270,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_90,
    }.get(image.getexif().get(0x0112, 1))
    return grey if turn is None else grey.transpose(turn)


def _shrink_factor(size: tuple[int, int], max_pixels: int) -> int:
    factor = 1
    while -(-size[0] // factor) * -(-size[1] // factor) > max(1, max_pixels):
        factor += 1
    return factor


def _value_range(image: Image.Image) -> tuple[float, float] | None:
    """Values that mean black and white in images of more than 8 bits; None for all others."""
    if image.mode[0] not in "IF":
        return None
    low, high = (float(value) for value in image.getextrema() if isinstance(value, (int, float)))
    if low >= 0:
        for white in (1.0, 255.0, 65535.0):
            if high <= white and (white > 1 or image.mode == "F"):
                return 0.0, white
    return low, high


def _to_grey(image: Image.Image, bounds: tuple[float, float] | None) -> Image.Image:
    import numpy as np
    from PIL import Image

    if bounds is not None:
        black, white = bounds
        values = np.nan_to_num((np.asarray(image, dtype=np.float32) - black) * (255 / ((white - black) or 1)))
        return Image.fromarray(values.clip(0, 255).astype(np.uint8))
    if image.has_transparency_data:
        picture = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture).convert("L")
    return image.convert("L") if image.mode in ("1", "L", "P", "RGB") else image.convert("RGB").convert("L")

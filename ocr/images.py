"""Opening images of the usual formats, within limits, as 8-bit grey pixels."""

from __future__ import annotations

import math
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, nullcontext
from typing import IO, Any, cast

import numpy as np
from PIL import Image, UnidentifiedImageError

from ocr.reading_options import Limits
from ocr.source_file import HEAD, is_heif, looks_like
from textclf.base.errors import BadInputError

_FORMATS = ("AVIF", "BMP", "GIF", "JPEG", "JPEG2000", "PNG", "TIFF", "WEBP")
_READABLE = "PNG, JPEG, TIFF, BMP, WebP, GIF, HEIC, AVIF, JPEG 2000 or PDF"
_DAMAGE = (OSError, SyntaxError, ValueError, EOFError, ArithmeticError, IndexError, KeyError, TypeError, RuntimeError)
"""Exceptions that Pillow's decoders raise for damaged files."""

_BITS_PER_SAMPLE, _PHOTOMETRIC, _MAX_SAMPLE = 258, 262, 281
"""Tags of TIFF 6.0; in Pillow, images of more than 8 bits are not inverted where the photometric is 0."""

_ORIENTATION = 0x0112
_TURNS = ("FLIP_LEFT_RIGHT", "ROTATE_180", "FLIP_TOP_BOTTOM", "TRANSPOSE", "ROTATE_270", "TRANSVERSE", "ROTATE_90")
"""Pillow's names of the operations that undo EXIF's orientations, from 2 on."""

_BAND_PIXELS = 10_000_000
_PILLOW_PIXELS = 89_478_485
"""Pixels from which on Pillow warns, and refuses twice as many, unless its limit is lifted."""
_PILLOW_LOCK = threading.Lock()


@contextmanager
def opened_image(file: IO[bytes], limits: Limits, *, page: int = 1) -> Iterator[Image.Image]:
    """Open an image by its content without decoding it; errors of decoding in the block become `BadInputError`."""
    try:
        with warnings.catch_warnings(), ExitStack() as stack:
            # Pillow warns about odd metadata, but only decoding matters
            warnings.simplefilter("ignore")
            with _pillow_unbounded():
                image = stack.enter_context(_opened(file))
                if page > 1:
                    image.seek(page - 1)
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
            f"is neither an image nor a PDF ({looks_like(file.read(HEAD))})", remedy=f"give {_READABLE}"
        ) from error
    except _DAMAGE as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        raise BadInputError(f"the image is damaged or cut short ({reason})") from error


def _opened(file: IO[bytes]) -> Image.Image:
    head = file.read(HEAD)
    file.seek(0)
    if not is_heif(head):
        return Image.open(file, formats=_FORMATS)
    # imported for such files only, and not registered with Pillow, whose registry is global
    from pillow_heif import HeifImageFile

    opened: Image.Image = HeifImageFile(file)  # type: ignore[no-untyped-call]
    return opened


@contextmanager
def _pillow_unbounded() -> Iterator[None]:
    """Lift Pillow's limit against decompression bombs, which is global and below a scan of 30,000 pixels squared."""
    with _PILLOW_LOCK:
        limit, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = limit


def frame_count(image: Image.Image) -> int:
    """Count the pages of an opened image: the frames of a TIFF; frames of animations and photos are no pages."""
    return getattr(image, "n_frames", 1) if image.format == "TIFF" else 1


def grey_image(image: Image.Image, max_pixels: int) -> Image.Image:
    """Decode an opened image of any mode to 8 bits of grey, upright as EXIF says, of at most ``max_pixels``."""
    # a JPEG can be decoded at a fraction of its size
    factor = _shrink_factor(image.size, max_pixels)
    if factor > 1:
        image.draft("L", (image.width // factor, image.height // factor))
    # of 16 bits in several channels, Pillow takes the upper 8
    deep = len(image.getbands()) > 1 and any(";16" in str(tile[3]) for tile in getattr(image, "tile", ()))
    # Pillow asks its limit of a compressed TIFF again; the lock would keep other threads from decoding small images
    with _pillow_unbounded() if image.width * image.height > _PILLOW_PIXELS else nullcontext():
        image.load()
    factor = _shrink_factor(image.size, max_pixels)
    bounds = _value_range(image, deep=deep)
    paper = None if not image.has_transparency_data or _is_clear(image) else "white"
    grey = _in_grey(image, factor, bounds, paper)
    low, high = grey.getextrema()
    if paper and low == high:
        # white on nothing, as for a dark screen
        grey = _in_grey(image, factor, bounds, "black")
    if grey.width * grey.height > max_pixels:
        share = math.sqrt(max_pixels / (grey.width * grey.height))
        size = (max(1, int(grey.width * share)), max(1, int(grey.height * share)))
        grey = grey.resize(size, Image.Resampling.BICUBIC)
    turn = dict(enumerate(_TURNS, 2)).get(image.getexif().get(_ORIENTATION, 1))
    return grey.transpose(Image.Transpose[turn]) if turn else grey


def _shrink_factor(size: tuple[int, int], max_pixels: int) -> int:
    """Give the integer factor by which an image can be reduced and keep at least the pixels wanted."""
    return max(1, math.isqrt(size[0] * size[1] // max(1, max_pixels)))


def _value_range(image: Image.Image, *, deep: bool) -> tuple[float, float] | None:
    """Give the values that mean black and white in images of more than 8 bits; None for all others."""
    tags: Mapping[int, Any] = getattr(image, "tag_v2", {})
    if deep:
        # of 16 bits, the upper 8 are left
        most = max(high for _, high in cast("tuple[tuple[int, int], ...]", image.convert("RGB").getextrema()))
        return next(((0.0, white) for white in (3.0, 15.0, 63.0) if most <= white), None)
    if image.mode[0] not in "IF":
        return None
    low, high = _extrema(image)
    if low < 0:
        return low, high
    # the file's own word counts, else the fewest bits that hold all values: scanners write 10, 12 and 14 bits into 16
    # without saying so, and the worst that can come of it is that an image far too dark is brightened
    whites = [float(2**bits - 1) for bits in (8, 10, 12, 14, 16)]
    if image.mode == "F":
        whites.insert(0, 1.0)
    stated = [*tags.get(_MAX_SAMPLE, ()), *(2**bits - 1 for bits in tags.get(_BITS_PER_SAMPLE, ()))]
    whites[:0] = [float(value) for value in stated if isinstance(value, int) and 255 < value < 65535]
    white = next((white for white in whites if high <= white), high)
    return (white, 0.0) if tags.get(_PHOTOMETRIC) == 0 else (0.0, white)


def _extrema(image: Image.Image) -> tuple[float, float]:
    """Give the minimum and maximum of finite values; Pillow's own fails for some modes and for NaN."""
    lows, highs = [], []
    for band in _bands(image, max(1, _BAND_PIXELS // image.width)):
        values = np.asarray(band)
        finite = values[np.isfinite(values)]
        if finite.size:
            lows.append(float(finite.min()))
            highs.append(float(finite.max()))
    return min(lows, default=0.0), max(highs, default=1.0)


def _is_clear(image: Image.Image) -> bool:
    """Return whether an image is wholly transparent: a common fault of programs; viewers then show its colours."""
    if image.mode[-1] in "Aa":
        return image.getchannel(image.getbands()[-1]).getextrema() == (0, 0)
    alphas = image.info["transparency"]
    if image.mode == "P" and isinstance(alphas, bytes):
        return not any(alphas[index : index + 1] != b"\0" for index, count in enumerate(image.histogram()) if count)
    return False


def _in_grey(image: Image.Image, factor: int, bounds: tuple[float, float] | None, paper: str | None) -> Image.Image:
    """Reduce a decoded image by an integer factor, band by band, to hold only one full copy in memory."""
    if factor == 1:
        return _to_grey(image, bounds, paper)
    rows = max(1, _BAND_PIXELS // image.width // factor) * factor
    grey = Image.new("L", (-(-image.width // factor), -(-image.height // factor)))
    for number, band in enumerate(_bands(image, rows)):
        grey.paste(_to_grey(band, bounds, paper).reduce(factor), (0, number * rows // factor))
    return grey


def _bands(image: Image.Image, rows: int) -> Iterator[Image.Image]:
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def _to_grey(image: Image.Image, bounds: tuple[float, float] | None, paper: str | None) -> Image.Image:
    """Convert to grey; transparent pixels show the ``paper``, or without one their own colour."""
    if image.mode[0] in "IF" and bounds is not None:
        black, white = bounds
        values = (np.asarray(image, dtype=np.float32) - black) * (255 / ((white - black) or 1))
        return Image.fromarray(np.nan_to_num(values, nan=255).clip(0, 255).astype(np.uint8))
    if image.mode == "LAB":
        # its lightness; Pillow converts it to nothing else without colour profiles
        return image.getchannel("L")
    if image.mode == "La":
        image = image.convert("LA")
    if paper:
        picture = image.convert("RGBA")
        grey = Image.alpha_composite(Image.new("RGBA", picture.size, paper), picture).convert("L")
    else:
        grey = image.convert("L") if image.mode in ("1", "L", "P", "RGB") else image.convert("RGB").convert("L")
    return grey if bounds is None else grey.point([min(255, round(value * 255 / bounds[1])) for value in range(256)])

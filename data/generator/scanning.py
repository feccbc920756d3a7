"""What a scanner does to a page: paper, light, dust, a crooked feed; and the file it writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from time import gmtime
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from data.generator.drawing import TITLE, draw_pixels, write_pdf
from data.generator.pages import Page

Mode = Literal["bilevel", "grey", "colour"]
Container = Literal["png", "jpg", "tif", "webp", "bmp", "gif", "pdf"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One way to file paper: container, colours, resolution; ``name`` goes into the labels."""

    name: str
    container: Container
    mode: Mode
    dpi: int
    quality: int = 50


DIGITAL = Kind(name="digital pdf", container="pdf", mode="colour", dpi=0)
MIXED = Kind(name="mixed pdf", container="pdf", mode="grey", dpi=150, quality=40)
# each kind as often as it stands here; the long list is dealt out like a deck of cards
SINGLE = (
    *2 * (Kind(name="jpeg", container="jpg", mode="grey", dpi=100, quality=60),),
    *4 * (Kind(name="jpeg", container="jpg", mode="grey", dpi=150, quality=45),),
    *4 * (Kind(name="jpeg", container="jpg", mode="grey", dpi=200, quality=35),),
    *3 * (Kind(name="jpeg", container="jpg", mode="colour", dpi=150, quality=50),),
    *2 * (Kind(name="jpeg", container="jpg", mode="colour", dpi=200, quality=35),),
    *1 * (Kind(name="jpeg", container="jpg", mode="colour", dpi=100, quality=65),),
    *2 * (Kind(name="bilevel png", container="png", mode="bilevel", dpi=200),),
    *2 * (Kind(name="bilevel png", container="png", mode="bilevel", dpi=300),),
    *1 * (Kind(name="grey png", container="png", mode="grey", dpi=100),),
    *1 * (Kind(name="grey png", container="png", mode="grey", dpi=150),),
    *2 * (Kind(name="ccitt tiff", container="tif", mode="bilevel", dpi=200),),
    *3 * (Kind(name="ccitt tiff", container="tif", mode="bilevel", dpi=300),),
    *1 * (Kind(name="jpeg tiff", container="tif", mode="grey", dpi=150, quality=50),),
    *2 * (Kind(name="scanned pdf", container="pdf", mode="grey", dpi=150, quality=45),),
    *2 * (Kind(name="scanned pdf", container="pdf", mode="bilevel", dpi=300),),
    *1 * (Kind(name="webp", container="webp", mode="colour", dpi=150, quality=40),),
    *1 * (Kind(name="bmp", container="bmp", mode="bilevel", dpi=150),),
    *1 * (Kind(name="gif", container="gif", mode="grey", dpi=100),),
    *4 * (DIGITAL,),
)
SEVERAL = (
    Kind(name="ccitt tiff", container="tif", mode="bilevel", dpi=200),
    MIXED,
    Kind(name="scanned pdf", container="pdf", mode="bilevel", dpi=300),
    DIGITAL,
    Kind(name="jpeg tiff", container="tif", mode="grey", dpi=150, quality=45),
    Kind(name="scanned pdf", container="pdf", mode="grey", dpi=200, quality=35),
)


def scan(page: Page, kind: Kind, rotation: int, rng: Random) -> Image.Image:
    """Draw a page and pass it through a scanner; ``rotation`` degrees counter-clockwise set it upright again."""
    noise = np.random.default_rng(rng.randrange(2**32))
    image = draw_pixels(page, kind.dpi)
    if kind.mode != "colour":
        image = image.convert("L")
    paper = rng.randrange(232, 256)
    image = image.rotate(rng.gauss(0, 0.7), resample=Image.Resampling.BICUBIC, fillcolor=_same(image, 255))
    # one page in eight is a faint copy, a little out of focus
    faint = rng.random() < 0.125
    blur = rng.uniform(0.6, 0.9) if faint else rng.uniform(0.15, 0.5)
    image = image.filter(ImageFilter.GaussianBlur(blur * kind.dpi / 150))
    pixels: NDArray[np.floating] = np.asarray(image, dtype=np.float32)
    height, width = pixels.shape[:2]
    # ink is never quite black and paper never quite white
    dark = rng.uniform(70, 110) if faint else rng.uniform(10, 60)
    pixels = dark + pixels * (paper - dark) / 255
    light = _light(width, height, rng)
    grain = noise.normal(0, rng.uniform(0.5, 4.0), (height, width)).astype(np.float32)
    if pixels.ndim == 3:
        light, grain = light[..., None], grain[..., None]
        pixels *= np.array([1.0, rng.uniform(0.97, 1.0), rng.uniform(0.9, 1.0)], dtype=np.float32)
    pixels = pixels * light + grain
    _speckle(pixels, rng, noise, kind.dpi)
    if kind.mode == "bilevel":
        pixels = np.where(pixels > rng.uniform(125, 165), 255, 0)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    image = image.rotate(-rotation, expand=True)
    return image.convert("1", dither=Image.Dither.NONE) if kind.mode == "bilevel" else image


def _same(image: Image.Image, value: int) -> int | tuple[int, int, int]:
    return value if image.mode == "L" else (value, value, value)


def _light(width: int, height: int, rng: Random) -> NDArray[np.floating]:
    """Give the fall of light: a slope over the page, and with some scanners a dark edge (a book's fold)."""
    x, y = np.linspace(-1, 1, width, dtype=np.float32)[None, :], np.linspace(-1, 1, height, dtype=np.float32)[:, None]
    light = (
        1
        - rng.uniform(0, 0.08) * (1 + x * rng.uniform(-1, 1)) / 2
        - rng.uniform(0, 0.08) * (1 + y * rng.uniform(-1, 1)) / 2
    )
    if rng.random() < 0.3:
        edge = x if rng.random() < 0.5 else -x
        light = light - rng.uniform(0.15, 0.4) * np.clip(edge - 0.9, 0, None) * 10
    return np.broadcast_to(light, (height, width)).astype(np.float32)


def _speckle(pixels: NDArray[np.floating], rng: Random, noise: np.random.Generator, dpi: int) -> None:
    """Add dust on the glass, dark and light, in place."""
    height, width = pixels.shape[:2]
    count = int(rng.choice((0, 0, 20, 60, 160, 320)) * height * width / (8.3 * 11.7 * dpi * dpi))
    grain = max(1, dpi // 150)
    for top, left, white in zip(
        noise.integers(0, height, count), noise.integers(0, width, count), noise.random(count) < 0.3, strict=True
    ):
        size = grain if noise.random() < 0.8 else 2 * grain
        pixels[top : top + size, left : left + size] = 250 if white else 40


def write(pages: Sequence[Page], kind: Kind, rotation: int, path: Path, rng: Random) -> None:
    """Scan the pages and write them as one file of that kind."""
    if kind is DIGITAL:
        write_pdf(pages, path, dpi=72, quality=60)
        return
    if kind is MIXED:
        scanned = [scan(page, kind, rotation, rng) for page in pages[1:]]
        write_pdf([pages[0], *scanned], path, dpi=kind.dpi, quality=kind.quality)
        return
    images = [scan(page, kind, rotation, rng) for page in pages]
    # Pillow refuses a quality where nothing is lost
    quality = {} if kind.mode == "bilevel" else {"quality": kind.quality}
    first, rest, dpi = images[0], images[1:], (kind.dpi, kind.dpi)
    if kind.container == "png":
        # sixteen greys are what office scanners keep, and take half the bytes
        first = first if kind.mode == "bilevel" else first.quantize(16)
        first.save(path, "PNG", dpi=dpi, optimize=True)
    elif kind.container == "jpg":
        first.save(path, "JPEG", dpi=dpi, quality=kind.quality, optimize=True)
    elif kind.container == "tif":
        packing = {"compression": "group4"} if kind.mode == "bilevel" else {"compression": "jpeg", **quality}
        first.save(path, "TIFF", dpi=dpi, save_all=True, append_images=rest, **packing)
    elif kind.container == "webp":
        first.save(path, "WEBP", quality=kind.quality)
    elif kind.container == "bmp":
        first.save(path, "BMP", dpi=dpi)
    elif kind.container == "gif":
        first.quantize(8).save(path, "GIF")
    else:
        then = gmtime(0)
        first.save(
            path,
            "PDF",
            resolution=kind.dpi,
            **quality,
            save_all=True,
            append_images=rest,
            title=TITLE,
            creationDate=then,
            modDate=then,
        )

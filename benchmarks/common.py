"""Functions that all benchmarks share: options, reading the data, printing tables, writing JSON."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shlex
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from runpy import run_path

import numpy as np
from numpy.typing import NDArray

# works in a checkout that is not installed, too
sys.path.insert(0, str(Path(__file__).parents[1]))

from features.tokens import tokenize
from ocr.engines import TesseractEngine
from textclf import DocumentClassifier, __version__
from textclf.base.files import write_aside
from textclf.base.resources import usable_cores
from textclf.base.tables import read_rows
from textclf.model.fit import fit_model
from textclf.model.training_texts import observe_training

ROOT = Path(__file__).parents[1]
LIBRARIES = ("numpy", "scikit-learn", "gensim", "scipy", "pytesseract", "pypdfium2", "pillow")

Row = Mapping[str, object]


def options(topic: str, description: str) -> argparse.ArgumentParser:
    """Return the argument parser of every benchmark; scripts add their own options."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="a small part only, as a trial; no JSON")
    parser.set_defaults(topic=topic)
    return parser


def shared(*parts: str) -> Path:
    """Find a data set in the folder ``shared`` beside the checkout; end the script without an error if it is absent."""
    path = ROOT.parent.joinpath("shared", *parts)
    if not path.exists():
        print(f"skipped: there is no {os.path.relpath(path, ROOT)} beside this checkout", file=sys.stderr)
        raise SystemExit(0)
    return path


def dataset(name: str, *, quick: bool = False) -> list[dict[str, str]]:
    """Read the rows of a data set, in file order; with ``quick`` every fifth."""
    path = shared("datasets", name, "documents.csv")
    return [row.values for row in read_rows(path, required=["text", "category"])][:: 5 if quick else 1]


def tobacco(*, quick: bool) -> tuple[list[str], list[str]]:
    """Read texts and categories of the Tobacco-3482 pages, in file order; with ``quick`` every fifth."""
    rows = dataset("tobacco3482-ocr", quick=quick)
    return [row["text"] for row in rows], [row["category"] for row in rows]


def rvl_scans(*, quick: bool) -> list[dict[str, str]]:
    """Read 640 real pages of 16 kinds; with ``quick`` half."""
    return read_scans("rvl-scans")[:: 2 if quick else 1]


def read_scans(name: str) -> list[dict[str, str]]:
    """Read the pages of a data set through `textclf ocr`, from the cache the second time."""
    folder = shared("datasets", name)
    with tempfile.TemporaryDirectory() as temporary:
        table = Path(temporary, "documents.csv")
        run_textclf("ocr", folder, "--labels", folder / "labels.csv", "-o", table)
        rows = [row.values for row in read_rows(table, required=["text", "category"])]
    return [{**row, "file": row["document_id"]} for row in rows]


def corrupted(texts: Sequence[str], rate: float) -> list[str]:
    """Corrupt texts with ``shared/tools/corrupt.py``: the text at position i with seed i."""
    corrupt = run_path(str(shared("tools", "corrupt.py")))["corrupt"]
    return [corrupt(text, rate, i) for i, text in enumerate(texts)]


def fitted_scores(
    train: Sequence[str], labels: NDArray[np.int64], categories: Sequence[str], unseen: Sequence[str]
) -> NDArray[np.float64]:
    """Train textclf on some texts, without calibration and threshold, and return the margins of others."""
    classifier = DocumentClassifier()
    settings = classifier.feature_settings()
    fitted = fit_model(observe_training(train, labels, categories, settings), settings, c=classifier.C)
    return fitted.linear.margins(fitted.features.rows(unseen))


def word_recall(truth: str, text: str) -> float:
    """Proportion of the true words, each as often as it occurs, that were read; 1 if there are none."""
    wanted, found = Counter(tokenize(truth)), Counter(tokenize(text))
    return (wanted & found).total() / wanted.total() if wanted else 1.0


def run_textclf(*arguments: str | Path) -> str:
    """Run ``textclf`` as a user would, and return its output; its messages go to stderr."""
    with start_textclf(*arguments, stdout=subprocess.PIPE) as running:
        printed, _ = running.communicate()
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, running.args)
    return printed


def start_textclf(*arguments: str | Path, **streams: int) -> subprocess.Popen[str]:
    """Start ``textclf`` as a user would; ``streams`` as `subprocess.Popen` takes them."""
    command = [sys.executable, "-m", "textclf", *map(str, arguments)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.getenv("PYTHONPATH")]))}
    return subprocess.Popen(command, env=environment, text=True, **streams)


def finish(arguments: argparse.Namespace, tables: Mapping[str, Sequence[Row]]) -> None:
    """Print the tables and, unless ``--quick`` was given, write ``benchmarks/results/<topic>.json``.

    The JSON holds no date, so that two runs differ only in figures, versions and cores.
    """
    for title, rows in tables.items():
        print_table(title, rows)
    if arguments.quick:
        print("quick run: no JSON written", file=sys.stderr)
        return
    path = ROOT / "benchmarks" / "results" / f"{arguments.topic}.json"
    result = {
        "topic": arguments.topic,
        "command": shlex.join(["python", f"benchmarks/{Path(sys.argv[0]).name}", *sys.argv[1:]]),
        "commit": _commit(),
        "cores": usable_cores(),
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {
            "python": platform.python_version(),
            "textclf": __version__,
            "tesseract": TesseractEngine().version,
            **{name: version(name) for name in LIBRARIES},
        },
        "tables": {
            title: [{name: _rounded(value) for name, value in row.items()} for row in rows]
            for title, rows in tables.items()
        },
    }
    with write_aside(path) as aside:
        aside.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    print(f"written: {path.relative_to(ROOT)}", file=sys.stderr)


def print_table(title: str, rows: Sequence[Row]) -> None:
    """Print a table in plain text: words aligned left, numbers right."""
    columns = list(dict.fromkeys(name for row in rows for name in row))
    cells = [[_shown(row.get(name)) for name in columns] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    left = [any(isinstance(row.get(name), str) for row in rows) for name in columns]
    print(f"\n{title}")
    for line in (columns, ["-" * width for width in widths], *cells):
        padded = (
            cell.ljust(width) if text else cell.rjust(width)
            for cell, width, text in zip(line, widths, left, strict=True)
        )
        print("  ".join(padded).rstrip())


def _shown(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:,.3f}" if isinstance(value, float) else str(value)


def _rounded(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else value


def _commit() -> str:
    """Name the commit, with ``+`` if files beside the results were changed since."""

    def git(*arguments: str) -> str:
        return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--", ".", ":!benchmarks/results")
        return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"

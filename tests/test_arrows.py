"""Which package may import which, and what a prediction may load."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from textclf import DocumentClassifier

ROOT = Path(__file__).parents[1]
GROUND = "textclf.base."
"""What every package may import of textclf."""


def imported(*paths: Path) -> set[str]:
    """Dotted names of all that some modules import, inside functions too."""
    names: set[str] = set()
    for path in paths:
        for node in ast.walk(ast.parse(path.read_bytes(), path)):
            match node:
                case ast.Import():
                    names |= {f"{alias.name}." for alias in node.names}
                case ast.ImportFrom():
                    assert node.level == 0, f"{path}: imports are written in full"
                    names |= {f"{node.module}.{alias.name}." for alias in node.names}
    return names


def of(names: set[str], *packages: str) -> set[str]:
    return {name for name in names if name.split(".")[0] in packages}


@pytest.mark.parametrize(
    ("package", "foreign"),
    [
        ("ocr", ["features", "aws_ml_adapter", "data", "tests", "boto3", "botocore"]),
        ("features", ["ocr", "aws_ml_adapter", "data", "tests", "boto3", "botocore"]),
        ("textclf", ["aws_ml_adapter", "data", "tests", "boto3", "botocore"]),
        ("aws_ml_adapter", ["data", "tests"]),
    ],
)
def test_no_package_imports_what_stands_beside_or_above_it(package, foreign):
    assert of(imported(*(ROOT / package).rglob("*.py")), *foreign) == set()


@pytest.mark.parametrize("package", ["ocr", "features", "textclf/base"])
def test_of_textclf_the_lower_packages_import_the_ground_floor_only(package):
    names = of(imported(*(ROOT / package).rglob("*.py")), "textclf")
    assert {name for name in names if not name.startswith(GROUND)} == set()


def test_the_ground_floor_stands_on_nothing_of_the_project():
    assert of(imported(*(ROOT / "textclf" / "base").rglob("*.py")), "ocr", "features") == set()


def test_every_package_is_installed():
    """A folder that the project file does not name works in a checkout, and is missing where it was installed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(settings["tool"]["setuptools"]["packages"])
    top = {name.partition(".")[0] for name in listed}
    found = {".".join(path.parent.relative_to(ROOT).parts) for name in top for path in (ROOT / name).rglob("*.py")}
    assert listed == found


def loaded_by(program: str) -> set[str]:
    """Packages that a program loads in a Python of its own, those of the standard library left out."""
    program = (
        "import sys; before = {*sys.modules}\n"
        f"{program}\n"
        "print(*({name.split('.')[0] for name in {*sys.modules} - before} - sys.stdlib_module_names))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, timeout=180)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_importing_textclf_loads_nothing():
    assert loaded_by("import textclf") == {"textclf"}


def test_the_command_line_shows_its_help_without_numpy():
    assert "numpy" not in loaded_by("import textclf.commands")


def test_a_prediction_loads_numpy_and_nothing_else(tmp_path):
    texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    DocumentClassifier(n_jobs=1).fit(texts, ["invoice", "invoice", "letter", "letter"]).save(tmp_path / "model.textclf")
    program = f"""
import textclf
path = {str(tmp_path / "model.textclf")!r}
assert textclf.load(path).predict(["the invoice is due", "lnvoice"])[0].predicted_category == "invoice"
assert textclf.predict_document_category(textclf.LocalClient(path), "dear madam")[0] == "letter"
"""
    assert loaded_by(program) == {"textclf", "features", "ocr", "numpy"}

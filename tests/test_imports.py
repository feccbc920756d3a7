"""Which package may import which, and which packages a prediction loads."""

from __future__ import annotations

import ast
import subprocess
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

from textclf import DocumentClassifier

ROOT = Path(__file__).parents[1]
BASE = {"textclf.base"}
MODEL = {*BASE, "features", "ocr"}
API = {*BASE, "features"}
MAY_IMPORT = {
    "textclf.base": set(),
    "ocr": BASE,
    "features": BASE,
    "textclf.model": MODEL,
    "textclf.data": MODEL | {"textclf.model"},
    "textclf.evaluation": MODEL | {"textclf.model", "textclf.data"},
    "textclf.checks": MODEL | {"textclf.model", "textclf.data", "textclf.evaluation"},
    "textclf.library": MODEL | {"textclf.model", "textclf.data"},
    "textclf.folders": MODEL | {"textclf.model", "textclf.data", "textclf.library"},
    "textclf.service": MODEL
    | {"textclf.model", "textclf.data", "textclf.evaluation", "textclf.checks", "textclf.library"}
    | {"textclf.bridges"},
    "textclf.bridges": MODEL | {"textclf.model", "textclf.data"},
    "textclf.commands": MODEL
    | {"textclf.model", "textclf.data", "textclf.evaluation", "textclf.checks"}
    | {"textclf.library", "textclf.service", "textclf.folders", "textclf.bridges"},
    "textclf": BASE | {"textclf.model"},
    "textclf.__main__": BASE | {"textclf.commands"},
    "aws_ml_adapter.api": API,
    "aws_ml_adapter.engine": API | {"aws_ml_adapter.api"},
    "aws_ml_adapter.server": API | {"aws_ml_adapter.api", "aws_ml_adapter.engine"},
    "aws_ml_adapter.client": API
    | {"aws_ml_adapter.api", "textclf.model", "textclf.data", "textclf.evaluation", "textclf.commands"},
    "aws_ml_adapter.serverless": MODEL | {"textclf.model", "textclf.data"},
    "aws_ml_adapter": set(),
    "aws_ml_adapter.cli": {"aws_ml_adapter.client", "aws_ml_adapter.server", "textclf.commands"},
    "aws_ml_adapter.__main__": BASE | {"textclf.__main__"},
}
"""Every package, and the other packages of the project that its modules may import, inside functions too."""


def modules() -> dict[str, Path]:
    """The dotted name of each module, mapped to its file."""
    top = ("ocr", "features", "textclf", "aws_ml_adapter")
    paths = [path for name in top for path in (ROOT / name).rglob("*.py")]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def package(module: str) -> str:
    """The package of a module: the longest name of the table that is a prefix of its own."""
    return max((name for name in MAY_IMPORT if f"{module}.".startswith(f"{name}.")), key=len)


@cache
def imported(path: Path) -> frozenset[str]:
    """The dotted names that a module imports, inside functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_bytes(), path)):
        match node:
            case ast.Import():
                names |= {alias.name for alias in node.names}
            case ast.ImportFrom():
                assert node.level == 0, f"{path}: imports are written in full"
                names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return frozenset(names)


@pytest.fixture(scope="module")
def imports() -> dict[str, set[str]]:
    """Each module, mapped to the modules of the project that it imports."""
    known = modules()
    graph: dict[str, set[str]] = {}
    for module, path in known.items():
        # "package.module.name" is an import from package.module
        found = {name if name in known else name.rpartition(".")[0] for name in imported(path)}
        graph[module] = found & known.keys()
    return graph


def test_every_module_imports_only_what_its_package_may(imports):
    wrong = [
        f"{module} imports {name}"
        for module, names in imports.items()
        for name in names
        if package(name) not in {package(module), *MAY_IMPORT[package(module)]}
    ]
    assert not wrong


def test_there_are_no_circular_imports(imports):
    TopologicalSorter(imports).prepare()


@pytest.mark.parametrize("package", ["ocr", "features", "textclf"])
def test_no_package_but_the_adapter_knows_amazon(package):
    names = {name.partition(".")[0] for path in (ROOT / package).rglob("*.py") for name in imported(path)}
    assert not names & {"boto3", "botocore"}


def test_no_package_imports_tests_or_samples():
    names = {name.partition(".")[0] for path in modules().values() for name in imported(path)}
    assert not names & {"data", "tests", "benchmarks"}


def test_every_package_is_installed():
    """A folder that pyproject.toml does not list works in a checkout, but is not installed."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    listed = set(settings["tool"]["setuptools"]["packages"])
    top = {name.partition(".")[0] for name in listed}
    found = {".".join(path.parent.relative_to(ROOT).parts) for name in top for path in (ROOT / name).rglob("*.py")}
    assert listed == found


def loaded_by(program: str) -> set[str]:
    """Packages outside the standard library that a program loads in a Python process of its own."""
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


@pytest.mark.parametrize("commands", ["textclf.commands", "aws_ml_adapter.cli"])
def test_the_command_line_shows_its_help_without_numpy(commands):
    assert not loaded_by(f"import {commands}") & {"numpy", "boto3", "uvicorn", "sqlalchemy", "httpx", "fastapi"}


def test_a_prediction_loads_numpy_and_nothing_else(tmp_path):
    texts = ["invoice total due", "invoice vat number", "dear sir or madam", "dear aunt with love"]
    DocumentClassifier(n_jobs=1).fit(texts, ["invoice", "invoice", "letter", "letter"]).save(tmp_path / "model.textclf")
    program = f"""
import textclf
path = {str(tmp_path / "model.textclf")!r}
assert textclf.load(path)("the invoice is due").predicted_category == "invoice"
assert textclf.predict_document_category(textclf.LocalClient(path), "dear madam")[0] == "letter"
"""
    assert loaded_by(program) == {"textclf", "features", "ocr", "numpy"}

"""The generator makes the committed bytes again, and its own examples hold."""

from __future__ import annotations

import doctest
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest


def test_examples_of_codes_hold(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = importlib.util.spec_from_file_location("sample_people", root / "data" / "generator" / "people.py")
    assert spec is not None
    assert spec.loader is not None
    people = importlib.util.module_from_spec(spec)
    # dataclasses look their module up
    monkeypatch.setitem(sys.modules, "sample_people", people)
    spec.loader.exec_module(people)
    result = doctest.testmod(people)
    assert (result.failed, result.attempted > 5) == (0, True)


def test_no_package_imports_the_generator(root: Path) -> None:
    for package in ("ocr", "features", "textclf", "aws_ml_adapter"):
        for path in (root / package).rglob("*.py"):
            assert "data.generator" not in path.read_text(encoding="utf-8"), path


def skip_with_other_versions(root: Path, samples: Path) -> None:
    pytest.importorskip("reportlab", reason="the generator draws PDFs with reportlab")
    asked = "import json; from data.generator.__main__ import versions; print(json.dumps(versions()))"
    here = subprocess.run([sys.executable, "-c", asked], cwd=root, capture_output=True, text=True, timeout=60)
    if here.returncode:
        pytest.skip(f"the generator's fonts are not installed: {here.stderr.splitlines()[-1]}")
    made_with = json.loads((samples / "made_with.json").read_text(encoding="utf-8"))
    if json.loads(here.stdout) != made_with:
        pytest.skip("other versions of libraries or fonts than in data/made_with.json")


@pytest.mark.slow
def test_same_versions_give_the_same_bytes(root: Path, samples: Path, tmp_path: Path) -> None:
    skip_with_other_versions(root, samples)
    command = [sys.executable, "-m", "data.generator", "--only", "identity_card", "-o", str(tmp_path)]
    subprocess.run(command, cwd=root, check=True, timeout=300)
    made = sorted((tmp_path / "scans").iterdir())
    assert len(made) == 15
    for path in made:
        assert path.read_bytes() == (samples / "scans" / path.name).read_bytes(), path.name


@pytest.mark.slow
def test_forms_to_be_signed_are_made_again(root: Path, samples: Path, tmp_path: Path) -> None:
    skip_with_other_versions(root, samples)
    subprocess.run(
        [sys.executable, "-m", "data.generator.signing", "-o", str(tmp_path)], cwd=root, check=True, timeout=300
    )
    made = sorted(tmp_path.iterdir())
    assert [path.name for path in made] == sorted(path.name for path in (samples / "signing").iterdir())
    for path in made:
        assert path.read_bytes() == (samples / "signing" / path.name).read_bytes(), path.name

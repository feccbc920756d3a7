"""The installed package."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def test_a_folder_with_the_name_of_the_package_does_not_hide_it(tmp_path):
    """As where Python is started in the folder that holds the checkout."""
    (tmp_path / "textclf").mkdir()
    code = "from textclf import DocumentClassifier"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, f"after a change of pyproject.toml run pip install --editable . again: {done.stderr}"


@pytest.mark.slow
@pytest.mark.parametrize("compiler", ["of the machine", "of a package"])
def test_a_wheel_for_every_version_of_python_predicts(tmp_path, compiler):
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        (tmp_path / "source" / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, tmp_path / "source" / name)
    environment = dict(os.environ)
    if compiler == "of a package":
        # where neither cc nor gcc is found
        environment["PATH"] = str(Path(sys.executable).parent)
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    wheels, installed = tmp_path / "wheels", tmp_path / "installed"
    build = [*pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", wheels, tmp_path / "source"]
    subprocess.run(list(map(str, build)), env=environment, check=True, timeout=600)
    (wheel,) = wheels.iterdir()
    assert wheel.name.split("-")[2:4] == ["py3", "none"]
    subprocess.run([*pip, "install", "--quiet", "--no-deps", "--target", str(installed), str(wheel)], check=True)
    code = (
        "from features.tokens import tokenize; from features.vectorizer import NgramVectorizer as V; import features;"
    )
    code += "print(features.__file__, V(min_documents=1).fit_transform(['to be or not to be', 'to see']).shape)"
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.split()[0].startswith(str(installed))
    assert done.stdout.rstrip().endswith("(2, 10)")

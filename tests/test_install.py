"""The installed package."""

from __future__ import annotations

import subprocess
import sys


def test_a_folder_with_the_name_of_the_package_does_not_hide_it(tmp_path):
    """As where Python is started in the folder that holds the checkout."""
    (tmp_path / "textclf").mkdir()
    code = "from textclf import DocumentClassifier"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, f"after a change of pyproject.toml run pip install --editable . again: {done.stderr}"

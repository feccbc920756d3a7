"""What a command does with the streams, the folders and the home that its caller gives it, or does not."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from ocr.cache import PageCache
from ocr.document import Page
from textclf.base.errors import ExitCode
from textclf.data.scans import default_cache

ROOT = Path(__file__).parents[3]


def run(*arguments: object, redirect: str = "", **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a shell, its streams as the redirection says."""
    command = ["sh", "-c", f'exec "$@" {redirect}', "sh", sys.executable, "-m", "textclf", *map(str, arguments)]
    env = os.environ | {"PYTHONPATH": str(ROOT)} | environment
    return subprocess.run(command, capture_output=True, text=True, timeout=120, env=env, stdin=subprocess.DEVNULL)


needs_full = pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full")


@pytest.mark.parametrize(
    ("redirect", "reason"),
    [pytest.param(">/dev/full", "no space left on device", marks=needs_full), (">&-", "it is closed")],
)
@pytest.mark.parametrize("arguments", [("--version",), ("--help",), ("model", "info", "MODEL")])
def test_a_result_that_cannot_be_printed_is_an_output_error(model_path, arguments, redirect, reason):
    said = run(*(model_path if word == "MODEL" else word for word in arguments), redirect=redirect)
    assert (said.returncode, said.stdout) == (ExitCode.OUTPUT, "")
    assert said.stderr == f"error: the output cannot be written ({reason})\n"


@pytest.mark.parametrize(
    ("redirect", "unbuffered"),
    [
        pytest.param("2>&-", "", marks=pytest.mark.slow),
        ("2>&- >&- <&-", ""),
        pytest.param("2>/dev/full", "", marks=[needs_full, pytest.mark.slow]),
        pytest.param("2>&-", "1", marks=pytest.mark.slow),
        pytest.param("2>&- >&- <&-", "1", marks=pytest.mark.slow),
        pytest.param("2>/dev/full", "1", marks=needs_full),
    ],
)
def test_what_nobody_hears_is_done_all_the_same(model_path, table, corpus, tmp_path, redirect, unbuffered):
    documents = table(tmp_path / "documents.csv", corpus(2).rows())
    said = run(
        "predict", model_path, documents, "-o", tmp_path / "out.csv", redirect=redirect, PYTHONUNBUFFERED=unbuffered
    )
    assert (said.returncode, said.stdout) == (0, "")
    assert (tmp_path / "out.csv").read_text().count("\n") == 7


@pytest.mark.parametrize("encoding", ["ascii", pytest.param("utf-8", marks=pytest.mark.slow)])
def test_json_stays_json_whatever_the_terminal_can_say(model_path, scan, tmp_path, encoding):
    page = scan(tmp_path / "caffè 𝄞.png", "Invoice total due")
    said = run("classify", model_path, page, "--json", "--no-cache", "--jobs", 1, PYTHONIOENCODING=encoding)
    assert json.loads(said.stdout)["document_id"] == "caffè 𝄞.png"


def test_json_tells_path_and_content(textclf, model_path, scan, tmp_path, monkeypatch):
    scan(tmp_path / "in" / "a.png", "Invoice total due")
    (tmp_path / "in" / "b.png").write_bytes(b"no image")
    monkeypatch.chdir(tmp_path)
    said = textclf("classify", model_path, "in", "--json", "--no-cache", "--jobs", 1)
    good, bad = map(json.loads, said.out.splitlines())
    assert good["path"] == str(tmp_path / "in" / "a.png")
    assert bad["sha256"] == hashlib.sha256(b"no image").hexdigest()
    assert len(good["sha256"]) == 64


def test_a_cache_folder_that_is_there_keeps_its_mode(tmp_path):
    before = os.umask(0o022)
    try:
        (tmp_path / "shared").mkdir(mode=0o755)
        for name in ("shared", "new"):
            PageCache(tmp_path / name).put("ab12", Page(number=1, raw_text="Dear Sir"))
    finally:
        os.umask(before)
    modes = {path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode) for path in tmp_path.rglob("*")}
    assert modes == {
        "shared": 0o755,
        "shared/ab": 0o700,
        "shared/ab/ab12.json": 0o600,
        "new": 0o700,
        "new/ab": 0o700,
        "new/ab/ab12.json": 0o600,
    }


def test_without_a_home_nothing_is_kept_and_that_is_told(tmp_path, monkeypatch, caplog):
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_cache() == tmp_path / ".cache" / "textclf" / "pages"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert default_cache() == tmp_path / ".cache" / "textclf" / "pages"
    assert caplog.messages == []
    (tmp_path / "file").touch()
    for variable, value in (("HOME", tmp_path / "none"), ("XDG_CACHE_HOME", tmp_path / "file")):
        monkeypatch.setenv(variable, str(value))
        assert default_cache() is None
    assert [line.split(" (")[0] for line in caplog.messages] == ["pages that are read are not kept for another run"] * 2


def test_a_run_without_a_home_reads_all_the_same(textclf, scan, tmp_path, monkeypatch):
    scan(tmp_path / "a.png", "Dear Madam")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "none"))
    said = textclf("ocr", tmp_path / "a.png", "-o", tmp_path / "d.csv", "--lang", "eng", "--jobs", 1)
    assert said.code == 0
    assert said.err.count("warning: ") == 1
    assert not (tmp_path / "none").exists()
    said = textclf("ocr", tmp_path / "a.png", "-o", tmp_path / "d.csv", "--cache", tmp_path / "a.png" / "x")
    assert said.code == ExitCode.OUTPUT


def test_a_program_that_uses_the_library_sees_warnings_and_nothing_else(scan, tmp_path):
    page = scan(tmp_path / "a.png", "Dear Madam")
    program = (
        "from pathlib import Path; from textclf.data import scans\n"
        f"page = Path({str(page)!r})\n"
        "list(scans.ScanOptions(jobs=1, no_cache=True).iter_documents(scans.find_scans([page, page])))"
    )
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert said.stdout == ""
    assert said.stderr == f"passed over files that were met before, as each is read once (1): {page}\n"

from __future__ import annotations

import csv
import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import pytest

from features.lexicon import Lexicon, LexiconCategory
from textclf import DocumentClassifier
from textclf.commands.running import run
from textclf.model.predict import Model

ROOT = Path(__file__).parents[2]

OWN_WORDS = {
    "invoice": "invoice total due vat number net gross payment terms bank",
    "letter": "dear madam sincerely yours regards write answer kind aunt love",
    "receipt": "cash change thank till item price card shop euro coins",
}
COMMON_WORDS = "the of and a to in is on by for"
LEXICON = Lexicon(
    categories=(
        LexiconCategory(name="invoice", keywords=("vat", "gross")),
        LexiconCategory(name="letter", keywords=("sincerely", "dear madam")),
    )
)
LEXICON_FILE = '[invoice]\nen = ["vat", "gross"]\n\n[letter]\nen = ["sincerely", "dear madam"]\n'


class Corpus(NamedTuple):
    ids: list[str]
    texts: list[str]
    categories: list[str]

    def rows(self) -> list[tuple[str, str, str]]:
        return list(zip(*self, strict=True))


def make_corpus(each: int = 8, *, seed: int = 0, categories: Sequence[str] = tuple(OWN_WORDS)) -> Corpus:
    """Texts of which two words in five tell the category."""
    draw = random.Random(seed)
    corpus = Corpus([], [], [])
    for category in categories:
        for number in range(each):
            words = [
                draw.choice((OWN_WORDS[category] if draw.random() < 0.4 else COMMON_WORDS).split()) for _ in range(30)
            ]
            corpus.ids.append(f"{category}-{number:02}")
            corpus.texts.append(" ".join(words))
            corpus.categories.append(category)
    return corpus


@pytest.fixture(scope="session")
def corpus() -> Callable[..., Corpus]:
    return make_corpus


def make_table(
    path: Path, rows: Iterable[Sequence[str]], header: Sequence[str] = ("document_id", "text", "category")
) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([header, *rows])
    return path


@pytest.fixture(scope="session")
def table() -> Callable[..., Path]:
    """Writes a documents CSV."""
    return make_table


@pytest.fixture(scope="session")
def read_table() -> Callable[[Path], list[dict[str, str]]]:
    def read(path: Path) -> list[dict[str, str]]:
        with path.open(encoding="utf-8-sig", newline="") as file:
            return list(csv.DictReader(file))

    return read


@pytest.fixture(scope="session")
def classifier() -> Callable[..., DocumentClassifier]:
    """An estimator that is quick to train: one process, no language tables, vectors or background."""

    def make(**options: object) -> DocumentClassifier:
        return DocumentClassifier(**{"lexicon": "none", "vectors": "none", "background": False, "n_jobs": 1, **options})

    return make


@pytest.fixture(scope="session")
def trained() -> DocumentClassifier:
    """One trained estimator with all feature groups."""
    _, texts, categories = make_corpus(24)
    return DocumentClassifier(lexicon=LEXICON, vector_size=6, n_jobs=1).fit(texts, categories)


@pytest.fixture(scope="session")
def model(trained: DocumentClassifier) -> Model:
    return trained.model_


@pytest.fixture(scope="session")
def model_path(trained: DocumentClassifier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("model") / "model.textclf"
    trained.save(path)
    return path


@pytest.fixture(scope="session")
def lexicon_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lexicon") / "lexicon.toml"
    path.write_text(LEXICON_FILE)
    return path


class Said(NamedTuple):
    code: int
    out: str
    err: str

    @property
    def error(self) -> str:
        """The one line that says what is wrong."""
        lines = [line for line in self.err.splitlines() if line.startswith("error: ")]
        assert len(lines) == 1, self.err
        assert lines[0] == self.err.splitlines()[-1]
        assert "Traceback" not in self.err
        return lines[0]


@pytest.fixture
def textclf(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Said]:
    """Runs a command in this process; its cache of pages is the test's own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))

    def call(*arguments: object) -> Said:
        capfd.readouterr()
        code = run([str(argument) for argument in arguments])
        return Said(code, *capfd.readouterr())

    return call


@pytest.fixture
def spawn(tmp_path: Path) -> Iterable[Callable[..., subprocess.Popen[str]]]:
    """Starts a command in a process, and a process group, of its own."""
    started: list[subprocess.Popen[str]] = []

    def start(*arguments: object, **environment: str) -> subprocess.Popen[str]:
        env = os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(tmp_path / "xdg")} | environment
        process = subprocess.Popen(
            [sys.executable, "-m", "textclf", *map(str, arguments)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
            env=env,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
        process.communicate()


@pytest.fixture(scope="session")
def left_over() -> Callable[[int], list[str]]:
    """What still runs of a session, after some seconds at most."""

    def look(session: int, seconds: float = 60) -> list[str]:
        end = time.monotonic() + seconds
        while members := session_members(session):
            if time.monotonic() > end:
                return members
            time.sleep(0.1)
        return []

    return look


def session_members(session: int) -> list[str]:
    done = subprocess.run(["ps", "-o", "pid=,stat=,args=", "-s", str(session)], capture_output=True, text=True)
    return [line for line in done.stdout.splitlines() if line.split()[1][0] != "Z"]

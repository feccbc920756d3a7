from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

import pytest

from textclf.model.file import load_model

KINDS = ("invoice", "letter", "receipt")


@pytest.fixture(scope="session")
def model_file(classifier, corpus, tmp_path_factory):
    """A model that is quick to train, and accepts most of the corpus."""
    _, texts, categories = corpus(24)
    path = tmp_path_factory.mktemp("model") / "model.textclf"
    classifier().fit(texts, categories).save(path)
    return path


@pytest.fixture(scope="session")
def page(corpus, text_pdf, model_file):
    """Gives a PDF of a kind, which differs by number."""
    model = load_model(model_file)
    texts = {kind: map(lines, corpus(16, seed=5, categories=[kind]).texts) for kind in KINDS}
    sure = {
        kind: [text for text in some if model("\n".join(text)).decision == "accept"] for kind, some in texts.items()
    }

    # the same PDF made twice would differ in its identifier
    @cache
    def draw(kind, number=0):
        return text_pdf(*(sure[kind][number] if kind in sure else lines(f"gibberish lorem {kind} " * 8)))

    return draw


def lines(text):
    words = text.split()
    return [" ".join(words[start : start + 3]) for start in range(0, len(words), 3)]


class Desk(NamedTuple):
    top: Path
    inbox: Path
    out: Path

    def write(self, name, content):
        path = self.inbox / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    def places(self):
        """Every file of the user by its path, and its content."""
        found = [path for path in self.top.rglob("*") if path.is_file() and ".textclf" not in path.parts]
        return {str(path.relative_to(self.top)): path.read_bytes() for path in found}

    def log(self):
        return "".join(path.read_text() for path in (self.out / ".textclf" / "log").glob("*.log"))


@pytest.fixture(scope="session")
def read_pages(tmp_path_factory):
    """A cache of pages that tests share which read the same files, and are about something else."""
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def desk(tmp_path, page):
    """An inbox with three sure files, one unsure and one that cannot be read."""
    desk = Desk(tmp_path / "desk", tmp_path / "desk" / "in", tmp_path / "desk" / "out")
    for kind in (*KINDS, "unsure"):
        desk.write(f"{kind[0]}.pdf", page(kind))
    desk.write("broken.pdf", b"%PDF-1.7 broken")
    return desk


@pytest.fixture
def documents(tmp_path, table, corpus):
    return table(tmp_path / "documents.csv", corpus(5).rows())

"""Reading on a real Dask cluster of processes."""

from __future__ import annotations

import os
import signal
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from ocr.batch import iter_documents
from ocr.documents import Word
from ocr.engines import TesseractEngine
from ocr.ocr_result import OcrResult
from ocr.reading_options import ReadingOptions
from textclf.base.cluster import open_cluster
from textclf.base.errors import BadInputError

distributed = pytest.importorskip("distributed", reason="the extra [dask] is not installed")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None, silence_logs=50) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@dataclass(frozen=True)
class Slow:
    """Takes its time, says how wide the image is, and dies of images that are 66 pixels wide."""

    name: str = "slow"
    version: str = "1"
    seconds: float = 0.05

    def languages(self):
        return ("eng",)

    def read(self, image, *, languages, page_segmentation, timeout):
        if image.width % 66 == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        time.sleep(self.seconds)
        words = tuple(
            Word(text=word, box=(0, 0, 9, 9), confidence=90.0, line=0) for word in ("width", str(image.width))
        )
        return OcrResult(words=words, text=f"width {image.width}")


def pictures(tmp_path, widths):
    from PIL import Image, ImageDraw

    files = []
    for number, width in enumerate(widths):
        image = Image.new("L", (width, 40), 255)
        ImageDraw.Draw(image).rectangle((5, 5, 20, 20), fill=0)
        image.save(tmp_path / f"{number}.png", dpi=(300, 300))
        files.append((f"{number}", tmp_path / f"{number}.png"))
    return files


def read(files, client, engine):
    return [
        replace(document, seconds=0.0, pages=tuple(replace(page, seconds=0.0) for page in document.pages))
        for document in iter_documents(files, options=ReadingOptions(scale=1.0), engine=engine, cluster=client)
    ]


@pytest.mark.slow
def test_a_cluster_reads_what_this_machine_reads(client, page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page(("Total due 12.50",), size=(900, 200)).save("one.png")
    page(("Dear Sir or Madam",), size=(900, 200)).save("two.tif")
    (tmp_path / "bad.pdf").write_bytes(b"%PDF-1.7")
    files = [("one", Path("one.png")), ("bytes", Path("two.tif").read_bytes()), ("bad", Path("bad.pdf"))]
    assert read(files, client, TesseractEngine()) == read(files, None, TesseractEngine())


@pytest.mark.slow
def test_a_worker_that_is_killed_loses_and_doubles_no_document(client, tmp_path):
    files = pictures(tmp_path, range(100, 130))
    victim = next(iter(client.run(os.getpid).values()))
    threading.Timer(1.0, os.kill, (victim, signal.SIGKILL)).start()
    found = read(files, client, Slow(seconds=0.2))
    assert [document.document_id for document in found] == [name for name, _ in files]
    assert [document.text for document in found] == [f"width {width}" for width in range(100, 130)]


@pytest.mark.slow
def test_a_page_that_kills_every_worker_is_given_up_and_no_other(client, tmp_path):
    widths = [100, 101, 66, 102, 103, 104]
    found = read(pictures(tmp_path, widths), client, Slow())
    assert [document.status for document in found] == ["ok", "ok", "failed", "ok", "ok", "ok"]
    assert "every process that read it died" in found[2].error


def test_no_cluster_is_one_clear_line(monkeypatch):
    monkeypatch.setattr("textclf.base.cluster._SECONDS", 1)
    with pytest.raises(BadInputError, match="no Dask scheduler answers"), open_cluster("tcp://127.0.0.1:9"):
        pass

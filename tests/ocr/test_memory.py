from __future__ import annotations

import os
import sys
import threading
from io import BytesIO
from pathlib import Path

import pypdfium2
import pytest
from PIL import Image

from ocr.batch import iter_documents
from ocr.reading_options import Limits, ReadingOptions

PAGES = 200


def long_pdf(path: Path, page: Image.Image) -> None:
    """A scan of 600 dpi in colour, as every page of a PDF."""
    sheet = Image.new("RGB", (4960, 7016), "white")
    sheet.paste(page.resize((page.width * 3, page.height * 3)))
    jpeg = BytesIO()
    sheet.save(jpeg, "JPEG")
    pdf = pypdfium2.PdfDocument.new()
    for _ in range(PAGES):
        paper = pdf.new_page(595, 842)
        picture = pypdfium2.PdfImage.new(pdf)
        jpeg.seek(0)
        picture.load_jpeg(jpeg)
        picture.set_matrix(pypdfium2.PdfMatrix().scale(595, 842))
        paper.insert_obj(picture)
        paper.gen_content()
    pdf.save(path)


def memory_of(pid: int) -> int:
    """Bytes of a process and all below it, shared ones counted once."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
        below = " ".join(file.read_text() for file in Path(f"/proc/{pid}/task").glob("*/children"))
    except OSError:
        return 0
    own = next(int(line.split()[1]) * 1024 for line in rollup.splitlines() if line.startswith("Pss:"))
    return own + sum(memory_of(int(child)) for child in below.split())


@pytest.mark.endurance
@pytest.mark.skipif(sys.platform != "linux", reason="memory is counted in /proc")
def test_a_pdf_of_200_pages_of_600_dpi_stays_under_a_gigabyte(page, tmp_path):
    long_pdf(tmp_path / "long.pdf", page())
    before, peak, done = memory_of(os.getpid()), 0, threading.Event()

    def watch() -> None:
        nonlocal peak
        while not done.wait(0.2):
            peak = max(peak, memory_of(os.getpid()))

    watching = threading.Thread(target=watch)
    watching.start()
    options = ReadingOptions(languages=("eng",), limits=Limits(max_pages=PAGES))
    try:
        (document,) = iter_documents([("long.pdf", tmp_path / "long.pdf")], options=options, jobs=2)
    finally:
        done.set()
        watching.join()
    assert (document.status, len(document.pages)) == ("ok", PAGES)
    assert all("insurance" in read.text for read in document.pages)
    assert 0 < peak - before < 1_000_000_000

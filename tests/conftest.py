"""Fixtures for the tests of several packages: a PDF, a real Dask cluster, a real PostgreSQL server."""

from __future__ import annotations

import ctypes
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import pypdfium2
import pypdfium2.raw as pdfium_c
import pytest
from PIL import Image, ImageDraw, ImageFont


@contextmanager
def start_cluster(allowed_failures: int = 3) -> Iterator[Any]:
    dask = pytest.importorskip("dask", reason="the extra [dask] is not installed")
    from distributed import Client, LocalCluster

    with (
        dask.config.set({"distributed.scheduler.allowed-failures": allowed_failures}),
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50) as cluster,
        Client(cluster) as client,
    ):
        yield client


# of the module: a cluster without a task uses an eighth of a processor, which adds up to the end of a session
@pytest.fixture(scope="module")
def _cluster() -> Iterator[Any]:
    with start_cluster() as client:
        yield client


@pytest.fixture
def cluster(_cluster: Any) -> Any:
    """The client of a Dask cluster of two running processes."""
    _cluster.wait_for_workers(2, timeout=180)
    # a worker that is killed while its nanny still starts it is not replaced
    while not all(nanny.status.name == "running" for nanny in _cluster.cluster.workers.values()):
        time.sleep(0.05)
    return _cluster


@pytest.fixture
def doomed_cluster() -> Iterator[Any]:
    """A cluster that gives up a task after it has killed two workers."""
    with start_cluster(allowed_failures=1) as client:
        yield client


@pytest.fixture(scope="session")
def text_pdf() -> Callable[..., bytes]:
    """A PDF of one page with a text layer and no picture."""

    def write(*lines: str) -> bytes:
        pdf = pypdfium2.PdfDocument.new()
        height = max(200, 40 + 40 * len(lines))
        sheet = pdf.new_page(300, height)
        font = pdfium_c.FPDFText_LoadStandardFont(pdf, b"Helvetica")
        for row, line in enumerate(lines):
            text = pdfium_c.FPDFPageObj_CreateTextObj(pdf, font, 20)
            pdfium_c.FPDFText_SetText(text, (ctypes.c_ushort * (len(line) + 1))(*map(ord, line), 0))
            pdfium_c.FPDFPageObj_Transform(text, 1, 0, 0, 1, 20, height - 40 - 40 * row)
            pdfium_c.FPDFPage_InsertObject(sheet, text)
        sheet.gen_content()
        stream = BytesIO()
        pdf.save(stream)
        return stream.getvalue()

    return write


def postgresql_programs() -> Path | None:
    """The folder of the programs of a PostgreSQL server; Debian keeps them out of the path."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    return max((path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")), default=None)


@pytest.fixture(scope="session")
def new_postgresql() -> Iterator[Callable[[], str]]:
    """Gives the address of a new, empty database of a real server, which forgets all when the tests end."""
    pytest.importorskip("psycopg", reason="the extra [postgresql] is not installed")
    if (programs := postgresql_programs()) is None:
        pytest.skip("the server of PostgreSQL is not installed")
    # it refuses to run as root, and other accounts may not enter the folders of tests
    as_nobody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
    folder = Path(tempfile.mkdtemp(prefix="pg", dir="/tmp"))
    if as_nobody:
        os.chown(folder, 65534, 65534)
    data, log = folder / "data", (folder / "log").open("w")
    options: dict[str, Any] = {"stdout": log, "stderr": log, "cwd": folder, **as_nobody}
    made = [programs / "initdb", "-D", data, "-U", "postgres", "-E", "UTF8", "--locale=C", "--auth=trust", "--no-sync"]
    subprocess.run(made, check=True, timeout=120, **options)
    settings = [
        "fsync=off",
        "synchronous_commit=off",
        "full_page_writes=off",
        "listen_addresses=",
        "max_connections=50",
    ]
    command = [programs / "postgres", "-D", data, "-k", folder, *(part for one in settings for part in ("-c", one))]
    server = subprocess.Popen(command, **options)
    numbers = count(1)

    def run_sql(statement: str) -> bool:
        asked = [programs / "psql", "-h", folder, "-U", "postgres", "-c", statement]
        return subprocess.run(asked, timeout=60, **options).returncode == 0

    def create() -> str:
        name = f"test{next(numbers)}"
        assert run_sql(f"CREATE DATABASE {name}"), (folder / "log").read_text()
        return f"postgresql+psycopg://postgres@/{name}?host={folder}"

    try:
        end = time.monotonic() + 60
        while not run_sql("SELECT 1"):
            assert server.poll() is None, (folder / "log").read_text()
            assert time.monotonic() < end, (folder / "log").read_text()
            time.sleep(0.1)
        yield create
    finally:
        # ends at once, whoever is still connected
        server.send_signal(signal.SIGINT)
        server.wait(30)
        log.close()
        shutil.rmtree(folder)


@pytest.fixture(scope="session")
def without_semaphores() -> list[str]:
    """The beginning of a command whose processes can have no semaphores, as on AWS Lambda: /dev/shm is read-only."""
    way = ["unshare", "--mount", *([] if os.geteuid() == 0 else ["--map-root-user"])]
    way += ["sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh"]
    if shutil.which("unshare") is None or subprocess.run([*way, "true"], capture_output=True).returncode:
        pytest.skip("a process cannot have its own view of /dev/shm here")
    return way


@pytest.fixture(scope="session")
def scan() -> Callable[..., Path]:
    """Draws a page of large letters that Tesseract reads without a fault."""

    def draw(path: Path, *lines: str) -> Path:
        image = Image.new("L", (1000, 80 + 70 * max(2, len(lines))), 255)
        pen = ImageDraw.Draw(image)
        for row, line in enumerate(lines):
            pen.text((60, 40 + 70 * row), line, font=ImageFont.load_default(40), fill=0)
        path.parent.mkdir(parents=True, exist_ok=True)
        image.save(path)
        return path

    return draw

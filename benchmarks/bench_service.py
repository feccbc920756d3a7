"""The service beside `textclf classify`: documents per second on the same files, latency of a small page, memory.

Both read the sample scans with as many workers as there are cores, without a cache, in turns; the start of the command
counts, that of the service does not. The clients run on the same cores. The latency is that of one small page, sent by
4 clients at a time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from statistics import median

import httpx
import numpy as np
from common import ROOT, Row, finish, options, run_textclf, start_textclf
from PIL import Image, ImageDraw, ImageFont

from textclf.base.resources import usable_jobs

CLIENTS = 4
SCANS = ROOT / "data" / "scans"


def main() -> None:
    parser = options("service", __doc__)
    parser.add_argument("--repeats", type=int, default=3, help="turns to take the median of (default %(default)s)")
    parser.add_argument("--requests", type=int, default=1000, help="for the latency (default %(default)s)")
    parser.add_argument("--uploads", type=int, default=1000, help="for the memory (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repeats, arguments.requests, arguments.uploads = 1, 50, 50
    files = sorted(SCANS.iterdir())[:: 8 if arguments.quick else 1]
    with tempfile.TemporaryDirectory() as temporary:
        model = train(Path(temporary))
        with served(model, Path(temporary, "library")) as (url, process):
            throughput = in_turns(url, model, files, arguments.repeats)
            latency = latencies(url, arguments.requests)
            memory = growth(url, process, arguments.uploads)
    finish(
        arguments,
        {
            f"{len(files)} sample scans, {usable_jobs()} workers, median of {arguments.repeats}": throughput,
            f"One small page, {CLIENTS} clients, {arguments.requests} requests": latency,
            f"Memory of the service's own process, {arguments.uploads} uploads": memory,
        },
    )


def train(folder: Path) -> Path:
    """Train a model on the samples."""
    print("training", file=sys.stderr)
    table, model = folder / "documents.csv", folder / "model.textclf"
    run_textclf("ocr", SCANS, "--labels", SCANS.parent / "labels.csv", "-o", table)
    run_textclf("train", table, "--where", "split=train", "--max-error", "0.2", "-o", model)
    return model


@contextmanager
def served(model: Path, library: Path) -> Iterator[tuple[str, subprocess.Popen[str]]]:
    """Run the service, as a user would, until the block ends."""
    with start_textclf("serve", "--library", library, "--model", model, "-q", stdout=subprocess.PIPE) as process:
        try:
            url = process.stdout.readline().strip()
            with httpx.Client(base_url=url) as client:
                while client.get("/ready").status_code != 200:
                    time.sleep(0.1)
            yield url, process
        finally:
            process.terminate()


def in_turns(url: str, model: Path, files: Sequence[Path], repeats: int) -> list[Row]:
    """Classify the files by the command and by the service, one after the other."""
    rates: dict[str, list[float]] = {"textclf classify": [], f"textclf serve, {CLIENTS} clients": []}
    for turn in range(repeats):
        print(f"turn {turn + 1} of {repeats}", file=sys.stderr)
        for name, rate in rates.items():
            begun = time.perf_counter()
            if "serve" in name:
                ask_all(url, [(file.name, file.read_bytes()) for file in files])
            else:
                run_textclf("classify", model, *files, "--json", "--why", "--no-cache", "-q")
            rate.append(len(files) / (time.perf_counter() - begun))
    first = median(next(iter(rates.values())))
    return [
        {
            "reads and predicts": name,
            "documents per second": median(rate),
            "relative to the first": median(rate) / first,
        }
        for name, rate in rates.items()
    ]


def ask_all(url: str, files: Sequence[tuple[str, bytes]]) -> list[float]:
    """Send files, one a request, by several clients at a time; give the seconds of each."""

    def ask(file: tuple[str, bytes]) -> float:
        begun = time.perf_counter()
        answer = client.post("/v1/classify/file", files={"files": file})
        # a scan that cannot be read is one, too
        if answer.status_code not in (200, 422):
            raise RuntimeError(answer.text)
        return time.perf_counter() - begun

    with httpx.Client(base_url=url, timeout=600) as client, ThreadPoolExecutor(CLIENTS) as clients:
        return list(clients.map(ask, files))


def small_page(number: int) -> bytes:
    """Draw a page of a few large words; no two are the same."""
    image = Image.new("L", (800, 220), 255)
    pen = ImageDraw.Draw(image)
    for row, line in enumerate((f"Invoice no. {number}", "Total due, incl. VAT")):
        pen.text((50, 40 + 70 * row), line, font=ImageFont.load_default(40), fill=0)
    stream = BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def latencies(url: str, requests: int) -> list[Row]:
    """Measure the seconds of single requests."""
    seconds = ask_all(url, [(f"{number}.png", small_page(number)) for number in range(requests)])
    p50, p95, p99 = np.percentile(seconds, [50, 95, 99]) * 1000
    return [{"p50 ms": float(p50), "p95 ms": float(p95), "p99 ms": float(p99), "highest ms": max(seconds) * 1000}]


def growth(url: str, process: subprocess.Popen[str], uploads: int) -> list[Row]:
    """Measure the memory of the process after each fifth of many uploads."""
    rows: list[Row] = [{"uploads": 0, "MB": resident(process)}]
    for fifth in range(5):
        numbers = range(fifth * uploads // 5, (fifth + 1) * uploads // 5)
        ask_all(url, [(f"{number}.png", small_page(100_000 + number)) for number in numbers])
        rows.append({"uploads": numbers.stop, "MB": resident(process)})
    return rows


def resident(process: subprocess.Popen[str]) -> float:
    """Give the resident memory of a process, in MB."""
    lines = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii").splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


if __name__ == "__main__":
    main()

"""A million rows in constant memory, and two workers against one: prediction and reading, with processes and with Dask.

Memory is the peak total of ``textclf predict`` and all its worker processes. Each row has ten words of the Tobacco-3482
texts, drawn by their frequency; three of them are misread in one letter, so that new words keep appearing. Prediction
is timed as a user experiences it, with the start of the command and its processes, on the Tobacco-3482 texts and
misread copies of them, so that no text is repeated. A Dask cluster is already running when its time begins. There is no
page cache. The speed-up that the computer gives for a second core is measured too: the same command with one process,
run once, and twice at the same time.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from string import ascii_lowercase

import numpy as np
import psutil
from bench_reading import pages_of_300_dpi, real_scans
from common import Row, corrupted, finish, options, run_textclf, start_textclf, tobacco
from distributed import Client, LocalCluster

from features.tokens import tokenize
from ocr import ReadingOptions, iter_documents
from textclf import DocumentClassifier
from textclf.base.tables import write_rows

WORDS, MISREAD_WORDS = 10, 3
"""Of a row."""
MISREAD = (0.0, 0.02, 0.04, 0.06)
"""Rates at which the texts are misread, one set of copies each."""
WORKERS = (1, 2)


def main() -> None:
    parser = options("scale", __doc__)
    parser.add_argument("--rows", type=int, nargs=2, default=(10_000, 1_000_000), help="(default 10000 1000000)")
    parser.add_argument("--pages", type=int, default=12, help="of each kind of scan (default %(default)s)")
    parser.add_argument("--repeats", type=int, default=3, help="runs to take the median of (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.rows, arguments.pages, arguments.repeats = (2_000, 10_000), 2, 1
    texts, categories = tobacco(quick=True)
    with tempfile.TemporaryDirectory() as temporary:
        work = Path(temporary)
        print(f"training on {len(texts)} documents", file=sys.stderr)
        model = work / "model.textclf"
        DocumentClassifier(diagnostics=False, n_jobs=2).fit(texts, categories).save(model)
        finish(
            arguments,
            {
                f"textclf predict, rows of {WORDS} words, model of {len(texts)} documents": memory(
                    model, texts, arguments.rows
                ),
                f"Two workers against one, median of {arguments.repeats}": [
                    *prediction(model, quick=arguments.quick, repeats=arguments.repeats),
                    *reading(arguments.pages, arguments.repeats, work),
                ],
            },
        )


def memory(model: Path, texts: list[str], sizes: tuple[int, int]) -> list[Row]:
    rows: list[Row] = []
    table, output = model.parent / "rows.csv", model.parent / "out.csv"
    peaks: list[float] = []
    for size in sizes:
        print(f"predicting {size} rows", file=sys.stderr)
        write_made_rows(table, texts, size)
        started = time.perf_counter()
        with start_textclf("predict", model, table, "-o", output, stderr=subprocess.DEVNULL) as running:
            peaks.append(peak_memory(running))
        seconds = time.perf_counter() - started
        rows.append(
            {
                "rows": size,
                "MB of CSV": table.stat().st_size / 1e6,
                "seconds": seconds,
                "rows per second": size / seconds,
                "peak MB": peaks[-1] / 1e6,
                "relative to the first": peaks[-1] / peaks[0],
            }
        )
        table.unlink()
    return rows


def write_made_rows(path: Path, texts: list[str], size: int) -> None:
    words = np.array([word for text in texts for word in tokenize(text)], dtype=object)
    random = np.random.default_rng(0)
    with path.open("w", encoding="utf-8") as file:
        file.write("document_id,text\n")
        for number in range(size):
            row = words[random.integers(len(words), size=WORDS)]
            row[:MISREAD_WORDS] = [misread(word, random) for word in row[:MISREAD_WORDS]]
            file.write(f"{number},{' '.join(row)}\n")


def misread(word: str, random: np.random.Generator) -> str:
    place = random.integers(len(word))
    return f"{word[:place]}{ascii_lowercase[random.integers(26)]}{word[place + 1 :]}"


def peak_memory(running: subprocess.Popen[str]) -> int:
    """Return the peak total memory of a program and its processes in bytes, sampled 20 times per second."""
    peak = 0
    process = psutil.Process(running.pid)
    while running.poll() is None:
        peak = max(peak, sum(map(resident, [process, *descendants(process)])))
        time.sleep(0.05)
    if running.returncode:
        raise subprocess.CalledProcessError(running.returncode, running.args)
    return peak


def descendants(process: psutil.Process) -> list[psutil.Process]:
    try:
        return process.children(recursive=True)
    except psutil.NoSuchProcess:
        return []


def resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0


def prediction(model: Path, *, quick: bool, repeats: int) -> list[Row]:
    texts, _ = tobacco(quick=quick)
    table, output = model.parent / "documents.csv", model.parent / "out.csv"
    many = [text for rate in MISREAD for text in corrupted(texts, rate)]
    rows = ({"document_id": number, "text": text} for number, text in enumerate(many))
    write_rows(table, ["document_id", "text"], rows, formulas_safe=False)

    def predict(*where: str) -> float:
        return seconds(lambda: run_textclf("predict", model, table, "-o", output, *where))

    def by_dask(workers: int) -> float:
        with cluster(workers) as client:
            return predict("--dask", client.scheduler.address)

    def apart(number: int) -> tuple[str | Path, ...]:
        return ("predict", model, table, "-o", output.with_name(f"out{number}.csv"), "--jobs", "1")

    title = f"textclf predict, {len(many)} documents"
    return [
        compare(f"{title}, processes", len(many), lambda workers: predict("--jobs", str(workers)), repeats),
        compare(f"{title}, Dask", len(many), by_dask, repeats),
        compare(f"{title}, commands of one process each", len(many), lambda count: at_once(apart, count), repeats),
    ]


def reading(count: int, repeats: int, folder: Path) -> list[Row]:
    pages = [*real_scans(count), *pages_of_300_dpi(count)]
    files = [(page.name, page) for page in pages]
    plain = ReadingOptions(languages=("eng",), text_layer="ignore")

    def by_processes(workers: int) -> float:
        return seconds(lambda: list(iter_documents(files, options=plain, jobs=workers)))

    def by_dask(workers: int) -> float:
        with cluster(workers) as client:
            return seconds(lambda: list(iter_documents(files, options=plain, cluster=client)))

    def apart(number: int) -> tuple[str | Path, ...]:
        output = folder / f"{number}.csv"
        return ("ocr", *pages, "-o", output, "--lang", "eng", "--text-layer", "ignore", "--jobs", "1", "--no-cache")

    title = f"OCR, {len(pages)} pages"
    return [
        compare(f"{title}, processes", len(pages), by_processes, repeats),
        compare(f"{title}, Dask", len(pages), by_dask, repeats),
        compare(f"{title}, commands of one process each", len(pages), lambda count: at_once(apart, count), repeats),
    ]


def at_once(command: Callable[[int], tuple[str | Path, ...]], count: int) -> float:
    """Run independent commands at the same time; return the seconds for each."""
    started = time.perf_counter()
    with ExitStack() as stack:
        running = [
            stack.enter_context(start_textclf(*command(number), stderr=subprocess.DEVNULL)) for number in range(count)
        ]
        for each in running:
            if each.wait():
                raise subprocess.CalledProcessError(each.returncode, each.args)
    return (time.perf_counter() - started) / count


def compare(work: str, count: int, timed: Callable[[int], float], repeats: int) -> Row:
    """Time a task with one worker and with two, in turns."""
    times: dict[int, list[float]] = {workers: [] for workers in WORKERS}
    for turn in range(repeats):
        for workers in WORKERS:
            print(f"{work}, {workers} workers, {turn + 1} of {repeats}", file=sys.stderr)
            times[workers].append(timed(workers))
    one, two = (count / median(times[workers]) for workers in WORKERS)
    return {"work": work, "per second, 1 worker": one, "2 workers": two, "ratio": two / one}


@contextmanager
def cluster(workers: int) -> Iterator[Client]:
    """Start a Dask cluster of processes."""
    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield client


def seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()

"""Workers behind RabbitMQ beside `textclf classify`: documents per second on the same files, in turns.

A service takes each sample scan as a task of its own; workers with one reading process each do them, one worker or two.
The command reads with as many processes, without a cache. Its start counts, that of service and workers does not; the
clients and the broker run on the same cores. RabbitMQ is started for the benchmark, with a folder of its own.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from statistics import median

import httpx
from bench_service import CLIENTS, SCANS, train
from common import Row, finish, options, run_textclf, start_textclf

RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")
WORKERS = (1, 2)


def main() -> None:
    parser = options("queue", __doc__)
    parser.add_argument("--repeats", type=int, default=3, help="turns to take the median of (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repeats = 1
    if not RABBITMQ.exists():
        print("skipped: rabbitmq-server is not installed", file=sys.stderr)
        return
    files = sorted(SCANS.iterdir())[:: 8 if arguments.quick else 1]
    with tempfile.TemporaryDirectory() as temporary, rabbitmq(Path(temporary, "rabbitmq")) as broker:
        model = train(Path(temporary))
        rows = in_turns(broker, model, Path(temporary, "library"), files, arguments.repeats)
    finish(arguments, {f"{len(files)} sample scans, median of {arguments.repeats}": rows})


@contextmanager
def rabbitmq(folder: Path) -> Iterator[str]:
    """Run RabbitMQ until the block ends; gives its address."""
    folder.mkdir()
    epmd, node, distribution = (free_port() for _ in range(3))
    environment = os.environ | {
        "HOME": str(folder),
        "ERL_EPMD_PORT": str(epmd),
        "RABBITMQ_NODENAME": "benchmark@localhost",
        "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
        "RABBITMQ_NODE_PORT": str(node),
        "RABBITMQ_DIST_PORT": str(distribution),
        "RABBITMQ_MNESIA_BASE": str(folder / "data"),
        "RABBITMQ_LOG_BASE": str(folder / "logs"),
        "RABBITMQ_GENERATED_CONFIG_DIR": str(folder / "config"),
        "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "plugins"),
        "RABBITMQ_CONFIG_FILE": str(folder / "none"),
        "RABBITMQ_CONF_ENV_FILE": str(folder / "none"),
        "RABBITMQ_PID_FILE": str(folder / "pid"),
    }
    silent = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    started = [
        subprocess.Popen(command, env=environment, cwd=folder, start_new_session=True, **silent)
        # without the first, the server would start one that outlives it
        for command in (["epmd", "-port", str(epmd)], [str(RABBITMQ)])
    ]
    try:
        wait_for_port(node)
        yield f"amqp://guest:guest@127.0.0.1:{node}//"
    finally:
        for process in started:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def free_port() -> int:
    """Find a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int) -> None:
    """Wait until somebody listens on a port."""
    end = time.monotonic() + 180
    while True:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        if time.monotonic() > end:
            raise TimeoutError("RabbitMQ does not start")
        time.sleep(0.1)


@contextmanager
def served(broker: str, model: Path, library: Path) -> Iterator[str]:
    """Run the service, whose own reading process has nothing to do; gives its URL."""
    given = ("--library", library, "--model", model, "--broker", broker, "--jobs", "1", "-q")
    with start_textclf("serve", *given, stdout=subprocess.PIPE) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


@contextmanager
def worker(broker: str, library: Path) -> Iterator[None]:
    """Run a worker with one reading process; the block begins once it is ready."""
    given = ("--library", library, "--broker", broker, "--jobs", "1", "-q")
    with start_textclf("worker", *given, stdout=subprocess.PIPE) as process:
        try:
            process.stdout.readline()
            yield
        finally:
            process.terminate()


def in_turns(broker: str, model: Path, library: Path, files: Sequence[Path], repeats: int) -> list[Row]:
    """Classify the files by the command and by workers, one after the other."""
    seconds: dict[tuple[str, int], list[float]] = {(by, n): [] for n in WORKERS for by in ("command", "workers")}
    with served(broker, model, library) as url:
        for turn in range(repeats):
            print(f"turn {turn + 1} of {repeats}", file=sys.stderr)
            for by, number in seconds:
                with ExitStack() as running:
                    for _ in range(number if by == "workers" else 0):
                        running.enter_context(worker(broker, library))
                    begun = time.perf_counter()
                    if by == "workers":
                        as_tasks(url, files)
                    else:
                        jobs = ("--jobs", str(number))
                        run_textclf("classify", model, *files, "--json", "--why", "--no-cache", "-q", *jobs)
                    seconds[by, number].append(time.perf_counter() - begun)
    return [
        {
            "reads and predicts": f"{number} × textclf worker --jobs 1" if by == "workers" else "textclf classify",
            "processes that read": number,
            "documents per second": len(files) / median(found),
            "relative to the command": median(seconds["command", number]) / median(found),
            "relative to one": median(seconds[by, 1]) / median(found),
        }
        for (by, number), found in seconds.items()
    ]


def as_tasks(url: str, files: Sequence[Path]) -> None:
    """Send files, each as a task, by several clients at a time, and wait until all are done."""

    def send(file: Path) -> str:
        answer = client.post("/v1/classify/file/async", files={"files": (file.name, file.read_bytes())})
        answer.raise_for_status()
        return str(answer.json()["task_id"])

    with httpx.Client(base_url=url, timeout=600) as client, ThreadPoolExecutor(CLIENTS) as clients:
        for task in list(clients.map(send, files)):
            # a scan that cannot be read is a task that failed
            while client.get(f"/v1/status/poll/{task}", params={"wait": 60}).json()["task_status"] in (
                "pending",
                "started",
            ):
                pass


if __name__ == "__main__":
    main()

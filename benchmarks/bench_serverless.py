"""One page through the pipeline of AWS Lambda, on moto's S3, DynamoDB and SQS: the time of each step, and memory.

The handlers run in processes of their own, started as Lambda starts a container image, with no semaphores where that
can be arranged; a small server on this computer is the Runtime API. The network and the gateway of AWS are not part of
it, and moto answers faster or slower than AWS.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import pairwise
from pathlib import Path
from statistics import median
from types import ModuleType
from typing import Any

import moto.server
from common import ROOT, Row, finish, options, run_textclf

SCANS = ROOT / "data" / "scans"
TESTS = ROOT / "tests" / "aws_ml_adapter" / "serverless"
PAGES = (
    *("invoice-07.png", "invoice-03.jpg", "identity_card-01.jpg", "tax_certificate-02.jpg"),
    "insurance_contract-02.jpg",
)
HANDLERS = ("submit", "work", "status", "result", "predict")
WITHOUT_SEMAPHORES = ("unshare", "--mount", "sh", "-c", 'mount -t tmpfs -o ro none /dev/shm && exec "$@"', "sh")


def main() -> None:
    parser = options("serverless", __doc__)
    parser.add_argument("--repeats", type=int, default=3, help="pages of each kind (default %(default)s)")
    parser.add_argument("--starts", type=int, default=5, help="cold starts (default %(default)s)")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.repeats, arguments.starts = 1, 1
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        model = train(folder, quick=arguments.quick)
        with cloud(folder, model) as clouds:
            starts = cold_starts(clouds, arguments.starts)
            steps, memory = journeys(clouds, arguments.repeats)
    count = arguments.repeats * len(PAGES)
    finish(
        arguments,
        {
            f"One page, {count} times, warm functions": steps,
            f"Cold start, median of {arguments.starts}: process, imports, model, reader": starts,
            "Peak memory": memory,
        },
    )


def train(folder: Path, *, quick: bool) -> Path:
    """Train a model on the samples."""
    print("training", file=sys.stderr)
    table, model = folder / "documents.csv", folder / "model.textclf"
    run_textclf("ocr", SCANS, "--labels", SCANS.parent / "labels.csv", "-o", table)
    run_textclf("train", table, "--where", "split=train", "--max-error", "0.2", "-o", model, *(["-q"] if quick else []))
    return model


def load(name: str) -> ModuleType:
    """Load a module beside the tests."""
    spec = importlib.util.spec_from_file_location(name, TESTS / f"{name}.py")
    if spec is None or spec.loader is None:
        raise FileNotFoundError(name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def cloud(folder: Path, model: Path) -> Iterator[Any]:
    """Run what stands for AWS, with the model in its bucket."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = moto.server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    made = load("cloud").Cloud(f"http://{host}:{port}", folder, model)
    try:
        yield made
    finally:
        made.close()
        server.stop()


def wrapper() -> tuple[str, ...]:
    """Give what runs a process without semaphores, where that is permitted."""
    can = shutil.which("unshare") and subprocess.run([*WITHOUT_SEMAPHORES, "true"], capture_output=True).returncode == 0
    return WITHOUT_SEMAPHORES if can else ()


def cold_starts(clouds: Any, starts: int) -> list[Row]:
    """Measure the seconds from the start of a process until it asks for its first event."""
    rows: list[Row] = []
    for handler in HANDLERS:
        print(f"cold starts of {handler}", file=sys.stderr)
        seconds, processor = [], []
        for _ in range(starts):
            # the model is fetched each time, as in a new container
            for path in clouds.folder.glob("model-*"):
                path.unlink()
            begun = time.perf_counter()
            function = clouds.function(handler, wrapper=wrapper())
            function.is_ready.wait(120)
            seconds.append(time.perf_counter() - begun)
            processor.append(processor_time(function.process.pid))
            function.close()
        rows.append(
            {
                "handler": handler,
                "median s": median(seconds),
                "least s": min(seconds),
                "of a processor, median s": median(processor),
            }
        )
    return rows


def journeys(clouds: Any, repeats: int) -> tuple[list[Row], list[Row]]:
    """Send pages one after the other, and measure each step."""
    events = load("aws_events")
    functions = {name: clouds.function(name, seconds=300, wrapper=wrapper()) for name in HANDLERS}
    for function in functions.values():
        function.is_ready.wait(120)
    steps: defaultdict[str, list[float]] = defaultdict(list)
    for turn in range(repeats):
        for number, name in enumerate(PAGES):
            print(f"page {turn * len(PAGES) + number + 1}", file=sys.stderr)
            # another name is another job
            before = processor_time(functions["work"].process.pid)
            once = one_page(clouds, events, functions, (SCANS / name).read_bytes(), f"{turn}-{name}")
            once["work: time of a processor"] = processor_time(functions["work"].process.pid) - before
            # the first call is still warming up
            if turn or number:
                for step, seconds in once.items():
                    steps[step].append(seconds)
    text = json.dumps({"text": "invoice total due"})
    for _ in range(repeats * len(PAGES)):
        begun = time.perf_counter()
        functions["predict"](events.http_event("POST", "/v1/predict", body=text))
        steps["predict a text"].append(time.perf_counter() - begun)
    rows: list[Row] = [
        {"step": step, "median ms": median(found) * 1000, "least ms": min(found) * 1000, "most ms": max(found) * 1000}
        for step, found in steps.items()
    ]
    memory: list[Row] = []
    for name, function in functions.items():
        own, children = peaks(function.process.pid)
        memory.append({"handler": name, "its process MB": own, "processes that read MB": children})
    return rows, memory


def one_page(
    clouds: Any, events: ModuleType, functions: Mapping[str, Any], content: bytes, name: str
) -> dict[str, float]:
    """Send a page, have it worked on, and ask for its result."""
    marks = [time.perf_counter()]
    body, headers = events.form(content, name)
    answer = functions["submit"](events.http_event("POST", "/v1/x", body=body, headers=headers))
    task_id = json.loads(answer["body"])["task_id"]
    marks.append(time.perf_counter())
    received = clouds.messages(seconds=5)
    marks.append(time.perf_counter())
    event = {"Records": [events.sqs_record(message, clouds.queue) for message in received]}
    functions["work"](event)
    marks.append(time.perf_counter())
    answer = functions["result"](events.http_event("GET", "/v1/x", parameters={"task_id": task_id}))
    marks.append(time.perf_counter())
    for message in received:
        clouds.sqs.delete_message(QueueUrl=clouds.queue, ReceiptHandle=message["ReceiptHandle"])
    if answer["statusCode"] not in (200, 422):
        raise RuntimeError(answer)
    submit, wait, work, result = (after - before for before, after in pairwise(marks))
    told = functions["work"].said.rpartition(" took ")[2].partition('"')[0]
    return {
        "submit: bucket, record, message": submit,
        "receive the message": wait,
        "work": work,
        **{f"work: {step}": float(seconds) for step, seconds in re.findall(r"(\w+) ([\d.]+) s", told)},
        "result": result,
        "all of it": marks[-1] - marks[0],
    }


def processor_time(pid: int) -> float:
    """Give the seconds of processor time of a process and of all that it has started."""
    ticks = 0
    for number in members(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(") ")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")


def members(pid: int) -> list[int]:
    """List the processes of a session."""
    found = subprocess.run(["ps", "-o", "pid=", "-s", str(pid)], capture_output=True, text=True, check=True).stdout
    return [*map(int, found.split())]


def peaks(pid: int) -> tuple[float, float]:
    """Give the peak resident memory of a process, and of those that it has started together, in MB."""
    sizes = {}
    for number in members(pid):
        try:
            lines = Path(f"/proc/{number}/status").read_text(encoding="ascii").splitlines()
        except OSError:
            continue
        sizes[number] = int(next((line.split()[1] for line in lines if line.startswith("VmHWM:")), 0)) / 1024
    return sizes.pop(pid), sum(sizes.values())


if __name__ == "__main__":
    main()

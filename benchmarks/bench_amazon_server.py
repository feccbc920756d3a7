"""Speed of real-time predictions of the Amazon ML server: records of 300 words, a model of word pairs, 10 classes.

The texts are invented: words by Zipf's law, each class with some words of its own. Raw clients write and read HTTP over
8 connections; then, at 200 requests per second, each latency is measured from the time at which the request was due.
The boto3 clients are two processes of four threads. With ``--beside`` the server of another checkout, whose core is
built, answers the same requests in turns with this one.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import boto3
import numpy as np
from common import ROOT, Row, finish, options

CONNECTIONS = 8
TURNS = 5
STEADY = 200
"""Requests a second at which the latency is measured."""

CLASSES = 10
KEY = "AKIDEXAMPLE"
SCHEMA = {
    "version": "1.0",
    "targetAttributeName": "category",
    "dataFormat": "CSV",
    "dataFileContainsHeader": False,
    "attributes": [
        {"attributeName": "category", "attributeType": "CATEGORICAL"},
        {"attributeName": "text", "attributeType": "TEXT"},
    ],
}
RECIPE = '{"outputs": ["ngram(lowercase(text), 2)"]}'


def main() -> None:
    parser = options("amazon_server", __doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each measurement (default %(default)s)")
    parser.add_argument("--beside", type=Path, metavar="CHECKOUT", help="another checkout to compare with, in turns")
    arguments = parser.parse_args()
    if arguments.quick:
        arguments.seconds = 3
    texts, labels = made_texts(1_000 if arguments.quick else 3_000)
    with ExitStack() as stack:
        urls = [
            stack.enter_context(mounted(root, texts, labels)) for root in (ROOT, arguments.beside) if root is not None
        ]
        print("predicting", file=sys.stderr)
        tables = {"Real-time predictions, 300 words": alone(urls[0], texts[:500], arguments.seconds)}
        if arguments.beside:
            tables["In turns with the other checkout, maximum rate"] = in_turns(urls, texts[:500], arguments.seconds)
    finish(arguments, tables)


def alone(url: str, texts: list[str], seconds: float) -> list[Row]:
    records = [request(url, text) for text in texts]
    asyncio.run(flat_out(url, records, 1))
    flat, steady = (asyncio.run(measure(url, records, seconds)) for measure in (flat_out, at_a_steady_rate))
    return [
        figures(f"raw HTTP, {CONNECTIONS} connections, maximum rate", flat, seconds),
        figures(f"raw HTTP, {CONNECTIONS} connections, {STEADY} per second", steady, seconds),
        figures("boto3, 2 processes of 4 threads, maximum rate", with_boto3(url, texts, seconds), seconds),
    ]


def in_turns(urls: list[str], texts: list[str], seconds: float) -> list[Row]:
    """Measure this server and the other one after the other, several times; the ratio is the median of the turns."""
    asked = [(url, [request(url, text) for text in texts]) for url in urls]
    part = seconds / TURNS
    rates = [[len(asyncio.run(flat_out(*each, part))) / part for each in asked] for _ in range(TURNS)]
    own, other = zip(*rates, strict=True)
    return [
        {
            "turns": TURNS,
            "this, predictions per second": median(own),
            "other, predictions per second": median(other),
            "ratio": median(mine / theirs for mine, theirs in zip(own, other, strict=True)),
        }
    ]


def figures(name: str, latencies: list[float], seconds: float) -> Row:
    p50, p99 = np.percentile(latencies, [50, 99]) * 1000
    return {
        "client": name,
        "predictions per second": len(latencies) / seconds,
        "p50 ms": float(p50),
        "p99 ms": float(p99),
    }


def made_texts(count: int) -> tuple[list[str], list[int]]:
    chance = np.random.default_rng(0)
    labels = chance.integers(CLASSES, size=count).tolist()
    words = np.minimum(chance.zipf(1.3, size=(count, 290)), 30_000)
    own = chance.integers(20, size=(count, 10))
    texts = [
        " ".join([*(f"w{word}" for word in row), *(f"c{label}x{word}" for word in mark)])
        for label, row, mark in zip(labels, words, own, strict=True)
    ]
    return texts, labels


@contextmanager
def mounted(root: Path, texts: list[str], labels: list[int]) -> Iterator[str]:
    """Start the server of a checkout, with an endpoint."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / "s3").mkdir()
        command = [sys.executable, "-m", "aws_ml_adapter", "serve", "--rate", "1000000"]
        command += ["--data-dir", str(folder / "data"), "--s3-root", str(folder / "s3")]
        environment = {**os.environ, "PYTHONPATH": str(root)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment, cwd=root) as process:
            url = process.stdout.readline().strip() if process.stdout else ""
            try:
                print(f"training {root}", file=sys.stderr)
                mount(url, folder, texts, labels)
                yield url
            finally:
                process.terminate()


def client(url: str) -> Any:
    return boto3.client(
        "machinelearning",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=KEY,
        aws_secret_access_key=KEY,
    )


def mount(url: str, folder: Path, texts: list[str], labels: list[int]) -> None:
    bucket = folder / "s3" / "bucket"
    bucket.mkdir()
    rows = (f"class {label},{text}\n" for label, text in zip(labels, texts, strict=True))
    (bucket / "data.csv").write_text("".join(rows))
    service = client(url)
    service.create_data_source_from_s3(
        DataSourceId="ds",
        DataSpec={"DataLocationS3": "s3://bucket/data.csv", "DataSchema": json.dumps(SCHEMA)},
        ComputeStatistics=True,
    )
    service.create_ml_model(MLModelId="ml", MLModelType="MULTICLASS", TrainingDataSourceId="ds", Recipe=RECIPE)
    service.get_waiter("ml_model_available").wait(WaiterConfig={"Delay": 1, "MaxAttempts": 600})
    service.create_realtime_endpoint(MLModelId="ml")
    while service.get_ml_model(MLModelId="ml")["EndpointInfo"]["EndpointStatus"] != "READY":
        time.sleep(0.1)


def request(url: str, text: str) -> bytes:
    body = json.dumps({"MLModelId": "ml", "Record": {"text": text}, "PredictEndpoint": url}).encode()
    head = (
        f"POST / HTTP/1.1\r\nHost: {url.removeprefix('http://')}\r\nX-Amz-Target: AmazonML_20141212.Predict\r\n"
        f"Content-Type: application/x-amz-json-1.1\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


class Connection:
    """One connection, which sends one request after another."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @classmethod
    async def open(cls, url: str) -> Connection:
        """Connect."""
        host, port = url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port)))

    async def ask(self, message: bytes) -> None:
        """Send a request and read its answer."""
        self.writer.write(message)
        head = await self.reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        body = await self.reader.readexactly(length)
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(body)


async def flat_out(url: str, records: list[bytes], seconds: float) -> list[float]:
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    async def run(first: int) -> None:
        connection = await Connection.open(url)
        number = first
        while (begun := time.perf_counter()) < end:
            await connection.ask(records[number % len(records)])
            latencies.append(time.perf_counter() - begun)
            number += CONNECTIONS
        connection.writer.close()

    await asyncio.gather(*(run(first) for first in range(CONNECTIONS)))
    return latencies


async def at_a_steady_rate(url: str, records: list[bytes], seconds: float) -> list[float]:
    latencies: list[float] = []
    free: asyncio.Queue[Connection] = asyncio.Queue()
    for _ in range(CONNECTIONS):
        free.put_nowait(await Connection.open(url))

    async def run(number: int, due: float) -> None:
        connection = await free.get()
        await connection.ask(records[number % len(records)])
        latencies.append(time.perf_counter() - due)
        free.put_nowait(connection)

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(int(seconds * STEADY)):
            due = begun + number / STEADY
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            tasks.create_task(run(number, due))
    while not free.empty():
        free.get_nowait().writer.close()
    return latencies


def with_boto3(url: str, texts: list[str], seconds: float) -> list[float]:
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        return [
            latency for latencies in pool.starmap(boto3_process, [(url, texts, seconds)] * 2) for latency in latencies
        ]


def boto3_process(url: str, texts: list[str], seconds: float) -> list[float]:
    service = client(url)
    latencies: list[float] = []
    end = time.perf_counter() + seconds

    def run(number: int) -> None:
        while (begun := time.perf_counter()) < end:
            service.predict(MLModelId="ml", Record={"text": texts[number % len(texts)]}, PredictEndpoint=url)
            latencies.append(time.perf_counter() - begun)
            number += 4

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return latencies


if __name__ == "__main__":
    main()

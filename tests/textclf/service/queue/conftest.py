"""Real brokers, each a process of the tests with a folder of its own, and workers."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]
RABBITMQ = Path("/usr/lib/rabbitmq/bin/rabbitmq-server")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A broker that can be killed and started again, with what it has kept on the disk."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.processes: list[subprocess.Popen[bytes]] = []
        folder.mkdir(parents=True, exist_ok=True)

    def spawn(self, *command: object, **environment: str) -> None:
        with (self.folder / "log").open("a") as log:
            self.processes.append(
                subprocess.Popen(
                    [*map(str, command)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    cwd=self.folder,
                    env=os.environ | environment,
                    start_new_session=True,
                )
            )

    def wait(self, seconds: float = 180) -> None:
        end = time.monotonic() + seconds
        while True:
            with suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            assert time.monotonic() < end, (self.folder / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """End all processes at once, also those that they have started."""
        for process in self.processes:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(30)
        self.processes.clear()


class Redis(Server):
    def start(self) -> None:
        kept = ("--appendonly", "yes", "--appendfsync", "always", "--save", "")
        self.spawn(shutil.which("redis-server"), "--port", self.port, "--bind", "127.0.0.1", *kept)
        self.wait()

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"


class Rabbitmq(Server):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.epmd, self.distribution = free_port(), free_port()

    def start(self) -> None:
        environment = {
            "HOME": str(self.folder),
            "ERL_EPMD_PORT": str(self.epmd),
            "ERL_EPMD_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODENAME": "tests@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
            "RABBITMQ_GENERATED_CONFIG_DIR": str(self.folder / "config"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.folder / "none"),
            "RABBITMQ_CONF_ENV_FILE": str(self.folder / "none"),
            "RABBITMQ_PID_FILE": str(self.folder / "pid"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 1:1 +sbwt none",
        }
        # else the server would start one that outlives it
        self.spawn("epmd", "-port", self.epmd, **environment)
        self.spawn(RABBITMQ, **environment)
        self.wait()

    @property
    def url(self) -> str:
        return f"amqp://guest:guest@127.0.0.1:{self.port}//"


class Sqs(Server):
    """Keeps nothing: its queue is lost when it is killed."""

    def start(self) -> None:
        self.spawn(Path(sys.executable).with_name("moto_server"), "--host", "127.0.0.1", "--port", self.port)
        self.wait()

    @property
    def url(self) -> str:
        return f"sqs://key:secret@127.0.0.1:{self.port}/"


@pytest.fixture(scope="session")
def new_broker(tmp_path_factory) -> Iterator[Callable[[str], Server]]:
    """Starts brokers, which end with the tests."""
    started: list[Server] = []

    def start(kind: str) -> Server:
        pytest.importorskip("celery", reason="the extra [queue] is not installed")
        if kind == "redis" and shutil.which("redis-server") is None:
            pytest.skip("redis-server is not installed")
        if kind == "rabbitmq" and not RABBITMQ.exists():
            pytest.skip("rabbitmq-server is not installed")
        if kind == "sqs":
            pytest.importorskip("moto", reason="the extra [test] is not installed")
        kinds = {"redis": Redis, "rabbitmq": Rabbitmq, "sqs": Sqs}
        started.append(kinds[kind](tmp_path_factory.mktemp(kind)))
        started[-1].start()
        return started[-1]

    yield start
    for server in started:
        server.kill()


@pytest.fixture(scope="session")
def redis(new_broker) -> Server:
    return new_broker("redis")


class Worker:
    """A worker that was started, and what it said."""

    def __init__(self, folder: Path, library: Path, *arguments: object, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._said = folder / "stderr"
        with self._said.open("a") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "textclf", "worker", "--library", str(library), *map(str, arguments)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "xdg")} | environment,
                start_new_session=True,
            )

    @property
    def said(self) -> str:
        return self._said.read_text()

    def ready(self) -> str:
        """The line that it prints once it is ready."""
        line = self.process.stdout.readline()
        assert line.startswith("ready: "), self.said
        return line.strip()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if number == signal.SIGKILL:
            # as where a machine ends: its reading processes, too
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)
        else:
            self.process.send_signal(number)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


@pytest.fixture
def start_worker(tmp_path) -> Iterator[Callable[..., Worker]]:
    """Starts workers, and stops them after the test."""
    started: list[Worker] = []

    def start(library: Path, *arguments: object, **environment: str) -> Worker:
        started.append(Worker(tmp_path / f"worker{len(started)}", library, *arguments, **environment))
        return started[-1]

    yield start
    for worker in started:
        if worker.process.poll() is None:
            worker.stop(signal.SIGKILL)
        worker.process.stdout.close()

"""A real service: ``textclf serve`` in a process of its own, and a client of it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest

ROOT = Path(__file__).parents[3]
KEY = "0123456789abcdef0123"


class Service:
    """A service that was started, and what it said."""

    def __init__(self, folder: Path, *arguments: object, **environment: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.library = folder, folder / "library"
        self._said = folder / "stderr"
        command = [sys.executable, "-m", "textclf", "serve", "--library", str(self.library), *map(str, arguments)]
        with self._said.open("a") as said:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                cwd=folder,
                env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_CACHE_HOME": str(folder / "xdg")} | environment,
                start_new_session=True,
            )
        self.url = self.process.stdout.readline().strip()
        assert self.url.startswith("http"), self.said

    @property
    def said(self) -> str:
        return self._said.read_text()

    def client(self, **options: Any) -> httpx.Client:
        # certificates are slow to load, and not needed
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False, verify=False, **options)

    def wait_until_ready(self) -> None:
        with self.client() as client:
            end = time.monotonic() + 60
            while (answer := client.get("/ready")).status_code != 200:
                assert time.monotonic() < end, answer.text
                time.sleep(0.1)

    def stop(self, number: int = signal.SIGTERM) -> int:
        with suppress(ProcessLookupError):
            self.process.send_signal(number)
        code = self.process.wait(60)
        self.process.stdout.close()
        return code


@pytest.fixture(scope="session")
def start_any(tmp_path_factory) -> Iterator[Callable[..., Service]]:
    """Starts services, and stops those that still run at the end of the session."""
    started: list[Service] = []

    def start(*arguments: object, folder: Path | None = None, **environment: str) -> Service:
        folder = folder or tmp_path_factory.mktemp("service")
        service = Service(folder, *arguments, **environment)
        started.append(service)
        return service

    yield start
    for service in started:
        if service.process.poll() is None:
            service.stop(signal.SIGKILL)
        service.process.stdout.close()


@pytest.fixture
def start(start_any) -> Iterator[Callable[..., Service]]:
    """Starts services, and stops them after the test."""
    started: list[Service] = []

    def begin(*arguments: object, **more: Any) -> Service:
        started.append(start_any(*arguments, **more))
        return started[-1]

    yield begin
    for service in started:
        if service.process.poll() is None:
            service.stop(signal.SIGKILL)
        service.process.stdout.close()


@pytest.fixture(scope="session")
def scans(scan, tmp_path_factory) -> Path:
    """The folder of which clients may name files."""
    folder = tmp_path_factory.mktemp("root") / "scans"
    scan(folder / "invoice.png", "invoice total due vat number", "net gross payment terms bank")
    scan(folder / "letter.png", "dear madam sincerely yours", "regards write answer kind aunt love")
    scan(folder / "deep" / "receipt.png", "receipt cash change thank till", "item price card shop euro coins")
    return folder


@pytest.fixture(scope="session")
def invoice(scans) -> bytes:
    return (scans / "invoice.png").read_bytes()


@pytest.fixture(scope="session")
def service(start_any, model_path, scans) -> Service:
    """A service that most tests share."""
    service = start_any(
        "--model", model_path, "--root", scans, "--jobs", 1, "--max-error", 0.4, "--max-upload", 300_000
    )
    service.wait_until_ready()
    return service


@pytest.fixture
def client(service) -> Iterator[httpx.Client]:
    with service.client() as client:
        yield client


@pytest.fixture(scope="session")
def sent() -> Callable[..., list[Any]]:
    """The files of a form, by name."""

    def files(**content: bytes) -> list[Any]:
        return [("files", (f"{name}.png", given)) for name, given in content.items()]

    return files


@pytest.fixture(scope="session")
def slow_engine(tmp_path_factory) -> Callable[[str], dict[str, str]]:
    """The environment of a service whose program tesseract does as a shell script says before it reads."""

    def install(script: str = "") -> dict[str, str]:
        folder = tmp_path_factory.mktemp("bin")
        program = folder / "tesseract"
        rows = "\\n".join(
            f"5\\t1\\t1\\t1\\t1\\t{number}\\t{60 * number}\\t10\\t50\\t20\\t95\\t{word}"
            for number, word in enumerate(("invoice", "total", "due", "vat"), 1)
        )
        head = r"level\tpage_num\tblock_num\tpar_num\tline_num\tword_num\tleft\ttop\twidth\theight\tconf\ttext"
        program.write_text(
            "#!/bin/sh\n"
            'case "$1" in\n'
            '--version) echo "tesseract 5.0.0";;\n'
            '--list-langs) printf "List of available languages (2):\\neng\\nosd\\n";;\n'
            '*) input=$1; output=$2.tsv; width=$(head -c 8 "$input" | tail -n 1 | cut -d" " -f1)\n'
            f"{script}\n"
            f"printf '{head}\\n{rows}\\n' > $output;;\n"
            "esac\n"
        )
        program.chmod(0o755)
        return {"PATH": f"{folder}:{os.environ['PATH']}"}

    return install

"""A small Lambda Runtime API: functions run in processes of their own, started as Lambda starts a container image."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

ROOT = Path(__file__).parents[3]
_PATH = "/2018-06-01/runtime"


class FunctionError(Exception):
    """What a function that fails tells Lambda."""


class Function:
    """A function: its process, and the API that the process asks for events.

    https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html
    """

    def __init__(
        self,
        handler: str,
        environment: Mapping[str, str],
        *,
        seconds: float = 60,
        wrapper: tuple[str, ...] = (),
        module: str = "awslambdaric",
    ) -> None:
        self.seconds = seconds
        self._given: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        self._answers: SimpleQueue[tuple[str, bytes]] = SimpleQueue()
        self.is_ready = threading.Event()
        function = self

        class Api(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                function.is_ready.set()
                request_id, event = function._given.get()
                try:
                    self.send_response(200)
                    for name, value in {
                        "Content-Length": len(event),
                        "Content-Type": "application/json",
                        "Lambda-Runtime-Aws-Request-Id": request_id,
                        "Lambda-Runtime-Deadline-Ms": int((time.time() + function.seconds) * 1000),
                        "Lambda-Runtime-Invoked-Function-Arn": f"arn:aws:lambda:eu-west-1:1:function:{handler}",
                    }.items():
                        self.send_header(name, str(value))
                    self.end_headers()
                    self.wfile.write(event)
                except OSError:
                    pass

            def do_POST(self) -> None:
                content = self.rfile.read(int(self.headers["Content-Length"]))
                function._answers.put((self.path, content))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self._log = open(Path(environment["TMPDIR"], f"log-{uuid.uuid4().hex}"), "w+")  # noqa: PTH123, SIM115
        self.process = subprocess.Popen(
            [*wrapper, sys.executable, "-m", module, handler],
            env={
                **os.environ,
                "PYTHONPATH": str(ROOT),
                "AWS_LAMBDA_RUNTIME_API": f"127.0.0.1:{self._server.server_port}",
                "AWS_LAMBDA_FUNCTION_NAME": handler,
                **environment,
            },
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    @property
    def said(self) -> str:
        """Its log."""
        return Path(self._log.name).read_text()

    def send(self, event: object) -> None:
        """Hand an event over."""
        self._given.put((str(uuid.uuid4()), json.dumps(event).encode()))

    def answer(self) -> Any:
        """Wait for the answer to the event before."""
        end = time.monotonic() + self.seconds
        while True:
            try:
                path, content = self._answers.get(timeout=0.2)
                break
            except Empty:
                if self.process.poll() is not None:
                    raise FunctionError(f"Runtime exited: {self.process.returncode}\n{self.said}") from None
                if time.monotonic() > end:
                    # as Lambda does
                    self.kill()
                    raise FunctionError(f"Task timed out after {self.seconds} seconds\n{self.said}") from None
        if not path.endswith("/response"):
            raise FunctionError(f"{content.decode()}\n{self.said}")
        assert len(content) <= 6 * 1024 * 1024
        return json.loads(content)

    def __call__(self, event: object) -> Any:
        """Invoke it."""
        self.send(event)
        return self.answer()

    def kill(self) -> None:
        """End it, and whatever it has started, as when a container goes."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def close(self) -> None:
        """End it and its API."""
        self.kill()
        self._server.shutdown()
        self._server.server_close()
        self._log.close()

"""Asks the program of a container whether it answers, for the engine that runs the container."""

from __future__ import annotations

import http.client
import os
import sys
from itertools import pairwise
from pathlib import Path

PORTS = {
    "textclf serve": "TEXTCLF_SERVE_PORT",
    "textclf worker": "TEXTCLF_WORKER_METRICS_PORT",
    "amazon-ml serve": "AMAZON_ML_SERVE_PORT",
}
"""The variable, set in the image, with the port on which a command answers."""


def command_of(arguments: bytes) -> str:
    r"""Find program and command in the arguments of a process; empty if it is another program.

    >>> command_of(b"/opt/textclf/bin/python\0/opt/textclf/bin/textclf\0serve\0--verbose\0")
    'textclf serve'
    """
    words = [word.rpartition("/")[2] for word in os.fsdecode(arguments).split("\0")]
    pairs = (f"{program} {command}" for program, command in pairwise(words))
    return next((pair for pair in pairs if pair in PORTS), "")


def main(process: Path = Path("/proc/1/cmdline")) -> int:
    """Give 0 if the first process of the container answers, or answers nobody; 1 if it should and does not."""
    command = command_of(process.read_bytes())
    if not command:
        return 0
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ[PORTS[command]]), timeout=5)
    try:
        connection.request("GET", "/health")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        print(f"{command}: {error}")  # noqa: T201
        return 1
    finally:
        connection.close()
    # the server of Amazon ML has no route for this: that it answers is enough
    return 0 if status == 200 or command == "amazon-ml serve" else 1


if __name__ == "__main__":
    sys.exit(main())

"""``python -m aws_ml_adapter.serverless``: a worker in a container of ECS, which asks the queue for messages."""

from __future__ import annotations

import argparse
import logging
import signal
import sys

from aws_ml_adapter.serverless.clients import client
from aws_ml_adapter.serverless.polling import Polling
from aws_ml_adapter.serverless.settings import VARIABLES, settings
from aws_ml_adapter.serverless.worker import Worker
from textclf.base.errors import TextclfError


def main() -> int:
    """Work until SIGTERM or SIGINT; gives the exit code."""
    argparse.ArgumentParser(
        prog="python -m aws_ml_adapter.serverless",
        description="A worker that asks the queue for documents, until SIGTERM or SIGINT.",
        epilog=f"It has no options and is set up by the environment: {', '.join(VARIABLES)}; see docs/serverless.md.",
    ).parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s", stream=sys.stderr)
    # botocore tells of each lookup of its credentials
    logging.getLogger("botocore").setLevel(logging.WARNING)
    try:
        options = settings()
        options.need("queue_url")
        polling = Polling(Worker(options, client), client("sqs"), options.queue_url, grace=options.grace)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: polling.stop())
        polling.run()
    except TextclfError as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""A worker process: does one job, says how it went, and never outlives the server that started it."""

from __future__ import annotations

import contextlib
import json
import logging
import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from aws_ml_adapter.api.kinds import Status
from aws_ml_adapter.server.job_spec import Job
from textclf.base.errors import OutputError, TextclfError

MESSAGE_LIMIT = 10_240
"""Characters of an object's Message."""

_NICENESS = 19


def work(job: Job, pipe: Connection) -> None:
    """Do a job in this process and send its outcome, as JSON: ``status`` and ``record`` of `Entities.finish`."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # a real-time answer goes first where both want a core
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_server, daemon=True).start()
    outcome = json.dumps(_outcome(job)).encode()
    # a server that was killed hears nothing; the next one begins the job anew
    with contextlib.suppress(OSError):
        pipe.send_bytes(outcome)


def _outcome(job: Job) -> dict[str, Any]:
    # here, not above: the server itself has no use for what trains
    from aws_ml_adapter.server.run_job import run_job

    try:
        shutil.rmtree(job.folder, ignore_errors=True)
        # what a worker that is killed leaves behind goes with the folder
        tempfile.tempdir = str(job.folder / "tmp")
        Path(tempfile.tempdir).mkdir(parents=True)
        return {"status": Status.COMPLETED, "record": run_job(job)}
    # a message does not reveal to clients where the server keeps its files
    except OutputError as error:
        message = f"a file of the server {error.what}"
    except TextclfError as error:
        message = str(error)
    except MemoryError:
        message = "the data do not fit into the server's memory"
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        message = f"a file of the server cannot be read or written ({reason})"
    # whatever a client's data bring about, the object must not stay in progress
    except Exception as error:
        logging.getLogger(__name__).exception("in the job of %s", job.folder)
        message = f"a fault of the server itself ({type(error).__name__})"
    return {"status": Status.FAILED, "record": {"Message": message[:MESSAGE_LIMIT]}}


def _end_with_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os._exit(1)

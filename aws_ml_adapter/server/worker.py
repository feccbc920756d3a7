"""The worker process: runs one job, sends its outcome, and exits when the server does."""

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
"""Maximum characters of an object's Message."""

_NICENESS = 19


def work(job: Job, pipe: Connection) -> None:
    """Run a job in this process, and send ``status`` and ``record`` for `Entities.finish` as JSON."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # real-time predictions of the server have priority
    os.nice(_NICENESS)
    threading.Thread(target=_end_with_server, daemon=True).start()
    outcome = json.dumps(_outcome(job)).encode()
    # if the server was killed, the next one runs the job again
    with contextlib.suppress(OSError):
        pipe.send_bytes(outcome)


def _outcome(job: Job) -> dict[str, Any]:
    # imported here, because the server itself does not need the training code
    from aws_ml_adapter.server.run_job import run_job

    try:
        shutil.rmtree(job.folder, ignore_errors=True)
        # temporary files of a killed worker are removed with the folder
        tempfile.tempdir = str(job.folder / "tmp")
        Path(tempfile.tempdir).mkdir(parents=True)
        return {"status": Status.COMPLETED, "record": run_job(job)}
    # a message must not reveal the server's paths to clients
    except OutputError as error:
        message = f"a file of the server {error.what}"
    except TextclfError as error:
        message = str(error)
    except MemoryError:
        message = "the data do not fit into the server's memory"
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        message = f"a file of the server cannot be read or written ({reason})"
    # the object must not stay in progress, whatever the error
    except Exception as error:
        logging.getLogger(__name__).exception("in the job of %s", job.folder)
        message = f"internal error of the server ({type(error).__name__})"
    return {"status": Status.FAILED, "record": {"Message": message[:MESSAGE_LIMIT]}}


def _end_with_server() -> None:
    server = multiprocessing.parent_process()
    if server is not None:
        server.join()
        os._exit(1)

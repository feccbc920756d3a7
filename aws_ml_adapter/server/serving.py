"""Starting, running and stopping the server, one per data directory."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Callable
from pathlib import Path

from aws_ml_adapter.api.storage import StorageOptions, open_storage
from aws_ml_adapter.server.app import App
from aws_ml_adapter.server.entities import Entities
from aws_ml_adapter.server.hosts_and_cors import Cors, Hosts
from aws_ml_adapter.server.operations import Operations
from aws_ml_adapter.server.pages import Pages
from aws_ml_adapter.server.realtime import RealTime
from aws_ml_adapter.server.request_log import RequestLog
from aws_ml_adapter.server.s3.endpoint import S3
from aws_ml_adapter.server.scheduler import Scheduler
from aws_ml_adapter.server.server_options import MAX_JOBS, ServerOptions
from aws_ml_adapter.server.signatures import read_keys
from textclf.base.errors import BadInputError
from textclf.base.http_server import Server, listening, locked_folder

_CONNECTIONS = 256
_SECRET_BYTES = 32


def serve(options: ServerOptions, *, ready: Callable[[str, str], None]) -> None:
    """Run the server until SIGINT, SIGTERM or SIGHUP.

    Once it accepts requests, ``ready`` is called with its URL and that of its web pages. With keys, the latter is a
    secret that gives access to all pages.
    """
    if options.s3_root is not None and not options.s3_root.is_dir():
        raise BadInputError("is not a folder", where=options.s3_root, remedy="create it, or give another --s3-root")
    keys = read_keys(options.credentials) if options.credentials else None
    cors = Cors(options.allow_origins)
    with (
        locked_folder(options.data_dir, "lock", busy="another server uses this data directory", option="--data-dir"),
        listening(options.host, options.port) as (listener, url),
    ):
        secret = _secret(options.data_dir / "secret")
        log = RequestLog(options.data_dir / "requests.log")
        entities = Entities(options.data_dir / "state.sqlite3", clock=time.time)
        realtime = RealTime(entities, data_dir=options.data_dir, rate=options.rate)
        root = None if options.s3_endpoint else options.s3_root or options.data_dir / "s3"
        if root is not None:
            root.mkdir(parents=True, exist_ok=True)
        storage = StorageOptions(root=str(root) if root else None, endpoint=options.s3_endpoint)
        scheduler = Scheduler(
            entities,
            data_dir=options.data_dir,
            storage=storage,
            max_jobs=options.jobs or min(os.cpu_count() or 1, MAX_JOBS),
            best_answer=options.best_answer,
            ended=realtime.settle,
        )
        pages = Pages(entities, data_dir=options.data_dir, secret=secret, signed=keys is not None)
        hosts = Hosts(options.public_url)
        app = App(
            Operations(entities, scheduler, realtime, storage=open_storage(storage, patient=False), secret=secret),
            realtime,
            pages,
            s3=S3(root, data_dir=options.data_dir, secret=secret, hosts=hosts, keys=keys),
            hosts=hosts,
            cors=cors,
            log=log,
            data_dir=options.data_dir,
            keys=keys,
        )
        server = Server(
            app,
            lambda: ready(url, (options.public_url or url) + pages.path),
            connections=_CONNECTIONS,
            grace=10,
            loop="uvloop",
            lifespan="off",
        )
        scheduler.start()
        realtime.start()
        try:
            server.run(sockets=[listener])
        finally:
            scheduler.stop()
            realtime.stop()
            entities.close()
            log.close()


def _secret(path: Path) -> bytes:
    """Return the key of signed URLs, which is kept in a file."""
    if not path.is_file():
        aside = path.with_suffix(".part")
        aside.unlink(missing_ok=True)
        aside.touch(0o600, exist_ok=False)
        aside.write_bytes(secrets.token_bytes(_SECRET_BYTES))
        aside.replace(path)
    secret = path.read_bytes()
    if len(secret) != _SECRET_BYTES:
        raise BadInputError(
            f"does not have {_SECRET_BYTES} bytes", where=path, remedy="remove it; links issued so far become invalid"
        )
    return secret

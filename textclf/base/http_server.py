"""What the servers share: a lock on their folder, a socket to listen on, and uvicorn with limits and signals."""

from __future__ import annotations

import fcntl
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import uvicorn

from textclf.base.errors import OutputError, UsageError
from textclf.base.files import output_error
from textclf.base.http_limits import BoundedProtocol

_KEEP_ALIVE = 75
"""Seconds for which a connection without a request is kept."""


@contextmanager
def locked_folder(folder: Path, name: str, *, busy: str, option: str) -> Iterator[None]:
    """Lock a folder against a second server; the kernel releases the lock however the process ends.

    Parameters
    ----------
    folder : pathlib.Path
        Made if it is missing, for its owner alone.
    name : str
        Name of the lock's file in it.
    busy : str
        What to say if another server has the lock.
    option : str
        The option that gives another folder.

    Raises
    ------
    textclf.base.errors.UsageError
        If another server has the lock.
    textclf.base.errors.OutputError
        If the folder cannot be written to.
    """
    try:
        # state, logs and papers are private
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (folder / name).open("a")
    except OSError as error:
        raise output_error(error, folder, f"give another place with {option}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise UsageError(busy, where=folder, remedy=f"stop it or give another {option}") from error
        yield


@contextmanager
def listening(host: str, port: int) -> Iterator[tuple[socket.socket, str]]:
    """Listen on an address; gives the socket and its URL, for all addresses that by which others reach this computer.

    Raises
    ------
    textclf.base.errors.OutputError
        If that is not possible.
    """
    with ExitStack() as opened:
        try:
            family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
            listener = opened.enter_context(socket.socket(family, kind, protocol))
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(address)
        except (OSError, OverflowError) as error:
            raise OutputError(f"cannot listen on {host} port {port} ({error})", remedy="give another --port") from error
        host, port = listener.getsockname()[:2]
        host = _own_address(family) if ip_address(host).is_unspecified else host
        yield listener, f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _own_address(family: socket.AddressFamily) -> str:
    """Give the address of this computer in its network, or the loopback address where it is in none."""
    is_new = family == socket.AF_INET6
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            # nothing is sent: the system only chooses the address from which it would be
            probe.connect(("2001:db8::1" if is_new else "192.0.2.1", 9))
        except OSError:
            return "::1" if is_new else "127.0.0.1"
        return str(probe.getsockname()[0])


class Server(uvicorn.Server):
    """uvicorn with bounded requests, which SIGINT, SIGTERM and SIGHUP end.

    Parameters
    ----------
    app : ASGI application
        What answers.
    ready : callable
        Called once requests are accepted.
    connections : int
        Most connections at a time; further ones are refused.
    grace : int
        Seconds that requests have to end once the server stops.
    **more
        Further settings of uvicorn.
    """

    def __init__(self, app: Any, ready: Callable[[], None], *, connections: int, grace: int, **more: Any) -> None:
        config = uvicorn.Config(
            app,
            http=BoundedProtocol,
            ws="none",
            interface="asgi3",
            proxy_headers=False,
            server_header=False,
            access_log=False,
            log_config=None,
            log_level="warning",
            limit_concurrency=connections,
            timeout_keep_alive=_KEEP_ALIVE,
            timeout_graceful_shutdown=grace,
            **more,
        )
        super().__init__(config)
        self._ready = ready
        # set here, because uvicorn handles signals only while it runs, and raises the last one again afterwards
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            # nohup ignores SIGHUP
            if signal.getsignal(number) != signal.SIG_IGN:
                signal.signal(number, self.handle_exit)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell that requests are accepted."""
        await super().startup(sockets)
        if self.started:
            self._ready()

"""Fixtures for all tests and doctests: temporary files, Ctrl-C, an unprivileged account."""

from __future__ import annotations

import gc
import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# Alembic runs it with a connection
collect_ignore = ["textclf/library/migrations/env.py"]

# no deadline: the time of an example depends on the load of the computer
settings.register_profile("textclf", deadline=None, max_examples=40)
settings.load_profile("textclf")


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect no garbage while all modules are imported, never look through what they hold, and seldom after that."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Put temporary files where pytest removes them."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        # for the processes that tests start, and for this one
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> Iterator[None]:
    """Let child processes react to Ctrl-C even if a shell started this one in the background, where it is ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """Run the test as an account that, unlike root, may not list every folder; yield a folder of that account."""
    nobody = 65534
    # other accounts may not enter the folders of other tests
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        if os.geteuid() != 0:
            yield Path(folder)
            return
        os.chown(folder, nobody, nobody)
        os.seteuid(nobody)
        try:
            yield Path(folder)
        finally:
            os.seteuid(0)

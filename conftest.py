"""For all tests and doctests: where temporary files go, and that Ctrl-C is heard."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

# how long an example takes depends on the machine, and on what else runs there
settings.register_profile("textclf", deadline=None)
settings.load_profile("textclf")


@pytest.fixture(scope="session", autouse=True)
def _temporary_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Let pytest clear up what is left in the temporary folder."""
    folder = str(tmp_path_factory.mktemp("temporary"))
    with pytest.MonkeyPatch.context() as patch:
        # for the processes that tests start, and for this one
        patch.setenv("TMPDIR", folder)
        patch.setattr(tempfile, "tempdir", folder)
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts() -> Iterator[None]:
    """Start processes that hear Ctrl-C, even if this one does not, as a shell starts what runs in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def unprivileged() -> Iterator[Path]:
    """Give a folder of an account that may not list everything, as root may, and work as that account."""
    nobody = 65534
    # the folders of other tests are closed to other accounts
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

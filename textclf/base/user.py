"""For whom this process works."""

from __future__ import annotations

import getpass
import os
from contextlib import suppress


def user_name() -> str:
    """Give the name of the user of this process, or its number where it has no name, as in a container."""
    with suppress(OSError, KeyError):
        return getpass.getuser()
    return str(os.getuid())

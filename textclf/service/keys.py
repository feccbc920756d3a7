"""Keys of clients: the file that lists them, and the headers that bring them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import os
import stat
from collections.abc import Mapping
from pathlib import Path

from textclf.base.errors import BadDataError
from textclf.base.files import read_small

MIN_LENGTH = 16
"""Characters of a key."""

_MOUNTED = Path("/run/secrets")
"""Where containers have their secrets, with permissions that their engine sets."""

_log = logging.getLogger(__name__)


class Keys:
    """The keys of a file: on each line a key, or a user's name, a colon and a key; ``#`` begins a comment.

    Parameters
    ----------
    path : pathlib.Path
        The file.

    Raises
    ------
    textclf.base.errors.TextclfError
        If it cannot be read, has no key, or one that is too short.
    """

    def __init__(self, path: Path) -> None:
        lines = read_small(path, "check the path given with --key-file: it holds a key a line").splitlines()
        self._users: dict[bytes, str] = {}
        for number, line in enumerate(map(str.strip, lines), 1):
            if not line or line.startswith("#"):
                continue
            user, _, key = line.rpartition(":")
            if len(key) < MIN_LENGTH:
                raise BadDataError(
                    f"line {number}: the key is shorter than {MIN_LENGTH} characters",
                    where=path,
                    remedy="write one that nobody guesses, such as that of openssl rand -hex 32",
                )
            self._users[_digest(key)] = user.strip()
        if not self._users:
            raise BadDataError("holds no key", where=path, remedy="write a key a line")
        if os.name == "posix" and _is_open_to_others(path):
            _log.warning(f"{path} can be read by other users of this machine; chmod 600 bars them")

    def user(self, headers: Mapping[str, str]) -> str | None:
        """Give the user whose key a request brings; an empty string if the key has no name, None if there is no key."""
        given = _given_key(headers)
        if given is None:
            return None
        digest, found = _digest(given), None
        # all are compared, so that the time tells nothing
        for known, user in self._users.items():
            if hmac.compare_digest(known, digest):
                found = user
        return found

    def is_named(self, name: str) -> bool:
        """Return whether a key has this name, in upper or lower case."""
        return name.casefold() in {user.casefold() for user in self._users.values() if user}

    @property
    def secret(self) -> bytes:
        """What the sessions of browsers are signed with, which end when the keys change."""
        return hashlib.sha256(b"".join(sorted(self._users))).digest()


def _is_open_to_others(path: Path) -> bool:
    """Return whether other users of this machine can read a file; what is below `_MOUNTED` is in a container."""
    place = path.resolve()
    if place.is_relative_to(_MOUNTED.resolve()):
        return False
    file, folders = place.stat(), [folder.stat() for folder in place.parents]
    by_all = file.st_mode & stat.S_IROTH and all(folder.st_mode & stat.S_IXOTH for folder in folders)
    # members of the file's group enter a folder of the same group by the rights of that group
    by_group = file.st_mode & stat.S_IRGRP and all(
        folder.st_mode & (stat.S_IXGRP if folder.st_gid == file.st_gid else stat.S_IXOTH) for folder in folders
    )
    return bool(by_all or by_group)


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _given_key(headers: Mapping[str, str]) -> str | None:
    if key := headers.get("x-api-key"):
        return key
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    # for programs that know user names and passwords only: the key is the password
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2]
        # neither base64 nor UTF-8, or not even ASCII
        except ValueError:
            return None
    return None

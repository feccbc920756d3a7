"""Lists the objects below a folder as S3 does: by key, in pages, grouped by common prefixes."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

_Found = tuple[str, Path]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedPage:
    """A page of objects; the next page starts after ``last``, which is empty on the last page."""

    objects: list[_Found]
    """Keys and paths; a key that ends in ``/`` is an empty folder."""
    prefixes: list[str]
    """Common prefixes up to the delimiter, in place of the keys that have them."""
    last: str


def list_objects(
    folder: Path,
    *,
    is_listed: Callable[[os.DirEntry[str]], bool],
    prefix: str = "",
    delimiter: str = "",
    after: str = "",
    limit: int = 1_000,
) -> ListedPage:
    """List a page of a bucket's folder: https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html."""
    objects: list[_Found] = []
    prefixes: list[str] = []
    last = ""
    walk = _Walk(is_listed, prefix, after, fold=delimiter == "/")
    for key, path in walk.keys(folder, "", (os.path.realpath(folder),)) if limit else ():
        head, found, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
        folded = f"{prefix}{head}{found}" if found else ""
        if folded and folded in (after, prefixes[-1] if prefixes else None):
            continue
        if len(objects) + len(prefixes) == limit:
            return ListedPage(objects=objects, prefixes=prefixes, last=last)
        if folded:
            prefixes.append(folded)
        else:
            objects.append((key, path))
        last = folded or key
    return ListedPage(objects=objects, prefixes=prefixes, last="")


class _Walk:
    """Walks through folders in the order of keys, skipping those that cannot contain matching keys."""

    def __init__(self, is_listed: Callable[[os.DirEntry[str]], bool], prefix: str, after: str, *, fold: bool) -> None:
        self._is_listed = is_listed
        self._prefix = prefix
        self._after = after
        self._fold = fold

    def keys(self, folder: str | Path, base: str, trail: tuple[str, ...]) -> Iterator[_Found]:
        """Yield the keys below a folder; ``trail`` has the real paths of the folder and its parents."""
        for key, path, is_folder in self._entries(folder, base):
            if not is_folder:
                if key.startswith(self._prefix) and key > self._after:
                    yield key, Path(path)
            elif self._may_hold(key):
                # a folder in which the page begins must be searched for keys after the beginning
                begins_within = self._after != key and self._after.startswith(key)
                if self._fold and key.startswith(self._prefix) and key != self._prefix and not begins_within:
                    yield key, Path(path)
                # a link to a parent folder would never end
                elif (real := os.path.realpath(path)) not in trail:
                    yield from self.keys(path, key, (*trail, real))
                    if self._is_empty(path) and key.startswith(self._prefix) and key > self._after:
                        yield key, Path(path)

    def _entries(self, folder: str | Path, base: str) -> list[tuple[str, str, bool]]:
        try:
            with os.scandir(folder) as entries:
                found = [(entry, entry.is_dir()) for entry in entries if self._is_listed(entry)]
        # the folder was just removed; with other errors it must not appear to be empty
        except (FileNotFoundError, NotADirectoryError):
            return []
        # strings sort by code point, in the same order as their UTF-8, by which S3 sorts
        return sorted((f"{base}{entry.name}{'/' * is_folder}", entry.path, is_folder) for entry, is_folder in found)

    def _may_hold(self, key: str) -> bool:
        if not (key.startswith(self._prefix) or self._prefix.startswith(key)):
            return False
        return key > self._after or self._after.startswith(key)

    @staticmethod
    def _is_empty(path: str) -> bool:
        try:
            with os.scandir(path) as entries:
                return next(entries, None) is None
        except OSError:
            return False

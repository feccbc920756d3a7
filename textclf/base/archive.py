"""Model files: JSON and arrays in one ZIP archive, verified when read, the same bytes for the same content.

Entries, in this order, all dated 1980-01-01:

``manifest.json``
    ``kind``, ``format`` (a number), ``parts`` (the SHA-256 of each further entry by name), and what the kind adds.
``model.json``
    Everything that is not an array.
``<name>.npy``
    Arrays in NumPy's format 1.0 (https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html), no objects.

No code in an archive is ever run: there is no pickle.

Rules for the format number of a kind:

1. It rises by one when the present reader would misread the new file: when an entry or a key is removed or renamed or
   changes its meaning, even one that is only displayed. It does not when something is added that an older reader may
   ignore.
2. Formats from `ArchiveKind.oldest` on stay readable, by one conversion from each number to the next. The tests have a
   small file of each older format, written by the program of its time, with the predictions that it gave then.
3. Support for a format ends, and ``oldest`` rises, only in a release whose notes say so.
"""

from __future__ import annotations

import io
import json
import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from textclf.base.errors import BadInputError, BadModelError, OutputError, TextclfError, UsageError
from textclf.base.files import input_error, output_error, write_aside
from textclf.base.hashing import hash_bytes

Source = str | Path | bytes | BinaryIO
Built = TypeVar("Built")

_DATE = (1980, 1, 1, 0, 0, 0)
_MANIFEST, _DESCRIPTION = "manifest.json", "model.json"
_MAX_MANIFEST = 16 * 1024**2
# total size of all parts, as a multiple of the file's size: weights hardly compress
_MAX_RATIO = 100
_CHUNK = 1024**2
_METHODS = zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED
_LEVEL = 6
_SAMPLE, _WORTH = 65_536, 0.85
"""Bytes of a part that are compressed on trial, and the most that may remain of them: weights take long to read."""
_RETRAIN = "train the model again"


class _UnreadableError(Exception):
    """An entry that cannot be read."""


# raised by JSON and arrays of another form than ours; an array may claim to be larger than memory
_MALFORMED = (
    LookupError,
    TypeError,
    ValueError,
    ArithmeticError,
    AttributeError,
    RecursionError,
    MemoryError,
    _UnreadableError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchiveKind:
    """A kind of archive: its name, the formats written and read, whether it is compressed, and its maximum size."""

    name: str
    format: int
    oldest: int
    written_by: str
    compressed: bool = True
    max_bytes: int = 4 * 1024**3

    @property
    def foreign(self) -> str:
        """The message for a file of another kind."""
        return f"is not {'an' if self.name[0] in 'aeiou' else 'a'} {self.name}"

    @property
    def remedy(self) -> str:
        """The advice for a file of another kind."""
        return f"give a file that {self.written_by} wrote"


class Contents(NamedTuple):
    """The verified contents of an archive, and its size in bytes."""

    manifest: Mapping[str, Any]
    description: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    size: int


def pack_archive(
    kind: ArchiveKind, description: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]], **manifest: object
) -> bytes:
    """Give the bytes of an archive; ``manifest`` is added to its manifest."""
    parts = {_DESCRIPTION: _json_part(description)} | {f"{name}.npy": _array_part(arrays[name]) for name in arrays}
    hashes = {name: hash_bytes(data) for name, data in parts.items()}
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", compresslevel=_LEVEL) as archive:
        first = _json_part({"kind": kind.name, "format": kind.format, "parts": hashes, **manifest})
        for name, data in {_MANIFEST: first, **parts}.items():
            entry = zipfile.ZipInfo(name, _DATE)
            entry.compress_type = zipfile.ZIP_DEFLATED if kind.compressed and _shrinks(data) else zipfile.ZIP_STORED
            entry.create_system = 3
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, data)
    return whole.getvalue()


def write_archive(target: str | Path | BinaryIO, data: bytes) -> None:
    """Write the bytes of an archive to a path, atomically, or to an open binary file."""
    if isinstance(target, str | os.PathLike):
        with write_aside(target) as aside:
            aside.write_bytes(data)
        return
    if not hasattr(target, "write"):
        raise UsageError(f"is {target!r:.40}", where="target", remedy="give a path or a file open with mode 'wb'")
    where = _name_of(target)
    try:
        target.write(data)
    except TypeError as error:
        raise OutputError("is no binary file", where=where, remedy="open it with mode 'wb'") from error
    except OSError as error:
        raise output_error(error, where) from error


def read_archive(source: Source, kind: ArchiveKind, build: Callable[[Contents], Built]) -> Built:
    """Read and verify an archive and build from its contents; `BadModelError` if anything does not fit together."""
    where = _name_of(source)
    with ExitStack() as stack:
        archive, size = _open(source, where, kind, stack)
        manifest = _read_manifest(archive, where, kind)
        limit = min(kind.max_bytes, _MAX_RATIO * size)
        if sum(entry.file_size for entry in archive.infolist()) > limit:
            raise BadModelError(f"holds more than {limit:,} bytes", where=where, remedy=_RETRAIN)
        if sorted(archive.namelist()) != sorted([_MANIFEST, *manifest["parts"]]):
            raise BadModelError("does not hold the parts its manifest lists", where=where, remedy=_RETRAIN)
        parts = {name: _read_part(archive, name, digest, where, kind) for name, digest in manifest["parts"].items()}
    try:
        description = json.loads(parts.pop(_DESCRIPTION))
        arrays = {name.removesuffix(".npy"): _read_array(data) for name, data in parts.items()}
        return build(Contents(manifest, description, arrays, size))
    except BadModelError as error:
        raise BadModelError(error.what, where=where, remedy=error.remedy or _RETRAIN) from error
    except (*_MALFORMED, TextclfError) as error:
        raise BadModelError("its parts do not fit together", where=where, remedy=_RETRAIN) from error


def _open(source: Source, where: str, kind: ArchiveKind, stack: ExitStack) -> tuple[zipfile.ZipFile, int]:
    try:
        content = stack.enter_context(_content(source, where, kind))
        size = content.seek(0, io.SEEK_END)
        if size > kind.max_bytes:
            raise BadModelError(f"holds more than {kind.max_bytes:,} bytes", where=where, remedy=_RETRAIN)
        return stack.enter_context(zipfile.ZipFile(content)), size
    # raised by zipfile for a malformed directory at the end of the file
    except (zipfile.BadZipFile, NotImplementedError, ValueError, ArithmeticError, struct.error) as error:
        remedy = f"{kind.remedy}, or its path as a string" if isinstance(source, bytes) else kind.remedy
        raise BadModelError(f"{kind.foreign}, or was cut short", where=where, remedy=remedy) from error
    except OSError as error:
        raise input_error(error, where, "check the path") from error


def _content(source: Source, where: str, kind: ArchiveKind) -> BinaryIO:
    """Open a path, or copy to memory what is not a file, since a stream may not be seekable."""
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        # archives are read from their end, which a device may not have
        if not stat.S_ISREG(path.stat().st_mode) and not path.is_dir():
            raise BadInputError("is not a file", where=path, remedy=kind.remedy)
        return path.open("rb")
    if isinstance(source, bytes | bytearray | memoryview):
        return io.BytesIO(source)
    if not hasattr(source, "read"):
        raise BadInputError("is no model file", where=where, remedy="give a path, bytes or an open file")
    content = io.BytesIO()
    data = source.read(_CHUNK)
    if isinstance(data, str):
        raise BadInputError("is open as text", where=where, remedy="open it with mode 'rb'")
    # an unbuffered stream may return less than was asked for
    while data and content.tell() <= kind.max_bytes:
        content.write(data)
        data = source.read(_CHUNK)
    return content


def _name_of(source: object) -> str:
    if isinstance(source, str | os.PathLike):
        return str(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else f"<{type(source).__name__}>"


def _read_manifest(archive: zipfile.ZipFile, where: str, kind: ArchiveKind) -> dict[str, Any]:
    foreign = BadModelError(kind.foreign, where=where, remedy=kind.remedy)
    try:
        manifest = json.loads(_read(archive, _MANIFEST, kind))
        number = int(manifest["format"]) if manifest["kind"] == kind.name else 0
        if number > kind.format:
            # nothing else is known about a newer format
            raise BadModelError(
                f"has format {number}, this version of textclf reads up to {kind.format}",
                where=where,
                remedy=f"install a newer textclf, or {_RETRAIN}",
            )
        if 0 < number < kind.oldest:
            raise BadModelError(f"has format {number}, from before the first release", where=where, remedy=_RETRAIN)
        parts = {
            # textclf models of format 2 also give the size, which the archive gives itself
            str(name): str(entry["sha256"] if isinstance(entry, dict) else entry)
            for name, entry in manifest["parts"].items()
        }
    except _MALFORMED as error:
        raise foreign from error
    if number < 1:
        raise foreign
    return {**manifest, "format": number, "parts": parts}


def _read_part(archive: zipfile.ZipFile, name: str, digest: str, where: str, kind: ArchiveKind) -> bytes:
    try:
        data = _read(archive, name, kind)
    except _UnreadableError as error:
        raise BadModelError(f"part {name} is damaged", where=where, remedy="copy the file again, or train") from error
    if hash_bytes(data) != digest:
        raise BadModelError(f"part {name} was changed after training", where=where, remedy=_RETRAIN)
    return data


def _read(archive: zipfile.ZipFile, name: str, kind: ArchiveKind) -> bytes:
    """Read an entry; `zipfile` gives at most the bytes that the directory states, whose sum was checked before."""
    try:
        entry = archive.getinfo(name)
        if entry.compress_type not in _METHODS or (name == _MANIFEST and entry.file_size > _MAX_MANIFEST):
            raise _UnreadableError(name)
        return archive.read(entry)
    except (
        LookupError,
        zipfile.BadZipFile,
        zlib.error,
        struct.error,
        EOFError,
        OSError,
        ValueError,
        RuntimeError,
        MemoryError,
    ) as error:
        raise _UnreadableError(name) from error


def _shrinks(data: bytes) -> bool:
    return len(zlib.compress(data[:_SAMPLE], _LEVEL)) <= _WORTH * len(data[:_SAMPLE])


def _json_part(value: object) -> bytes:
    return (json.dumps(value, ensure_ascii=False, sort_keys=True, indent=1) + "\n").encode("utf-8", "surrogatepass")


def _array_part(array: NDArray[Any]) -> bytes:
    buffer = io.BytesIO()
    np.lib.format.write_array(buffer, np.ascontiguousarray(array), version=(1, 0), allow_pickle=False)
    return buffer.getvalue()


def _read_array(data: bytes) -> NDArray[Any]:
    return np.asarray(np.lib.format.read_array(io.BytesIO(data), allow_pickle=False))

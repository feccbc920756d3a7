"""Opening text files in any usual encoding, with or without a byte order mark, and unpacking gzip."""

from __future__ import annotations

import codecs
import gzip
import io
import logging
import shutil
import tempfile
import zlib
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import IO, TextIO, cast

from textclf.base.errors import BadDataError, UsageError
from textclf.base.files import input_error

_log = logging.getLogger(__name__)

AUTO = "auto"
"""Detect the encoding: by the byte order mark, else UTF-8 if that is valid, else by the letters."""

_MARKS = (
    # UTF-32 before UTF-16, whose mark is a prefix of its own
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_WIDE = ("utf-32-le", "utf-32-be", "utf-16-le", "utf-16-be")
_GZIP = b"\x1f\x8b"
_NO_TEXT = (
    ((b"PK\x03\x04", b"PK\x05\x06"), "is a spreadsheet or an archive"),
    (b"\xd0\xcf\x11\xe0", "is an old spreadsheet or office document"),
    ((b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd", b"7z\xbc\xaf", b"Rar!"), "is compressed in another way than by gzip"),
    (b"%PDF-", "is a PDF"),
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"II*\0", b"MM\0*"), "is an image"),
    ((b"{\\rtf", b"SQLite format 3\0", b"PAR1"), "is a file of another program"),
    ((b"<html", b"<HTML", b"<!DOC", b"<!doc", b"<?xml"), "is HTML or XML"),
)

_CHUNK = 16 << 10
_MAX_SCANNED = 64 << 20
"""Bytes of a file that are read to detect its encoding."""
_SAMPLE = 64 << 10
"""Bytes, of lines that are not ASCII, given to charset-normalizer."""
_OFFICE_ENCODINGS = (
    *("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257", "cp850", "mac_roman", "latin_1"),
    *("cp932", "gb18030", "big5", "cp949"),
)
"""Encodings used for tables; charset-normalizer knows many more, and mistakes short texts for them."""
_MIN_BYTES, _MARGIN = 10, 0.1
"""Bytes that are not ASCII, and difference in chaos and coherence (0 to 1), below which a guess is not trusted."""

_MIN_UNPACKED, _UNPACKED_RATIO = 64 << 20, 100
"""A gzip file may unpack to 64 MiB, or to 100 times its size if that is more; text shrinks to about a tenth."""


def open_text(path: str | Path, encoding: str = AUTO) -> TextIO:
    """Open a text file after its byte order mark, with its line ends; gzip is unpacked, up to a maximum size."""
    path = Path(path)
    if encoding != AUTO:
        try:
            # codecs such as hex do not encode text
            "".encode(encoding)
        except (LookupError, UnicodeError) as error:
            shown = encoding.encode(errors="backslashreplace").decode()
            raise UsageError(
                f"there is no encoding '{shown}'", remedy="give auto, utf-8, cp1252 or another that Python knows"
            ) from error
    try:
        with ExitStack() as stack:
            file = stack.enter_context(_opened(path))
            found = _encoding_of(file, encoding, path)
            file.seek(0)
            stack.pop_all()
            return io.TextIOWrapper(file, encoding=found, newline="")
    except OSError as error:
        raise input_error(error, path, "give the path of a CSV file") from error


def decode_text(content: bytes) -> tuple[str, str]:
    """Decode a text file or its beginning; give the text, with U+FFFD for malformed bytes, and the encoding."""
    found = next((name for mark, name in _MARKS if content.startswith(mark)), None)
    encoding = found or _found_encoding(io.BytesIO(content)) or "utf-8"
    return content.decode(encoding, errors="replace"), encoding.removesuffix("-sig")


def _opened(path: Path) -> IO[bytes]:
    file: IO[bytes] = path.open("rb")
    if not file.seekable():
        # a pipe can be read only once, but detecting the encoding reads it too
        with file:
            held = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the text file
            shutil.copyfileobj(file, held)
        file = cast("IO[bytes]", held)
        file.seek(0)
    packed = file.read(2) == _GZIP
    file.seek(0)
    return io.BufferedReader(_Unpacked(file, path)) if packed else file


def _encoding_of(file: IO[bytes], encoding: str, path: Path) -> str:
    head = file.read(256)
    _refuse_binary(head, path)
    found = next((name for mark, name in _MARKS if head.startswith(mark)), None)
    if found is None and encoding != AUTO:
        return encoding
    if found is None:
        file.seek(0)
        found = _found_encoding(file) or "utf-8"
    if found.startswith(("utf-16", "utf-32")):
        _log.warning(f"{path}: was read as {found}")
    elif not found.startswith("utf-8"):
        _log.warning(
            f"{path}: is not UTF-8 and was read as {found}; if letters are wrong, name its encoding with --encoding"
        )
    return found


def _refuse_binary(head: bytes, path: Path) -> None:
    if head.startswith(_GZIP):
        raise BadDataError("is packed with gzip twice", where=path, remedy="unpack it first")
    for starts, what in _NO_TEXT:
        if head.startswith(starts):
            raise BadDataError(f"{what}, not CSV", where=path, remedy="save the table as CSV (UTF-8)")


def _found_encoding(file: IO[bytes]) -> str | None:
    """Name the encoding of a file without a byte order mark; None for UTF-8, or if nothing fits."""
    head = file.read(256)
    if b"\0" in head and (wide := _wide_encoding(head)):
        return wide
    decoder = codecs.getincrementaldecoder("utf-8")()
    left = _MAX_SCANNED
    try:
        decoder.decode(head)
        while left > 0 and (chunk := file.read(_CHUNK)):
            decoder.decode(chunk)
            left -= len(chunk)
        if left > 0:
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        file.seek(0)
        return _guessed(file)
    return None


def _wide_encoding(head: bytes) -> str | None:
    """Recognise UTF-16 and UTF-32 by their ASCII characters, of which tables and nearly all texts are full."""
    head = head[: len(head) // 4 * 4]
    for name in _WIDE:
        text = head.decode(name, errors="replace")
        ascii_characters = sum("\0" < character < "\x7f" for character in text)
        if text[:1].isascii() and text and ascii_characters > len(text) / 2:
            return name
    return None


def _guessed(file: IO[bytes]) -> str | None:
    from charset_normalizer import from_bytes

    sample = b""
    scanned = 0
    while len(sample) < _SAMPLE and scanned < 2 * _MAX_SCANNED and (lines := file.readlines(_CHUNK)):
        scanned += sum(map(len, lines))
        # many ASCII lines would hide the few that matter
        sample += b"".join(line[:4096] for line in lines if not line.isascii())
    sample = sample[:_SAMPLE]
    matches = list(from_bytes(sample, cp_isolation=list(_OFFICE_ENCODINGS)))
    if len(sample) - len(sample.decode("ascii", errors="ignore")) < _MIN_BYTES or any(
        "cp1252" in match.could_be_from_charset
        and match.chaos <= matches[0].chaos + _MARGIN
        and match.coherence >= matches[0].coherence - _MARGIN
        for match in matches
    ):
        # unless another one is likelier, Western European Windows
        with suppress(UnicodeDecodeError):
            sample.decode("cp1252")
            return "cp1252"
    return str(matches[0].encoding) if matches else None


class _Unpacked(io.RawIOBase):
    """The content of a gzip file, up to a maximum size."""

    def __init__(self, packed: IO[bytes], path: Path) -> None:
        self._packed, self._path = packed, path
        self._file = gzip.GzipFile(fileobj=packed)
        size = packed.seek(0, io.SEEK_END)
        packed.seek(0)
        self._max = max(_MIN_UNPACKED, _UNPACKED_RATIO * size)

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        try:
            content = self._file.read(len(buffer))
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise BadDataError(
                "is packed with gzip, and damaged or cut short", where=self._path, remedy="pack it again"
            ) from error
        if self._file.tell() > self._max:
            raise BadDataError(
                f"unpacks to more than {self._max:,} bytes",
                where=self._path,
                remedy="unpack it first, if it comes from a place you trust",
            )
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        self._file.close()
        self._packed.close()
        super().close()

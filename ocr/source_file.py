"""The bytes of a document: opened within limits, hashed, and identified by their beginning."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from pathlib import Path

from ocr.reading_options import Limits
from textclf.base.errors import BadInputError
from textclf.base.files import reason_of
from textclf.base.hashing import hash_file

Source = Path | bytes
"""A document: the path of its file, or its bytes."""

HEAD = 64
"""Number of first bytes that identify a format."""

_IMAGES = (b"\x89PNG", b"\xff\xd8\xff", b"II*\0", b"MM\0*", b"GIF8", b"\0\0\0\x0cjP  ", b"\xff\x4f\xff\x51")
_STARTS: tuple[tuple[bytes | tuple[bytes, ...], str], ...] = (
    ((*_IMAGES, b"\xff\xd8", b"BM"), "a damaged image"),
    (b"PK\x03\x04", "a ZIP archive or an office document"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "PostScript"),
    (b"\x1f\x8b", "a gzip archive"),
    ((b"\x1aE\xdf\xa3", b"\0\0\x01\xba", b"\0\0\x01\xb3", b"FLV", b"OggS"), "a video"),
    ((b"ID3", b"fLaC"), "a sound recording"),
    (b"<", "HTML or XML"),
)
_IN_RIFF = {b"WEBP": "a damaged image", b"AVI ": "a video", b"WAVE": "a sound recording"}
_HEIF_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}
_OTHER_BRANDS = {b"crx ": "a camera's raw photo", b"M4A ": "a sound recording", b"M4B ": "a sound recording"}
"""Brands of ISO base media files (ISO/IEC 14496-12); all others are videos."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Survey:
    """The hash and number of pages of a file, and how many files a PDF has attached, which are not read."""

    sha256: str
    page_count: int
    attachments: int = 0


@contextmanager
def opened_source(source: Source, limits: Limits) -> Iterator[BufferedReader | BytesIO]:
    """Open a document at its beginning, unless it is empty or larger than ``max_bytes``."""
    try:
        size = len(source) if isinstance(source, bytes) else source.stat().st_size
        # reading a pipe or a device could block for ever
        if isinstance(source, Path) and not source.is_file():
            raise BadInputError("is not a file")
        if size == 0:
            raise BadInputError("is empty (0 bytes)")
        if size > limits.max_bytes:
            raise BadInputError(f"is too large ({size:,} bytes; the limit is {limits.max_bytes:,})")
        file = BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except OSError as error:
        raise BadInputError(f"cannot be opened ({reason_of(error)})") from error
    with file:
        yield file


def content_hash(source: Source, limits: Limits) -> str:
    """Give the SHA-256 of any file in hexadecimal; empty if it cannot be read or is too large."""
    try:
        with opened_source(source, limits) as file:
            return hash_file(file)
    except (BadInputError, OSError):
        return ""


def is_pdf(file: BufferedReader | BytesIO) -> bool:
    """Return whether a file, at its beginning, is a PDF."""
    head = file.read(1024)
    file.seek(0)
    # readers accept the header anywhere in the first 1024 bytes (PDF 1.7, appendix H, note 13)
    return b"%PDF-" in head


def is_document(head: bytes) -> bool:
    """Return whether bytes begin as an image or a PDF, clearly enough to read the file whatever its name."""
    return head.startswith((b"%PDF-", *_IMAGES)) or _is_photo(head)


def is_heif(head: bytes) -> bool:
    """Return whether bytes begin as HEIF, such as the HEIC of phones; AVIF is another format of the same family."""
    brands = _brands(head)
    return not _HEIF_BRANDS.isdisjoint(brands) and _AVIF_BRANDS.isdisjoint(brands)


def _is_photo(head: bytes) -> bool:
    return not (_HEIF_BRANDS | _AVIF_BRANDS).isdisjoint(_brands(head))


def looks_like(head: bytes) -> str:
    """Describe by its first bytes, at least one, a file that is no readable image."""
    if brands := _brands(head):
        kind = "a damaged image" if _is_photo(head) else _OTHER_BRANDS.get(brands[0], "a video")
    elif head[:4] == b"RIFF":
        kind = _IN_RIFF.get(head[8:12], "a RIFF file")
    elif head[4:8] in (b"moov", b"mdat", b"wide"):
        kind = "a video"
    else:
        kind = next((kind for start, kind in _STARTS if head.startswith(start)), "plain text" if min(head) >= 9 else "")
    return f"it looks like {kind}" if kind else f"it begins with the bytes {head[:8].hex(' ')}"


def _brands(head: bytes) -> list[bytes]:
    """Give the brands of an ISO base media file, the major one first; none for another file."""
    if head[4:8] != b"ftyp":
        return []
    box = head[: max(12, min(int.from_bytes(head[:4], "big"), HEAD))]
    return [box[8:12], *(box[place : place + 4] for place in range(16, len(box) - 3, 4))]

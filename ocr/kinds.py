"""What a file is by how it begins, whatever its name."""

from __future__ import annotations

HEAD = 64
"""Bytes to look at."""

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
"""Brands of ISO base media files (ISO/IEC 14496-12); others are those of videos."""


def is_document(head: bytes) -> bool:
    """Return whether a file begins as an image or a PDF, surely enough to read it whatever its name."""
    return head.startswith((b"%PDF-", *_IMAGES)) or _is_photo(head)


def is_heif(head: bytes) -> bool:
    """Return whether a file begins as HEIF, such as the HEIC of phones; AVIF is another format of the same family."""
    brands = _brands(head)
    return not _HEIF_BRANDS.isdisjoint(brands) and _AVIF_BRANDS.isdisjoint(brands)


def _is_photo(head: bytes) -> bool:
    return not (_HEIF_BRANDS | _AVIF_BRANDS).isdisjoint(_brands(head))


def looks_like(head: bytes) -> str:
    """Say in a clause what a file that is no readable image looks like by its first bytes, at least one."""
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
    """Brands of an ISO base media file, the major one first; none if it is no such file."""
    if head[4:8] != b"ftyp":
        return []
    box = head[: max(12, min(int.from_bytes(head[:4], "big"), HEAD))]
    return [box[8:12], *(box[place : place + 4] for place in range(16, len(box) - 3, 4))]

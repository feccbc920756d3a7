"""Decodes the body of an S3 request, verifies its digests, and writes it to a file."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import zlib
from collections.abc import Callable, Generator, Iterator, Mapping
from typing import TYPE_CHECKING, BinaryIO, Protocol

from aws_ml_adapter.server.error_answers import S3ApiError

if TYPE_CHECKING:
    from aws_ml_adapter.server.signatures import ChunkSignatures

_LINE_LIMIT = 4_096
_MAX_TRAILERS = 8
_CHECKSUM = "x-amz-checksum-"
_CONTENT_MD5 = re.compile(r"[A-Za-z0-9+/]{22}==")
_HEX_DIGEST = re.compile(r"[0-9a-f]{64}")
_CONTENT_HASH = re.compile(
    r"|[0-9a-f]{64}|UNSIGNED-PAYLOAD"
    r"|STREAMING-(UNSIGNED-PAYLOAD-TRAILER|AWS4-(HMAC|ECDSA-P256)-SHA256-PAYLOAD(-TRAILER)?)"
)
_SIZE = re.compile(rb"[0-9a-fA-F]{1,10}")


class _Digest(Protocol):
    def update(self, data: bytes, /) -> None: ...
    def digest(self) -> bytes: ...


class _Crc32:
    def __init__(self) -> None:
        self._value = 0

    def update(self, data: bytes, /) -> None:
        self._value = zlib.crc32(data, self._value)

    def digest(self) -> bytes:
        return self._value.to_bytes(4, "big")


# SHA-1 and MD5 only detect transfer errors here. CRC32C and CRC64NVME are not checked, because Python has no fast
# implementation.
_DIGESTS: dict[str, Callable[[], _Digest]] = {
    "crc32": _Crc32,
    "sha1": lambda: hashlib.sha1(usedforsecurity=False),
    "sha256": hashlib.sha256,
}


class Chunks:
    """Decodes ``aws-chunked`` content: https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html.

    At the end ``done`` is true, and ``trailer`` contains the headers after the content.
    """

    def __init__(self, signatures: ChunkSignatures | None = None) -> None:
        self.done = False
        self.trailer: dict[str, str] = {}
        self._signatures = signatures
        self._pending = b""
        self._parser = self._parse()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Decode some bytes, and yield the content in them."""
        self._pending += data
        while content := next(self._parser, b""):
            yield content

    def _parse(self) -> Generator[bytes, None, None]:
        """Yield content, or nothing where more bytes are needed."""
        size = 1
        while size:
            head, _, extension = (yield from self._line()).partition(b";")
            if not _SIZE.fullmatch(head):
                raise _malformed()
            size = left = int(head, 16)
            digest = hashlib.sha256()
            while left:
                content, self._pending = self._pending[:left], self._pending[left:]
                left -= len(content)
                if self._signatures is not None:
                    digest.update(content)
                yield content
            # the line break after the content
            if size and (yield from self._line()):
                raise _malformed()
            if self._signatures is not None:
                given = extension.decode("latin-1").removeprefix("chunk-signature=")
                self._signatures.check_chunk(digest.hexdigest(), given)
        while line := (yield from self._line()):
            name, _, value = line.decode("latin-1").partition(":")
            self.trailer[name.lower().strip()] = value.strip()
            if len(self.trailer) > _MAX_TRAILERS:
                raise _malformed()
        given = self.trailer.pop("x-amz-trailer-signature", "")
        if self._signatures is not None and self.trailer:
            self._signatures.check_trailer(self.trailer, given)
        self.done = True

    def _line(self) -> Generator[bytes, None, bytes]:
        while b"\r\n" not in self._pending:
            if len(self._pending) > _LINE_LIMIT:
                raise _malformed()
            yield b""
        line, _, self._pending = self._pending.partition(b"\r\n")
        return line


class Receiver:
    """Writes a body to a file as it arrives, and verifies its length and digests at the end.

    https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
    """

    def __init__(
        self, headers: Mapping[str, str], stream: BinaryIO, *, limit: int, signatures: ChunkSignatures | None = None
    ) -> None:
        self._stream = stream
        self._limit = limit
        self._size = 0
        self._headers = headers
        content_hash = headers.get("x-amz-content-sha256", "")
        if not _CONTENT_HASH.fullmatch(content_hash):
            raise S3ApiError(
                "InvalidArgument",
                "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, one of STREAMING-… or a valid SHA-256",
            )
        is_chunked = content_hash.startswith("STREAMING-") or "aws-chunked" in headers.get("content-encoding", "")
        self._chunks = Chunks(signatures) if is_chunked else None
        declared = headers.get("x-amz-decoded-content-length" if is_chunked else "content-length")
        if declared is not None and not (declared.isascii() and declared.isdigit() and len(declared) < 20):
            raise S3ApiError("InvalidArgument", "The length of the content is not a number")
        self._declared = None if declared is None else int(declared)
        if (self._declared or 0) > limit:
            raise _too_large(limit)
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._sha256 = hashlib.sha256() if _HEX_DIGEST.fullmatch(content_hash) else None
        if "content-md5" in headers and not _CONTENT_MD5.fullmatch(headers["content-md5"]):
            raise S3ApiError("InvalidDigest", "The Content-MD5 you specified is not valid.")
        announced = [name.strip() for name in headers.get("x-amz-trailer", "").lower().split(",")]
        names = {name.removeprefix(_CHECKSUM) for name in (*headers, *announced) if name.startswith(_CHECKSUM)}
        self._digests = {name: make() for name, make in _DIGESTS.items() if name in names}

    def feed(self, data: bytes) -> None:
        """Process some bytes of the body."""
        for content in (data,) if self._chunks is None else self._chunks.feed(data):
            self._size += len(content)
            if self._size > self._limit:
                raise _too_large(self._limit)
            for digest in (self._md5, self._sha256, *self._digests.values()):
                if digest is not None:
                    digest.update(content)
            self._stream.write(content)

    def finish(self) -> str:
        """Verify length and digests, and return the MD5 in hexadecimal digits; raises `S3ApiError`."""
        if (self._chunks is not None and not self._chunks.done) or self._declared not in (None, self._size):
            raise S3ApiError("IncompleteBody", "The length of the content differs from the one in the headers")
        self._stream.flush()
        if self._headers.get("content-md5") not in (None, base64.b64encode(self._md5.digest()).decode()):
            raise S3ApiError("BadDigest", "The Content-MD5 you specified did not match what we received.")
        if self._sha256 is not None and self._sha256.hexdigest() != self._headers["x-amz-content-sha256"]:
            raise S3ApiError("XAmzContentSHA256Mismatch", "x-amz-content-sha256 is not that of what we received.")
        given = {**self._headers, **(self._chunks.trailer if self._chunks else {})}
        for name, digest in self._digests.items():
            expected = given.get(_CHECKSUM + name, "")
            if not hmac.compare_digest(base64.b64encode(digest.digest()), expected.encode("latin-1", "replace")):
                raise S3ApiError("BadDigest", f"The {name.upper()} you specified did not match what we received.")
        return self._md5.hexdigest()


def _too_large(limit: int) -> S3ApiError:
    return S3ApiError("EntityTooLarge", f"Your proposed upload exceeds the maximum allowed size of {limit:,} bytes")


def _malformed() -> S3ApiError:
    return S3ApiError("IncompleteBody", "The body is not chunked as its headers say")

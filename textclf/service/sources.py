"""Documents that a client names instead of sending them as a form: in base64, by path, or in S3."""

from __future__ import annotations

import base64
import binascii
import os
import threading
from contextlib import closing
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from ocr.file_search import file_name
from ocr.reading_options import Limits
from ocr.source_file import content_hash
from textclf.base.errors import how_to_install
from textclf.base.problems import ProblemError
from textclf.service.uploads import SourceFile, Writing, write_file

MAX_SOURCES = 100
"""Documents of a request."""
_BLOCK = 1 << 20


class _Given(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Base64Source(_Given):
    """A document in base64."""

    kind: Literal["base64"]
    base64: str = Field(min_length=1, json_schema_extra={"contentEncoding": "base64"})
    name: str = Field("document", max_length=1000)


class PathSource(_Given):
    """A file below the folder that the service was started with."""

    kind: Literal["path"]
    path: str = Field(min_length=1, max_length=4096)


class S3Source(_Given):
    """An object below one of the places that the service was started with."""

    kind: Literal["s3"]
    uri: str = Field(pattern="^s3://[^/]+/.+", max_length=2048)


AnySource = Annotated[Base64Source | PathSource | S3Source, Field(discriminator="kind")]


class SourceRequest(_Given):
    """The documents to classify."""

    sources: list[AnySource] = Field(min_length=1, max_length=MAX_SOURCES)


class Sources:
    """What clients may name: files below a folder, objects below some places in S3."""

    def __init__(self, root: Path | None, s3_roots: tuple[str, ...], limits: Limits) -> None:
        self._root = None if root is None else Path(os.path.realpath(root))
        self._s3_roots, self._limits = s3_roots, limits
        self._s3_lock = threading.Lock()
        self._s3: Any = None

    def fetch(self, given: SourceRequest, folder: Path) -> list[SourceFile]:
        """Give the files of a request; those that are not on this machine are put into a folder.

        Raises
        ------
        textclf.service.problems.ProblemError
            If one may not be named, is not there, cannot be had, or is too large.
        """
        return [self._file(source, folder, number) for number, source in enumerate(given.sources)]

    def _file(self, source: AnySource, folder: Path, number: int) -> SourceFile:
        match source:
            case Base64Source():
                return self._decoded(source, folder, number)
            case PathSource():
                return self._below_root(source.path)
            case S3Source():
                return self._downloaded(source.uri, folder, number)

    def _decoded(self, source: Base64Source, folder: Path, number: int) -> SourceFile:
        try:
            # some programs break the lines
            content = base64.b64decode("".join(source.base64.split()), validate=True)
        except (binascii.Error, ValueError) as error:
            raise ProblemError(422, "bad-base64", f"sources/{number} is no base64") from error
        if len(content) > self._limits.max_bytes:
            raise self._too_large(source.name)
        return write_file(folder, number, content, source.name)

    def _below_root(self, given: str) -> SourceFile:
        if self._root is None:
            raise ProblemError(403, "no-root", "paths can be named once the service is started with --root")
        # the same answer for what is outside and what is not there: it tells nothing of this machine
        missing = ProblemError(404, "no-such-file", f"{file_name(given)}: there is no such file below the root")
        try:
            # links are followed, and must end below the root, too
            path = Path(os.path.realpath(self._root / given))
            if not path.is_relative_to(self._root) or not path.is_file():
                raise missing
            size = path.stat().st_size
        except (OSError, ValueError) as error:
            raise missing from error
        if size > self._limits.max_bytes:
            raise self._too_large(file_name(given))
        sha256 = content_hash(path, self._limits)
        return SourceFile(name=file_name(given), path=path, size=size, sha256=sha256, is_ours=False)

    def _downloaded(self, uri: str, folder: Path, number: int) -> SourceFile:
        if not any(uri.startswith(root) for root in self._s3_roots):
            raise ProblemError(403, "no-s3-root", "objects can be named below what the service got with --s3-root")
        if find_spec("boto3") is None:
            raise ProblemError(501, "no-boto3", f"the service needs boto3 for this; {how_to_install('aws')}")
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        name = file_name(key)
        faults = import_module("botocore.exceptions")
        path = folder / str(number)
        try:
            found = self._s3_client().get_object(Bucket=bucket, Key=key)
            with closing(found["Body"]) as body:
                if found["ContentLength"] > self._limits.max_bytes:
                    raise self._too_large(name)
                with Writing(path, name) as writing:
                    for block in body.iter_chunks(_BLOCK):
                        writing.write(block)
            return writing.source()
        except faults.ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            if code in ("NoSuchKey", "NoSuchBucket", "404"):
                raise ProblemError(404, "no-such-object", f"{uri} is not there") from error
            raise ProblemError(502, "s3", f"S3 refuses {uri} ({code})") from error
        except faults.BotoCoreError as error:
            raise ProblemError(502, "s3", f"{uri} cannot be had ({type(error).__name__})") from error

    def _too_large(self, name: str) -> ProblemError:
        return ProblemError(413, "too-large", f"{file_name(name)} is over {self._limits.max_bytes:,} bytes")

    def _s3_client(self) -> Any:
        """Give the client of all requests, whose connections are used again."""
        with self._s3_lock:
            if self._s3 is None:
                settings = import_module("botocore.config").Config(
                    connect_timeout=5, read_timeout=30, retries={"mode": "standard", "total_max_attempts": 2}
                )
                self._s3 = import_module("boto3").client("s3", config=settings)
            return self._s3

"""What a client does with S3: in S3 itself, in a server like it, or in a folder that stands for it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import BinaryIO, Protocol

from aws_ml_adapter.api.faults import DataFault
from aws_ml_adapter.api.s3_stream import S3Stream
from aws_ml_adapter.api.storage import FolderStorage, split_url
from aws_ml_adapter.client.service_calls import open_client
from aws_ml_adapter.client.state import Place
from textclf.base.errors import BadInputError, ExitCode, OutputError, TextclfError, UsageError


class S3Error(TextclfError):
    """S3 refused, or cannot be reached."""

    code = "s3"
    exit_code = ExitCode.SERVICE


class Objects(Protocol):
    """Objects by their URL, ``s3://bucket/key``."""

    def put(self, path: Path, url: str) -> None:
        """Store a file."""
        ...

    def size(self, url: str) -> int | None:
        """Give the bytes of an object, None if there is none."""
        ...

    def open(self, url: str) -> BinaryIO:
        """Open an object to read."""
        ...

    def delete(self, url: str) -> None:
        """Delete an object, if there is one."""
        ...


def open_objects(place: Place) -> Objects:
    """Open the S3 that a place names."""
    if place.s3_root is None:
        return S3Objects(place)
    if place.s3_endpoint_url is not None:
        raise UsageError("both --s3-root and --s3-endpoint-url are given", remedy="give one of them")
    return FolderObjects(Path(place.s3_root))


class FolderObjects:
    """A folder that holds one folder a bucket, as ``amazon-ml serve --s3-root`` reads it."""

    def __init__(self, root: Path) -> None:
        self._root = root.resolve()
        self._storage = FolderStorage(root)

    def put(self, path: Path, url: str) -> None:
        """Store a file, in a new bucket if there is none of that name."""
        bucket = self._root / split_url(url)[0]
        try:
            bucket.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot be made ({error.strerror})", where=bucket, remedy="mend --s3-root") from error
        try:
            with self._storage.write(url) as aside:
                shutil.copyfile(path, aside)
        except DataFault as error:
            raise OutputError(error.what, where=error.where, remedy="mend --s3-root") from error

    def size(self, url: str) -> int | None:
        """Give the bytes of an object, None if there is none."""
        try:
            return self._storage.files(url)[0].size
        except DataFault:
            return None

    def open(self, url: str) -> BinaryIO:
        """Open an object to read."""
        try:
            return self._storage.open(url)
        except DataFault as error:
            raise BadInputError(
                error.what, where=error.where, remedy="give the --s3-root that the server has"
            ) from error

    def delete(self, url: str) -> None:
        """Delete an object, if there is one."""
        bucket, key = split_url(url)
        folder = self._root / bucket
        path = folder.joinpath(*key.split("/"))
        if not (path.resolve().is_relative_to(self._root) and path.is_file()):
            return
        path.unlink()
        # S3 has no folders that stay behind empty
        for parent in path.parents:
            if parent == folder or any(parent.iterdir()):
                return
            parent.rmdir()


class S3Objects:
    """S3 through boto3, with credentials from its usual places."""

    def __init__(self, place: Place) -> None:
        self._client = open_client("s3", place, place.s3_endpoint_url)

        from boto3.exceptions import Boto3Error
        from botocore.exceptions import BotoCoreError, ClientError

        self._errors = (BotoCoreError, ClientError, Boto3Error)

    def put(self, path: Path, url: str) -> None:
        """Store a file."""
        bucket, key = split_url(url)
        try:
            self._client.upload_file(str(path), bucket, key)
        except self._errors as error:
            raise _failed(error, url) from error

    def size(self, url: str) -> int | None:
        """Give the bytes of an object, None if there is none."""
        bucket, key = split_url(url)
        try:
            return int(self._client.head_object(Bucket=bucket, Key=key)["ContentLength"])
        except self._errors as error:
            if _code(error) in ("404", "NoSuchKey", "NotFound"):
                return None
            raise _failed(error, url) from error

    def open(self, url: str) -> BinaryIO:
        """Open an object to read."""
        bucket, key = split_url(url)
        try:
            body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
        except self._errors as error:
            raise _failed(error, url) from error
        return S3Stream(body, self._errors, lambda error: _failed(error, url))

    def delete(self, url: str) -> None:
        """Delete an object, if there is one."""
        bucket, key = split_url(url)
        try:
            self._client.delete_object(Bucket=bucket, Key=key)
        except self._errors as error:
            raise _failed(error, url) from error


def _code(error: Exception) -> str:
    return str(getattr(error, "response", {}).get("Error", {}).get("Code", ""))


def _failed(error: Exception, url: str) -> S3Error:
    return S3Error(
        f"S3 refused or cannot be reached ({error})",
        where=url,
        remedy="check bucket, region and credentials, or give --s3-root to use a folder instead",
    )

"""The bucket: documents that wait to be read, and results too large for a record."""

from __future__ import annotations

import base64
import hashlib
from contextlib import closing
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from textclf.base.problems import ProblemError

DOCUMENTS, UPLOADS, RESULTS = "documents/", "uploads/", "results/"
"""What keys begin with; an id follows, and never a name that a client has chosen."""
UPLOAD_SECONDS = 900
"""For how long a signed URL holds."""
_BLOCK = 1 << 20
_MISSING = {"404", "NoSuchKey", "NotFound"}


class Objects:
    """The objects of one bucket."""

    def __init__(self, client: Any, bucket: str) -> None:
        self._client, self._bucket = client, bucket

    def put(self, key: str, content: bytes, *, content_type: str = "application/octet-stream") -> None:
        """Write an object; S3 refuses it if it was changed on the way."""
        self._client.put_object(
            Bucket=self._bucket,
            Key=key,
            Body=content,
            ContentType=content_type,
            ChecksumSHA256=base64.b64encode(hashlib.sha256(content).digest()).decode(),
        )

    def holds(self, key: str) -> bool:
        """Tell whether there is an object; takes the right to list its prefix, and none to read it."""
        found = self._client.list_objects_v2(Bucket=self._bucket, Prefix=key, MaxKeys=1)
        return any(one["Key"] == key for one in found.get("Contents", ()))

    def get(self, key: str) -> bytes:
        """Give an object."""
        with closing(self._client.get_object(Bucket=self._bucket, Key=key)["Body"]) as body:
            content: bytes = body.read()
        return content

    def fetch(self, key: str, path: Path, *, max_bytes: int, sha256: str = "", owner: str = "") -> str:
        """Write an object to a file, and give the SHA-256 of its content; the bucket must be of the account ``owner``.

        Raises
        ------
        textclf.base.problems.ProblemError
            If there is no such object, it is too large, or its content is not that of the hash given.
        """
        expected = {"ExpectedBucketOwner": owner} if owner else {}
        try:
            found = self._client.get_object(Bucket=self._bucket, Key=key, **expected)
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in _MISSING:
                raise ProblemError(404, "no-such-object", "the document is no longer there; send it again") from error
            raise
        digest = hashlib.sha256()
        with closing(found["Body"]) as body:
            if found["ContentLength"] > max_bytes:
                raise too_large(max_bytes)
            with path.open("wb") as file:
                for block in body.iter_chunks(_BLOCK):
                    digest.update(block)
                    file.write(block)
        if sha256 and digest.hexdigest() != sha256:
            raise ProblemError(422, "other-content", "the document is not the one that was announced")
        return digest.hexdigest()

    def upload_url(self, key: str, *, size: int, content_type: str, sha256: str = "") -> tuple[str, dict[str, str]]:
        """Sign a URL to which an object can be put once, of exactly that size and type; gives the headers to send."""
        # S3 checks each header that is signed: another size, type or content is refused, and so is a second object
        wanted = {"ContentLength": size, "ContentType": content_type, "IfNoneMatch": "*"}
        headers = {"content-length": str(size), "content-type": content_type, "if-none-match": "*"}
        if sha256:
            checksum = base64.b64encode(bytes.fromhex(sha256)).decode()
            wanted["ChecksumSHA256"] = headers["x-amz-checksum-sha256"] = checksum
        url: str = self._client.generate_presigned_url(
            "put_object", Params={"Bucket": self._bucket, "Key": key, **wanted}, ExpiresIn=UPLOAD_SECONDS
        )
        return url, headers


def too_large(max_bytes: int) -> ProblemError:
    """Make the problem of a document that is too large."""
    return ProblemError(413, "too-large", f"the document is over {max_bytes:,} bytes")

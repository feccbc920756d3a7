"""Which operation of S3 a request asks for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from aws_ml_adapter.server.s3.bucket_operations import BucketOperations
from aws_ml_adapter.server.s3.conditions import CONDITIONS, check_headers
from aws_ml_adapter.server.s3.messages import S3Error
from aws_ml_adapter.server.s3.object_operations import RESPONSE_HEADERS, ObjectOperations
from aws_ml_adapter.server.s3.requests import Answer, Request
from aws_ml_adapter.server.s3.upload_operations import UploadOperations

# of signed links, and what SDKs add to name the operation
_ALWAYS = frozenset(
    {
        "x-id",
        "X-Amz-Algorithm",
        "X-Amz-Credential",
        "X-Amz-Date",
        "X-Amz-Expires",
        "X-Amz-SignedHeaders",
        "X-Amz-Signature",
        "X-Amz-Security-Token",
        "X-Amz-Content-Sha256",
        "x-amz-security-token",
        "x-amz-checksum-mode",
        "AWSAccessKeyId",
        "Signature",
        "Expires",
    }
)
_SOURCE = frozenset({"x-amz-copy-source", *(f"x-amz-copy-source-{name}" for name in CONDITIONS)})
_LIST = frozenset({"prefix", "delimiter", "max-keys", "encoding-type"})


class Body(StrEnum):
    """What the body of a request is."""

    NOTHING = "nothing"
    MESSAGE = "message"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What answers a request.

    Parameters
    ----------
    name : str
        As S3 calls the operation.
    handler : callable
    query : frozenset of str
        What the query may hold besides what all may: with anything else it would be another operation.
    headers : frozenset of str
        The headers that it heeds besides what all may have, of those that change what is done.
    takes : Body
    """

    name: str
    handler: Callable[[Request], Answer]
    query: frozenset[str] = frozenset()
    headers: frozenset[str] = frozenset()
    takes: Body = Body.NOTHING


class Routes:
    """The operations that there are.

    Parameters
    ----------
    buckets : BucketOperations
    objects : ObjectOperations
    uploads : UploadOperations
    """

    def __init__(self, buckets: BucketOperations, objects: ObjectOperations, uploads: UploadOperations) -> None:
        message, content = Body.MESSAGE, Body.CONTENT
        second = _LIST | {"continuation-token", "start-after", "fetch-owner"}
        # by method, what the path names, and the key of the query that makes it another operation
        self._routes = {
            ("GET", "service", ""): Route(name="ListBuckets", handler=buckets.list_buckets),
            ("PUT", "bucket", ""): Route(name="CreateBucket", handler=buckets.create_bucket, takes=message),
            ("HEAD", "bucket", ""): Route(name="HeadBucket", handler=buckets.head_bucket),
            ("DELETE", "bucket", ""): Route(name="DeleteBucket", handler=buckets.delete_bucket),
            ("GET", "bucket", "location"): Route(name="GetBucketLocation", handler=buckets.get_location),
            ("GET", "bucket", "versioning"): Route(name="GetBucketVersioning", handler=buckets.get_versioning),
            ("PUT", "bucket", "policy"): Route(name="PutBucketPolicy", handler=buckets.put_policy, takes=message),
            ("GET", "bucket", "policy"): Route(name="GetBucketPolicy", handler=buckets.get_policy),
            ("DELETE", "bucket", "policy"): Route(name="DeleteBucketPolicy", handler=buckets.delete_policy),
            ("GET", "bucket", ""): Route(name="ListObjects", handler=buckets.list_objects, query=_LIST | {"marker"}),
            ("GET", "bucket", "list-type"): Route(name="ListObjectsV2", handler=buckets.list_objects_v2, query=second),
            ("POST", "bucket", "delete"): Route(name="DeleteObjects", handler=objects.delete_objects, takes=message),
            ("GET", "object", ""): Route(
                name="GetObject", handler=objects.get_object, query=RESPONSE_HEADERS, headers=CONDITIONS
            ),
            ("HEAD", "object", ""): Route(
                name="HeadObject", handler=objects.head_object, query=RESPONSE_HEADERS, headers=CONDITIONS
            ),
            ("PUT", "object", ""): Route(
                name="PutObject", handler=objects.put_object, headers=CONDITIONS, takes=content
            ),
            ("COPY", "object", ""): Route(name="CopyObject", handler=objects.copy_object, headers=CONDITIONS | _SOURCE),
            ("DELETE", "object", ""): Route(name="DeleteObject", handler=objects.delete_object, headers=CONDITIONS),
            ("GET", "bucket", "uploads"): Route(
                name="ListMultipartUploads",
                handler=uploads.list_uploads,
                query=frozenset({"prefix", "key-marker", "upload-id-marker", "max-uploads", "encoding-type"}),
            ),
            ("GET", "object", "uploadId"): Route(
                name="ListParts",
                handler=uploads.list_parts,
                query=frozenset({"max-parts", "part-number-marker"}),
            ),
            ("POST", "object", "uploads"): Route(name="CreateMultipartUpload", handler=uploads.create_upload),
            ("PUT", "object", "uploadId"): Route(
                name="UploadPart", handler=uploads.upload_part, query=frozenset({"partNumber"}), takes=content
            ),
            ("COPY", "object", "uploadId"): Route(
                name="UploadPartCopy",
                handler=uploads.copy_part,
                query=frozenset({"partNumber"}),
                headers=_SOURCE | {"x-amz-copy-source-range"},
            ),
            ("POST", "object", "uploadId"): Route(
                name="CompleteMultipartUpload",
                handler=uploads.complete_upload,
                headers=CONDITIONS | {"x-amz-mp-object-size"},
                takes=message,
            ),
            ("DELETE", "object", "uploadId"): Route(name="AbortMultipartUpload", handler=uploads.abort_upload),
        }
        self._marks = {mark for _, _, mark in self._routes if mark}

    def find(self, method: str, bucket: str, key: str, query: Mapping[str, str], headers: Mapping[str, str]) -> Route:
        """Find what answers a request; raises `S3Error` where it asks for what there is not."""
        names = "object" if key else "bucket" if bucket else "service"
        marks = self._marks & query.keys()
        mark = next(iter(marks)) if len(marks) == 1 else ""
        if method == "PUT" and "x-amz-copy-source" in headers:
            method = "COPY"
        route = self._routes.get((method, names, mark))
        if route is None or query.keys() - _ALWAYS - route.query - {mark}:
            asked = ", ".join(sorted(query.keys() - _ALWAYS))[:100]
            with_asked = f" with {asked}" if asked else ""
            raise S3Error("NotImplemented", f"This server has no operation {method} on {names}{with_asked}")
        check_headers(method, headers, route.headers)
        return route

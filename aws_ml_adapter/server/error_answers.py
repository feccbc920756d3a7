"""Error responses of Amazon ML and S3."""

from __future__ import annotations

from collections.abc import Mapping

# https://docs.aws.amazon.com/machine-learning/latest/APIReference/CommonErrors.html; all others are 400
_SERVICE_STATUS = {
    "AccessDeniedException": 403,
    "IncompleteSignatureException": 403,
    "InvalidSignatureException": 403,
    "MissingAuthenticationTokenException": 403,
    "UnrecognizedClientException": 403,
    "RequestEntityTooLargeException": 413,
    "InternalServerException": 500,
}
# https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html; all others are 400
_S3_STATUS = {
    "AccessDenied": 403,
    "BucketAlreadyOwnedByYou": 409,
    "BucketNotEmpty": 409,
    "InternalError": 500,
    "InvalidAccessKeyId": 403,
    "InvalidRange": 416,
    "MissingContentLength": 411,
    "NoSuchBucket": 404,
    "NoSuchBucketPolicy": 404,
    "NoSuchKey": 404,
    "NoSuchUpload": 404,
    "NotImplemented": 501,
    "NotModified": 304,
    "PreconditionFailed": 412,
    "RequestTimeTooSkewed": 403,
    "SignatureDoesNotMatch": 403,
}
_MESSAGE_LIMIT = 2_048


class ServiceError(Exception):
    """An error of Amazon ML, or one common to all AWS services; ``name`` is the ``__type`` of its body."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name
        self.status = _SERVICE_STATUS.get(name, 400)
        self.body = {"__type": name, "message": message[:_MESSAGE_LIMIT]}


class S3ApiError(Exception):
    """An error of S3, with headers for its response."""

    def __init__(self, code: str, message: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.status = _S3_STATUS.get(code, 400)
        self.headers = dict(headers or {})

"""Conditional requests to S3: https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.s3.buckets import Check, Found

CONDITIONS = frozenset({"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"})
"""The headers that contain conditions."""


def check_read(headers: Mapping[str, str], found: Found, unchanged: Mapping[str, str]) -> None:
    """Check the conditions of a read; ``unchanged`` are the headers of the answer 304 Not Modified."""
    failed = _failed(headers, found)
    if failed == "if-none-match":
        raise S3ApiError("NotModified", "The client has the object already", headers=unchanged)
    if failed:
        raise _precondition_failed()


def write_conditions(headers: Mapping[str, str]) -> Check | None:
    """Return a check of the conditions of a write or delete; None if there are no conditions."""
    if not CONDITIONS & headers.keys():
        return None

    def check(found: Found | None) -> None:
        if found is None and "if-match" in headers:
            raise S3ApiError("NoSuchKey", "The specified key does not exist.")
        if found is not None and _failed(headers, found, is_strict=True):
            raise _precondition_failed()

    return check


def check_source(headers: Mapping[str, str], found: Found) -> None:
    """Check the conditions on the source of a copy."""
    prefix = "x-amz-copy-source-"
    own = {name: headers[prefix + name] for name in CONDITIONS if prefix + name in headers}
    if _failed(own, found, is_strict=True):
        raise _precondition_failed()


def _failed(headers: Mapping[str, str], found: Found, *, is_strict: bool = False) -> str:
    """Return the kind of condition that fails, or ""; an ETag takes precedence over a time."""
    for name, date, wanted in (
        ("if-match", "if-unmodified-since", True),
        ("if-none-match", "if-modified-since", False),
    ):
        if name in headers:
            is_old = _names(headers[name], found.etag.strip('"'))
        elif (since := _seconds(headers, date, is_strict=is_strict)) is not None:
            is_old = int(found.modified) <= since
        else:
            continue
        if is_old is not wanted:
            return name
    return ""


def _names(text: str, etag: str) -> bool:
    etags = [each.strip().removeprefix("W/").strip('"') for each in text.split(",")]
    return "*" in etags or etag in etags


def _seconds(headers: Mapping[str, str], name: str, *, is_strict: bool) -> float | None:
    """Parse an HTTP date; an invalid one is ignored unless ``is_strict``."""
    if name not in headers:
        return None
    try:
        return parsedate_to_datetime(headers[name]).timestamp()
    except (ValueError, OverflowError) as error:
        if is_strict:
            raise S3ApiError("InvalidArgument", f"{name} is not an HTTP date") from error
        return None


def _precondition_failed() -> S3ApiError:
    return S3ApiError("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")

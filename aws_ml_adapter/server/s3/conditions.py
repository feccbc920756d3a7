"""What a request to S3 asks for besides its operation: its conditions, and headers that would change what it means."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime

from aws_ml_adapter.server.s3.buckets import Found
from aws_ml_adapter.server.s3.messages import S3Error

CONDITIONS = frozenset({"if-match", "if-none-match", "if-modified-since", "if-unmodified-since"})
"""Headers that say on what an operation depends."""

OWNER = "000000000000"
"""The account that all buckets belong to."""

# what says how a request is sent, or describes what a folder cannot keep and the answers do without
_KNOWN = re.compile(
    r"x-amz-("
    r"content-sha256|date|security-token|user-agent|decoded-content-length|trailer|te|api-version|cf-.+"
    r"|checksum-.+|sdk-checksum-algorithm"
    r"|meta-.+|metadata-directive|storage-class|tagging|tagging-directive|acl|grant-.+|object-ownership"
    r"|request-payer|optional-object-attributes)"
)
# what changes nothing with these values alone
_DEFAULTS = {
    "x-amz-expected-bucket-owner": {OWNER},
    "x-amz-source-expected-bucket-owner": {OWNER},
    "x-amz-server-side-encryption": {"AES256"},
    "x-amz-server-side-encryption-bucket-key-enabled": {"false"},
    "x-amz-bucket-object-lock-enabled": {"false"},
}


def check_headers(method: str, headers: Mapping[str, str], taken: frozenset[str]) -> None:
    """Refuse a request that asks for more than its operation does here.

    Parameters
    ----------
    method : str
        Of HTTP.
    headers : mapping of str to str
        Names in lower case.
    taken : frozenset of str
        Those that the operation heeds.

    Raises
    ------
    S3Error
        One is not known here or, of what writes, a condition that the operation does not heed.
    """
    for name, value in headers.items():
        if name in taken or _KNOWN.fullmatch(name) or value in _DEFAULTS.get(name, ()):
            continue
        if name.endswith("-expected-bucket-owner"):
            raise S3Error("AccessDenied", f"{name} is another than the owner of all buckets here, {OWNER}")
        if name.startswith("x-amz-") or (name in CONDITIONS and method not in ("GET", "HEAD")):
            raise S3Error("NotImplemented", f"This server does not do what the header {name} asks for here")


def check_read(headers: Mapping[str, str], found: Found, told: Mapping[str, str]) -> None:
    """Check the conditions of a request that reads an object.

    Parameters
    ----------
    headers : mapping of str to str
        Of the request, names in lower case.
    found : Found
    told : mapping of str to str
        Headers of the answer that the object has not changed.

    Raises
    ------
    S3Error
        One does not hold.

    References
    ----------
    https://www.rfc-editor.org/rfc/rfc9110#section-13.2.2
    """
    failed = _failed(headers, found)
    if failed == "if-none-match":
        raise S3Error("NotModified", "The client has the object already", headers=told)
    if failed:
        raise _precondition_failed()


def write_conditions(headers: Mapping[str, str]) -> Callable[[Found | None], None] | None:
    """Give what checks the conditions of a request that replaces or deletes an object.

    Parameters
    ----------
    headers : mapping of str to str
        Of the request, names in lower case.

    Returns
    -------
    callable or None
        Takes what is there; raises `S3Error` if a condition does not hold. None if there are no conditions.
    """
    if not CONDITIONS & headers.keys():
        return None

    def check(found: Found | None) -> None:
        if found is None and "if-match" in headers:
            raise S3Error("NoSuchKey", "The specified key does not exist.")
        if found is not None and _failed(headers, found, is_strict=True):
            raise _precondition_failed()

    return check


def check_source(headers: Mapping[str, str], found: Found) -> None:
    """Check the conditions on the source of a copy; raises `S3Error` if one does not hold."""
    prefix = "x-amz-copy-source-"
    own = {name: headers[prefix + name] for name in CONDITIONS if prefix + name in headers}
    if _failed(own, found, is_strict=True):
        raise _precondition_failed()


def _failed(headers: Mapping[str, str], found: Found, *, is_strict: bool = False) -> str:
    """Give which of the two kinds of conditions does not hold, if one does not; an ETag counts for more than a time."""
    etag, modified = found.etag.strip('"'), int(found.modified)
    if "if-match" in headers:
        holds = _names(headers["if-match"], etag)
    else:
        since = _seconds(headers, "if-unmodified-since", is_strict=is_strict)
        holds = since is None or modified <= since
    if not holds:
        return "if-match"
    if "if-none-match" in headers:
        holds = not _names(headers["if-none-match"], etag)
    else:
        since = _seconds(headers, "if-modified-since", is_strict=is_strict)
        holds = since is None or modified > since
    return "" if holds else "if-none-match"


def _names(text: str, etag: str) -> bool:
    etags = [each.strip().removeprefix("W/").strip('"') for each in text.split(",")]
    return "*" in etags or etag in etags


def _seconds(headers: Mapping[str, str], name: str, *, is_strict: bool) -> float | None:
    """Give a time since 1970; what is none is no condition where one reads."""
    if name not in headers:
        return None
    try:
        return parsedate_to_datetime(headers[name]).timestamp()
    except (ValueError, OverflowError) as error:
        if is_strict:
            raise S3Error("InvalidArgument", f"{name} is no date of HTTP") from error
        return None


def _precondition_failed() -> S3Error:
    return S3Error("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")

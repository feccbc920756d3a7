"""Verifies signatures of requests: version 4 for Amazon ML, versions 4 and 2 for S3; signs the server's own links.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
"""

from __future__ import annotations

import configparser
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import HmacV1Auth, S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest, HeadersDict, HTTPHeaders
from botocore.credentials import Credentials

from aws_ml_adapter.server.error_answers import S3ApiError, ServiceError
from textclf.base.errors import BadDataError
from textclf.base.files import read_small

MAX_SKEW = timedelta(minutes=5)
"""Maximum deviation of a client's clock."""

_MAX_LINK_SECONDS = 7 * 24 * 3600
_SCOPE = r"([A-Za-z0-9]{4,128})/(\d{8})/([a-z0-9-]{1,64})/(machinelearning|s3)/aws4_request"
_VERSION_4 = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={_SCOPE}, *SignedHeaders=([a-z0-9;_-]{{1,2000}}), *Signature=([0-9a-f]{{64}})"
)
_VERSION_2 = re.compile(r"AWS ([A-Za-z0-9]{4,128}):([A-Za-z0-9+/=]{28})")
_EMPTY = hashlib.sha256(b"").hexdigest()
_LINK_SIGNATURE = re.compile(r"(?:^|&)X-Amz-Signature=[^&]*")
_MUST_BE_SIGNED = {"host", "x-amz-date", "x-amz-target"}

# error codes of Amazon ML and S3
_UNSIGNED = ("MissingAuthenticationTokenException", "AccessDenied")
_MALFORMED = ("IncompleteSignatureException", "AuthorizationHeaderMalformed")
_NO_LINK = ("IncompleteSignatureException", "AuthorizationQueryParametersError")
_NO_VERSION_2 = ("IncompleteSignatureException", "InvalidArgument")
_UNKNOWN_KEY = ("UnrecognizedClientException", "InvalidAccessKeyId")
_NOT_COVERED = ("IncompleteSignatureException", "AccessDenied")
_NO_DATE = ("IncompleteSignatureException", "AccessDenied")
_EXPIRED = ("InvalidSignatureException", "AccessDenied")
_SKEWED = ("InvalidSignatureException", "RequestTimeTooSkewed")
_MISMATCH = ("InvalidSignatureException", "SignatureDoesNotMatch")


class _SignatureError(Exception):
    def __init__(self, names: tuple[str, str], message: str) -> None:
        super().__init__(message)
        self.names = names


@contextmanager
def _as_error_of(kind: type[ServiceError | S3ApiError]) -> Iterator[None]:
    try:
        yield
    except _SignatureError as error:
        raise kind(error.names[kind is S3ApiError], str(error)) from error


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """The signed parts of a request: path and query as sent, and headers with lower-case names."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    resource: str = ""
    """For S3: the path, with the bucket even if the request names it in the host."""


class _Given(NamedTuple):
    access_key: str
    day: str
    region: str
    service: str
    signed: list[str]
    signature: str


def read_keys(path: Path) -> dict[str, str]:
    """Read access and secret keys of all profiles: https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html."""
    parser = configparser.RawConfigParser()
    text = read_small(path, "check the path given with --credentials")
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise BadDataError("is not an AWS credentials file", where=path, remedy="write [profile] sections") from error
    names = ("aws_access_key_id", "aws_secret_access_key")
    profiles = [parser[name] for name in parser.sections()]
    keys = {profile[names[0]]: profile[names[1]] for profile in profiles if all(name in profile for name in names)}
    if not keys or not all(keys.values()):
        raise BadDataError("contains no keys", where=path, remedy=f"write {names[0]} and {names[1]}")
    return keys


def _utc_now() -> datetime:
    return datetime.now(UTC)


def verify(
    request: SignedRequest, body: bytes, keys: Mapping[str, str], *, clock: Callable[[], datetime] = _utc_now
) -> str:
    """Verify the signature of a request to Amazon ML, and return the access key; raises `ServiceError`."""
    with _as_error_of(ServiceError):
        if "authorization" not in request.headers:
            raise _SignatureError(_UNSIGNED, "The request is not signed")
        given = _of_header(request, "machinelearning", clock())
        if not set(given.signed) >= _MUST_BE_SIGNED:
            raise _SignatureError(_NOT_COVERED, f"{', '.join(sorted(_MUST_BE_SIGNED))} must be signed")
        # the header is signed instead of the body's digest, so it must agree with the body
        if request.headers.get("x-amz-content-sha256", digest := hashlib.sha256(body).hexdigest()) != digest:
            raise _SignatureError(_MISMATCH, "x-amz-content-sha256 is not the digest of the body")
        _compare_4(SigV4Auth, request, keys, given, request.headers["x-amz-date"], body)
    return given.access_key


def verify_s3(request: SignedRequest, keys: Mapping[str, str]) -> ChunkSignatures | None:
    """Verify the signature of a request to S3, except for its body; raises `S3ApiError`.

    Returns the verifier of the body if that is signed chunk by chunk.
    """
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    authorization, now = request.headers.get("authorization", ""), _utc_now()
    with _as_error_of(S3ApiError):
        if authorization.startswith("AWS "):
            _verify_2(request, keys, _VERSION_2.fullmatch(authorization), request.headers.get("date", ""), now)
        elif authorization:
            return _verify_header(request, keys, now)
        elif "X-Amz-Signature" in query:
            _verify_link(request, keys, query, now)
        elif "Signature" in query:
            signature = _VERSION_2.fullmatch(f"AWS {query.get('AWSAccessKeyId', '')}:{query['Signature']}")
            _verify_2(request, keys, signature, query.get("Expires", ""), now)
        else:
            raise _SignatureError(_UNSIGNED, "The request is not signed")
    return None


def _of_header(request: SignedRequest, service: str, now: datetime) -> _Given:
    found = _VERSION_4.fullmatch(request.headers["authorization"])
    if found is None or found[4] != service:
        raise _SignatureError(_MALFORMED, f"The Authorization header is not a signature of version 4 for {service}")
    _check_time(_moment(request.headers.get("x-amz-date", "")), now)
    access_key, day, region, _, names, signature = found.groups()
    return _Given(access_key, day, region, service, names.split(";"), signature)


def _verify_header(request: SignedRequest, keys: Mapping[str, str], now: datetime) -> ChunkSignatures | None:
    given = _of_header(request, "s3", now)
    # an unsigned header could be tampered with, such as the date or the source of a copy
    must = {name for name in request.headers if name.startswith("x-amz-")} | {"host", "x-amz-date"}
    if not must <= set(given.signed) or "x-amz-content-sha256" not in request.headers:
        raise _SignatureError(_NOT_COVERED, "There were headers present in the request which were not signed")
    stamp = request.headers["x-amz-date"]
    _compare_4(S3SigV4Auth, request, keys, given, stamp)
    if not request.headers["x-amz-content-sha256"].startswith("STREAMING-AWS4-HMAC-SHA256"):
        return None
    scope = f"{given.day}/{given.region}/s3/aws4_request"
    key = f"AWS4{keys[given.access_key]}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return ChunkSignatures(key, stamp, scope, given.signature)


def _verify_link(request: SignedRequest, keys: Mapping[str, str], query: Mapping[str, str], now: datetime) -> None:
    scope = re.fullmatch(_SCOPE, query.get("X-Amz-Credential", ""))
    seconds, stamp = query.get("X-Amz-Expires", ""), query.get("X-Amz-Date", "")
    is_lifetime = seconds.isascii() and seconds.isdigit() and int(seconds[:9]) <= _MAX_LINK_SECONDS
    if scope is None or scope[4] != "s3" or not is_lifetime:
        raise _SignatureError(_NO_LINK, "The parameters of the signature are invalid")
    begin = _moment(stamp)
    if now < begin - MAX_SKEW or now > begin + timedelta(seconds=int(seconds)):
        raise _SignatureError(_EXPIRED, "Request has expired")
    access_key, day, region, service = scope.groups()
    names = query.get("X-Amz-SignedHeaders", "").split(";")
    given = _Given(access_key, day, region, service, names, query["X-Amz-Signature"])
    if "host" not in given.signed:
        raise _SignatureError(_NOT_COVERED, "host must be signed")
    _compare_4(S3SigV4QueryAuth, request, keys, given, stamp)


def _verify_2(
    request: SignedRequest, keys: Mapping[str, str], given: re.Match[str] | None, date: str, now: datetime
) -> None:
    class Signer(HmacV1Auth):  # type: ignore[misc]
        def _get_date(self) -> str:
            # x-amz-date replaces Date, and is signed among the other headers
            return "" if "x-amz-date" in request.headers else date

    if given is None:
        raise _SignatureError(_NO_VERSION_2, "The signature of version 2 is invalid")
    if date.isascii() and date.isdigit():
        if now.timestamp() > int(date[:12]):
            raise _SignatureError(_EXPIRED, "Request has expired")
    else:
        _check_time(_http_date(request.headers.get("x-amz-date", date)), now)
    signer = Signer(Credentials(given[1], _secret(keys, given[1])))
    headers = HTTPHeaders.from_dict(HeadersDict(request.headers))
    split = urlsplit(f"http://server{request.path}?{request.query}")
    text = signer.canonical_string(request.method, split, headers, auth_path=request.resource)
    _compare(signer.sign_string(text), given[2])


def _compare_4(
    kind: type, request: SignedRequest, keys: Mapping[str, str], given: _Given, stamp: str, body: bytes | None = None
) -> None:
    """Compute the signature of version 4 with botocore, and compare it."""
    if not stamp.startswith(given.day):
        raise _SignatureError(_EXPIRED, "The date of the signature's scope differs from the date of the request")
    query = _LINK_SIGNATURE.sub("", request.query).lstrip("&")
    shown = {name: request.headers.get(name, "") for name in given.signed}
    url = f"http://server{request.path}{'?' if query else ''}{query}"
    signed = AWSRequest(method=request.method, url=url, data=body, headers=shown)
    signed.context["timestamp"] = stamp
    signer = kind(Credentials(given.access_key, _secret(keys, given.access_key)), given.service, given.region)
    _compare(signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed), given.signature)


def _secret(keys: Mapping[str, str], access_key: str) -> str:
    if access_key not in keys:
        raise _SignatureError(_UNKNOWN_KEY, "This server does not know the access key of the request")
    return keys[access_key]


def _compare(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode("latin-1", "replace")):
        what = "The request signature we calculated does not match the signature you provided."
        raise _SignatureError(_MISMATCH, what)


def _check_time(moment: datetime, now: datetime) -> None:
    if abs(now - moment) > MAX_SKEW:
        raise _SignatureError(_SKEWED, "The request has expired, or its date is in the future")


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise _SignatureError(_NO_DATE, "X-Amz-Date is missing or invalid") from error


def _http_date(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError) as error:
        raise _SignatureError(_NO_DATE, "AWS authentication requires a valid Date or x-amz-date header") from error


class ChunkSignatures:
    """Verifier of a body that is signed chunk by chunk; the chain starts with the request's signature, ``seed``.

    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """

    def __init__(self, key: bytes, stamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._head = f"{stamp}\n{scope}"
        self._last = seed

    def check_chunk(self, digest: str, given: str) -> None:
        """Verify the signature of the next chunk by its SHA-256; raises `S3ApiError`."""
        self._check("PAYLOAD", f"{_EMPTY}\n{digest}", given)

    def check_trailer(self, trailer: Mapping[str, str], given: str) -> None:
        """Verify the signature of the headers after the last chunk; raises `S3ApiError`."""
        text = "".join(f"{name}:{value}\n" for name, value in sorted(trailer.items()))
        self._check("TRAILER", hashlib.sha256(text.encode()).hexdigest(), given)

    def _check(self, what: str, digest: str, given: str) -> None:
        text = f"AWS4-HMAC-SHA256-{what}\n{self._head}\n{self._last}\n{digest}"
        self._last = hmac.digest(self._key, text.encode(), "sha256").hex()
        with _as_error_of(S3ApiError):
            _compare(self._last, given)


def link_signature(secret: bytes, what: str) -> str:
    """Sign what a link of this server leads to, so that its holder needs no signed request to follow it."""
    return hmac.digest(secret, what.encode(), hashlib.sha256).hex()


def is_signed(secret: bytes, what: str, given: str) -> bool:
    """Return whether a link has the right signature, in constant time."""
    return hmac.compare_digest(link_signature(secret, what).encode(), given.encode())

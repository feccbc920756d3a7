"""Checks the signatures of requests to S3: version 4 in headers, links and chunks, and version 2 of old clients."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.parse import parse_qsl, urlsplit

from aws_ml_adapter.server.s3.messages import S3Error
from aws_ml_adapter.server.signature import MOST_SKEW

_LONGEST_LINK = 7 * 24 * 3600
_SCOPE = r"([A-Za-z0-9]{4,128})/(\d{8})/([a-z0-9-]{1,64})/s3/aws4_request"
_VERSION_4 = re.compile(
    rf"AWS4-HMAC-SHA256 Credential={_SCOPE}, *SignedHeaders=([a-z0-9;_-]{{1,2000}}), *Signature=([0-9a-f]{{64}})"
)
_VERSION_2 = re.compile(r"AWS ([A-Za-z0-9]{4,128}):([A-Za-z0-9+/=]{28})")
_EMPTY = hashlib.sha256(b"").hexdigest()
_LINK_SIGNATURE = re.compile(r"(?:^|&)X-Amz-Signature=[^&]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedRequest:
    """What a signature of S3 covers of a request.

    Parameters
    ----------
    method : str
    path : str
        As it was sent.
    query : str
        As it was sent.
    headers : mapping of str to str
        Names in lower case.
    resource : str
        The path with its bucket, where that stands in the host.
    """

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    resource: str


class ChunkSignatures:
    """The chain of signatures in a body that is signed chunk by chunk.

    Parameters
    ----------
    key : bytes
        Derived for the day, the region and S3.
    stamp, scope : str
        Of the request.
    seed : str
        The signature of the request, from which the chain begins.

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-streaming.html
    """

    def __init__(self, key: bytes, stamp: str, scope: str, seed: str) -> None:
        self._key = key
        self._head = f"{stamp}\n{scope}"
        self._last = seed

    def check_chunk(self, digest: str, given: str) -> None:
        """Compare the signature of the next chunk, whose content has this SHA-256; raises `S3Error`."""
        self._check(f"AWS4-HMAC-SHA256-PAYLOAD\n{self._head}\n{self._last}\n{_EMPTY}\n{digest}", given)

    def check_trailer(self, trailer: Mapping[str, str], given: str) -> None:
        """Compare the signature of what stands behind the last chunk; raises `S3Error`."""
        text = "".join(f"{name}:{value}\n" for name, value in sorted(trailer.items()))
        digest = hashlib.sha256(text.encode()).hexdigest()
        self._check(f"AWS4-HMAC-SHA256-TRAILER\n{self._head}\n{self._last}\n{digest}", given)

    def _check(self, text: str, given: str) -> None:
        expected = hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), given.encode("latin-1", "replace")):
            raise _mismatch()
        self._last = expected


class _Given(NamedTuple):
    """A signature of version 4 and what it says of itself."""

    access_key: str
    day: str
    region: str
    signed: list[str]
    signature: str


def verify_s3(
    request: SignedRequest,
    keys: Mapping[str, str],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> ChunkSignatures | None:
    """Compute the signature of a request as clients do, and compare.

    That the body is the one whose digest was signed is for `Receiver` to see.

    Parameters
    ----------
    request : SignedRequest
    keys : mapping of str to str
        Access key to secret key.
    clock : callable
        Gives the time, with its zone.

    Returns
    -------
    ChunkSignatures or None
        What the chunks of the body must be signed with, if they are signed.

    Raises
    ------
    S3Error
        There is no signature, by an unknown key, too old, or it does not fit the request.

    References
    ----------
    https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html,
    https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html
    """
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("AWS "):
        _verify_2(request, keys, _VERSION_2.fullmatch(authorization), request.headers.get("date", ""), clock())
    elif authorization:
        return _verify_header(request, keys, authorization, clock())
    elif "X-Amz-Signature" in query:
        _verify_link(request, keys, query, clock())
    elif "Signature" in query:
        given = _VERSION_2.fullmatch(f"AWS {query.get('AWSAccessKeyId', '')}:{query['Signature']}")
        _verify_2(request, keys, given, query.get("Expires", ""), clock())
    else:
        raise S3Error("AccessDenied", "The request is not signed")
    return None


def _verify_header(
    request: SignedRequest, keys: Mapping[str, str], authorization: str, now: datetime
) -> ChunkSignatures | None:
    from botocore.auth import S3SigV4Auth

    found = _VERSION_4.fullmatch(authorization)
    if found is None:
        raise S3Error("AuthorizationHeaderMalformed", "The authorization header you provided is invalid")
    access_key, day, region, names, signature = found.groups()
    given = _Given(access_key, day, region, names.split(";"), signature)
    stamp = request.headers.get("x-amz-date", "")
    _check_time(_moment(stamp), now)
    # what is not signed could be changed: another body, another time, another source of a copy
    must = {name for name in request.headers if name.startswith("x-amz-")} | {"host", "x-amz-date"}
    if not must <= set(given.signed) or "x-amz-content-sha256" not in request.headers:
        raise S3Error("AccessDenied", "There were headers present in the request which were not signed")
    _verify_4(S3SigV4Auth, request, keys, given, stamp)
    if not request.headers["x-amz-content-sha256"].startswith("STREAMING-AWS4-HMAC-SHA256"):
        return None
    key = f"AWS4{keys[access_key]}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return ChunkSignatures(key, stamp, f"{day}/{region}/s3/aws4_request", signature)


def _verify_link(request: SignedRequest, keys: Mapping[str, str], query: Mapping[str, str], now: datetime) -> None:
    from botocore.auth import S3SigV4QueryAuth

    scope = re.fullmatch(_SCOPE, query.get("X-Amz-Credential", ""))
    seconds, stamp = query.get("X-Amz-Expires", ""), query.get("X-Amz-Date", "")
    if scope is None or not (seconds.isascii() and seconds.isdigit() and int(seconds[:9]) <= _LONGEST_LINK):
        raise S3Error("AuthorizationQueryParametersError", "The parameters of the signature are invalid")
    signed = query.get("X-Amz-SignedHeaders", "").split(";")
    begin = _moment(stamp)
    if now < begin - MOST_SKEW or now > begin + timedelta(seconds=int(seconds)):
        raise S3Error("AccessDenied", "Request has expired")
    if "host" not in signed:
        raise S3Error("AccessDenied", "host must be signed")
    access_key, day, region = scope.groups()
    given = _Given(access_key, day, region, signed, query["X-Amz-Signature"])
    _verify_4(S3SigV4QueryAuth, request, keys, given, stamp)


def _verify_4(kind: type, request: SignedRequest, keys: Mapping[str, str], given: _Given, stamp: str) -> None:
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    if not stamp.startswith(given.day):
        raise S3Error("AccessDenied", "The date of the signature's scope is another than the request's")
    query = _LINK_SIGNATURE.sub("", request.query).lstrip("&")
    shown = {name: request.headers.get(name, "") for name in given.signed}
    signed = AWSRequest(method=request.method, url=f"http://server{request.path}?{query}", headers=shown)
    signed.context["timestamp"] = stamp
    signer = kind(Credentials(given.access_key, _secret(keys, given.access_key)), "s3", given.region)
    expected = signer.signature(signer.string_to_sign(signed, signer.canonical_request(signed)), signed)
    _compare(expected, given.signature)


def _verify_2(
    request: SignedRequest, keys: Mapping[str, str], given: re.Match[str] | None, date: str, now: datetime
) -> None:
    from botocore.auth import HmacV1Auth
    from botocore.awsrequest import HeadersDict, HTTPHeaders
    from botocore.credentials import Credentials

    class Signer(HmacV1Auth):  # type: ignore[misc]
        def _get_date(self) -> str:
            # a date of Amazon's own is signed among the other headers
            return "" if "x-amz-date" in request.headers else date

    if given is None:
        raise S3Error("InvalidArgument", "The signature of version 2 is invalid")
    access_key, signature = given.groups()
    if date.isascii() and date.isdigit():
        if now.timestamp() > int(date[:12]):
            raise S3Error("AccessDenied", "Request has expired")
    else:
        _check_time(_http_date(request.headers.get("x-amz-date", date)), now)
    signer = Signer(Credentials(access_key, _secret(keys, access_key)))
    headers = HTTPHeaders.from_dict(HeadersDict(request.headers))
    split = urlsplit(f"http://server{request.path}?{request.query}")
    text = signer.canonical_string(request.method, split, headers, auth_path=request.resource)
    _compare(signer.sign_string(text), signature)


def _secret(keys: Mapping[str, str], access_key: str) -> str:
    if access_key not in keys:
        raise S3Error("InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records.")
    return keys[access_key]


def _compare(expected: str, given: str) -> None:
    if not hmac.compare_digest(expected.encode(), given.encode("latin-1", "replace")):
        raise _mismatch()


def _check_time(moment: datetime, now: datetime) -> None:
    if abs(now - moment) > MOST_SKEW:
        raise S3Error("RequestTimeTooSkewed", "The request's time and the current time are too far apart.")


def _moment(text: str) -> datetime:
    try:
        return datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from error


def _http_date(text: str) -> datetime:
    try:
        moment = parsedate_to_datetime(text)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, TypeError, IndexError) as error:
        raise S3Error("AccessDenied", "AWS authentication requires a valid Date or x-amz-date header") from error


def _mismatch() -> S3Error:
    return S3Error(
        "SignatureDoesNotMatch",
        "The request signature we calculated does not match the signature you provided.",
    )

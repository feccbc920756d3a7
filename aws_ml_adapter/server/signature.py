"""Checks the signature of requests (AWS Signature Version 4) against the keys that the server was given."""

from __future__ import annotations

import configparser
import hashlib
import hmac
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

from aws_ml_adapter.server.errors import ServiceError
from textclf.base.errors import BadDataError, BadInputError

MOST_SKEW = timedelta(minutes=5)
"""How far a client's clock may be off."""

_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([A-Za-z0-9]{4,128})/(\d{8})/([a-z0-9-]{1,64})/machinelearning/aws4_request, *"
    r"SignedHeaders=([a-z0-9;_-]{1,2000}), *Signature=([0-9a-f]{64})"
)
_MUST_BE_SIGNED = {"host", "x-amz-date", "x-amz-target"}


def read_keys(path: Path) -> dict[str, str]:
    """Read the keys whose signatures are accepted.

    Parameters
    ----------
    path : pathlib.Path
        An AWS credentials file; the keys of all its profiles are taken.

    Returns
    -------
    dict of str to str
        Access key to secret key.

    Raises
    ------
    textclf.base.errors.BadInputError, textclf.base.errors.BadDataError
        It cannot be read, or holds no key.

    References
    ----------
    https://docs.aws.amazon.com/sdkref/latest/guide/file-format.html
    """
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise BadInputError("cannot be read", where=path, remedy="check the path given with --credentials") from error
    except configparser.Error as error:
        raise BadDataError("is no AWS credentials file", where=path, remedy="write [profile] sections") from error
    names = ("aws_access_key_id", "aws_secret_access_key")
    profiles = [parser[name] for name in parser.sections()]
    keys = {profile[names[0]]: profile[names[1]] for profile in profiles if all(name in profile for name in names)}
    if not keys or not all(keys.values()):
        raise BadDataError("holds no keys", where=path, remedy=f"write {names[0]} and {names[1]}")
    return keys


def verify(
    path: str,
    query: str,
    headers: Mapping[str, str],
    body: bytes,
    keys: Mapping[str, str],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> str:
    """Compute the signature of a request as botocore does, and compare.

    Parameters
    ----------
    path : str
        Of the URL, as it was sent.
    query : str
        What follows the question mark, if anything.
    headers : mapping of str to str
        Names in lower case.
    body : bytes
    keys : mapping of str to str
        Access key to secret key.
    clock : callable
        Gives the time, with its zone.

    Returns
    -------
    str
        The access key.

    Raises
    ------
    ServiceError
        There is no signature, by an unknown key, too old, or it does not fit the request.

    References
    ----------
    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """
    if "authorization" not in headers:
        raise ServiceError("MissingAuthenticationTokenException", "The request is not signed")
    given = _AUTHORIZATION.fullmatch(headers["authorization"])
    if given is None:
        raise ServiceError("IncompleteSignatureException", "The Authorization header is no signature of version 4")
    access_key, day, region, names, signature = given.groups()
    signed = names.split(";")
    if access_key not in keys:
        raise ServiceError("UnrecognizedClientException", "The security token included in the request is invalid")
    if not set(signed) >= _MUST_BE_SIGNED:
        raise ServiceError("IncompleteSignatureException", f"{', '.join(sorted(_MUST_BE_SIGNED))} must be signed")
    # else a client could sign a digest of nothing in particular instead of the body's
    if headers.get("x-amz-content-sha256", digest := hashlib.sha256(body).hexdigest()) != digest:
        raise ServiceError("InvalidSignatureException", "x-amz-content-sha256 is not the body's")
    stamp = _timestamp(headers.get("x-amz-date", ""), day, clock())
    shown = {name: headers.get(name, "") for name in signed}
    expected = _signature(path, query, shown, body, (access_key, keys[access_key]), region, stamp)
    if not hmac.compare_digest(expected, signature):
        raise ServiceError(
            "InvalidSignatureException",
            "The request signature we calculated does not match the signature you provided",
        )
    return access_key


def _timestamp(text: str, day: str, now: datetime) -> str:
    try:
        moment = datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError as error:
        raise ServiceError("IncompleteSignatureException", "X-Amz-Date is missing or no date") from error
    if abs(now - moment) > MOST_SKEW or not text.startswith(day):
        raise ServiceError("InvalidSignatureException", f"Signature expired or not yet valid: {text}")
    return text


def _signature(
    path: str, query: str, headers: Mapping[str, str], body: bytes, key: tuple[str, str], region: str, stamp: str
) -> str:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    url = f"http://server{path}{'?' if query else ''}{query}"
    request = AWSRequest(method="POST", url=url, data=body, headers=dict(headers))
    request.context["timestamp"] = stamp
    signer = SigV4Auth(Credentials(*key), "machinelearning", region)
    return str(signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request))

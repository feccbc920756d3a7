"""Routing of S3 requests to actions, and refusal of options that an action does not support."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from aws_ml_adapter.server.error_answers import S3ApiError
from aws_ml_adapter.server.s3.conditions import CONDITIONS
from aws_ml_adapter.server.s3.messages import OWNER, S3Request

SOURCE = frozenset({"x-amz-copy-source", *(f"x-amz-copy-source-{name}" for name in CONDITIONS)})
"""Headers with the source of a copy and the conditions on it."""

# query parameters of signed links, and those with which SDKs name the operation
_ALWAYS = re.compile(
    r"x-id|X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token|Content-Sha256)"
    r"|x-amz-(security-token|checksum-mode)|AWSAccessKeyId|Signature|Expires"
)
# headers about the transfer, and metadata that a folder cannot store, which are ignored
_KNOWN = re.compile(
    r"x-amz-("
    r"content-sha256|date|security-token|user-agent|decoded-content-length|trailer|te|api-version|cf-.+"
    r"|checksum-.+|sdk-checksum-algorithm"
    r"|meta-.+|metadata-directive|storage-class|tagging|tagging-directive|acl|grant-.+|object-ownership"
    r"|request-payer|optional-object-attributes)"
)
# headers that are accepted only with the values that describe this server
_DEFAULTS = {
    "x-amz-expected-bucket-owner": OWNER["ID"],
    "x-amz-source-expected-bucket-owner": OWNER["ID"],
    "x-amz-server-side-encryption": "AES256",
    "x-amz-server-side-encryption-bucket-key-enabled": "false",
    "x-amz-bucket-object-lock-enabled": "false",
}

_Action = TypeVar("_Action", bound=Callable[..., object])


class Body(StrEnum):
    """The kind of body of a request."""

    NOTHING = "nothing"
    MESSAGE = "message"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An action, and the options it supports."""

    action: str
    """Name of the method, as in boto3."""
    query: Set[str]
    """Supported query parameters besides those of all actions; with others it is another action."""
    headers: Set[str]
    """Supported headers that change the action, besides those of all actions."""
    takes: Body

    @property
    def name(self) -> str:
        """Name of the action in S3's API."""
        return "".join(word.capitalize() for word in self.action.split("_"))


_ROUTES: dict[tuple[str, str, str], Route] = {}


def route(
    method: str,
    names: str,
    subresource: str = "",
    *,
    query: Set[str] = frozenset(),
    headers: Set[str] = frozenset(),
    takes: Body = Body.NOTHING,
) -> Callable[[_Action], _Action]:
    """Register a method for an HTTP method, a kind of path (service, bucket or object), and a subresource in the query.

    COPY stands for PUT with a source to copy.
    """

    def register(action: _Action) -> _Action:
        _ROUTES[method, names, subresource] = Route(action=action.__name__, query=query, headers=headers, takes=takes)
        return action

    return register


def find_route(method: str, request: S3Request) -> Route:
    """Find the route of a request; raises `S3ApiError` if the action or an option is not supported."""
    names = "object" if request.key else "bucket" if request.bucket else "service"
    subresources = {subresource for _, _, subresource in _ROUTES if subresource} & request.query.keys()
    subresource = next(iter(subresources)) if len(subresources) == 1 else ""
    if method == "PUT" and "x-amz-copy-source" in request.headers:
        method = "COPY"
    found = _ROUTES.get((method, names, subresource))
    asked = {name for name in request.query if not _ALWAYS.fullmatch(name)}
    if found is None or asked - found.query - {subresource}:
        with_asked = f" with {', '.join(sorted(asked))[:100]}" if asked else ""
        raise S3ApiError("NotImplemented", f"This server has no operation {method} on {names}{with_asked}")
    _check_headers(method, request.headers, found.headers)
    return found


def _check_headers(method: str, headers: Mapping[str, str], supported: Set[str]) -> None:
    """Raise `S3ApiError` for unsupported headers, and for unsupported conditions of writing actions."""
    for name, value in headers.items():
        if name in supported or _KNOWN.fullmatch(name) or _DEFAULTS.get(name) == value:
            continue
        if name.endswith("-expected-bucket-owner"):
            raise S3ApiError("AccessDenied", f"{name} is not the owner of all buckets of this server, {OWNER['ID']}")
        if name.startswith("x-amz-") or (name in CONDITIONS and method not in ("GET", "HEAD")):
            raise S3ApiError("NotImplemented", f"This server does not support the header {name} here")

"""Which action of S3 a request asks for, and whether it asks for more than the action does here."""

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
"""Headers that name what is to be copied, and on which conditions."""

# of signed links, and what SDKs add to name the operation
_ALWAYS = re.compile(
    r"x-id|X-Amz-(Algorithm|Credential|Date|Expires|SignedHeaders|Signature|Security-Token|Content-Sha256)"
    r"|x-amz-(security-token|checksum-mode)|AWSAccessKeyId|Signature|Expires"
)
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
    "x-amz-expected-bucket-owner": OWNER["ID"],
    "x-amz-source-expected-bucket-owner": OWNER["ID"],
    "x-amz-server-side-encryption": "AES256",
    "x-amz-server-side-encryption-bucket-key-enabled": "false",
    "x-amz-bucket-object-lock-enabled": "false",
}

_Action = TypeVar("_Action", bound=Callable[..., object])


class Body(StrEnum):
    """What the body of a request is."""

    NOTHING = "nothing"
    MESSAGE = "message"
    CONTENT = "content"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """What answers a request."""

    action: str
    """Name of the method, which is boto3's for the action."""
    query: Set[str]
    """What the query may hold besides what all may: with anything else it would be another action."""
    headers: Set[str]
    """The headers that it heeds besides what all may have, of those that change what is done."""
    takes: Body

    @property
    def name(self) -> str:
        """As S3 calls the action."""
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
    """Let a method answer requests by their HTTP method, what the path names, and the subresource that the query names.

    COPY is a PUT that names a source.
    """

    def register(action: _Action) -> _Action:
        _ROUTES[method, names, subresource] = Route(action=action.__name__, query=query, headers=headers, takes=takes)
        return action

    return register


def find_route(method: str, request: S3Request) -> Route:
    """Find what answers a request; raises `S3ApiError` where it asks for what there is not."""
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


def _check_headers(method: str, headers: Mapping[str, str], heeded: Set[str]) -> None:
    """Refuse headers that are not known here and, of what writes, conditions that the action does not heed."""
    for name, value in headers.items():
        if name in heeded or _KNOWN.fullmatch(name) or _DEFAULTS.get(name) == value:
            continue
        if name.endswith("-expected-bucket-owner"):
            raise S3ApiError("AccessDenied", f"{name} is another than the owner of all buckets here, {OWNER['ID']}")
        if name.startswith("x-amz-") or (name in CONDITIONS and method not in ("GET", "HEAD")):
            raise S3ApiError("NotImplemented", f"This server does not do what the header {name} asks for here")

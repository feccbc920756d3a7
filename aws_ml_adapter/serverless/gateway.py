"""Requests as API Gateway hands them to functions, of REST APIs (v1) and HTTP APIs (v2), and the answers to them."""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import parse_qsl

from botocore.exceptions import BotoCoreError, ClientError

from aws_ml_adapter.serverless.settings import settings
from textclf.base.problems import MEDIA_TYPE, ProblemError, problem_of

MAX_BODY = 10_000_000
"""Bytes of a body; a gateway takes no more, and a function even less."""

_log = logging.getLogger(__name__)

Answer = dict[str, Any]
Handler = Callable[[dict[str, Any], object], Answer]


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A request: `caller` is whom the gateway has identified; names of headers are in lower case."""

    caller: str
    headers: Mapping[str, str]
    query: Mapping[str, str]
    path: Mapping[str, str]
    body: bytes = b""

    def json(self) -> dict[str, Any]:
        """Give the JSON object that the body is."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError) as error:
            raise ProblemError(400, "bad-json", "the body is no JSON") from error
        if not isinstance(value, dict):
            raise ProblemError(422, "invalid", "the body is no JSON object")
        return value


def read_request(event: Mapping[str, Any], *, anonymous: bool = False) -> Request:
    """Read the event of a request.

    Raises
    ------
    textclf.base.problems.ProblemError
        If it is no event of a gateway, the body is too large or no base64, or nobody is identified, unless
        ``anonymous``.
    """
    if not isinstance(event, Mapping):
        raise _no_request("event")
    context = _members(event, "requestContext")
    if event.get("version") == "2.0":
        caller = _caller_of_http_api(_members(context, "authorizer"))
        query = dict(parse_qsl(_text(event, "rawQueryString"), keep_blank_values=True))
    else:
        caller = _caller_of_rest_api(context)
        query = _texts(event, "queryStringParameters")
    if not caller and not anonymous:
        raise ProblemError(401, "no-caller", "the gateway has not identified the caller; sign the request")
    headers = {name.lower(): value for name, value in _texts(event, "headers").items()}
    return Request(caller=caller, headers=headers, query=query, path=_texts(event, "pathParameters"), body=_body(event))


def _no_request(name: str) -> ProblemError:
    return ProblemError(400, "bad-request", f"the {name} of the request is not as a gateway gives it")


def _members(given: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = given.get(name) or {}
    if not isinstance(found, Mapping):
        raise _no_request(name)
    return found


def _texts(given: Mapping[str, Any], name: str) -> dict[str, str]:
    found = {key: value for key, value in _members(given, name).items() if value is not None}
    if not all(isinstance(one, str) for pair in found.items() for one in pair):
        raise _no_request(name)
    return found


def _text(given: Mapping[str, Any], name: str) -> str:
    found = given.get(name) or ""
    if not isinstance(found, str):
        raise _no_request(name)
    return found


def _body(event: Mapping[str, Any]) -> bytes:
    text = _text(event, "body")
    # base64 makes four of three
    if len(text) > (MAX_BODY * 4 + 8) // 3:
        raise ProblemError(413, "too-large", f"the body is over {MAX_BODY:,} bytes; ask /v1/uploads for a place for it")
    if not event.get("isBase64Encoded"):
        return text.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ProblemError(400, "bad-base64", "the body is no base64") from error


def _caller_of_http_api(authorizer: Mapping[str, Any]) -> str:
    if arn := _text(_members(authorizer, "iam"), "userArn"):
        return f"iam:{_role(arn)}"
    if claims := _members(_members(authorizer, "jwt"), "claims"):
        return _subject(claims)
    return _principal(_members(authorizer, "lambda"))


def _caller_of_rest_api(context: Mapping[str, Any]) -> str:
    authorizer, identity = _members(context, "authorizer"), _members(context, "identity")
    if claims := _members(authorizer, "claims"):
        return _subject(claims)
    if found := _principal(authorizer):
        return found
    if arn := _text(identity, "userArn"):
        return f"iam:{_role(arn)}"
    # a method that needs a key has one by now
    return f"key:{identity['apiKeyId']}" if identity.get("apiKeyId") else ""


def _subject(claims: Mapping[str, Any]) -> str:
    # a token of a program has no subject in some user pools
    subject = claims.get("sub") or claims.get("client_id")
    return f"jwt:{claims.get('iss', '')}:{subject}" if subject else ""


def _principal(authorizer: Mapping[str, Any]) -> str:
    return f"lambda:{authorizer['principalId']}" if authorizer.get("principalId") else ""


def _role(arn: str) -> str:
    """Give the ARN of a role without the session, which is another one each time."""
    return arn.rpartition("/")[0] if ":assumed-role/" in arn else arn


def answer(status: int, body: object, headers: Mapping[str, str] | None = None) -> Answer:
    """Make the answer with JSON."""
    return {
        "statusCode": status,
        "headers": {"content-type": "application/json", "cache-control": "no-store", **(headers or {})},
        "body": body if isinstance(body, str) else json.dumps(body),
        "isBase64Encoded": False,
    }


def route(function: Callable[[Request], Answer]) -> Handler:
    """Make the handler of a route, in which every error ends in the answer with a problem."""

    @wraps(function)
    def handler(event: dict[str, Any], _context: object) -> Answer:
        try:
            return function(read_request(event, anonymous=settings().anonymous))
        except Exception as error:  # noqa: BLE001 - the boundary: a client gets an answer in any case
            problem = problem_of(_unless_aws(error))
            return answer(problem.status, problem.body(), {**problem.headers, "content-type": MEDIA_TYPE})

    return handler


def _unless_aws(error: Exception) -> Exception:
    if not isinstance(error, BotoCoreError | ClientError):
        return error
    _log.error(f"AWS refused or cannot be reached: {error}")
    return ProblemError(503, "aws", "the service cannot do this now; its log says why", headers={"Retry-After": "5"})

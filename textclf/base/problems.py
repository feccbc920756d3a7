"""Problems: what went wrong with a request, as https://www.rfc-editor.org/rfc/rfc9457 has it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Self

from textclf.base.errors import TextclfError

MEDIA_TYPE = "application/problem+json"

_log = logging.getLogger(__name__)


class ProblemError(Exception):
    """Ends a request with a problem.

    Parameters
    ----------
    status : int
        HTTP status.
    name : str
        Name of the kind of problem, which programs may rely on.
    detail : str
        What is wrong this time, and what to do about it, as a sentence without a full stop.
    headers : mapping, optional
        Further headers of the answer.
    more : object
        Further members.
    """

    def __init__(
        self, status: int, name: str, detail: str, *, headers: Mapping[str, str] | None = None, **more: Any
    ) -> None:
        super().__init__(detail)
        self.status, self.name, self.detail, self.headers, self.more = status, name, detail, headers or {}, more

    @classmethod
    def from_body(cls, body: Mapping[str, Any]) -> Self:
        """Make the problem whose members these are."""
        more = {key: value for key, value in body.items() if key not in ("type", "title", "status", "detail")}
        return cls(int(body["status"]), str(body["type"]).rpartition(":")[2], body["detail"], **more)

    def body(self) -> dict[str, Any]:
        """Give the members of the problem."""
        return {
            "type": f"urn:textclf:problem:{self.name}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            **self.more,
        }


def stopping() -> ProblemError:
    """Make the problem of a service that ends."""
    return ProblemError(503, "stopping", "the service stops; send it again", headers={"Retry-After": "5"})


def problem_of(error: Exception) -> ProblemError:
    """Give the problem that an error is to a client, who is not shown where on this machine it happened."""
    match error:
        case ProblemError():
            return error
        case OSError(errno=errno.ENOSPC | errno.EDQUOT):
            return ProblemError(507, "no-space", "there is no space left for what was sent")
        case TextclfError():
            _log.error(f"{error}")
            return ProblemError(503, error.code, "the service cannot do this now; its log says why")
        case _:
            _log.error(f"a fault of the service itself ({type(error).__name__}: {error})", exc_info=error)
            return ProblemError(500, "internal", "a fault of the service itself; its log says more")

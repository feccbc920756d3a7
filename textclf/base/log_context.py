"""What the work under way is about: ids that log lines carry, bound to a request or a task and what it starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})
_PRINTABLE_ID = re.compile(r"[A-Za-z0-9._:/+=-]{1,128}")
_BOUND = ContextVar("bound_ids", default=_NONE)


@contextmanager
def bound(**ids: str) -> Iterator[None]:
    """Bind ids to the work of a block; those that are empty are left out."""
    token = _BOUND.set({**_BOUND.get(), **{name: value for name, value in ids.items() if value}})
    try:
        yield
    finally:
        _BOUND.reset(token)


def bound_ids() -> Mapping[str, str]:
    """Give the ids that are bound to the work under way."""
    return _BOUND.get()


def printable_id(given: object) -> str:
    """Give an id that somebody else has chosen; empty if it is none that is short and printable in every log."""
    return given if isinstance(given, str) and _PRINTABLE_ID.fullmatch(given) else ""

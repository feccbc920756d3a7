"""What the work under way is about: ids that log lines carry, bound to a request or a task and what it starts."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

_NONE: Mapping[str, str] = MappingProxyType({})
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

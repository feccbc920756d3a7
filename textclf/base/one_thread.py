"""Linear algebra on one thread, whose results are the same to the last bit on any computer."""

from __future__ import annotations

import sys
from contextlib import AbstractContextManager
from functools import lru_cache
from typing import Any


def one_thread() -> AbstractContextManager[Any]:
    """Let the libraries of linear algebra use one thread: with more, sums in another order change the last bits."""
    limited: AbstractContextManager[Any] = _libraries(len(sys.modules)).limit(limits=1)
    return limited


@lru_cache(maxsize=1)
def _libraries(_modules: int) -> Any:
    """Find the libraries, which takes milliseconds; anew after further modules were loaded, and libraries with them."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

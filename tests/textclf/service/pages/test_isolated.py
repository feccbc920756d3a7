"""Calls in processes of their own, while the service ends."""

from __future__ import annotations

import os
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from textclf.base.errors import LostTaskError
from textclf.service.pages.isolated import IsolatedCalls


def test_after_the_end_no_call_is_made_and_no_process_left(left_over):
    calls = IsolatedCalls(1, seconds=30)
    worker = calls.call(os.getpid)
    with ThreadPoolExecutor(3) as threads:
        under_way = [threads.submit(calls.call, time.sleep, 30) for _ in range(3)]
        time.sleep(0.5)
        begun = time.monotonic()
        calls.close()
        for call in under_way:
            with pytest.raises(LostTaskError):
                call.result()
    with pytest.raises(LostTaskError):
        calls.call(os.getpid)
    assert time.monotonic() - begun < 10
    assert left_over(worker) == []

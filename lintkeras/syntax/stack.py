"""A deep stack for the analysis: libcst and the interpreter recurse along the code."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_STACK = 512 * 1024 * 1024
_RECURSION = 60_000


def run_with_deep_stack(function: Callable[[], T]) -> T:
    """Run ``function`` in a thread with a large stack; its result or its exception.

    The memory is only reserved: what is not used is never touched.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    limit = sys.getrecursionlimit()
    previous = threading.stack_size(_STACK)
    try:
        sys.setrecursionlimit(max(limit, _RECURSION))
        thread = threading.Thread(target=target, daemon=True)
        thread.start()
        while thread.is_alive():
            thread.join(0.2)  # wakes up for KeyboardInterrupt
    finally:
        threading.stack_size(previous)
        sys.setrecursionlimit(limit)
    if errors:
        raise errors[0]
    return results[0]

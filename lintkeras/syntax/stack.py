"""Room for the analysis: a deep stack, since libcst and the interpreter recurse along the code."""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
_SIZES = (256 << 20, 64 << 20, 16 << 20)
"""Stacks to ask for, in bytes; what is not used is only reserved, and libcst needs the last one."""
_BYTES_A_CALL = 4096
"""More than a call from Python through C to Python takes."""


def run_with_deep_stack(function: Callable[[], T]) -> T:
    """Run ``function`` in a thread with a large stack; its result or its exception.

    The garbage collector waits: a tree of a million nodes is no garbage, and looking through it
    again and again takes a quarter of the time.
    """
    results: list[T] = []
    errors: list[BaseException] = []

    def target() -> None:
        try:
            results.append(function())
        except BaseException as error:
            errors.append(error)

    limit = sys.getrecursionlimit()
    collects = gc.isenabled()
    gc.disable()
    try:
        thread = _start(target)
        while thread.is_alive():
            thread.join(0.2)  # wakes up for KeyboardInterrupt
    finally:
        sys.setrecursionlimit(limit)
        if collects:
            gc.enable()
    if errors:
        raise errors[0]
    return results[0]


def _start(target: Callable[[], None]) -> threading.Thread:
    """A running thread with the largest stack that the system gives."""
    previous = threading.stack_size()
    limit = sys.getrecursionlimit()
    try:
        for size in _SIZES:
            threading.stack_size(size)
            sys.setrecursionlimit(max(limit, size // _BYTES_A_CALL))
            thread = threading.Thread(target=target, daemon=True)
            try:
                thread.start()
            except RuntimeError:  # no memory for it
                continue
            return thread
    finally:
        threading.stack_size(previous)
    raise MemoryError("no thread with a stack for the analysis can be started")

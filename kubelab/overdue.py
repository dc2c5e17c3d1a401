"""Work that does not come to an end is stopped from outside: a check may hold an endless loop."""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

# Work that catches the exception hears of it again; what cleans up has time until then.
AGAIN = 5.0
# How much time is left is asked this often, for acting adds to it.
STEP = 0.25


class Overdue(BaseException):
    """The work is stopped: no `Exception`, so no `except Exception` holds it up."""


def within(work: Callable[[], T], left: Callable[[], float]) -> T:
    """Do the work in this thread; raises Overdue in it once `left()` seconds are no more left.

    Any thread can be stopped so, a notebook's as well, between two steps of Python; a call that
    blocks in the operating system is stopped when it returns.
    """
    guard = Guard(left)
    thread = threading.Thread(target=guard.watch, daemon=True, name="overdue")
    # Twice: the exception may come in the step before the first `end`. The next is long in coming.
    try:
        try:
            thread.start()
            return work()
        finally:
            guard.end()
    finally:
        guard.end()


class Guard:
    """Stops the thread that made it."""

    def __init__(self, left: Callable[[], float]) -> None:
        self._left = left
        self._thread = threading.get_ident()
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._thrown = False

    def watch(self) -> None:
        """Wait until the time is over or the work is done."""
        while (left := self._left()) > 0:
            if self._ended.wait(min(left, STEP)):
                return
        while True:
            with self._lock:
                if self._ended.is_set():
                    return
                self._thrown = True
                throw(self._thread, Overdue)
            if self._ended.wait(AGAIN):
                return

    def end(self) -> None:
        """Stop nothing any more; called in the guarded thread."""
        late = False
        while True:
            try:
                with self._lock:
                    self._ended.set()
                    # Taking back what never was makes Python look for it at each step from then
                    # on: slower, and under a profiler for ever.
                    if self._thrown:
                        throw(self._thread, None)
                break
            except Overdue:  # It came in the very moment in which the work ended.
                late = True
        if late:
            raise Overdue


def throw(thread: int, exception: type[BaseException] | None) -> None:
    """Raise an exception in another thread at its next step; None takes one back."""
    thrown = ctypes.py_object(exception) if exception is not None else None
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), thrown)

"""Critical sections: one at a time, whichever thread, and what to do with what interrupts one in its own thread.

A signal handler, a finalizer or a log handler may come in at any call of a section, in the very thread that holds the
lock, and the counts of that section are half changed then. What it wants done is put aside, and done when the section
ends. The lock is only ever taken by a `with` on the lock itself, which lets no signal in between.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple, TypeVar

__all__ = ["Sections"]

T = TypeVar("T")


class PutOff(NamedTuple):
    """Something to be called when a section ends."""

    call: Callable[[], object]
    thread: int | None
    """The only thread that may call it, outside of any section; or None: the first that comes, in a section."""


class Sections:
    """Of one pipeline.

    Who has no time for `run` takes `lock` itself: first of all it looks whether something is `inside`, and sets that;
    at last, also after an exception, it lets in what was put `aside`.
    """

    def __init__(self, on_entered: Callable[[], None]) -> None:
        self.lock = threading.RLock()
        # How deep the lock's thread is in sections: what comes in then interrupts one.
        self.inside = 0
        self.aside: deque[PutOff] = deque()
        self._on_entered = on_entered

    def run(self, section: Callable[[], T]) -> T:
        """Run a section, and then what interrupted it."""
        try:
            with self.lock:
                self.inside += 1
                try:
                    return section()
                finally:
                    self.inside -= 1
        finally:  # also where Ctrl-C has ended it
            if self.aside:
                self.let_in()

    def interrupted(self) -> bool:
        """Tell whether the caller interrupts a section of its own thread, which it must not wait for."""
        # Asked of the lock, as threading.Condition does: to try it would be to hold it, if only for a moment.
        return self.inside > 0 and self.lock._is_owned()  # type: ignore[attr-defined]

    def put_aside(self, section: Callable[[], object]) -> None:
        """Have a section run once the one ends that the caller interrupts; `on_entered` is called after it."""
        self.aside.append(PutOff(section, None))

    def put_off(self, call: Callable[[], object]) -> bool:
        """Make a call once the section ends that the caller interrupts; False if it interrupts none."""
        if not self.interrupted():
            return False
        self.aside.append(PutOff(call, threading.get_ident()))
        return True

    def let_in(self) -> None:
        """Do what interrupted a section, now that the lock is free, unless this is in the midst of another."""
        if self.interrupted():
            return
        while (call := self._next()) is not None:
            call()

    def _next(self) -> Callable[[], object] | None:
        """Run the first section that was put aside, or take the first call; return what is to be called now."""
        with self.lock:
            self.inside += 1  # what strikes here is put aside too: it must not wait for room behind this lock
            try:
                first = self.aside[0] if self.aside else None
                if first is None or first.thread not in (None, threading.get_ident()):
                    return None
                self.aside.popleft()
                if first.thread is not None:
                    return first.call
                first.call()
                return self._on_entered
            finally:
                self.inside -= 1

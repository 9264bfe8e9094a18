"""Signals that end a process: what has been logged is written first. Opt-in."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import TypeAlias

from asynctb.errors import EncodeError
from asynctb.pipeline import exits

__all__ = ["flush_on_signal"]

# A process goes on after these, unless it asks for something else.
_SURVIVED = {"SIGCHLD", "SIGCONT", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGWINCH"}

Handler: TypeAlias = Callable[[int, FrameType | None], object] | int


def flush_on_signal(signum: int = signal.SIGTERM, *, timeout: float = 5.0, sync: bool = False) -> Callable[[], None]:
    """Have a signal write what all writers of this process have accepted, before it does what it did until now.

    For jobs that are preempted and containers that are stopped: by default SIGTERM ends a process at once, and costs
    what was logged in the last moments (see the contract). With this, all of it is written first, for as long as
    `timeout` allows; then the handler that was there is called, once, or the process ends by the signal as it would
    have. Writers stay open: a handler that only asks the program to stop may be followed by more adds.

    Call it in the main thread, after whatever else installs a handler for the signal. A forked child inherits it.

    ```python
    asynctb.flush_on_signal()  # SIGTERM
    asynctb.flush_on_signal(signal.SIGUSR1, timeout=20, sync=True)  # a scheduler's warning before the end
    ```

    Args:
        signum: the signal.
        timeout: seconds that all writers together may take; what is not written then is logged, and lost if the
            process ends. The main thread, and a loop that runs there, stands still meanwhile: usually milliseconds.
        sync: also wait until what was written survives a power cut, or has reached the server of a network disk.

    Returns:
        A function that puts the earlier handler back, unless another one has been installed since.

    Raises:
        EncodeError: if `timeout` is no number of seconds, or if the signal has a handler that Python knows nothing of.
        ValueError: outside the main thread, or if there is no such signal.
        OSError: if the system lets nobody handle the signal, such as SIGKILL.
    """
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not timeout >= 0:
        raise EncodeError("timeout", "a number of seconds that is not negative", timeout)
    earlier = signal.getsignal(signum)
    if earlier is None:
        raise EncodeError("signum", "a signal whose handler was installed by Python", signum)
    handler = _Flush(earlier, min(timeout, threading.TIMEOUT_MAX / 2), sync)
    signal.signal(signum, handler)
    return lambda: handler.remove(signum)


class _Flush:
    """The handler of one signal."""

    def __init__(self, earlier: Handler, timeout: float, sync: bool) -> None:
        self._earlier = earlier
        self._timeout = timeout
        self._sync = sync
        self._busy_in: int | None = None  # the process in which it is being handled: a child may be forked meanwhile

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        if self._busy_in == os.getpid():
            return  # again, and impatiently; the timeout is soon over
        self._busy_in = os.getpid()
        if not exits.put_off(lambda: self._handle(signum, frame)):
            self._handle(signum, frame)

    def _handle(self, signum: int, frame: FrameType | None) -> None:
        last = self._earlier == signal.SIG_DFL and signal.Signals(signum).name not in _SURVIVED
        try:
            exits.write_all(self._timeout, sync=self._sync, last=last)
        finally:
            self._busy_in = None
            self._pass_on(signum, frame)

    def _pass_on(self, signum: int, frame: FrameType | None) -> None:
        if callable(self._earlier):
            self._earlier(signum, frame)
        elif self._earlier == signal.SIG_DFL:
            # The process ends by the signal itself, so that its parent sees why; or nothing happens, as with SIGCHLD.
            signal.signal(signum, signal.SIG_DFL)
            signal.raise_signal(signum)
            signal.signal(signum, self)

    def remove(self, signum: int) -> None:
        """Put the earlier handler back."""
        earlier = self._earlier
        if signal.getsignal(signum) is self:
            signal.signal(signum, earlier)

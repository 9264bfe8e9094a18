"""What the writer says to its user: through `logging`, once, or at most every few seconds.

Never through `warnings`, which `-W error` would turn into the end of the program.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from contextlib import suppress

from asynctb.daemon import DaemonExecutor

__all__ = ["Notices", "heard", "on_our_thread"]

logger = logging.getLogger("asynctb")

EVERY = 5.0  # seconds between two messages of one kind: a failing disk must not fill another with its log
MANY = 10_000  # different things said once: beyond it, tags are being made up as the program runs, and all was said


# Whoever holds a log handler's lock may be waiting for one of our threads: those never log themselves.
_speaker = DaemonExecutor("asynctb-log")


_last_said: Future[None] | None = None


def _begin() -> None:
    global _speaker, _last_said
    _speaker, _last_said = DaemonExecutor("asynctb-log"), None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_begin)


def on_our_thread() -> bool:
    """Tell whether the caller is on a thread of this library that others may be waiting for: any but the log's."""
    name = threading.current_thread().name
    return name.startswith("asynctb-") and name != "asynctb-log"


def _log(level: int, message: str, *args: object) -> None:
    # Somebody's log handler runs here, with whatever is wrong with it.
    with suppress(Exception):
        logger.log(level, message, *args)


def heard(seconds: float = 0.2) -> None:
    """Wait, not for long, until what our threads said has been logged."""
    if _last_said is not None and not on_our_thread():
        with suppress(TimeoutError):
            _last_said.result(seconds)


class _HandOn(logging.Filter):
    """Has what others log on our threads logged by the log's thread too.

    asyncio does so when a loop begins, and whoever waits for that may be adding from within a log handler.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        if not on_our_thread():
            return True
        with suppress(RuntimeError):  # the interpreter is at its end
            _speaker.submit(_handle, record)
        return False


def _handle(record: logging.LogRecord) -> None:
    with suppress(Exception):
        logging.getLogger(record.name).handle(record)


for _name in ("asyncio", "concurrent.futures"):
    logging.getLogger(_name).addFilter(_HandOn())


class Notices:
    """Says things, and remembers what it has said."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._said: set[Hashable] = set()
        self._last: dict[str, float] = {}

    def say(self, message: str, *args: object, level: int = logging.WARNING) -> None:
        """Say it."""
        global _last_said
        if on_our_thread():
            with suppress(RuntimeError):
                _last_said = _speaker.submit(_log, level, message, *args)
                return
        _log(level, message, *args)

    def once(self, key: Hashable, message: str, *args: object) -> None:
        """Say it unless something was said under this key before."""
        if key not in self._said and len(self._said) < MANY:
            self._said.add(key)
            self.say(message, *args)

    def sometimes(self, key: str, message: str, *args: object, level: int = logging.WARNING) -> bool:
        """Say it unless something was said under this key a few seconds ago; tell whether it was said."""
        now = self._clock()
        if now - self._last.get(key, -EVERY) < EVERY:
            return False
        self._last[key] = now
        self.say(message, *args, level=level)
        return True

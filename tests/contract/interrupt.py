"""Calls in the middle of the library's own code, at each of the moments in which a signal handler may strike.

Python runs signal handlers between two of its instructions, but only where it looks for them: when a function begins or
goes on, after a call of something that is not written in Python, and when a loop goes round. A profiler is told of
the first two; hardly any moment is missing then.
"""

import asyncio
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

import asynctb

LIBRARY = str(Path(asynctb.__file__).parent)
ASYNCIO = str(Path(asyncio.__file__).parent)
OFTEN = 2  # times that something must happen at a place for the place to have been seen enough
AGES = 10  # seconds after which what should have ended never will


Moment = tuple[str, int, str, int]
"""A file and a line of it, what happens there, and how many times it had happened there before."""


class Interruption:
    """Where a call struck, if it did."""

    def __init__(self, seen: set[Moment], call: Callable[[], object]) -> None:
        self.where: str | None = None
        self._seen = seen
        self._call = call
        self._times: Counter[tuple[str, int, str]] = Counter()

    def moment(self, frame: FrameType, event: str) -> None:
        """Strike, if this is the first moment that has not been seen."""
        file = Path(frame.f_code.co_filename).name
        here = (file, frame.f_lineno, event)
        self._times[here] += 1
        moment = (*here, min(self._times[here], OFTEN))
        if self.where is None and moment not in self._seen:
            self._seen.add(moment)
            self.where = f"{file}:{frame.f_lineno} in {frame.f_code.co_name}"
            self._call()


def always() -> bool:
    return True


@contextmanager
def interrupt(
    seen: set[Moment], call: Callable[[], object], *places: str, when: Callable[[], bool] = always
) -> Iterator[Interruption]:
    """Have something called once, at the first moment that this thread passes in the block and that is not in `seen`.

    What it raises comes up there, as out of a signal handler. Moments are in the library's code, with `places` in other
    folders' too, and only `when` that says so.
    """
    struck = Interruption(seen, call)

    def on_event(frame: FrameType, event: str, _: Any) -> None:
        if event in ("call", "c_return") and frame.f_code.co_filename.startswith((LIBRARY, *places)) and when():
            struck.moment(frame, event)  # what it calls meets no moments

    before = sys.getprofile()
    sys.setprofile(on_event)
    try:
        yield struck
    finally:
        sys.setprofile(before)


def ends(call: Callable[[], object], seconds: float = AGES) -> bool:
    """Tell whether a call ends in time; it runs in a thread, which is left behind if not. Raises what it raises."""
    errors: list[BaseException] = []

    def run() -> None:
        try:
            call()
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    return not thread.is_alive()

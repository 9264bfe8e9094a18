"""Heavy entries whose value is taken and encoded when the test says so."""

import threading

from asynctb.encode.scalar import scalar
from asynctb.entry import Draft, Encode

TOO_LONG = 60  # seconds that an encoder waits for a test that has forgotten it
LARGE = 1 << 20  # bytes from which a value is taken in a thread


class Heavy:
    """An entry of one number, which is read from a list; `draft` is what an `add_*` of it would hand over."""

    def __init__(self, tag: str = "heavy", numbers: list[float] | None = None, size: int = 1000) -> None:
        self.numbers = [1.0] if numbers is None else numbers
        self.tag = tag
        self.taking, self.may_take = threading.Event(), threading.Event()
        self.encoding, self.may_encode = threading.Event(), threading.Event()
        self.may_take.set()
        self.draft = Draft((tag,), size, self._take, "scalars")

    def _take(self) -> Encode:
        self.taking.set()
        assert self.may_take.wait(TOO_LONG)
        copy = list(self.numbers)
        return lambda: self._encode(copy)

    def _encode(self, numbers: list[float]) -> bytes:
        self.encoding.set()
        assert self.may_encode.wait(TOO_LONG)
        return scalar(self.tag, numbers[0]).what

"""The place in the order that a heavy entry takes at once, while its bytes are still being made."""

from __future__ import annotations

import weakref
from collections.abc import Callable

from asynctb.entry import OVERHEAD, Draft, Encode, Entry, Farewell, Record

__all__ = ["Claims", "Place", "encoded"]


class Place:
    """An accepted draft: its place, step and wall time are settled; its payload comes later, or never."""

    __slots__ = ("_claims", "_draft", "_encode", "_on_done", "cost", "done", "error", "what")

    def __init__(self, draft: Draft, on_done: Callable[[Place], None], claims: Claims | None = None) -> None:
        self._claims = None if claims is None else weakref.ref(claims)
        self._draft: Draft | None = draft
        self._encode: Encode | None = None
        self._on_done = on_done
        # How many bytes of the writer's bound it holds: the value's at first, the payload's once that is made.
        self.cost = draft.size + OVERHEAD
        # The payload in wire form; empty if there is nothing to write.
        self.what = b""
        # Whether nothing more will come; set by `on_done`, together with what it counts.
        self.done = False
        # Why an accepted value could not be encoded after all.
        self.error: Exception | None = None

    @property
    def untaken(self) -> bool:
        """Whether the value is still its caller's."""
        return self._draft is not None

    @property
    def orphaned(self) -> bool:
        """Whether the add that would have its value taken is no more."""
        return self._draft is not None and self._claims is not None and self._claims() is None

    @property
    def size(self) -> int:
        """About how many bytes `take` copies."""
        return self._draft.size if self._draft else 0

    @property
    def far(self) -> bool:
        """Whether `take` may wait for a device."""
        return self._draft is not None and self._draft.far

    @property
    def slow(self) -> bool:
        """Whether `take` runs other people's Python."""
        return self._draft is not None and self._draft.slow

    @property
    def taken(self) -> Callable[[], None] | None:
        """What its caller's thread does once it has been taken."""
        return self._draft.taken if self._draft else None

    def take(self) -> None:
        """Check the value and copy it, so that the caller may change it again; raises `EncodeError` and gives up."""
        draft, self._draft = self._draft, None
        if draft is None:
            return
        try:
            self._encode = draft.take()
        except BaseException:
            self.give_up()
            raise

    def encode(self) -> None:
        """Make the payload; runs in an encoder thread. A failure is kept, since the add has long returned."""
        encode, self._encode = self._encode, None
        if encode is None or self.done:
            return
        try:
            self.what = encode()
        except Exception as error:
            self.error = error
        finally:  # whatever it was, the entries behind it must not wait for ever
            self._finish()

    def give_up(self) -> None:
        """Leave the place empty, unless it is filled: its add was cancelled, or its value was bad."""
        self._draft = self._encode = None
        self._finish()

    def _finish(self) -> None:
        if not self.done:
            self._on_done(self)


class Claims(list[Place]):
    """The places of one add, held by it alone: should Ctrl-C end it before its values are taken, they are orphaned."""


def encoded(entry: Entry) -> Record | Farewell:
    """Return an entry that needs no place: a draft is taken and encoded here; raises `EncodeError`."""
    if not isinstance(entry, Draft):
        return entry
    encode = entry.take()
    if entry.taken is not None:
        entry.taken()
    return Record(entry.tags, encode(), entry.plugin, entry.run, entry.media)

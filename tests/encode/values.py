"""What an encoder's entry holds, whether it was made at once or is made in a thread."""

from asynctb.entry import Draft, Entry, Record
from asynctb.proto import event_pb2, summary_pb2


def what(entry: Entry | object) -> bytes:
    """Return an entry's payload."""
    if isinstance(entry, Record):
        return entry.what
    assert isinstance(entry, Draft)
    return entry.take()()


def values(entry: Entry | object) -> list[summary_pb2.Summary.Value]:
    """Return the values of an entry's summary."""
    return list(event_pb2.Event.FromString(what(entry)).summary.value)


def value(entry: Entry | object) -> summary_pb2.Summary.Value:
    """Return the one value of an entry's summary."""
    (only,) = values(entry)
    return only


class Told(list[tuple[object, str]]):
    """What an encoder tells: the keys, and the messages as they read."""

    def __call__(self, key: object, message: str, *args: object) -> None:
        self.append((key, message % args))


def never(*told: object) -> None:
    """A `tell` for what must not tell anything."""
    raise AssertionError(told)

"""What an add wants stored weighs what it costs until it is written."""

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.entry import OVERHEAD, Draft, Record, pack, unpack, wire_size
from asynctb.pipeline.backlog import Backlog
from asynctb.pipeline.steps import Steps

HOUR = 1.7e9


def test_a_record_takes_its_payload_and_the_overhead() -> None:
    """A record takes its payload's bytes and a fixed share beside them."""
    empty, full = Record(("a",), b"", "scalars"), Record(("a",), bytes(1000), "scalars")
    assert wire_size(empty) == OVERHEAD
    assert wire_size(full) - wire_size(empty) == 1000


def test_a_draft_takes_what_it_declares() -> None:
    """A draft takes the size that its encoder declares, without its value being touched."""

    def take() -> None:
        pytest.fail("the value was taken")

    assert wire_size(Draft(("a",), 1000, take, "images")) - OVERHEAD == 1000  # type: ignore[arg-type]


def test_scalars_are_kept_and_media_are_shed_first() -> None:
    """Unless its encoder says otherwise a record is kept in a crowd, a draft is shed, and both are of the main run."""
    record, draft = Record((), b"", "scalars"), Draft((), 0, lambda: bytes, "images")
    assert (record.media, record.run) == (False, "")
    assert (draft.media, draft.run) == (True, "")


@pytest.mark.parametrize("size", [20, 5000])
def test_memory_is_counted_honestly(size: int) -> None:
    """What entries count in the bound of memory is no more than a tenth less than they take, and at most twice that."""
    count = 2000
    backlog = Backlog(Steps(), max_bytes=1 << 30, drop=False, on_ready=lambda: None, on_notice=lambda notice: None)
    tracemalloc.start()
    try:
        for step in range(count):
            record = Record(("loss",), bytes(bytearray(size)), "scalars")
            assert backlog.offer("add_scalar", (record,), step + 1000, HOUR + step, False) is not None
        taken, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert backlog.pending == count
    assert 0.5 * backlog.pending_bytes < taken < 1.1 * backlog.pending_bytes


@given(st.lists(st.lists(st.binary(max_size=20))))
def test_packed_contents_come_out_again(contents: list[list[bytes]]) -> None:
    """What is packed as the contents of several files is unpacked to the same."""
    assert [bytes(each) for each in unpack(pack(contents))] == [b"".join(pieces) for pieces in contents]

"""Records are framed as TensorBoard frames them, and parsed back under any cutting, or refused."""

import io
import random
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import nullcontext
from itertools import accumulate

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.errors import CorruptRecord
from asynctb.record import (
    AT_ONCE,
    MANY,
    MAX_RECORD,
    SHORT,
    count_records,
    frame,
    masked_crc,
    masked_crcs,
    one_record,
    parse,
    record_head,
    whole_records,
)
from tests.inputs import holds
from tests.readback import sample
from tests.readback.imports import module

NOISE = random.Random(0).randbytes(70_000)
BODIES = {
    "empty": b"",
    "one byte": b"a",
    "zeros": bytes(100),
    "every byte": bytes(range(256)),
    "longer than one length byte": NOISE[:300],
    "longer than two": NOISE,
    "a record in a record": sample.frame(b"inner"),
}
CASES = [(body, sample.frame(body)) for body in BODIES.values()]
EACH_CASE = pytest.mark.parametrize(("body", "wire"), CASES, ids=BODIES)
STREAM = [b"first", b"", b"and the third"]

SOME_BODIES = st.lists(st.binary(max_size=40), max_size=8)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


def framed(bodies: list[bytes]) -> bytes:
    return b"".join(map(frame, bodies))


def parsed(data: bytes) -> tuple[list[bytes], CorruptRecord | None]:
    """Parse a stream up to its end or its first fault."""
    found: list[bytes] = []
    try:
        found.extend(parse([data]))
    except CorruptRecord as error:
        return found, error
    return found, None


def ends(bodies: list[bytes]) -> list[int]:
    """Where each record ends, and the beginning."""
    return list(accumulate((len(frame(body)) for body in bodies), initial=0))


# Framing


@EACH_CASE
def test_frame(body: bytes, wire: bytes) -> None:
    """A framed body is the record that TensorBoard's checksums make of it."""
    assert frame(body) == wire
    assert record_head(len(body)) + body == wire[:-4]


def test_frame_is_that_of_tensorboards_writer() -> None:
    """Framed bodies are the bytes that TensorBoard's own RecordWriter writes."""
    file = io.BytesIO()
    writer = module("tensorboard.summary.writer.record_writer").RecordWriter(file)
    for body in BODIES.values():
        writer.write(body)
    assert framed(list(BODIES.values())) == file.getvalue()


@holds()
@given(st.binary(max_size=200))
def test_masked_crc_is_tensorboards(data: bytes) -> None:
    """The masked checksum of any bytes is the one that TensorBoard computes in Python."""
    assert masked_crc(data) == module("tensorboard.compat.tensorflow_stub.pywrap_tensorflow").masked_crc32c(data)


@holds()
@given(
    st.integers(1, 30) | st.sampled_from([0, SHORT, SHORT + 1]),
    st.integers(0, 40) | st.sampled_from([MANY - 1, MANY, AT_ONCE, AT_ONCE + 1, 3 * AT_ONCE]),
    st.randoms(use_true_random=False),
)
def test_masked_crcs_are_those_of_the_pieces(size: int, count: int, source: random.Random) -> None:
    """The checksums of many bodies are those of each, in the file's byte order."""
    data = source.randbytes(size * count)
    crcs = masked_crcs(np.frombuffer(data, np.uint8).reshape(count, size))
    if size == 0:
        assert crcs.tolist() == [masked_crc(b"")] * count
        return
    assert crcs.tolist() == [masked_crc(piece) for piece in pieces(data, size)]
    assert crcs.tobytes() == b"".join(struct.pack("<I", masked_crc(piece)) for piece in pieces(data, size))


def test_without_its_c_part_the_checksum_is_the_same() -> None:
    """Where google-crc32c has only its Python part, the import warns nobody, and the bytes are the same."""
    program = """
import sys
sys.modules["google_crc32c._crc32c"] = None
from asynctb.record import SLOW_CRC, frame
print(SLOW_CRC, frame(b"body").hex())
"""
    command = [sys.executable, "-W", "error", "-c", program]
    done = subprocess.run(command, timeout=60, check=True, capture_output=True, text=True)
    assert (done.stdout.split(), done.stderr) == (["True", frame(b"body").hex()], "")


# Parsing


@EACH_CASE
@pytest.mark.parametrize("chunk", [1, 7, 4096, 1 << 20])
def test_reads_back_under_any_cutting(body: bytes, wire: bytes, chunk: int) -> None:
    """A record is parsed back whole, byte by byte, and in pieces of any size."""
    assert list(parse(pieces(wire, chunk))) == [body]


@EACH_CASE
@pytest.mark.parametrize("tail", [1, 8, 11, 12, 13])
def test_a_torn_tail_is_left_out(body: bytes, wire: bytes, tail: int) -> None:
    """What follows a record and is not whole yet is left out, at whichever of its fields it ends."""
    assert list(parse([wire + sample.frame(b"more")[:tail]])) == [body]
    assert list(parse(pieces(wire + sample.frame(b"more")[:tail], 1))) == [body]


def test_every_truncation_gives_the_prefix() -> None:
    """A stream cut at any byte gives exactly the records that were whole before it."""
    data = framed(STREAM)
    for size in range(len(data) + 1):
        whole = sum(end <= size for end in ends(STREAM)) - 1
        assert list(parse([data[:size]])) == STREAM[:whole]


def test_records_come_as_soon_as_they_are_whole() -> None:
    """A record is given with the byte that completes it, without waiting for the next."""
    data, fed = framed(STREAM), 0

    def chunks() -> Iterator[bytes]:
        nonlocal fed
        for byte in data:
            fed += 1
            yield bytes([byte])

    assert [fed for _ in parse(chunks())] == ends(STREAM)[1:]


@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_told_with_its_record(bit: int) -> None:
    """A flipped bit anywhere is an error at the record that has it, after those before it were given."""
    data = framed(STREAM)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        guilty = sum(end <= place for end in ends(STREAM)) - 1
        found, error = parsed(bytes(changed))
        assert error is not None
        assert (found, error.offset) == (STREAM[:guilty], ends(STREAM)[guilty])


def test_a_flipped_bit_in_a_torn_tail_gives_no_record() -> None:
    """A flipped bit in a torn last record is told or left out, and never makes a record of it."""
    data = framed(STREAM)[:-1]
    told = 0
    for place in range(ends(STREAM)[-2], len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        found, error = parsed(bytes(changed))
        assert found == STREAM[:-1]
        assert error is None or error.offset == ends(STREAM)[-2]
        told += error is not None
    assert told == 12  # each byte of its length and of its length's checksum


@holds(200)
@given(SOME_BODIES, st.lists(st.tuples(st.integers(0, 500), st.integers(0, 255)), max_size=4), st.integers(0, 500))
def test_damaged_streams_give_a_prefix_or_an_error(
    bodies: list[bytes], damages: list[tuple[int, int]], length: int
) -> None:
    """Whatever becomes of a stream's bytes, what is parsed is a prefix of what was written, and only we raise."""
    data = bytearray(framed(bodies))
    for place, value in damages:
        if place < len(data):
            data[place] = value
    found, error = parsed(bytes(data[:length]))
    assert found == bodies[: len(found)]
    assert error is None or error.offset == ends(bodies)[len(found)]


@pytest.mark.parametrize("zeros", [12, 16, 4096])
def test_zeros_are_no_record(zeros: int) -> None:
    """A tail of zeros, as a power cut leaves it, is told: a zero length's checksum is not zero."""
    with pytest.raises(CorruptRecord):
        list(parse([frame(b"good") + bytes(zeros)]))


@pytest.mark.parametrize("length", [MAX_RECORD + 1, 1 << 40, (1 << 63) - 1, (1 << 64) - 1])
def test_a_length_beyond_the_limit_is_refused_at_its_head(length: int) -> None:
    """A length that no record can have is refused as soon as it is read, though its checksum fits."""
    parser = one_record(offset=5)
    assert next(parser) == 12
    with pytest.raises(CorruptRecord, match=str(length)) as caught:
        parser.send(record_head(length))
    assert caught.value.offset == 5


@pytest.mark.parametrize("length", [MAX_RECORD, MAX_RECORD + 1])
def test_a_length_costs_no_memory_before_its_bytes_come(length: int) -> None:
    """A head that announces a gigabyte costs nothing while the gigabyte has not come."""
    tracemalloc.start()
    try:
        with pytest.raises(CorruptRecord) if length > MAX_RECORD else nullcontext():
            assert list(parse([record_head(length), b"some"])) == []
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1 << 20


def test_the_limit_may_be_lower() -> None:
    """A reader of small records refuses longer ones, and takes those just as long as its limit."""
    assert list(parse([frame(bytes(10))], max_record=10)) == [bytes(10)]
    with pytest.raises(CorruptRecord):
        list(parse([frame(bytes(11))], max_record=10))


def test_the_parser_asks_for_what_it_needs() -> None:
    """The parser asks for a head, then for as many bytes as it says, then for a checksum."""
    wire = frame(b"body")
    parser = one_record()
    asked = [next(parser)]
    asked += [parser.send(wire[:12]), parser.send(wire[12:16])]
    assert asked == [12, 4, 4]
    with pytest.raises(StopIteration) as done:
        parser.send(wire[16:])
    assert done.value.value == b"body"


def test_a_parser_by_itself_begins_at_the_beginning() -> None:
    """Unless it is told where its record begins, a parser's error has the stream's beginning for its place."""
    parser = one_record()
    next(parser)
    with pytest.raises(CorruptRecord) as caught:
        parser.send(bytes(12))
    assert caught.value.offset == 0


# Counting


@holds()
@given(SOME_BODIES, st.integers(0, 500))
def test_whole_records_is_the_last_end_before(bodies: list[bytes], size: int) -> None:
    """Of the first bytes of a stream, those up to the last record end among them belong to whole records."""
    whole = whole_records(framed(bodies), size)
    assert whole == max(end for end in ends(bodies) if end <= size)
    assert whole_records(framed(bodies), whole) == whole


@holds()
@given(SOME_BODIES, st.integers(0, 500))
def test_count_records_counts_each(bodies: list[bytes], size: int) -> None:
    """Records are counted each, and those before and behind a record's end add up to all."""
    data = framed(bodies)
    whole = whole_records(data, size)
    assert count_records(data) == len(bodies)
    assert count_records(data[:whole]) + count_records(data[whole:]) == len(bodies)

"""The strict parser takes whole files of good records, and nothing else."""

import struct
from pathlib import Path

import pytest

from tests.readback import sample
from tests.readback.events import BadRecord, EventFileError, TornTail, events, masked_crc, read_records, run_events
from tests.readback.imports import module

BODIES = [b"one", b"", bytes(range(40))]


@pytest.fixture
def records() -> list[bytes]:
    return [sample.frame(body) for body in BODIES]


@pytest.fixture
def path(tmp_path: Path, records: list[bytes]) -> Path:
    path = tmp_path / sample.NAME
    path.write_bytes(b"".join(records))
    return path


def test_checksum_is_masked_crc32c() -> None:
    """The checksum is CRC32C, by its published check value, rotated by 15 bits and moved by the mask."""
    crc = 0xE3069283
    assert masked_crc(b"123456789") == ((crc >> 15 | crc << 17 & 0xFFFFFFFF) + 0xA282EAD8) % 2**32


def test_records_are_read_back(path: Path) -> None:
    """A good file gives the bodies of its records, an empty one included."""
    assert read_records(path) == BODIES


def test_empty_file_has_no_records(tmp_path: Path) -> None:
    """A file without a byte is whole."""
    (tmp_path / "empty").touch()
    assert read_records(tmp_path / "empty") == []


def test_file_of_tensorboards_own_writer(tmp_path: Path) -> None:
    """What TensorBoard's own writer writes is read back event by event."""
    wanted = [sample.scalar("loss", step / 4, step) for step in range(3)]
    writer = module("tensorboard.summary.writer.event_file_writer").EventFileWriter(str(tmp_path))
    for each in wanted:
        writer.add_event(each)
    writer.close()
    version, *found = run_events(tmp_path)["."]
    assert version.file_version == "brain.Event:2"
    assert found == wanted


def test_every_truncation_is_told(path: Path, records: list[bytes]) -> None:
    """A file cut anywhere but between two records is torn, and the error has the place and the records before it."""
    data = path.read_bytes()
    ends = [sum(map(len, records[:count])) for count in range(len(records) + 1)]
    for size in range(len(data)):
        path.write_bytes(data[:size])
        whole = max(count for count, end in enumerate(ends) if end <= size)
        assert read_records(path, prefix=True) == BODIES[:whole]
        if size in ends:
            assert read_records(path) == BODIES[:whole]
            continue
        with pytest.raises(TornTail) as caught:
            read_records(path)
        assert (caught.value.offset, caught.value.records) == (ends[whole], BODIES[:whole])


@pytest.mark.parametrize("prefix", [False, True])
@pytest.mark.parametrize("bit", range(8))
def test_every_flipped_bit_is_told(path: Path, bit: int, prefix: bool) -> None:
    """A flipped bit is a bad record wherever it is, also to a reader that allows a torn tail."""
    data = path.read_bytes()
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1 << bit
        path.write_bytes(changed)
        with pytest.raises(BadRecord):
            read_records(path, prefix=prefix)


def test_torn_record_before_good_ones_is_bad(path: Path, records: list[bytes]) -> None:
    """A torn record is a bad one as soon as others follow it, for they will never be reached."""
    path.write_bytes(records[0] + records[2][:-1] + b"".join(records))
    with pytest.raises(BadRecord) as caught:
        read_records(path)
    assert caught.value.offset == len(records[0])


@pytest.mark.parametrize("size", [8, 12, 16, 4096])
def test_zeros_behind_the_records_are_told(path: Path, size: int) -> None:
    """Zeros at the end, as a crashed machine leaves them, are never taken for a record."""
    path.write_bytes(path.read_bytes() + bytes(size))
    with pytest.raises(EventFileError):
        read_records(path)


def test_length_is_not_believed(path: Path) -> None:
    """A record that says it is larger than any memory is torn, and costs none."""
    length = struct.pack("<Q", 2**63)
    path.write_bytes(length + struct.pack("<I", masked_crc(length)))
    with pytest.raises(TornTail):
        read_records(path)


def test_body_that_is_no_event_is_bad(path: Path) -> None:
    """A body that its checksum fits but no Event does is a bad record, told with its place."""
    path.write_bytes(sample.frame(sample.scalar("a", 1, 1).SerializeToString()) + sample.frame(b"\xff"))
    with pytest.raises(BadRecord, match="not an Event") as caught:
        events(path)
    assert caught.value.offset > 0


def test_runs_are_directories_and_files_in_name_order(tmp_path: Path) -> None:
    """Each directory with event files is a run, the top one is '.', and a run's files are read by name."""
    sample.write(tmp_path / "b" / "c", sample.scalar("x", 3, 3), name="tfevents.2")
    sample.write(tmp_path / "b" / "c", sample.scalar("x", 2, 2), name="tfevents.10")
    sample.write(tmp_path, sample.scalar("x", 1, 1))
    (tmp_path / "b" / "notes.txt").write_text("not events")
    (tmp_path / "b" / "events.out.tfevents.1.profile-empty").write_text("not events")
    found = run_events(tmp_path)
    steps = {run: [each.step for each in found[run] if each.HasField("summary")] for run in found}
    assert list(steps.items()) == [(".", [1]), ("b/c", [2, 3])]


def test_runs_with_a_torn_file(tmp_path: Path) -> None:
    """A run with a torn file raises, or gives what is whole when a prefix is enough."""
    path = sample.write(tmp_path, sample.scalar("x", 1, 1), sample.scalar("x", 2, 2))
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(TornTail):
        run_events(tmp_path)
    assert [each.step for each in run_events(tmp_path, prefix=True)["."]] == [0, 1]

"""An event file's name sorts behind all that are there, and its first records are those that readers look for."""

import math
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.wire import event
from asynctb.errors import EncodeError
from asynctb.eventfile import FILE_VERSION, Namer, check_suffix, first_records
from asynctb.record import frame, parse
from tests.inputs import holds
from tests.readback import python_loader, sample
from tests.readback.events import events, run_files
from tests.readback.imports import module

NOW = 1_700_000_000.5
SECONDS = st.integers(0, 9_999_999_998)

OURS = st.builds(
    lambda host, pid, suffix, now, uid: Namer(host, pid, suffix).name(now, uid, []),
    st.text("ab-.é ", max_size=4),
    st.integers(1, 1 << 22),
    st.sampled_from(["", ".v2", "_x"]),
    SECONDS,
    st.integers(0, 1000),
)
OTHERS = st.sampled_from(
    [
        "notes.txt",
        "events.out.tfevents",
        "events.out.tfevents.x",
        "events.out.tfevents.1700000000123.host",
        "tfevents.9",
    ]
)


def named(names: list[str]) -> list[str]:
    """Those that event files of any TensorBoard writer have."""
    return [name for name in names if name.startswith("events.out.tfevents.") and name[20:30].isdigit()]


# Names


def test_name_is_torchs_pattern() -> None:
    """In an empty folder a file's name is the prefix, the second, host, process, number and suffix, as torch's is."""
    assert Namer("host", 42, ".v2").name(NOW, 7, []) == "events.out.tfevents.1700000000.host.42.7.v2"
    assert Namer("host", 42).name(7.9, 0, []) == "events.out.tfevents.0000000007.host.42.0"
    assert Namer("host", 42).name(0.0, 0, []) == "events.out.tfevents.0000000000.host.42.0"


@holds(200)
@given(st.lists(OURS | OTHERS, max_size=6), SECONDS, st.integers(0, 1000), st.integers(1, 1 << 22))
def test_name_sorts_behind_every_event_file(existing: list[str], now: int, uid: int, pid: int) -> None:
    """Whatever stands in a folder and whatever the clock says, a new name sorts behind every event file's."""
    name = Namer("host", pid).name(now, uid, existing)
    assert all(name > other for other in named(existing))
    assert named([name])


@holds()
@given(st.lists(st.floats(-1e6, 4e9) | st.just(NOW), min_size=1, max_size=30), st.integers(0, 120))
def test_names_rise_whatever_the_clock_does(clock: list[float], uid: int) -> None:
    """With a clock that stands still, jumps or goes back before 1970, each name sorts behind the one before."""
    names: list[str] = []
    for number, now in enumerate(clock, start=uid):
        names.append(Namer("host", 1).name(now, number, reversed(names)))
    assert all(early < late for early, late in pairwise(names))


def test_the_clock_is_followed_where_it_can_be() -> None:
    """A folder's older files do not keep a new name from telling its time."""
    old = Namer("host", 1).name(NOW - 100, 9, [])
    assert Namer("host", 1).name(NOW, 0, [old]) == Namer("host", 1).name(NOW, 0, [])


def test_a_name_that_is_there_is_not_given_again() -> None:
    """Where the very name is taken, by a process of the same number for example, the next second's is given."""
    name = Namer("host", 1).name(NOW, 9, [])
    assert Namer("host", 1).name(NOW, 9, [name]) == Namer("host", 1).name(NOW + 1, 9, [])


def test_number_ten_sorts_behind_number_nine() -> None:
    """Within one second, number 10 takes the next second, for as text it would sort before number 9."""
    nine = Namer("host", 1).name(NOW, 9, [])
    ten = Namer("host", 1).name(NOW, 10, [nine])
    assert nine < ten
    assert ten == Namer("host", 1).name(NOW + 1, 10, [])


@pytest.mark.parametrize("host", ["", "a/b", "../..", "a b", "a\nb", "a\\b", "h\0st", "gpu-1.cluster"])
def test_a_hosts_name_is_made_safe(host: str, tmp_path: Path) -> None:
    """Whatever a machine is called, the name is one that a file in this folder can have and readers find."""
    name = Namer(host, 1).name(NOW, 0, [])
    (tmp_path / name).touch()
    assert run_files(tmp_path) == {".": [tmp_path / name]}


@pytest.mark.parametrize("suffix", ["", ".v2", "_réplica", " 1", "..", "x" * 100])
def test_a_suffix_is_kept(suffix: str) -> None:
    """A suffix that a file name can end with ends it, as it is."""
    assert Namer("host", 1, check_suffix(suffix)).name(NOW, 0, []).endswith(f".0{suffix}")


@pytest.mark.parametrize("suffix", ["/x", "a/../../b", "\\x", "a\0", "\ud800", None, 5, b"x", Path("x")])
def test_a_suffix_that_leads_elsewhere_is_refused(suffix: object) -> None:
    """A suffix that would leave the directory, or that no file name can end with, is refused by its name."""
    with pytest.raises(EncodeError) as caught:
        check_suffix(suffix)  # type: ignore[arg-type]
    assert (caught.value.tag, caught.value.got) == ("filename_suffix", suffix)


# First records


def write(folder: Path, *data: bytes, uid: int = 0) -> Path:
    path = folder / Namer("host", 1).name(NOW, uid, [])
    path.write_bytes(b"".join(data))
    return path


def point(step: int) -> bytes:
    return frame(sample.scalar("loss", step, step).SerializeToString())


def test_a_file_begins_with_its_version(tmp_path: Path) -> None:
    """The first event has the version that readers look for, the time and the writer's name, and no step."""
    (first,) = events(write(tmp_path, first_records(NOW, None)))
    assert (first.file_version, first.wall_time) == ("brain.Event:2", NOW)
    assert first.source_metadata.writer == "asynctb"
    assert first == module("tensorboard.compat.proto.event_pb2").Event(
        wall_time=NOW, file_version=FILE_VERSION, source_metadata={"writer": "asynctb"}
    )


@pytest.mark.parametrize("step", [0, 1, 5, -3, (1 << 63) - 1])
def test_a_purge_is_torchs_and_one_more_start(step: int, tmp_path: Path) -> None:
    """With a purge step follow torch's two events at that step, and the second START that makes the loader purge."""
    torch = pytest.importorskip("torch.utils.tensorboard", reason="torch is not installed")
    with torch.SummaryWriter(str(tmp_path / "torch"), purge_step=step):
        pass
    _, *theirs = events(*(tmp_path / "torch").iterdir())
    _, *ours = events(write(tmp_path, first_records(NOW, step)))
    for each in theirs:
        each.wall_time = NOW
    assert ours == [*theirs, theirs[-1]]


def test_a_purge_hides_what_comes_again_at_the_first_resume(tmp_path: Path) -> None:
    """TensorBoard's Python loader drops the points from the purge step on, at a run's first resume already."""
    write(tmp_path, first_records(NOW, None), *map(point, range(6)))
    write(tmp_path, first_records(NOW, 3), point(3), uid=1)
    shown = python_loader.load(tmp_path)["."]["loss"]
    assert [each.step for each in shown] == [0, 1, 2, 3]


@pytest.mark.parametrize("wall_time", [0.0, -1.5, math.pi, 4e9])
def test_each_first_record_has_the_time(wall_time: float) -> None:
    """All of a file's first records have the time at which it was opened."""
    bodies = list(parse([first_records(wall_time, 7)]))
    assert len(bodies) == 4
    event_of = module("tensorboard.compat.proto.event_pb2").Event.FromString
    assert {event_of(body).wall_time for body in bodies} == {wall_time}
    assert bodies[0].startswith(event(wall_time, None, b""))

"""A power cut: the end of a file that was not synced is gone, or there as zeros, and readers show what is before."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from shutil import rmtree
from typing import NamedTuple

import pytest

from asynctb import SummaryWriter
from asynctb.errors import CorruptRecord
from asynctb.record import parse
from tests.readback import python_loader, rust_server
from tests.readback.events import BadRecord, events, read_records, run_files
from tests.readback.points import Series

pytestmark = pytest.mark.timeout(1800)
long = pytest.mark.long

TAIL = 64 << 10  # bytes of the end that may be lost
A_FEW, AT_A_TIME = 100, 512  # places to cut at
PARTS = 8


class Whole(NamedTuple):
    """A file as it was before the cut."""

    data: bytes
    ends: Sequence[int]
    """Where each record ends."""
    steps: Sequence[int | None]
    """The step of each record's point; the first has none."""

    def cut(self, place: int, *, zeros: bool) -> bytes:
        """Return what is left of it."""
        return self.data[:place] + bytes(len(self.data) - place if zeros else 0)

    def left(self, data: bytes) -> int:
        """Return how many of its records are still whole."""
        return sum(
            data[start:end] == self.data[start:end] for start, end in pairwise((0, *self.ends)) if end <= len(data)
        )

    def points(self, records: int) -> list[int]:
        """Return the steps of the points in its first records."""
        return [step for step in self.steps[:records] if step is not None]

    @property
    def places(self) -> range:
        """Where it can be cut."""
        return range(len(self.data) - TAIL, len(self.data) + 1)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Whole:
    """Write a file of records of many sizes."""
    folder, chance = tmp_path_factory.mktemp("whole"), random.Random(0)
    with SummaryWriter(folder) as writer:
        for step in range(30):
            if step % 2:
                writer.add_scalar("a", step, step)
            else:
                writer.add_text("a text", "word " * chance.randrange(1, 3000), step)
    ((file,),) = run_files(folder).values()
    ends = [0]
    for body in read_records(file):
        ends.append(ends[-1] + len(body) + 16)
    steps = [event.step if event.HasField("summary") else None for event in events(file)]
    assert ends[-1] > TAIL + 1000
    return Whole(file.read_bytes(), ends[1:], steps)


def some_places(whole: Whole) -> list[int]:
    """Choose places to cut at: around and within heads and checksums, and anywhere."""
    ends = [end for end in whole.ends if end - 8 in whole.places]
    about = [end + by for end in random.Random(1).sample(ends, 6) for by in (-5, -4, -1, 0, 1, 8, 11, 12, 13)]
    anywhere = random.Random(2).sample(whole.places, A_FEW - len(about))
    return sorted({*about, *anywhere} & {*whole.places})


@pytest.mark.parametrize("zeros", [False, True], ids=["cut off", "zeros"])
@pytest.mark.parametrize("step", [127, pytest.param(1, marks=long)])
def test_parsers_give_what_is_before_the_cut(whole: Whole, step: int, zeros: bool, tmp_path: Path) -> None:
    """Cut at each byte of the last 64 KiB, a file holds exactly the records that are whole, for both strict parsers."""
    path = tmp_path / "events.out.tfevents.1700000000.host.1.0"
    for place in whole.places[::step]:
        data = whole.cut(place, zeros=zeros)
        path.write_bytes(data)
        expected = whole.left(data)
        assert strictly(path) == ours(data) == expected, place


def strictly(path: Path) -> int:
    """Return how many records the tests' own parser finds before what is wrong."""
    try:
        return len(read_records(path, prefix=True))
    except BadRecord as bad:
        path.write_bytes(path.read_bytes()[: bad.offset])
        return len(read_records(path))


def ours(data: bytes) -> int:
    """Return how many the library's parser finds."""
    found = 0
    try:
        for _ in parse([data]):
            found += 1
    except CorruptRecord:
        pass
    return found


@pytest.mark.parametrize("part", [None, *(pytest.param(part, marks=long) for part in range(PARTS))])
def test_loaders_show_what_is_before_the_cut(whole: Whole, part: int | None, tmp_path: Path) -> None:
    """Cut anywhere, a file shows in both loaders exactly the points whose records are whole."""
    places = some_places(whole) if part is None else list(whole.places)[part::PARTS]
    for first in range(0, len(places), AT_A_TIME):
        folder = tmp_path / str(first)
        cut, zeroed = (
            {
                run: steps
                for place in places[first : first + AT_A_TIME]
                for run, steps in [store(whole, place, folder, zeros)]
            }
            for zeros in (False, True)
        )
        both = cut | zeroed
        assert shown(python_loader.load(folder), both) == both
        assert shown(rust_server.load(folder, checksum=True), both) == both
        by_default = rust_server.load(folder)
        assert shown(by_default, cut) == cut
        for run, steps in shown(by_default, zeroed).items():
            # It looks at no body's checksum, and so takes a record whose body ends in zeros for whole.
            assert steps[: len(zeroed[run])] == zeroed[run]
            assert len(steps) <= len(zeroed[run]) + 1
        rmtree(folder)


def store(whole: Whole, place: int, folder: Path, zeros: bool) -> tuple[str, list[int]]:
    """Store a file that was cut in a run of its own; return the run, and the steps of the points that are left."""
    run = folder / f"{place} {zeros}"
    run.mkdir(parents=True)
    data = whole.cut(place, zeros=zeros)
    (run / "events.out.tfevents.1700000000.host.1.0").write_bytes(data)
    return run.name, whole.points(whole.left(data))


def shown(series: Series, runs: dict[str, list[int]]) -> dict[str, list[int]]:
    """Return the steps of the points of each run, over all tags."""
    return {run: sorted(point.step for tag in series.get(run, {}).values() for point in tag) for run in runs}

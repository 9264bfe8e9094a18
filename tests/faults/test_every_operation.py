"""Whichever operation on the disk fails, all that a writer has accepted is read back, in order and once."""

from __future__ import annotations

import errno
from collections.abc import Callable
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests.faults.account import files_beside, shown, stored, vain_files
from tests.faults.colours import COLOURS, Writer, done, opened, play
from tests.readback import python_loader, rust_server
from tests.storage.faults import Fails, FaultyFiles, from_then_on, never, once
from tests.storage.points import posix

TRIES = 3  # openings that may fail until the disk heals
IMAGE = np.arange(48, dtype=np.uint8).reshape(3, 4, 4)
REFERENCE = "healthy"
CODES = [errno.EIO, errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EINTR, errno.EAGAIN, errno.ESTALE, errno.ENOENT]

pytestmark = posix


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have failed writes tried again at once, and nobody wait long for them."""
    monkeypatch.setattr("asynctb.pipeline.driver.PATIENCE", 0.03)
    monkeypatch.setattr("asynctb.pipeline.driver.FIRST_RETRY", 0.001)
    monkeypatch.setattr("asynctb.pipeline.driver.LAST_RETRY", 0.001)


async def log_everything(writer: Writer) -> None:
    """Log entries of every way into a file, and wait for them in every way."""
    for step in range(3):
        await done(writer.add_scalar("a", 1.0, step))
    await done(writer.add_text("words", "of wisdom", 0))
    await done(writer.add_image("i", IMAGE, 0))
    await done(writer.add_embedding(np.eye(3), ["x", "y", "z"], tag="e"))
    await done(writer.add_scalars("b", {"k": 1.0, "l": 2.0}, 0))
    await done(writer.add_hparams({"lr": 0.1}, {"acc": 1.0}, run_name="hp"))
    await done(writer.flush())
    await done(writer.add_scalar("a", 1.0, 3))
    await done(writer.flush(sync=True))
    await done(writer.add_scalars("b", {"k": 1.0, "l": 2.0}, 1))
    await done(writer.add_scalar("a", 1.0, 4))


def tell(colour: str, log_dir: Path, files: FaultyFiles) -> None:
    """Tell the story on a disk that heals towards its end."""

    async def story() -> None:
        try:
            writer = await opened(colour, log_dir, TRIES, on_storage_error="log")
        except OSError:
            files.fails = never
            writer = await opened(colour, log_dir, on_storage_error="log")
        await log_everything(writer)
        files.fails = never
        await done(writer.close())
        stats = writer.stats
        assert (stats.pending, stats.pending_bytes, dict(stats.dropped)) == (0, 0, {})
        assert stats.written == stats.accepted

    play(colour, story())


class Cases:
    """Log directories side by side, each of a story with another fault."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self._patch = monkeypatch
        self.names: list[str] = []

    def play(self, colour: str, name: str, files: FaultyFiles) -> None:
        """Tell the story, and compare what stands on the disk with what a healthy one holds."""
        self._patch.setattr("asynctb.storage.local.files_for_this_system", lambda: files)
        log_dir = self.folder / name
        tell(colour, log_dir, files)
        self.names.append(name)
        assert files.open == set(), name
        # One that the disk let us make, and then neither write to nor remove.
        assert len(vain_files(log_dir)) <= (files.reached > 1), name
        assert stored(log_dir) == stored(self.folder / REFERENCE), name
        beside = files_beside(log_dir)
        if files.code == errno.ENOENT:  # a disk that takes a file for gone is not asked again to remove it
            beside = {path: content for path, content in beside.items() if not path.endswith(".tmp")}
        assert beside == files_beside(self.folder / REFERENCE), name

    def check_in_both_readers(self) -> None:
        """Compare what both of TensorBoard's readers show of each with what they show of the healthy one."""
        for load in (python_loader.load, rust_server.load):
            found = shown(load, self.folder)
            assert ":a" in found[REFERENCE]
            for name in self.names:
                assert found[name] == found[REFERENCE], f"{name}, read by {load.__module__}"


@pytest.fixture
def cases(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cases:
    """Return a folder with a story without a fault in it."""
    cases = Cases(tmp_path, monkeypatch)
    cases.play("asyncio", REFERENCE, FaultyFiles())
    return cases


def each_operation(cases: Cases, colour: str, fault: Callable[[int], Fails], code: int, **more: float | None) -> int:
    """Have each operation fail, one after the other, until there are no more; return how many there are."""
    for number in count():
        files = FaultyFiles(fault(number), code, **more)  # type: ignore[arg-type]
        cases.play(colour, f"{number:04}", files)
        if not files.reached:
            return number
    raise AssertionError


@pytest.mark.parametrize(
    ("colour", "fault", "code", "left"),
    [
        ("asyncio", once, errno.EIO, 0.5),
        ("uvloop", from_then_on, errno.ENOSPC, 0.5),
        ("script", from_then_on, errno.ENOENT, 1),
    ],
)
def test_any_operation_may_fail(
    colour: str, fault: Callable[[int], Fails], code: int, left: float, cases: Cases
) -> None:
    """Whichever operation fails, once or until the disk heals, nothing is lost, doubled, torn or left lying about."""
    assert each_operation(cases, colour, fault, code, left=left) > 60
    cases.check_in_both_readers()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("code", CODES, ids=errno.errorcode.get)
@pytest.mark.parametrize("fault", [once, from_then_on])
@pytest.mark.parametrize("colour", COLOURS)
def test_any_operation_may_fail_in_any_way(colour: str, fault: Callable[[int], Fails], code: int, cases: Cases) -> None:
    """The same for every error, with short writes and parts left behind."""
    for short, left in ((None, 0), (None, 1), (29, 0.5)):
        cases.folder = cases.folder / f"{short}-{left}"
        cases.play(colour, REFERENCE, FaultyFiles())
        assert each_operation(cases, colour, fault, code, short=short, left=left) > 60
        cases.check_in_both_readers()
        cases.names.clear()


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("distance", [1, 2, 3, 5, 8, 13, 21, 34])
@pytest.mark.parametrize("colour", COLOURS)
def test_any_two_operations_may_fail(colour: str, distance: int, cases: Cases) -> None:
    """The same where another operation fails a little later."""
    assert each_operation(cases, colour, lambda n: lambda each: each in (n, n + distance), errno.EIO, left=0.5) > 60
    cases.check_in_both_readers()

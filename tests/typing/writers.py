"""What type checkers see of the writers: read by mypy and pyright, run by nobody.

What must be refused carries an ignore, which both report as needless if it ever passes.
"""

# pyright: reportUnnecessaryTypeIgnoreComment=true, reportUnusedCoroutine=true

import asyncio
from collections.abc import Coroutine, Mapping
from decimal import Decimal
from fractions import Fraction
from os import PathLike
from pathlib import Path
from typing import Any, assert_type

import numpy as np

from asynctb import (
    AsyncSummaryWriter,
    AsynctbError,
    CorruptRecord,
    EncodeError,
    Stats,
    StorageError,
    SummaryWriter,
    WriterClosed,
    WrongLoop,
    __version__,
    install,
    uninstall,
)
from asynctb.dropin.installing import Installed
from asynctb.filewriter import FileWriter

Add = Coroutine[Any, Any, None]


# What an add gives back


def results_in_a_script(writer: SummaryWriter) -> None:
    """Nothing, at once."""
    assert_type(writer.add_scalar("x", 1), None)
    assert_type(writer.add_scalars("x", {"a": 1}), None)
    assert_type(writer.add_text("x", "a"), None)
    assert_type(writer.log({"x": 1}), None)


def results_in_a_callback(writer: AsyncSummaryWriter) -> None:
    """Whether it was accepted, at once."""
    assert_type(writer.nowait.add_scalar("x", 1), bool)
    assert_type(writer.nowait.add_scalars("x", {"a": 1}), bool)
    assert_type(writer.nowait.add_text("x", "a"), bool)
    assert_type(writer.nowait.log({"x": 1}), bool)


async def results_in_a_coroutine(writer: AsyncSummaryWriter) -> None:
    """A coroutine, which asyncio takes wherever it takes one."""
    scalar = writer.add_scalar("x", 1)
    scalars = writer.add_scalars("x", {"a": 1})
    text = writer.add_text("x", "a")
    log = writer.log({"x": 1})
    assert_type((scalar, scalars, text, log), tuple[Add, Add, Add, Add])
    await scalar
    assert_type(await asyncio.gather(scalars, text), tuple[None, None])
    assert_type(asyncio.create_task(log), asyncio.Task[None])
    assert_type(await asyncio.wait_for(writer.add_scalar("x", 1), 1), None)
    async with asyncio.TaskGroup() as group:
        assert_type(group.create_task(writer.log({"x": 1})), asyncio.Task[None])


async def what_goes_with_a_run(writer: AsyncSummaryWriter, plain: SummaryWriter) -> None:
    """Hyperparameters and layouts take mappings of any kind, and say what they are added to."""
    values: Mapping[str, object] = {"lr": 0.1, "net": {"act": "relu"}, "size": [64, 64]}
    assert_type(plain.add_hparams(values, {"acc": None, "loss": np.float32(1)}, run_name=Path("a")), None)
    assert_type(writer.nowait.add_hparams(values, {}, {"lr": (0.1, 0.2)}, live=True), bool)
    await writer.add_hparams(values, {}, descriptions={"lr": "rate"}, metric_display_names={}, group_name="g")
    assert_type(plain.add_custom_scalars({"c": {"t": ["Multiline", ["a"]]}}, closed=["c"]), None)
    assert_type(writer.nowait.add_custom_scalars_multilinechart(("a", "b")), bool)
    await writer.add_custom_scalars_marginchart(["v", "l", "u"], title="t")
    await writer.add_hparams({"lr": 0.1}, {}, None, None, 3, "g")  # type: ignore[call-arg]
    await writer.add_custom_scalars({"c": {}}, ["c"])  # type: ignore[call-arg]


async def forgotten_awaits(writer: AsyncSummaryWriter) -> None:
    """What is not awaited is seen."""
    writer.add_scalar("x", 1)  # type: ignore[unused-coroutine]
    writer.add_scalars("x", {"a": 1})  # type: ignore[unused-coroutine]
    writer.add_text("x", "a")  # type: ignore[unused-coroutine]
    writer.log({"x": 1})  # type: ignore[unused-coroutine]
    writer.flush()  # type: ignore[unused-coroutine]
    writer.close()  # type: ignore[unused-coroutine]


async def needless_awaits(writer: AsyncSummaryWriter, plain: SummaryWriter) -> None:
    """And so is what is no coroutine."""
    await writer.nowait.add_scalar("x", 1)  # type: ignore[misc]
    await plain.add_scalar("x", 1)  # type: ignore[misc]
    async with plain:  # type: ignore[attr-defined]
        pass
    with writer:  # type: ignore[attr-defined]
        pass


# What an add takes


def numbers(writer: SummaryWriter) -> None:
    """One number, whoever made it; no containers."""
    for number in (1, 0.5, True, "1.5", Decimal("0.1"), Fraction(1, 3), np.float32(0.1), np.int64(1), np.ones(1)):
        writer.add_scalar("x", number)
    writer.add_scalars("x", {"a": 1, "b": 0.5, "c": "1.5", "d": np.float16(1)})
    writer.add_scalar("x", [1])  # type: ignore[arg-type]
    writer.add_scalar("x", None)  # type: ignore[arg-type]
    writer.add_scalar("x", 1j)  # type: ignore[arg-type]
    writer.add_scalar("x")  # type: ignore[call-arg]
    writer.add_scalars("x", {"a": [1]})  # type: ignore[dict-item]
    writer.add_scalars("x", {1: 1})  # type: ignore[dict-item]
    writer.add_scalars("x", [("a", 1)])  # type: ignore[arg-type]


def tags(writer: SummaryWriter) -> None:
    """Text."""
    writer.add_scalar(b"x", 1)  # type: ignore[arg-type]
    writer.add_text(None, "a")  # type: ignore[arg-type]
    writer.log({b"x": 1})  # type: ignore[dict-item]


def mappings(writer: SummaryWriter, of_ints: dict[str, int], of_anything: Mapping[str, object]) -> None:
    """Any mapping from text; `log` takes nested ones, and skips what is no number."""
    writer.add_scalars("x", of_ints)
    writer.log(of_ints)
    writer.log(of_anything, 3)
    writer.log({"x": 1, "y": {"z": None, "name": "text"}}, step=3, walltime=1.5)
    writer.log([1])  # type: ignore[arg-type]


def texts(writer: SummaryWriter, rows: list[tuple[str, int]]) -> None:
    """A text, or rows of cells; what names the columns is named itself."""
    writer.add_text("x", rows)
    writer.add_text("x", [["a", 1], ["b", None]], header=["k", "v"])
    writer.add_text("x", rows, 1, 2, ["k", "v"])  # type: ignore[call-arg]
    writer.add_text("x", b"a")  # type: ignore[arg-type]
    writer.add_text("x", [1, 2])  # type: ignore[list-item]


def steps_and_wall_times(writer: AsyncSummaryWriter) -> None:
    """Numbers, or none."""
    writer.nowait.add_scalar("x", 1, np.int64(3), np.float64(1.5))
    writer.nowait.add_scalar("x", 1, global_step=None, walltime=None, new_style=True, double_precision=True)
    writer.nowait.add_scalar("x", 1, walltime="now")  # type: ignore[arg-type]
    writer.nowait.add_scalar("x", 1, stepp=1)  # type: ignore[call-arg]


# Writers


def constructors(path: PathLike[str]) -> None:
    """Torch's parameters, by position too; ours by name only."""
    SummaryWriter()
    SummaryWriter("run", "comment", 5, 10, 120, ".suffix")
    AsyncSummaryWriter(Path("run"), flush_secs=0.5, max_bytes=1 << 20, overflow="drop", on_storage_error="log")
    SummaryWriter(path, enabled=False, auto_step=False, exit_timeout=1)
    SummaryWriter("run", "", None, 10, 120, "", 1 << 20)  # type: ignore[call-arg]
    AsyncSummaryWriter(5)  # type: ignore[arg-type]
    AsyncSummaryWriter(overflow="block")  # type: ignore[arg-type]
    SummaryWriter(on_storage_error="ignore")  # type: ignore[arg-type]


class MyWriter(SummaryWriter):
    """A user's own."""


class MyAsyncWriter(AsyncSummaryWriter):
    """A user's own."""


async def blocks() -> None:
    """Entering a block gives the writer, of its own class, and the block swallows no exception."""
    with MyWriter() as mine:
        assert_type(mine, MyWriter)
    async with MyAsyncWriter() as mine_too:
        assert_type(mine_too, MyAsyncWriter)


async def ends_of_blocks() -> int:
    """A return in a block is a return of the function."""
    async with AsyncSummaryWriter():
        with SummaryWriter():
            return 1


async def lives(writer: AsyncSummaryWriter, plain: SummaryWriter) -> None:
    """Flushing and closing, in both colours."""
    assert_type(await writer.flush(sync=True, timeout=1), None)
    assert_type(await writer.close(timeout=None), None)
    assert_type(plain.flush(True, 1.5), None)
    assert_type(plain.close(), None)
    assert_type(writer.get_logdir(), str | PathLike[str])
    assert_type(plain.log_dir, str | PathLike[str])
    assert_type(plain.purge_step, int | None)
    assert_type(plain.default_bins, list[float])
    assert_type(plain.add_summary(b""), None)
    assert_type(plain.file_writer, FileWriter | None)
    assert_type(plain.all_writers, dict[str, FileWriter] | None)
    with install() as installed:
        assert_type(installed, Installed)
    assert_type(uninstall(), None)
    version: str = __version__
    print(version)


def figures(writer: AsyncSummaryWriter, plain: SummaryWriter) -> None:
    """The figures of both writers are one type, and not to be changed."""
    assert_type(plain.stats, Stats)
    stats = writer.stats
    assert_type(stats, Stats)
    assert_type((stats.accepted, stats.written, stats.pending, stats.pending_bytes), tuple[int, int, int, int])
    assert_type(stats.dropped, Mapping[str, int])
    assert_type(stats.last_error, BaseException | None)
    stats.written = 1  # type: ignore[misc]
    writer.stats = stats  # type: ignore[misc]


def errors(one: EncodeError, two: StorageError, three: CorruptRecord, four: WriterClosed | WrongLoop) -> None:
    """Each is caught as ours, and as what Python calls it."""
    ours: list[AsynctbError] = [one, two, three, four]
    values: list[ValueError] = [one]
    files: list[OSError] = [two]
    calls: list[RuntimeError] = [four]
    assert_type((one.tag, one.wanted), tuple[object, str])
    assert_type((two.unwritten, three.offset, three.reason), tuple[int, int, str])
    print(ours, values, files, calls)

"""The writer for asyncio."""

from __future__ import annotations

import asyncio
import functools
import inspect
import sys
import types
import warnings
from asyncio import _get_running_loop
from collections.abc import Coroutine, Sequence
from types import TracebackType
from typing import Any, Self, TypeVar

from asynctb.encode.custom_scalars import Layout
from asynctb.entry import Entry, wire_size
from asynctb.errors import StorageError
from asynctb.methods import AddMethods, Make, QuickMethods, Step, WallTime, checked, names
from asynctb.pipeline import encoders, on_loop
from asynctb.pipeline.core import Pipeline
from asynctb.pipeline.options import OnStorageError, Overflow, Stats
from asynctb.pipeline.steps import Series
from asynctb.pipeline.turns import Add
from asynctb.settings import Configured, LogDir, Settings

__all__ = ["AsyncSummaryWriter", "NoWait"]

TURN = 16 << 10  # bytes accepted, some 100 a microsecond, after which an await suspends and others run
C = TypeVar("C", bound=type)


def _awaitable(writer: C) -> C:
    """Give a class its own copies of the `add_*`, marked as coroutine functions, which is what calling them is like.

    Frameworks ask (`asyncio.iscoroutinefunction`, `inspect.iscoroutinefunction`), and run what is none in a thread.
    """
    for name in names(AddMethods):
        method = getattr(AddMethods, name)
        copy = types.FunctionType(method.__code__, method.__globals__, name, method.__defaults__, method.__closure__)
        functools.update_wrapper(copy, method)
        del copy.__wrapped__  # type: ignore[attr-defined]
        copy.__kwdefaults__ = method.__kwdefaults__
        copy.__qualname__ = f"{writer.__qualname__}.{name}"
        if sys.version_info >= (3, 12):
            inspect.markcoroutinefunction(copy)
        else:
            copy._is_coroutine = asyncio.coroutines._is_coroutine  # type: ignore[attr-defined]
        setattr(writer, name, copy)
    writer._emit_point.__qualname__ = f"{writer.__qualname__}.add_scalar"  # type: ignore[attr-defined]
    return writer


@_awaitable
class AsyncSummaryWriter(Configured, AddMethods[Coroutine[Any, Any, None]]):
    """Writes what TensorBoard shows, from asyncio: every `add_*` is awaited, and never holds the loop.

    ```python
    async with AsyncSummaryWriter("runs/exp1") as writer:
        await writer.add_scalar("loss/train", 0.5, step)
    ```

    An awaited add has been accepted, in order; it is in the file within 50 ms. It waits only where there is no room.
    `flush()` returns when everything accepted is written, `close()` also ends. The contract is a page of the
    documentation.

    Nothing is opened before `async with` or the first awaited call. One loop at a time: awaiting from a second loop
    while the first is open raises `WrongLoop`; once the first has closed, the same file is continued.

    Args:
        log_dir: a local directory, made if it is missing; `runs/<date>_<host><comment>` by default.
        comment: ends the default directory's name; ignored with `log_dir`.
        purge_step: the step from which a run is resumed: TensorBoard's Python loader hides the run's older points at
            and behind it, the default loader those of each tag as new ones come.
        max_queue: how many pending events are written at once instead of lingering up to 25 ms for company.
        flush_secs: how often, in seconds, a file with new data is synced, so that it survives a power cut.
        filename_suffix: ends the event files' names.
        max_bytes: bound of the memory held by accepted and unwritten entries.
        overflow: what `await add_*` does beyond it: "wait" for room, or "drop" and count (media from 3/4 of it on).
        on_storage_error: whether `flush()` and `close()` "raise" `StorageError` for what is not stored, or "log" it.
        exit_timeout: seconds that the program's end may wait for a disk that is not done.
        auto_step: whether `global_step=None` counts on; False leaves the step out, as torch does.
        enabled: False for a writer that has this API and stores nothing, for ranks other than 0.

    Raises:
        EncodeError: for arguments that will not do.
    """

    def __init__(
        self,
        log_dir: LogDir = None,
        comment: str = "",
        purge_step: int | None = None,
        max_queue: int = 10,
        flush_secs: float = 120,
        filename_suffix: str = "",
        *,
        max_bytes: int = 64 << 20,
        overflow: Overflow = "wait",
        on_storage_error: OnStorageError = "raise",
        exit_timeout: float = 5.0,
        auto_step: bool = True,
        enabled: bool = True,
    ) -> None:
        self._set_up(
            Settings.of(
                log_dir,
                comment,
                purge_step,
                filename_suffix,
                max_queue=max_queue,
                flush_secs=flush_secs,
                max_bytes=max_bytes,
                overflow=overflow,
                on_storage_error=on_storage_error,
                exit_timeout=exit_timeout,
                auto_step=auto_step,
                enabled=enabled,
            )
        )

    def _set_up(self, settings: Settings, *, copied: bool = False) -> None:
        self._configure(settings)
        self._pipeline = settings.pipeline(copied=copied)
        self._notices = self._pipeline.notices
        self._enabled = settings.enabled
        self._until_turn = TURN
        self._names = {name: f"{type(self).__qualname__}.{name}" for name in names(AddMethods)}
        self._layout = Layout()
        self._curves = self._pipeline.steps.curves
        self.nowait = NoWait(self._pipeline, self._layout, enabled=settings.enabled)

    # Adding

    def _emit(
        self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any
    ) -> Coroutine[Any, Any, None]:
        if self._enabled:
            entries, checked_step, wall_time = checked(tag, step, walltime, make, args)
            coroutine = self._accept(method, entries, checked_step, wall_time)
        else:
            coroutine = _nothing()
        # So that "was never awaited" names the guilty call.
        coroutine.__qualname__ = self._names[method]  # type: ignore[attr-defined]
        return coroutine

    async def _accept(self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float) -> None:
        pipeline = self._pipeline
        loop = _get_running_loop()
        if loop is None or pipeline.ready_on is not loop:
            await on_loop.attach(pipeline)
        if not entries:
            return
        places = pipeline.backlog.offer(method, entries, step, wall_time, True)
        if places is None:
            await on_loop.wait_turn(pipeline, Add(method, entries, step, wall_time))
        elif places:
            await encoders.take(places)
        self._until_turn -= wire_size(entries[0]) if len(entries) == 1 else sum(map(wire_size, entries))
        if self._until_turn <= 0:
            self._until_turn = TURN
            await asyncio.sleep(0)

    async def _emit_point(self, curve: Series, number: float, step: int | None, wall_time: float) -> None:
        pipeline = self._pipeline
        loop = _get_running_loop()
        ready = loop is not None and pipeline.ready_on is loop
        if not (ready and pipeline.backlog.offer_number(curve, number, step, wall_time)):
            await self._accept("add_scalar", [curve.record(number)], step, wall_time)
            return
        self._until_turn -= curve.cost
        if self._until_turn <= 0:
            self._until_turn = TURN
            await asyncio.sleep(0)

    # Life

    async def __aenter__(self) -> Self:
        """Open the event file; raises `StorageError` where that cannot be."""
        if self._enabled:
            await on_loop.attach(self._pipeline)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close. With an exception in flight, what is not stored is logged rather than raised over it."""
        if error is not None:
            self._pipeline.end_badly()
        try:
            await self.close()
        except StorageError as unwritten:
            if error is None:
                raise
            self._notices.say("%s", unwritten)

    async def flush(self, sync: bool = False, timeout: float | None = None) -> None:
        """Return when everything accepted before is written, so that it survives the end of the process.

        Args:
            sync: also wait until it survives a power cut.
            timeout: seconds to wait at most; None for as long as the storage is not failing.

        Raises:
            StorageError: if entries could not be written (with `on_storage_error="log"` it is logged instead).
            WriterClosed: after `close()`.
            WrongLoop: on another loop than the writer's, or outside asyncio.
        """
        if not self._enabled:
            return
        try:
            await on_loop.flush(self._pipeline, sync, timeout)
        except StorageError:
            raise
        except OSError as error:
            self._pipeline.reports.failed(error)

    async def close(self, timeout: float | None = 30) -> None:
        """Write everything accepted, and end. Safe to call again, and to cancel: the file stays whole.

        Args:
            timeout: seconds to wait at most for a disk that is not done.

        Raises:
            StorageError: if entries could not be written in time (with `on_storage_error="log"` it is logged instead).
            WrongLoop: on another loop than the writer's, or outside asyncio.
        """
        if self._enabled:
            await on_loop.close(self._pipeline, timeout)

    @property
    def stats(self) -> Stats:
        """The writer's figures at this moment."""
        return self._pipeline.stats()

    def __repr__(self) -> str:
        """Name the writer by its directory."""
        return f"{type(self).__name__}({str(self.log_dir)!r})"

    def __getstate__(self) -> Settings:
        """Pickle to the constructor's arguments; the copy opens a file of its own."""
        return self._settings

    def __setstate__(self, settings: Settings) -> None:
        self._set_up(settings, copied=True)

    def __del__(self) -> None:
        """Warn of a writer that was opened and not closed, and see its entries written."""
        pipeline: Pipeline | None = getattr(self, "_pipeline", None)
        if pipeline is not None and pipeline.in_use:
            pipeline.abandon()
            warnings.warn(f"unclosed {self!r}", ResourceWarning, stacklevel=2, source=self)


class NoWait(QuickMethods[bool]):
    """The writer's adds for code that cannot await: callbacks, signal handlers, other threads.

    Each returns at once: True if the entry was accepted, False if it was dropped, for want of room or because the
    writer is closed. Arrays are copied in place. Before the writer's file is open, entries wait in memory for that.
    """

    def __init__(self, pipeline: Pipeline, layout: Layout, *, enabled: bool) -> None:
        self._pipeline = pipeline
        self._notices = pipeline.notices
        self._layout = layout
        self._curves = pipeline.steps.curves
        self._enabled = enabled

    def _emit(self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any) -> bool:
        if not self._enabled:
            return True
        entries, checked_step, wall_time = checked(tag, step, walltime, make, args)
        return not entries or self._pipeline.offer_now(method, entries, checked_step, wall_time)

    def _emit_point(self, curve: Series, number: float, step: int | None, wall_time: float) -> bool:
        pipeline = self._pipeline
        return pipeline.backlog.offer_number(curve, number, step, wall_time) or pipeline.offer_now(
            "add_scalar", [curve.record(number)], step, wall_time
        )


async def _nothing() -> None:
    """What a disabled writer's adds come to."""

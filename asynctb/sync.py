"""The writer for ordinary scripts: the same calls as torch's, without asyncio in sight."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any, Self

from asynctb.encode.custom_scalars import Layout
from asynctb.entry import Entry
from asynctb.errors import StorageError
from asynctb.filewriter import FileWriters
from asynctb.methods import AddMethods, Make, Step, WallTime, checked
from asynctb.notices import heard, on_our_thread
from asynctb.pipeline import encoders, exits, in_thread, on_loop
from asynctb.pipeline.core import Pipeline
from asynctb.pipeline.loop_thread import LoopThread
from asynctb.pipeline.options import OnStorageError, Overflow, Stats
from asynctb.pipeline.steps import Series
from asynctb.pipeline.turns import Add, Outcome
from asynctb.settings import Configured, LogDir, Settings

__all__ = ["SummaryWriter"]

GRACE = 1.0  # seconds that the loop's thread gets beyond a timeout to say how it ended


class SummaryWriter(Configured, FileWriters, AddMethods[None]):
    """Writes what TensorBoard shows, from any thread; a drop-in for `torch.utils.tensorboard.SummaryWriter`.

    ```python
    with SummaryWriter("runs/exp1") as writer:
        writer.add_scalar("loss/train", 0.5, step)
    ```

    The event file is opened here. What is added goes to it through a thread with an event loop of its own, which the
    first add begins. An add after `close()` opens a new file; so does the first add in a forked child, and in a copy
    that was pickled.

    Args:
        log_dir: a local directory, made if it is missing; `runs/<date>_<host><comment>` by default.
        comment: ends the default directory's name; ignored with `log_dir`.
        purge_step: the step from which a run is resumed: TensorBoard's Python loader hides the run's older points at
            and behind it, the default loader those of each tag as new ones come.
        max_queue: how many pending events are written at once instead of lingering up to 25 ms for company.
        flush_secs: how often, in seconds, a file with new data is synced, so that it survives a power cut.
        filename_suffix: ends the event files' names.
        max_bytes: bound of the memory held by accepted and unwritten entries.
        overflow: what adds do beyond it: "wait" for room, or "drop" and count (media from 3/4 of it on).
        on_storage_error: whether `flush()` and `close()` "raise" `StorageError` for what is not stored, or "log" it.
        exit_timeout: seconds that the program's end may wait for a disk that is not done.
        auto_step: whether `global_step=None` counts on; False leaves the step out, as torch does.
        enabled: False for a writer that has this API and stores nothing, for ranks other than 0.

    Raises:
        EncodeError: for arguments that will not do.
        StorageError: if the directory cannot be made or the file not opened.
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
        on_storage_error: OnStorageError = "log",
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
        if enabled:
            in_thread.open_file(self._pipeline)

    def _set_up(self, settings: Settings, *, copied: bool = False) -> None:
        self._configure(settings)
        self._enabled = settings.enabled
        self._pipeline = settings.pipeline(copied=copied)
        self._notices = self._pipeline.notices
        self._layout = Layout()
        self._curves = self._pipeline.steps.curves
        self._past = Stats()  # of the pipelines that are over
        self._own = self._writers = None
        self._earlier: list[Pipeline] = []  # closed, but perhaps not over yet
        self._life = threading.RLock()  # between opening and opening
        exits.remember(self)

    def after_fork(self) -> None:
        """In a child: no lock is held by anyone."""
        self._life = threading.RLock()

    # Adding

    def _emit(self, method: str, tag: str, step: Step, walltime: WallTime, make: Make, *args: Any) -> None:
        if not self._enabled:
            return
        entries, checked_step, wall_time = checked(tag, step, walltime, make, args)
        if entries:
            self._store(method, self._placed(entries), checked_step, wall_time)

    def _emit_point(self, curve: Series, number: float, step: int | None, wall_time: float) -> None:
        pipeline = self._pipeline
        if not (pipeline.running and pipeline.backlog.offer_number(curve, number, step, wall_time)):
            self._store("add_scalar", [curve.record(number)], step, wall_time)

    def _store(self, method: str, entries: Sequence[Entry], step: int | None, wall_time: float) -> None:
        while True:
            try:
                # A finalizer that the collector runs on our own thread opens nothing: who does waits for that thread.
                ready = self._pipeline.running or on_our_thread()
                pipeline = self._pipeline if ready else self._run()
            except StorageError as error:
                # An add never raises for the disk: it waits in memory for the next one to open a file, or the end.
                self._notices.sometimes("open", "asynctb: %s", error)
                self._pipeline.offer_now(method, entries, step, wall_time)
                return
            places = pipeline.backlog.offer(method, entries, step, wall_time, True)
            if places is not None:
                if places:
                    encoders.take_here(places)
                return
            if pipeline.drivers.waits_for_itself():
                pipeline.offer_now(method, entries, step, wall_time)
                return
            if in_thread.wait_turn(pipeline, Add(method, entries, step, wall_time)) is not Outcome.CLOSED:
                return
            # Another thread closed it between two of our steps: the next round opens a new file.

    # An add in a signal handler comes to these two as well, between any two calls of theirs.

    def _run(self) -> Pipeline:
        """Open what is closed, begin the loop's thread, and return the pipeline; raises `StorageError`."""
        pipeline = self._pipeline
        if pipeline.starting and not pipeline.closed:
            return pipeline  # whoever is at it may be waiting for this very thread, which a finalizer interrupts
        with self._life:
            pipeline = self._renewed()
            if pipeline.starting:
                return pipeline  # an add that interrupts the opening waits in memory for it
            pipeline.starting = True
            try:
                in_thread.open_next_file(pipeline)
                if exits.exiting():
                    return pipeline  # adds are written as they come, without a thread
                if pipeline.runner is None:
                    pipeline.runner = LoopThread()
                if not pipeline.drivers.driven and pipeline.runner.start():
                    pipeline.runner.call(pipeline.attach_here)
                    with suppress(RuntimeError):
                        pipeline.storage.submit(_nothing)  # so that there is a thread when none can begin any more
                pipeline.running = not pipeline.closed
                return pipeline
            finally:
                pipeline.starting = False

    def _renewed(self) -> Pipeline:
        """Return the pipeline, or a new one in the place of one that is closed."""
        if self._pipeline.closed:
            fresh = self._settings.pipeline(after=self._pipeline)
            closed = self._pipeline
            if closed.closed:
                self._pipeline = fresh
                self._earlier.append(closed)
            while self._earlier and self._earlier[0].over.done():
                self._past += self._earlier.pop(0).stats().over()
        return self._pipeline

    # Life

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close. With an exception in flight, what is not stored is logged rather than raised over it."""
        if error is not None:
            self._pipeline.end_badly()
        try:
            self.close()
        except Exception as unwritten:  # of a program's own in `all_writers`, it may be anything
            if error is None:
                raise
            self._notices.say("%s", unwritten)

    def flush(self, sync: bool = False, timeout: float | None = None) -> None:
        """Return when everything accepted before is written, so that it survives the end of the process.

        Args:
            sync: also wait until it survives a power cut.
            timeout: seconds to wait at most; None for as long as the storage is not failing.

        Raises:
            StorageError: if entries could not be written, with `on_storage_error="raise"`; by default it is logged.
        """
        try:
            self._flush_own(sync, timeout)
        finally:
            self._flush_others()

    def _flush_own(self, sync: bool, timeout: float | None) -> None:
        pipeline = self._pipeline
        if not self._enabled or pipeline.closed or pipeline.drivers.waits_for_itself():
            return
        try:
            in_thread.flush(pipeline, sync, timeout)
        except OSError as error:
            pipeline.reports.failed(error)

    def close(self, timeout: float | None = 30) -> None:
        """Write everything accepted, and end. Safe to call again; the next add opens a new file.

        Args:
            timeout: seconds to wait at most for a disk that is not done.

        Raises:
            StorageError: if entries could not be written in time, with `on_storage_error="raise"`; by default it is
                logged.
        """
        try:
            self._close_own(timeout)
        finally:
            self._close_others()

    def _close_own(self, timeout: float | None) -> None:
        timeout = None if timeout is None else min(timeout, threading.TIMEOUT_MAX - GRACE)
        pipeline = self._pipeline
        first = not pipeline.closed
        # From here on adds open the next file; so an add in a signal handler, or of another thread, waits for nothing.
        pipeline.close_door()
        if not first:
            # One that Ctrl-C struck down before it had begun is made up for.
            finish = in_thread.wait_till_over if pipeline.closing else in_thread.close
            finish(pipeline, timeout)
            return
        try:
            self._close(pipeline, timeout)
        finally:
            if pipeline.runner is not None:
                pipeline.runner.stop()
        heard()
        pipeline.reports.unwritten()

    def _close(self, pipeline: Pipeline, timeout: float | None) -> None:
        runner = pipeline.runner
        must_not_wait = pipeline.drivers.waits_for_itself() or pipeline.backlog.interrupted()
        if runner is None or must_not_wait or not pipeline.drivers.driven:
            in_thread.close(pipeline, timeout)
            return
        with suppress(TimeoutError):
            runner.run(on_loop.close_quietly(pipeline, timeout), None if timeout is None else timeout + GRACE)

    @property
    def stats(self) -> Stats:
        """The writer's figures at this moment, those before a `close()` included."""
        with self._life:
            earlier = (each.stats().over() if each.over.done() else each.stats() for each in self._earlier)
            return sum((*earlier, self._pipeline.stats()), self._past)

    def __repr__(self) -> str:
        """Name the writer by its directory."""
        return f"{type(self).__name__}({str(self.log_dir)!r})"

    def __getstate__(self) -> Settings:
        """Pickle to the constructor's arguments; the copy opens a file of its own on its first add."""
        return self._settings

    def __setstate__(self, settings: Settings) -> None:
        self._set_up(settings, copied=True)

    def __del__(self) -> None:
        """Have what is pending written, and the threads end."""
        pipeline: Pipeline | None = getattr(self, "_pipeline", None)
        if pipeline is not None and pipeline.in_use:
            pipeline.abandon()
        if pipeline is not None and pipeline.runner is not None:
            pipeline.runner.stop()


def _nothing() -> None:
    """What a thread begins with."""

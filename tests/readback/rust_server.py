"""What TensorBoard shows by default: its data server, a program of its own, asked over gRPC."""

import os
import subprocess
import tempfile
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from typing import IO, TYPE_CHECKING
from unittest import mock

from tests.readback.events import PathLike
from tests.readback.imports import module
from tests.readback.points import Series
from tests.readback.provider import read_series

if TYPE_CHECKING:
    from tensorboard.data.grpc_provider import GrpcDataProvider

PLUGINS = (
    *("scalars", "text", "tensor", "histograms", "images", "audio", "pr_curves", "mesh", "hparams", "custom_scalars"),
    *("graphs", "graph_run_metadata", "graph_run_metadata_graph", "graph_keras_model", "graph_tagged_run_metadata"),
)
ALL_SAMPLES: Mapping[str, int] = dict.fromkeys(PLUGINS, 0)  # a plugin that is not named is sampled; 0 keeps all
ONCE = 0  # a reload interval: load what is there at the start, and no more
POLL = 0.005  # seconds between two looks at the server's log
READ_AGAIN = 0.05  # seconds between two reads of everything
STARTS_WITHIN = 30.0
ENDS_WITHIN = 5.0

_starting = threading.Lock()  # a start changes what a module of TensorBoard sees


class ServerDiedError(Exception):
    """The data server ended by itself: `returncode` and its `log` say how."""

    def __init__(self, returncode: int | None, log: str) -> None:
        super().__init__(f"the data server ended with {returncode}:\n{log}")
        self.returncode, self.log = returncode, log


class LoadTimeoutError(TimeoutError):
    """The data server did not come to what was waited for."""

    def __init__(self, what: str, log: str) -> None:
        super().__init__(f"{what}:\n{log}")
        self.what, self.log = what, log


def load(
    logdir: PathLike,
    *,
    until: Callable[[Series], bool] | None = None,
    samples_per_plugin: Mapping[str, int] = ALL_SAMPLES,
    checksum: bool = False,
    timeout: float = 30.0,
) -> Series:
    """Return every point of every tag that a dashboard would list, after one whole load of what is in `logdir`.

    With `until` the server goes on loading until that is true of the series. `timeout` bounds the first load, and then
    the wait for `until`.
    """
    interval = ONCE if until is None else 1
    with serve(
        logdir,
        samples_per_plugin=samples_per_plugin,
        reload_interval=interval,
        checksum=checksum,
        timeout=timeout,
    ) as server:
        return server.load(until=until, timeout=timeout)


@contextmanager
def serve(
    logdir: PathLike,
    *,
    samples_per_plugin: Mapping[str, int] = ALL_SAMPLES,
    reload_interval: int = 1,
    checksum: bool = False,
    timeout: float = 30.0,
) -> Iterator["Server"]:
    """Run TensorBoard's data server: entered when it has loaded what was in `logdir`, and ended with the block.

    It loads again `reload_interval` whole seconds after each load, or never with `ONCE`. By default it takes a body
    without looking at its checksum, as under TensorBoard; `checksum` makes it look.
    """
    flags = ["--verbose", "--checksum"] if checksum else ["--verbose"]
    with (
        tempfile.TemporaryFile() as log,
        closing(_Program(log)) as program,
        closing(Server(program, _start(program, logdir, samples_per_plugin, reload_interval, flags))) as server,
    ):
        server.wait_for_load(1, timeout=timeout)
        yield server


class Server:
    """A data server that has loaded, at the least, what was there when it started."""

    def __init__(self, program: "_Program", provider: "GrpcDataProvider") -> None:
        self.provider = provider  # TensorBoard's own client
        self._program = program

    @property
    def pid(self) -> int:
        return self._program.process.pid

    def log(self) -> str:
        """Return what the server has written to its stderr: a file that it gave up is a warning there."""
        return self._program.output()

    def load(self, *, until: Callable[[Series], bool] | None = None, timeout: float = 30.0) -> Series:
        """Return what the server shows now, or as soon as `until` is true of it."""
        deadline = time.monotonic() + timeout
        series = self._read()
        while until is not None and not until(series):
            self._pause(READ_AGAIN, deadline, f"not so within {timeout} s; the server shows {series}")
            series = self._read()
        return series

    def reload(self, *, timeout: float = 30.0) -> Series:
        """Return what the server shows after a whole load that began after this call."""
        self.wait_for_load(self.log().count("Starting load cycle") + 1, timeout=timeout)
        return self._read()

    def wait_for_load(self, number: int, *, timeout: float = 30.0) -> None:
        """Wait until the server says that its load of that number, the first being 1, is finished."""
        deadline = time.monotonic() + timeout
        while self.log().count("Finished load cycle") < number:
            self._pause(POLL, deadline, f"load {number} is not finished within {timeout} s")

    def close(self) -> None:
        """Let go of the connection, and with it of gRPC's threads, whoever still holds this object."""
        del self.provider

    def _read(self) -> Series:
        self._program.check()
        return read_series(self.provider)

    def _pause(self, seconds: float, deadline: float, what: str) -> None:
        self._program.check()
        if time.monotonic() > deadline:
            raise LoadTimeoutError(what, self.log())
        time.sleep(seconds)


class _Program:
    """What the ingester takes for `subprocess`: it keeps the process, which the ingester forgets, and its stderr."""

    PIPE = subprocess.PIPE

    def __init__(self, log: IO[bytes]) -> None:
        self.process: subprocess.Popen[bytes]
        self._log = log

    def Popen(self, args: list[str], stdin: int) -> "subprocess.Popen[bytes]":  # noqa: N802 - as in subprocess
        """Start the server, and wait until it has told its port: the ingester looks for that each half second only."""
        environment = {**os.environ, "RUST_LOG": "info"}  # the level at which it tells its port and its loads
        self.process = subprocess.Popen(args, stdin=stdin, stderr=self._log, env=environment)
        deadline = time.monotonic() + STARTS_WITHIN
        while "Wrote port" not in self.output() and self.process.poll() is None and time.monotonic() < deadline:
            time.sleep(POLL)
        return self.process

    def output(self) -> str:
        size = os.fstat(self._log.fileno()).st_size
        return os.pread(self._log.fileno(), size, 0).decode(errors="replace")

    def check(self) -> None:
        """Raise if the server has ended."""
        if self.process.poll() is not None:
            raise ServerDiedError(self.process.returncode, self.output())

    def close(self) -> None:
        """End the server as TensorBoard does, by closing its stdin; by force if it does not listen."""
        if process := getattr(self, "process", None):
            process.stdin.close()
            try:
                process.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _start(
    program: _Program, logdir: PathLike, samples_per_plugin: Mapping[str, int], reload_interval: int, flags: list[str]
) -> "GrpcDataProvider":
    """Start the server as TensorBoard does, and return its client."""
    ingesters = module("tensorboard.data.server_ingester")
    ingester = ingesters.SubprocessServerDataIngester(
        ingesters.get_server_binary(),
        os.fspath(logdir),
        reload_interval=reload_interval,
        channel_creds_type=module("tensorboard.util.grpc_util").ChannelCredsType.LOCAL,
        samples_per_plugin=dict(samples_per_plugin),
        extra_flags=flags,
    )
    with _starting, mock.patch.object(ingesters, "subprocess", program), warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the ingester leaves its temporary directory to the collector
        try:
            ingester.start()
        except ingesters.DataServerStartupError as error:
            traceback.clear_frames(error.__traceback__)  # the directory goes here, where its warning is not heard
            program.check()
            raise
    return ingester.data_provider

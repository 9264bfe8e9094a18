"""The data server is waited for, and never left behind."""

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from tests.readback import sample
from tests.readback.points import Series
from tests.readback.rust_server import LoadTimeoutError, ServerDiedError, load, serve


def append(path: Path, step: int) -> None:
    with path.open("ab") as file:
        file.write(sample.frame(sample.scalar("x", step, step).SerializeToString()))


def has(count: int, series: Series) -> bool:
    return len(series["."]["x"]) == count


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return sample.write(tmp_path, sample.scalar("x", 0, 0))


def test_server_ends_with_its_block(path: Path) -> None:
    """The process and gRPC's threads are gone when the block is left."""
    load(path.parent)  # imports all that keeps threads of its own
    threads = psutil.Process().num_threads()
    with serve(path.parent) as server:
        assert psutil.pid_exists(server.pid)
    assert not psutil.pid_exists(server.pid)
    deadline = time.monotonic() + 5
    while psutil.Process().num_threads() > threads and time.monotonic() < deadline:
        time.sleep(0.01)
    assert psutil.Process().num_threads() <= threads


def test_server_ends_when_the_block_raises(path: Path) -> None:
    """An exception in the block ends the server and goes on."""
    with pytest.raises(ZeroDivisionError), serve(path.parent) as server:
        raise ZeroDivisionError
    assert not psutil.pid_exists(server.pid)


def test_server_that_does_not_listen_is_ended(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that is stopped, and cannot see that its stdin is closed, is killed."""
    monkeypatch.setattr("tests.readback.rust_server.ENDS_WITHIN", 0.1)
    with serve(path.parent) as server:
        os.kill(server.pid, signal.SIGSTOP)
    assert not psutil.pid_exists(server.pid)


def test_growth_is_waited_for(path: Path) -> None:
    """A running server comes to show what is appended, whichever way it is waited for."""
    with serve(path.parent) as server:
        assert has(1, server.load())
        append(path, 1)
        assert has(2, server.reload())
        append(path, 2)
        assert has(3, server.load(until=lambda series: has(3, series)))


def test_load_until(path: Path) -> None:
    """A load until something is true returns the series of which it is true."""
    assert has(1, load(path.parent, until=lambda series: has(1, series)))


def test_waiting_is_bounded(path: Path) -> None:
    """A condition that never comes raises, and the message has what the server shows and says."""
    with serve(path.parent) as server, pytest.raises(LoadTimeoutError, match=r"(?s)Point\(step=0.*Finished load cycle"):
        server.load(until=lambda series: has(2, series), timeout=0.1)


def test_server_that_loads_once_does_not_reload(path: Path) -> None:
    """To wait for another load of a server that makes none is an error, not a wait."""
    with serve(path.parent, reload_interval=0) as server, pytest.raises(LoadTimeoutError):
        server.reload(timeout=0.1)


def test_dead_server_is_told(path: Path) -> None:
    """A server that ends by itself raises with its exit status and what it said."""
    with serve(path.parent) as server:
        os.kill(server.pid, signal.SIGKILL)
        with pytest.raises(ServerDiedError, match="Finished load cycle") as caught:
            server.reload(timeout=5)
    assert caught.value.returncode == -signal.SIGKILL


def test_server_that_does_not_start_is_told(path: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A program that ends before it serves raises with its exit status and what it said."""
    program = tmp_path / "server"
    program.write_text("#!/bin/sh\necho no such thing >&2\nexit 3\n")
    program.chmod(0o700)
    monkeypatch.setenv("TENSORBOARD_DATA_SERVER_BINARY", str(program))
    with pytest.raises(ServerDiedError, match="no such thing") as caught, serve(path.parent):
        pass
    assert caught.value.returncode == 3


def test_what_the_server_says_is_kept(path: Path) -> None:
    """A file that the server gives up is a warning in its log."""
    path.write_bytes(path.read_bytes() + bytes(16))
    with serve(path.parent) as server:
        assert "WARN" in server.log()

"""SIGKILL: what was flushed is there, and what is there is a gapless beginning of what was accepted."""

from __future__ import annotations

import mmap
import signal
import struct
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.readback.events import run_events

COUNTER = struct.Struct("<QQ")  # adds accepted, adds accepted and flushed

CHILD = """
import asyncio, mmap, struct, sys
from asynctb import AsyncSummaryWriter, SummaryWriter

COUNTER = struct.Struct("<QQ")
logs, shared, kind, pause = sys.argv[1], open(sys.argv[2], "r+b"), sys.argv[3], float(sys.argv[4])
counts = mmap.mmap(shared.fileno(), COUNTER.size)

async def log_async():
    import time
    async with AsyncSummaryWriter(logs) as writer:
        step = flushed = 0
        while True:
            await writer.add_scalar("a", step, step)
            step += 1
            if step % 97 == 0:
                await writer.flush()
                flushed = step
            COUNTER.pack_into(counts, 0, step, flushed)
            if pause:
                await asyncio.sleep(pause)

def log_sync():
    import time
    with SummaryWriter(logs) as writer:
        step = flushed = 0
        while True:
            writer.add_scalar("a", step, step)
            step += 1
            if step % 97 == 0:
                writer.flush()
                flushed = step
            COUNTER.pack_into(counts, 0, step, flushed)
            if pause:
                time.sleep(pause)

asyncio.run(log_async()) if kind == "async" else log_sync()
"""


@pytest.mark.parametrize("pause", [0.0, 0.001], ids=["flat out", "1 ms"])
@pytest.mark.parametrize("kind", ["async", "sync"])
@pytest.mark.parametrize("alive", [0.15, 0.4])
def test_a_kill_costs_only_the_tail(kind: str, pause: float, alive: float, tmp_path: Path) -> None:
    """The file is an exact prefix of what was accepted, holds all that was flushed, and lacks 2,000 at most."""
    logs, shared = tmp_path / "logs", tmp_path / "counts"
    shared.write_bytes(bytes(COUNTER.size))
    child = subprocess.Popen([sys.executable, "-c", CHILD, str(logs), str(shared), kind, str(pause)])
    with shared.open("r+b") as file, mmap.mmap(file.fileno(), COUNTER.size) as counts:
        deadline = time.monotonic() + 30
        while COUNTER.unpack_from(counts)[0] == 0:
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        time.sleep(alive)
        child.send_signal(signal.SIGKILL)
        child.wait()
        accepted, flushed = COUNTER.unpack_from(counts)
    steps = [event.step for event in run_events(logs, prefix=True)["."] if event.HasField("summary")]
    assert steps == list(range(len(steps)))
    assert flushed <= len(steps) <= accepted + 1  # the kill may come between an add and the count of it
    assert accepted - len(steps) <= 2000

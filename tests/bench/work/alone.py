"""What needs a process of its own: imports, memory, and death."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import psutil

from tests.bench.case import Figures
from tests.bench.entrants import awaited, make
from tests.faults.kills import deaths

__all__ = ["imports", "kills", "memory"]

IMPORTS = {
    "sync": "import asynctb",
    "torch": "from torch.utils.tensorboard import SummaryWriter",
    "tensorboardX": "from tensorboardX import SummaryWriter",
    "EventFileWriter": "from tensorboard.summary.writer.event_file_writer import EventFileWriter",
}
UNWANTED = ("torch", "matplotlib", "PIL", "tensorboard", "tensorflow")
PROGRAM = """
import sys, time, json, warnings
warnings.simplefilter("ignore")
import resource
import asyncio, numpy
{before}
began, memory = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
{statement}
took = time.perf_counter() - began
unit = 1 if sys.platform == "darwin" else 1024
memory = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - memory) * unit
print(json.dumps([took, memory, [name for name in {unwanted} if name in sys.modules]]))
"""
PARTS = 20  # how often memory is looked at


def imports(entrant: str, folder: Path, before: str = "") -> Figures:
    """Import a writer in a new interpreter that has numpy and asyncio already; seconds, bytes, and what came along."""
    program = [sys.executable, "-c", PROGRAM.format(before=before, statement=IMPORTS[entrant], unwanted=UNWANTED)]
    # What is installed is compiled already. Here the round that is dropped sees to that, whatever else forbids it.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    environment["PYTHONPYCACHEPREFIX"] = str(Path(tempfile.gettempdir()) / "asynctb-bench-bytecode")
    said = subprocess.run(program, capture_output=True, check=True, env=environment).stdout
    took, memory, unwanted = json.loads(said.splitlines()[-1])
    return {"total": took, "memory": memory, "unwanted": unwanted}


def memory(entrant: str, folder: Path, count: int) -> Figures:
    """Add so many scalars, and return what grew after the first twentieth: resident bytes, threads, descriptors."""
    seen = asyncio.run(_awaited(entrant, folder, count)) if awaited(entrant) else _plain(entrant, folder, count)
    grown = {name: max(each[at] for each in seen) - seen[0][at] for at, name in enumerate(("rss", "threads", "files"))}
    return {"count": count // PARTS * PARTS, **grown}


def _plain(entrant: str, folder: Path, count: int) -> list[tuple[int, int, int]]:
    writer = make(entrant, folder)
    seen: list[tuple[int, int, int]] = []
    for part in range(PARTS):
        for step in range(part * (count // PARTS), (part + 1) * (count // PARTS)):
            writer.add_scalar("loss/train", step * 0.5, step)
        seen.append(_look())
    writer.close()
    return seen


async def _awaited(entrant: str, folder: Path, count: int) -> list[tuple[int, int, int]]:
    seen: list[tuple[int, int, int]] = []
    async with make(entrant, folder) as writer:
        for part in range(PARTS):
            for step in range(part * (count // PARTS), (part + 1) * (count // PARTS)):
                await writer.add_scalar("loss/train", step * 0.5, step)
            seen.append(_look())
    return seen


def _look() -> tuple[int, int, int]:
    process = psutil.Process()
    return process.memory_info().rss, process.num_threads(), process.num_fds()


def kills(entrant: str, folder: Path, kills: int, rate: int) -> Figures:
    """Kill a program that logs at a rate, at random moments; how old what is lost was, in seconds.

    What is on disk has to be an exact prefix of what was accepted, else this raises. A kill that loses nothing counts
    as 0 s. The machine's own stalls, which the program notes until it dies, are taken off.
    """
    kind: dict[str, Any] = {"await": "async", "sync": "sync"}
    losses = list(deaths(folder, kind[entrant], kills, rate=[rate], aim="anywhere"))
    return {
        "ages": [loss.age for loss in losses],
        "lost": [loss.lost for loss in losses],
        "max": max(loss.age for loss in losses),
        "late": sum(loss.age >= loss.allowed for loss in losses),
    }

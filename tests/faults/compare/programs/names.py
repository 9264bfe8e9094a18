"""Names that lead elsewhere: `names.py ... planted | outside`."""

import itertools
import os
import platform
import socket
import time

import numpy as np

from tests.faults.compare.stage import Stage, play

VICTIM = "the victim's own words"


async def main(stage: Stage) -> None:
    await (planted if stage.args[0] == "planted" else outside)(stage)


async def planted(stage: Stage) -> None:
    """Links at all names that an event file of the next seconds may get."""
    __import__(stage.kind.module)
    victim = stage.folder / "victim"
    victim.write_text(VICTIM)
    stage.logs.mkdir()
    now, pid = int(time.time()), os.getpid()
    for second, host in itertools.product(range(now, now + 4), {socket.gethostname(), platform.node()}):
        for tail in ("", *(f".{pid}.{uid}" for uid in range(3))):
            (stage.logs / f"events.out.tfevents.{second:010d}.{host}{tail}").symlink_to(victim)
    writer = await stage.open()
    for step in range(10):
        await stage.attempt(writer.add, step)
    await stage.attempt(writer.close)
    stage.report |= {"ways": 1, "escaped": int(victim.read_text(errors="replace") != VICTIM)}


async def outside(stage: Stage) -> None:
    """Names of sub-runs and of folders with `..` in them: of each, is there anything outside the log directory?"""
    writer = await stage.open()
    run_name = "name" if stage.name == "tensorboardX" else "run_name"
    (stage.logs / "m_").mkdir()  # what a name steps out of, where the system wants it to exist
    before = found(stage)
    escaped = 0
    for method, args, options in (
        ("add_scalars", ("m", {"/../../esc1": 1.0}, 0), {}),
        ("add_hparams", ({"lr": 0.1}, {"loss": 1.0}), {run_name: "../esc2"}),
        ("add_embedding", (np.eye(3),), {"global_step": "../esc3"}),
    ):
        await stage.attempt(writer.call, method, *args, **options)
        escaped += found(stage) != before
        before = found(stage)
    await stage.attempt(writer.close)
    stage.report |= {"ways": 3, "escaped": escaped}


def found(stage: Stage) -> list[str]:
    """Return the names beside the log directory."""
    return sorted(name for name in os.listdir(stage.folder) if name.startswith("esc"))


if __name__ == "__main__":
    play(main)

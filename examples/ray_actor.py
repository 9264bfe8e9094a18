"""One writer for many Ray workers: an async actor that holds an `AsyncSummaryWriter`.

Four workers descend, each from a place of its own, and send their numbers to the actor, which writes them into one run.
It takes some ten seconds, nearly all of which Ray needs to start and to stop.
"""

from __future__ import annotations

import argparse
import logging
import os
from collections.abc import Mapping
from typing import Any

import numpy as np
import ray

from asynctb import AsyncSummaryWriter


@ray.remote(num_cpus=0)  # it hardly computes: its writer does that in threads
class Logger:
    """An actor whose methods are coroutines runs all calls on one event loop: its writer's."""

    def __init__(self, log_dir: str) -> None:
        self.w = AsyncSummaryWriter(log_dir)  # touches no disk; the first call opens the file

    async def log(self, metrics: Mapping[str, Any], step: int) -> None:
        await self.w.log(metrics, step)

    async def add_histogram(self, tag: str, values: Any, step: int) -> None:
        # Ray carries a large array through its object store, so this is a view of shared memory. The writer takes a
        # copy before the await completes, and then the store may have its memory back.
        await self.w.add_histogram(tag, values, step)

    async def close(self) -> int:
        """Write everything, and return how many entries that were. Wait for it before you end the actor.

        Nobody else does: `ray.kill` and `ray.shutdown` run no exit handlers in an actor, so what was logged in the last
        50 ms may be lost. An actor that ends because its last handle is gone does run them, and loses nothing.
        """
        await self.w.close()
        return self.w.stats.written


@ray.remote
def work(number: int, logger: Any, steps: int) -> int:
    """Go downhill, and return how many entries that made."""
    place = np.random.default_rng(number).normal(size=100_000)
    last: Any = None
    for step in range(steps):
        place *= 0.95
        if last is not None:
            # An async actor begins its calls in any order. With one under way at a time, a worker's steps rise, and a
            # logger that falls behind slows it down instead of piling up calls.
            ray.get(last)
        last = logger.log.remote({f"worker-{number}": {"loss": np.mean(place**2), "norm": np.linalg.norm(place)}}, step)
    ray.get([last, logger.add_histogram.remote(f"worker-{number}/place", place, steps)])
    return steps + 1


def main(options: argparse.Namespace) -> None:
    ray.init(num_cpus=options.workers, include_dashboard=False, logging_level=logging.ERROR)
    logger = Logger.remote(os.path.abspath(options.log_dir))  # actors have other working directories
    made = sum(ray.get([work.remote(number, logger, options.steps) for number in range(options.workers)]))
    written = ray.get(logger.close.remote())
    ray.shutdown()
    print(f"{made} entries made, {written} written. To look at them:\n")
    print(f"    pip install tensorboard\n    tensorboard --logdir {options.log_dir}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log-dir", default="runs/ray_actor", help="where to write (default: %(default)s)")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--steps", type=int, default=100, help="of each worker (default: %(default)s)")
    main(parser.parse_args())

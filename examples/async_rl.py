"""Asynchronous reinforcement learning with gymnasium: two clocks, preemption, and going on where it stopped.

Many actors play CartPole and a learner improves their policy by the cross-entropy method, all on one event loop. Kill
it (SIGTERM, or Ctrl-C), start it again, and it goes on from its last checkpoint, and so do its curves.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import gymnasium
import numpy as np
from numpy.typing import NDArray

import asynctb
from asynctb import AsyncSummaryWriter

Floats: TypeAlias = NDArray[np.float64]

BATCH, ELITE = 32, 8  # episodes of an update; and the best of them, which the next policy follows
NOISE = 0.1  # in the policy's spread, or the elite would soon be all the same
FILM_EVERY, KEEP_EVERY = 8, 4  # updates


class Policy(NamedTuple):
    """Where an actor draws its weights from. It pushes right while their product with what it sees is positive."""

    version: int
    mean: Floats
    spread: Floats


class Episode(NamedTuple):
    version: int
    weights: Floats
    states: Floats

    @property
    def rights(self) -> NDArray[np.bool_]:
        """Each move, the number of which is the return."""
        return self.states[:-1] @ self.weights > 0


class Training:
    """The actors, their learner, and what they share: they take turns on one event loop, so nothing needs a lock."""

    def __init__(self, folder: Path, seed: int) -> None:
        self.checkpoint = folder / "checkpoint.npz"
        self.rng = np.random.default_rng(seed)
        self.policy, self.env_steps = Policy(0, np.zeros(4), np.ones(4)), 0
        if self.checkpoint.exists():
            with np.load(self.checkpoint) as kept:
                self.policy = Policy(int(kept["version"]), kept["mean"], kept["spread"])
                self.env_steps = int(kept["env_steps"])
        self.episodes: asyncio.Queue[Episode] = asyncio.Queue(maxsize=BATCH)  # while it is full, the actors wait

    def keep(self) -> None:
        """Replace the checkpoint once the new one is whole: a signal may come at any moment."""
        fresh = self.checkpoint.with_suffix(".new.npz")
        np.savez(fresh, **self.policy._asdict(), env_steps=self.env_steps)
        fresh.replace(self.checkpoint)

    async def act(self, w: AsyncSummaryWriter) -> None:
        world = gymnasium.make("CartPole-v1")
        while True:
            episode = await play(world, self.policy, self.rng)
            self.env_steps += len(episode.rights)
            await w.log({"return": len(episode.rights), "version": episode.version}, self.env_steps)
            await self.episodes.put(episode)

    async def learn(self, w: AsyncSummaryWriter, updates: int) -> None:
        for version in range(self.policy.version + 1, updates + 1):
            batch = [await self.episodes.get() for _ in range(BATCH)]
            returns = np.array([len(episode.rights) for episode in batch])
            batch = [batch[index] for index in np.argsort(returns)]
            staleness = np.mean([self.policy.version - episode.version for episode in batch])
            elite = np.stack([episode.weights for episode in batch[-ELITE:]])
            self.policy = Policy(version, elite.mean(axis=0), elite.std(axis=0) + NOISE)
            await w.log({"return/mean": returns.mean(), "return/best": returns.max(), "staleness": staleness}, version)
            await w.add_histogram("weights", elite, version)
            await w.add_histogram("actions", np.concatenate([episode.rights for episode in batch]), version)
            if version % FILM_EVERY == 0:
                await w.add_video("best", film(batch[-1].states[:200:2]), version, fps=25)
            if version % KEEP_EVERY == 0:
                await asyncio.to_thread(self.keep)
            print(f"update {version:3}   {self.env_steps:7} steps   return {returns.mean():5.1f}", flush=True)
        await asyncio.to_thread(self.keep)


async def play(world: gymnasium.Env[Any, Any], policy: Policy, rng: np.random.Generator) -> Episode:
    weights = rng.normal(policy.mean, policy.spread)
    state, _ = world.reset(seed=int(rng.integers(2**31)))
    states, ended = [state], False
    while not ended:
        state, _, fell, out_of_time, _ = world.step(int(state @ weights > 0))
        states.append(state)
        ended = fell or out_of_time
        await asyncio.sleep(0)  # the others' turn; an environment elsewhere is awaited here
    return Episode(policy.version, weights, np.array(states))


def film(states: Floats, height: int = 48, width: int = 96) -> NDArray[np.bool_]:
    """Draw a cart and its pole, white on black: (1, T, 1, height, width)."""
    row, column = np.mgrid[0:height, 0:width]
    place, _, angle, _ = states.T[:, :, np.newaxis, np.newaxis]
    right, up = column - width * (0.5 + place / 4.8), height - 8 - row
    along, across = right * np.sin(angle) + up * np.cos(angle), right * np.cos(angle) - up * np.sin(angle)
    pole = (abs(across) < 1.5) & (along > 0) & (along < 30)
    cart = (abs(right) < 7) & (abs(up + 3) < 3)
    return np.asarray(pole | cart)[np.newaxis, :, np.newaxis]


async def main(options: argparse.Namespace) -> None:
    asynctb.flush_on_signal()  # SIGTERM, which ends a preempted job: all that was logged is written first
    options.log_dir.mkdir(parents=True, exist_ok=True)
    training = Training(options.log_dir, options.seed)
    version, env_steps = training.policy.version, training.env_steps
    # Policy versions and environment steps are two clocks, and `purge_step` is a time on one of them. So each has a run
    # of its own, and both forget what was logged behind the checkpoint: that is played again.
    async with (
        AsyncSummaryWriter(options.log_dir / "policy", purge_step=version + 1) as policy,
        AsyncSummaryWriter(options.log_dir / "env", purge_step=env_steps + 1) as env,
        asyncio.TaskGroup() as group,
    ):
        hparams = {"actors": options.actors, "batch": BATCH, "elite": ELITE, "noise": NOISE}
        await policy.add_hparams(hparams, {"return/mean": None, "return/best": None}, run_name=".", live=True)
        actors = [group.create_task(training.act(env)) for _ in range(options.actors)]
        await training.learn(policy, options.updates)
        for actor in actors:
            actor.cancel()
    if version >= options.updates:
        print(f"All {version} updates were done before; --updates takes a larger number, or --log-dir another place.")
    print(f"\nTo look at it:\n\n    pip install tensorboard\n    tensorboard --logdir {options.log_dir}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log-dir", type=Path, default="runs/async_rl", help="where to write (default: %(default)s)")
    parser.add_argument("--actors", type=int, default=24)
    parser.add_argument("--updates", type=int, default=24, help="of the policy, in all (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("\nStopped. Everything logged is in the runs; started again, it goes on from its last checkpoint.")
        sys.exit(130)

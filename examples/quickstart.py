"""Asynchronous reinforcement learning, with every number of it in TensorBoard.

Eight actors balance poles and put their episodes on a queue; a learner takes them from there and improves the policy.
All are coroutines on one event loop and log through one `AsyncSummaryWriter`. It takes 10 to 20 seconds.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import sys
import time
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from asynctb import AsyncSummaryWriter

Floats: TypeAlias = NDArray[np.float64]

ACTORS = 8
BATCH = 2000  # moves in an update, and a few more: episodes stay whole
LONGEST = 500  # moves after which an episode ends although the pole still stands


async def main(options: argparse.Namespace) -> None:
    learner_rng, *actor_rngs = map(np.random.default_rng, np.random.SeedSequence(options.seed).spawn(1 + ACTORS))
    async with AsyncSummaryWriter(options.log_dir) as w:
        print(f"Logging to {w.get_logdir()}\n")
        run = Run(w, Learner(learner_rng), options.updates)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(options.seconds), asyncio.TaskGroup() as group:
                actors = [group.create_task(run.act(rng)) for rng in actor_rngs]
                await run.learn()
                for actor in actors:
                    actor.cancel()
    print(f"\n\nThe return, from the first to the last of {len(run.returns)} episodes:\n")
    print(chart(run.returns or [1.0]))
    print(f"\n{w.stats.written} events written and {sum(w.stats.dropped.values())} dropped. To look at them:\n")
    print(f"    pip install tensorboard\n    tensorboard --logdir {w.get_logdir()}")


class Run:
    """The actors, their learner and what they share. They take turns on one event loop, so nothing needs a lock."""

    def __init__(self, w: AsyncSummaryWriter, learner: Learner, updates: int) -> None:
        self.w, self.learner, self.updates = w, learner, updates
        self.queue: asyncio.Queue[Episode] = asyncio.Queue(maxsize=2 * ACTORS)  # while it is full, the actors wait
        self.returns: list[float] = []
        self.moves = 0
        self.started, self.shown = time.monotonic(), 0.0

    # Episodes, moves and updates are three clocks. Each has tags of its own, because TensorBoard shows a point only if
    # its step is above all earlier ones of the same tag.

    async def act(self, rng: np.random.Generator) -> None:
        while True:
            episode = await play(self.learner.policy, rng)
            self.returns.append(episode.rewards.sum())
            count = len(self.returns)
            await self.w.log({"episode": {"return": self.returns[-1], "length": len(episode)}}, count)
            if count % 100 == 1:
                header = ["move", "position", "angle", "push", "chance"]
                await self.w.add_text("episode/moves", episode.table(), count, header=header)
            await self.queue.put(episode)
            self.moves += len(episode)
            self.w.nowait.add_scalar("queue/depth", self.queue.qsize(), self.moves)  # never waits, works in callbacks

    async def learn(self) -> None:
        for update in range(1, self.updates + 1):
            batch: list[Episode] = []
            while sum(map(len, batch)) < BATCH:
                batch.append(await self.queue.get())
            staleness = sum(self.learner.policy.version - episode.version for episode in batch) / len(batch)
            numbers = await asyncio.to_thread(self.learner.improve, batch)  # the actors play on meanwhile
            await self.w.log({"learner": {**numbers, "staleness": staleness, "episodes": len(batch)}}, update)
            self.show_progress(update)

    def show_progress(self, update: int) -> None:
        score, now = np.mean(self.returns[-100:]), time.monotonic() - self.started
        line = f"update {update}/{self.updates}   episode {len(self.returns)}   return {score:.0f}   {now:.0f} s"
        if sys.stdout.isatty():
            print(f"\r{line:<60}", end="", flush=True)
        elif now > self.shown + 3:
            self.shown = now
            print(line, flush=True)


async def play(policy: Policy, rng: np.random.Generator) -> Episode:
    """One episode, from a pole that nearly stands upright to its fall."""
    state: Floats = np.append(rng.uniform(-0.05, 0.05, 4), 1)  # position, speed, angle, spin, and a bias
    moves: list[tuple[Floats, bool, float, float]] = []
    while not fallen(state) and len(moves) < LONGEST:
        p = float(sigmoid(policy(state)[0]))
        right = rng.random() < p
        moves.append((state, right, p if right else 1 - p, 1.0))
        state = push(state, 10.0 if right else -10.0)
        await asyncio.sleep(0)  # the others' turn; a real actor awaits its environment here
    states, rights, chances, rewards = map(np.array, zip(*moves, strict=True))
    return Episode(policy.version, states, rights, chances, rewards, state)


@dataclass(frozen=True)
class Episode:
    """What happened, and which version of the policy played."""

    version: int
    states: Floats
    rights: NDArray[np.bool_]
    chances: Floats  # that the policy gave to the moves it made
    rewards: Floats
    end: Floats  # the state after the last move

    def __len__(self) -> int:
        return len(self.rewards)

    def table(self, rows: int = 8) -> list[list[str]]:
        """Some of the moves, evenly spread."""
        picks = np.linspace(0, len(self) - 1, rows, dtype=int)
        pushes = np.where(self.rights, "right", "left")
        places = [(f"{x:.2f} m", f"{np.degrees(angle):.1f}°") for x, _, angle, _, _ in self.states]
        return [[str(i), *places[i], pushes[i], f"{self.chances[i]:.0%}"] for i in picks]


def push(state: Floats, newtons: float) -> Floats:
    """A cart of 1 kg with a pole of 0.1 kg and 1 m, 0.02 s later (Barto, Sutton and Anderson, 1983)."""
    _, speed, angle, spin, _ = state
    sin, cos = np.sin(angle), np.cos(angle)
    pull = (newtons + 0.05 * spin**2 * sin) / 1.1
    twist = (9.8 * sin - cos * pull) / (0.5 * (4 / 3 - 0.1 * cos**2 / 1.1))
    return state + 0.02 * np.array([speed, pull - 0.05 * twist * cos / 1.1, spin, twist, 0])


def fallen(state: Floats) -> bool:
    return bool(abs(state[0]) > 2.4 or abs(state[2]) > np.radians(12))


class Policy(NamedTuple):
    """A network with one hidden layer. Replaced, never changed: an actor ends its episode with the one it has."""

    version: int
    weights: Floats  # 7 of each hidden unit: 5 in, 2 out

    def __call__(self, states: Floats) -> tuple[Floats, Floats, Floats]:
        """For each state: how much to prefer the right, what to expect, and the hidden layer."""
        hidden = np.tanh(states @ self.weights[:5])
        out = hidden @ self.weights[5:].T
        return out[..., 0], out[..., 1], hidden


class Learner:
    """Proximal policy optimisation (arXiv:1707.06347): it bears with episodes that older policies played."""

    PASSES, RATE, CLIP = 4, 0.002, 0.2  # the last: how far the chance of a move may go from what it was
    DISCOUNT, TRACE = 0.99, 0.95  # of rewards, and of surprises in an advantage (arXiv:1506.02438)

    def __init__(self, rng: np.random.Generator, width: int = 32) -> None:
        self.policy = Policy(0, rng.normal(0, np.repeat([[0.5], [0.01]], [5, 2], axis=0), (7, width)))
        self.mean = self.square = np.zeros((7, width))  # of recent gradients

    def improve(self, batch: list[Episode]) -> dict[str, float]:
        """Make the next policy from the last one, with gradients by hand."""
        columns = zip(*[(e.states, e.rights, e.chances, self.advantages(e)) for e in batch], strict=True)
        states, rights, chances, advantages = map(np.concatenate, columns)
        targets = self.policy(states)[1] + advantages
        advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        new = Policy(self.policy.version + 1, self.policy.weights)
        for _ in range(self.PASSES):
            logits, values, hidden = new(states)
            p = sigmoid(logits)
            ratios = np.where(rights, p, 1 - p) / chances
            gains, capped = ratios * advantages, np.clip(ratios, 1 - self.CLIP, 1 + self.CLIP) * advantages
            d_logits = (gains <= capped) * gains * (p - rights)
            d_out = np.stack([d_logits, values - targets], axis=1) / len(states)
            d_hidden = d_out @ new.weights[5:] * (1 - hidden**2)
            new = new._replace(weights=new.weights - self.adam(np.vstack([states.T @ d_hidden, d_out.T @ hidden])))
        self.policy = new
        return {
            "policy_loss": -np.minimum(gains, capped).mean(),
            "value_loss": ((values - targets) ** 2).mean() / 2,
            "entropy": (np.logaddexp(0, logits) - p * logits).mean(),
        }

    def advantages(self, episode: Episode) -> Floats:
        """How much better than expected each move turned out, in units of a pole that stands for ever."""
        values = self.policy(np.vstack([episode.states, episode.end]))[1]
        values[-1] *= not fallen(episode.end)  # nothing comes after a fall
        surprises = (1 - self.DISCOUNT) * episode.rewards + self.DISCOUNT * values[1:] - values[:-1]
        for i in reversed(range(len(surprises) - 1)):
            surprises[i] += self.DISCOUNT * self.TRACE * surprises[i + 1]
        return surprises

    def adam(self, gradient: Floats) -> Floats:
        """The step to take (arXiv:1412.6980); with 0.9 and 0.99 the first ones need no correction."""
        self.mean = 0.9 * self.mean + 0.1 * gradient
        self.square = 0.99 * self.square + 0.01 * gradient**2
        return self.RATE * self.mean / (np.sqrt(self.square) + 1e-8)


def sigmoid(x: Floats) -> Floats:
    return 1 / (1 + np.exp(-x))


def chart(values: list[float], width: int = 64, height: int = 8) -> str:
    """The curve of the values in block characters, or in plain ones where stdout has no others."""
    inks = " ▁▂▃▄▅▆▇█" if "utf" in sys.stdout.encoding.lower() else " .:#"
    columns = np.array([np.mean(part) for part in np.array_split(values, min(width, len(values)))])
    rows = []
    for row in reversed(range(height)):
        fill = np.clip(columns / columns.max() * height - row, 0, 1) * (len(inks) - 1)
        rows.append(f"{columns.max() * (row + 1) / height:5.0f} |" + "".join(inks[i] for i in fill.round().astype(int)))
    return "\n".join(rows)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log-dir", help="where the events go (default: runs/<date>_<host>)")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--updates", type=int, default=300, help="of the policy, then it ends")
    parser.add_argument("--seconds", type=float, default=45, help="after these it ends in any case")
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("\nStopped. Everything logged until now is in the run.")
        sys.exit(130)

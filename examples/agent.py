"""An agent whose rollouts can be read in TensorBoard: what it was asked, what it did, what it said, what it earned.

Several rollouts run at once. The language model and the tools are simulated, so nothing leaves this machine; a round
takes about a third of a second.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import sys
from dataclasses import dataclass, field

from asynctb import AsyncSummaryWriter

SLOTS = 4  # rollouts of a round that are shown, each under a tag of its own
LONGEST = 300  # characters of a message that are shown
MOST = 12  # messages of a rollout that are shown: the first half of them, and the last


@dataclass
class Rollout:
    """One conversation. Messages are pairs of a role and a text."""

    prompt: str
    messages: list[tuple[str, str]] = field(default_factory=list)
    tokens: int = 0
    calls: int = 0
    reward: float = 0.0

    def say(self, role: str, text: str) -> None:
        self.messages.append((role, text))
        self.tokens += len(text.split())

    def table(self) -> list[tuple[str, str]]:
        """The rows to show. A rollout may be endless; TensorBoard loads each text whole, so what is stored is not."""
        rows = [("prompt", self.prompt), *self.messages, ("reward", f"{self.reward:g}")]
        if (left_out := len(rows) - MOST) > 0:
            rows[MOST // 2 : -MOST // 2] = [("…", f"{left_out} messages left out")]
        return [(role, shortened(text)) for role, text in rows]


def shortened(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}… ({len(text)} characters)"


async def main(options: argparse.Namespace) -> None:
    rng = random.Random(options.seed)
    async with AsyncSummaryWriter(options.log_dir, comment="_agent") as w:
        for round_ in range(options.rounds):
            skill = (round_ + 1) / (options.rounds + 1)  # of the model, which learns behind our back
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(roll_out(rng, skill)) for _ in range(options.rollouts)]
            await log(w, [task.result() for task in tasks], round_)
        print(f"{w.stats.accepted} entries logged. To look at them:\n")
    print(f"    pip install tensorboard\n    tensorboard --logdir {w.log_dir}")


async def log(w: AsyncSummaryWriter, rollouts: list[Rollout], round_: int) -> None:
    """Numbers of all, in one event, and the text of some: a tag for each slot, whose slider is the round."""
    count = len(rollouts)
    rewards = [rollout.reward for rollout in rollouts]
    tokens = [rollout.tokens for rollout in rollouts]
    numbers = {
        "reward": {"mean": sum(rewards) / count, "min": min(rewards), "max": max(rewards)},
        "tokens": {"total": sum(tokens), "mean": sum(tokens) / count},
        "calls": {"mean": sum(rollout.calls for rollout in rollouts) / count},
    }
    await w.log(numbers, round_)
    await w.add_histogram("tokens/each", tokens, round_)
    for slot, rollout in enumerate(rollouts[:SLOTS]):
        await w.add_text(f"rollout/{slot}", rollout.table(), round_, header=["role", "text"])


async def roll_out(rng: random.Random, skill: float) -> Rollout:
    """Let the model work on a task, with a tool, until it answers."""
    left, right = rng.randrange(100), rng.randrange(100)
    rollout = Rollout(f"How much is {left} * {right}? You have a tool `multiply`.")
    while (reply := await model(rollout, left, right, rng, skill)).startswith("multiply("):
        rollout.say("call", reply)
        rollout.calls += 1
        rollout.say("tool", await multiply(reply))
    rollout.say("answer", reply)
    rollout.reward = float(reply == str(left * right))
    return rollout


async def model(rollout: Rollout, left: int, right: int, rng: random.Random, skill: float) -> str:
    """Stand in for a language model: with more skill it calls its tool rightly sooner, and guesses less."""
    await asyncio.sleep(rng.uniform(0.02, 0.06))
    if rollout.calls and rollout.messages[-1][1].isdecimal():
        return rollout.messages[-1][1]
    if rng.random() < skill:
        return f"multiply({left}, {right})"
    return rng.choice([f"multiply({left} times {right} | please)", str(rng.randrange(10_000))])


async def multiply(call: str) -> str:
    """Stand in for a tool, which is slow, and particular about how it is called."""
    await asyncio.sleep(0.02)
    try:
        left, right = map(int, call.removeprefix("multiply(").removesuffix(")").split(","))
    except ValueError as error:
        return f"*error*: {error}"
    return str(left * right)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log-dir", help="where to write (default: runs/<date>_<host>_agent)")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rollouts", type=int, default=16, help="at once (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("\nStopped. Everything logged until now is in the run.")
        sys.exit(130)

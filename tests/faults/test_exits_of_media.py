"""What is still being encoded when the program ends is stored all the same, and holds up the end for no longer."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from tests.readback.events import run_events

COUNT = 30
WITHIN = 20.0  # seconds, on whatever machine: a deadlock at exit takes `exit_timeout`, which is set to a minute here

# Each program adds COUNT times something that a thread encodes, and a scalar behind it, and closes nothing.
PROGRAM = """
    import asyncio, multiprocessing, sys
    import numpy as np
    from asynctb import AsyncSummaryWriter, SummaryWriter

    DIR, COUNT = sys.argv[1], int(sys.argv[2])
    IMAGE = np.random.default_rng(0).random((3, 128, 128), dtype=np.float32)
    LABELS = IMAGE[:1].repeat(128, 0)[:, None]
    ADDS = {
        "image": lambda w, step: w.add_image("heavy", IMAGE, step),
        "text": lambda w, step: w.add_text("heavy", "word " * 100_000, step),
        "video": lambda w, step: w.add_video("heavy", IMAGE[None, None, :, :32, :32].repeat(4, 1), step),
        "embedding": lambda w, step: w.add_embedding(IMAGE[0], label_img=LABELS, tag=str(step)),
    }

    def log(kind):
        global w
        w = SummaryWriter(DIR, exit_timeout=60)
        for step in range(COUNT):
            ADDS[kind](w, step)
            w.add_scalar("light", step, step)

    async def alog(kind):
        global w
        w = AsyncSummaryWriter(DIR, exit_timeout=60)
        for step in range(COUNT):
            await ADDS[kind](w, step)
            await w.add_scalar("light", step, step)

    if __name__ == "__main__":
"""

WAYS_OUT = {
    "the script ends": 'log("{kind}")',
    "asyncio.run ends": 'asyncio.run(alog("{kind}"))',
    "the loop is left open": 'loop = asyncio.new_event_loop(); loop.run_until_complete(alog("{kind}"))',
    "a forked child returns": """
        child = multiprocessing.get_context("fork").Process(target=log, args=("{kind}",))
        child.start()
        child.join()
    """,
}


@pytest.mark.parametrize("kind", ["image", "text", "video", "embedding"])
@pytest.mark.parametrize("way", WAYS_OUT)
def test_nothing_that_is_being_encoded_is_lost(way: str, kind: str, tmp_path: Path) -> None:
    """All entries are in their files, in order, soon after the program's last line."""
    body = textwrap.indent(textwrap.dedent(WAYS_OUT[way]).strip().replace("{kind}", kind), " " * 4)
    script = tmp_path / "program.py"
    script.write_text(textwrap.dedent(PROGRAM).rstrip() + "\n" + body)
    began = time.monotonic()
    ended = subprocess.run(
        [sys.executable, "-W", "ignore", script, tmp_path / "run", str(COUNT)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (ended.returncode, ended.stderr) == (0, "")
    assert time.monotonic() - began < WITHIN
    order = [event.step for event in run_events(tmp_path / "run")["."] if event.HasField("summary")]
    each = 1 if kind == "embedding" else 2
    assert order == [step for step in range(COUNT) for _ in range(each)]
    assert len(list((tmp_path / "run").glob("*/*/tensors.tsv"))) == (COUNT if kind == "embedding" else 0)


DRAWING = """
    import asyncio, sys, time
    from asynctb import AsyncSummaryWriter
    from asynctb.entry import Draft

    def draw():
        time.sleep(3)
        return lambda: b""

    async def main():
        global w
        w = AsyncSummaryWriter(sys.argv[1], exit_timeout=1)
        await w.add_scalar("light", -1, -1)
        figure = Draft(("figure",), 10, draw, "images", slow=True)
        drawing = asyncio.ensure_future(w._accept("add_figure", [figure], 0, 1.0))
        await asyncio.sleep(0.1)
        for step in range(100):
            await w.add_scalar("light", step, step)

    asyncio.run(main())
"""


def test_a_drawing_that_takes_too_long_costs_only_itself(tmp_path: Path) -> None:
    """What was accepted behind a figure whose add is cancelled by the loop's end is stored, though time has run out."""
    (tmp_path / "program.py").write_text(textwrap.dedent(DRAWING))
    command = [sys.executable, "-W", "ignore", tmp_path / "program.py", tmp_path / "run"]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0
    order = [event.step for event in run_events(tmp_path / "run")["."] if event.HasField("summary")]
    assert order == list(range(-1, 100))

"""The end of the process waits for what has been accepted, whoever presses Ctrl-C meanwhile."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.seen import points

WRITERS = 2
CTRL_C_AT_THE_END = f"""
import os, signal, sys, threading, time
import numpy as np
from asynctb import SummaryWriter
from asynctb.pipeline import exits
from asynctb.pipeline.places import Place

presses = int(sys.argv[2])
pressed = threading.Event()
encode = Place.encode
Place.encode = lambda place: (pressed.wait(), encode(place))

def press():
    while not exits.exiting():
        time.sleep(0.01)
    for _ in range(presses):
        time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)
    time.sleep(0.2)
    if presses < 2:
        pressed.set()

writers = [SummaryWriter(os.path.join(sys.argv[1], str(number))) for number in range({WRITERS})]
for writer in writers:
    writer.add_image("a", np.zeros((64, 64, 3), np.uint8), dataformats="HWC")
threading.Thread(target=press, daemon=True).start()
"""


@pytest.mark.parametrize("presses", [0, 1])
def test_ctrl_c_while_the_end_waits_loses_nothing(presses: int, tmp_path: Path) -> None:
    """What encoders are still at when Ctrl-C comes, after the program's end, is stored, of all writers."""
    subprocess.run([sys.executable, "-c", CTRL_C_AT_THE_END, tmp_path, str(presses)], capture_output=True, timeout=60)
    assert [len(points(tmp_path / str(number))) for number in range(WRITERS)] == [1] * WRITERS


def test_ctrl_c_again_has_the_wait_end(tmp_path: Path) -> None:
    """Who presses it twice while the end waits is not kept waiting, however long the writers' `exit_timeout`."""
    program = CTRL_C_AT_THE_END.replace("SummaryWriter(os", "SummaryWriter(exit_timeout=1e9, log_dir=os")
    done = subprocess.run([sys.executable, "-c", program, tmp_path, "2"], capture_output=True, timeout=60, text=True)
    assert "KeyboardInterrupt" in done.stderr

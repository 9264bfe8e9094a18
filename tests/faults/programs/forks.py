"""Many children, forked one after the other while threads of the parent log scalars, pictures and text."""

import faulthandler
import os
import signal
import sys
import threading

import numpy as np

from asynctb import SummaryWriter

log_dir, forks = sys.argv[1], int(sys.argv[2])
writer, stop = SummaryWriter(log_dir), threading.Event()
picture = np.random.default_rng(1).integers(0, 256, (64, 64, 3), np.uint8)

faulthandler.register(signal.SIGALRM, chain=True)


def log_scalars(number: int) -> None:
    step = 0
    while not stop.is_set():
        writer.add_scalar(f"parent/{number}", step, step)
        step += 1


def log_media() -> None:
    step = 0
    while not stop.is_set():
        writer.add_image("parent/image", picture, step, dataformats="HWC")
        writer.add_text("parent/text", "é" * 100_000, step)
        step += 1


def be_child(child: int) -> None:
    """Whichever comes first in a child must not hang: an add, a flush, a close, or a look at its figures."""
    signal.alarm(30)  # a child that has not ended by then never will, and tells where it stands
    first = (writer.flush, writer.close, lambda: writer.stats, lambda: None)[child % 4]
    first()
    for step in range(20):
        writer.add_scalar(f"child{child}/scalar", step, step)
    writer.add_image(f"child{child}/image", picture, 0, dataformats="HWC")
    writer.flush()
    os._exit(0)


threads = [threading.Thread(target=log_scalars, args=(number,)) for number in range(2)]
threads.append(threading.Thread(target=log_media))
for thread in threads:
    thread.start()
for child in range(forks):
    if (pid := os.fork()) == 0:
        be_child(child)
    assert os.waitpid(pid, 0)[1] == 0
stop.set()
for thread in threads:
    thread.join()
writer.close()
assert writer.stats.pending == 0
assert not writer.stats.dropped
print(writer.stats.accepted)

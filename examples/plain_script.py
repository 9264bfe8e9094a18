"""The scripts that TensorBoard tutorials begin with. Only the import is another: it was `torch.utils.tensorboard`."""

import random
import time

import numpy as np

from asynctb import SummaryWriter

with SummaryWriter() as w:
    x = range(100)
    for i in x:
        w.add_scalar("y=2x", i * 2, i)
        time.sleep(random.uniform(1, 2) / 50)  # the tutorial sleeps 1 to 2 seconds, which makes minutes

with SummaryWriter() as w:
    for i in range(100):
        w.add_scalar("Loss/train", np.random.random(), i)
        w.add_scalar("Loss/test", np.random.random(), i)
        w.add_scalar("Accuracy/train", np.random.random(), i)
        w.add_scalar("Accuracy/test", np.random.random(), i)

with SummaryWriter() as w:
    r = 5
    for i in range(100):
        w.add_scalars("run_14h", {"xsinx": i * np.sin(i / r), "xcosx": i * np.cos(i / r), "tanx": np.tan(i / r)}, i)
# This call adds three values to the same scalar plot with the tag
# 'run_14h' in TensorBoard's scalar section.

print("Written below runs/. To look at it: pip install tensorboard, then tensorboard --logdir runs")

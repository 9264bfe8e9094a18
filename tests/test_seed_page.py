"""The programs that torch's documentation teaches run with our import in the place of torch's.

Data sets that would be downloaded are arrays of their shape. Each program runs with torch's writer too, and leaves the
same runs and tags.
"""

import textwrap
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

import asynctb
from tests.readback.events import run_events
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, from whose documentation the programs are, is not installed", allow_module_level=True)
torch = module("torch")

BATCH = "images, labels = torch.rand(32, 1, 28, 28), torch.arange(32) % 10"  # of MNIST

PROGRAMS = {
    "images of a training set": f"""
        import torch
        writer = SummaryWriter()
        {BATCH}
        grid = images[:8].permute(1, 2, 0, 3).reshape(1, 28, 8 * 28).repeat(3, 1, 1)
        writer.add_image('images', grid, 0)
        model = torch.nn.Sequential(torch.nn.Conv2d(1, 64, kernel_size=7, stride=2, padding=3, bias=False),
                                    torch.nn.BatchNorm2d(64), torch.nn.ReLU(), torch.nn.MaxPool2d(3, 2, 1),
                                    torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(), torch.nn.Linear(64, 1000))
        writer.add_graph(model, images)
        writer.close()
        """,
    "a model": f"""
        import torch
        import torch.nn as nn
        import torch.nn.functional as F
        {BATCH}

        class Net(nn.Module):
            def __init__(self):
                super(Net, self).__init__()

                self.conv1 = nn.Conv2d(1, 32, 3, 1)
                self.conv2 = nn.Conv2d(32, 64, 3, 1)
                self.conv3 = nn.Conv2d(64, 64, 3, 1)
                self.pool = nn.MaxPool2d(2, 2)
                self.dense1 = nn.Linear(576, 64)
                self.dense2 = nn.Linear(64, 10)

            def forward(self, x):
                x = self.pool(F.relu(self.conv1(x)))
                x = self.pool(F.relu(self.conv2(x)))
                x = F.relu(self.conv3(x))
                x = torch.flatten(x, 1)
                x = F.relu(self.dense1(x))
                output = self.dense2(x)

                return output

        model = Net()

        with SummaryWriter() as w:
            w.add_graph(model, images)
        """,
    "directories": """
        writer = SummaryWriter()
        writer = SummaryWriter("runs/exp1")
        writer = SummaryWriter(comment="LR_0.1_BATCH_16")
        """,
    "a curve": """
        with SummaryWriter() as w:
            x = range(100)
            for i in x:
                w.add_scalar('y=2x', i * 2, i)
        """,
    "four curves": """
        import numpy as np
        with SummaryWriter() as w:
            for i in range(100):
                w.add_scalar('Loss/train', np.random.random(), i)
                w.add_scalar('Loss/test', np.random.random(), i)
                w.add_scalar('Accuracy/train', np.random.random(), i)
                w.add_scalar('Accuracy/test', np.random.random(), i)
        """,
    "three curves in a chart": """
        import numpy as np
        with SummaryWriter() as w:
            r = 5
            for i in range(100):
                w.add_scalars('run_14h', {'xsinx':i*np.sin(i/r),
                                          'xcosx':i*np.cos(i/r),
                                          'tanx': np.tan(i/r)}, i)
        """,
    "histograms": """
        import numpy as np
        with SummaryWriter() as w:
            for i in range(10):
                x = np.random.randn(1000)
                w.add_histogram('distribution centers', x + i, i)
        """,
    "an image": f"""
        import torch
        {BATCH}
        img_grid = images[:8].permute(1, 2, 0, 3).reshape(1, 28, 8 * 28).repeat(3, 1, 1)
        with SummaryWriter() as w:
            w.add_image('mnist_images', img_grid)
        """,
    "images": f"""
        import torch
        {BATCH}
        with SummaryWriter() as w:
            w.add_images('mnist_images', images)
        """,
    "text": """
        with SummaryWriter() as w:
            w.add_text('note', 'abcabcabcabc')
        """,
    "embeddings": """
        import keyword
        import torch
        meta = []
        while len(meta) < 100:
            meta = meta + keyword.kwlist # get some strings
        meta = meta[:100]
        for i, v in enumerate(meta):
            meta[i] = v + str(i)
        label_img = torch.rand(100, 3, 10, 32)
        for i in range(100):
            label_img[i] *= i / 100.0
        with SummaryWriter() as w:
            w.add_embedding(torch.randn(100, 5), metadata=meta, label_img=label_img)
        """,
    "hyperparameters": """
        with SummaryWriter() as w:
            for i in range(5):
                w.add_hparams({'lr': 0.1*i, 'bsize': i},
                              {'metric/accuracy': 10*i, 'metric/loss': 10*i})
        """,
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_programs_of_the_documentation_run(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With our import a program ends well, and every run, tag and file of torch's is there."""
    left = []
    for writer in (module("torch.utils.tensorboard").SummaryWriter, asynctb.SummaryWriter):
        folder = tmp_path / writer.__module__
        folder.mkdir()
        monkeypatch.chdir(folder)
        with warnings.catch_warnings():
            if writer is not asynctb.SummaryWriter:
                warnings.simplefilter("ignore")  # torch's way to draw a model warns of itself
            exec(textwrap.dedent(PROGRAMS[name]), {"SummaryWriter": writer})
        left.append(leavings(folder))
    theirs, ours = left
    assert ours == theirs


def leavings(folder: Path) -> tuple[list[str], list[list[Any]]]:
    """Return the files beside the event files, and the tags and steps of each event file; names tell their moment."""
    files = [path for path in folder.rglob("*") if path.is_file() and "tfevents" not in path.name]
    others = [path.relative_to(folder).parts[2:] for path in files]
    tags = [
        [(event.WhichOneof("what"), event.step, [value.tag for value in event.summary.value]) for event in events]
        for events in run_events(folder).values()
    ]
    return sorted("/".join(parts) for parts in others if parts), sorted(tags)

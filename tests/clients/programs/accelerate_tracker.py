"""Accelerate's tracker logs a configuration, numbers, texts, groups of numbers and images."""

import numpy as np
from accelerate import Accelerator
from PIL import Image

accelerator = Accelerator(cpu=True, log_with="tensorboard", project_dir="runs")
accelerator.init_trackers("project", config={"lr": 0.1, "layers": 3, "optimizer": "adam", "amsgrad": True})
for step in range(5):
    accelerator.log({"loss": 1 / (step + 1), "note": f"step {step}", "by head": {"a": step, "b": -step}}, step=step)
images = np.random.default_rng(0).random((2, 3, 8, 6))
accelerator.get_tracker("tensorboard").log_images({"images": images}, step=5)
writer = accelerator.get_tracker("tensorboard", unwrap=True)
writer.add_image("one", np.asarray(Image.new("L", (5, 4), 99)), 5, dataformats="HW")
accelerator.end_training()

"""MONAI shows images, and volumes as GIFs that it encodes itself and hands to the file writer."""

import torch
from monai.visualize import add_animated_gif, plot_2d_or_3d_image
from torch.utils.tensorboard import SummaryWriter

torch.manual_seed(0)
with SummaryWriter("runs") as writer:
    for step in range(3):
        plot_2d_or_3d_image(torch.rand(2, 1, 8, 6), step, writer, tag="flat")
        plot_2d_or_3d_image(torch.rand(2, 3, 8, 6), step, writer, max_channels=3, tag="colour")
        plot_2d_or_3d_image(torch.rand(1, 1, 4, 8, 6), step, writer, tag="volume")
        add_animated_gif(writer, "gif", torch.rand(2, 4, 8, 6), scale_factor=255, global_step=step)

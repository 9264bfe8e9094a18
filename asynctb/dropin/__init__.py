"""asynctb in the place of `torch.utils.tensorboard` and `tensorboardX`, for programs that import these by name."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from asynctb.dropin.installing import Installed

__all__ = ["install", "uninstall"]


def install() -> Installed:
    """Have `import torch.utils.tensorboard` and `import tensorboardX` give asynctb's writers from now on.

    ```python
    import asynctb

    asynctb.install()

    from tensorboardX import SummaryWriter

    with SummaryWriter("runs/exp1") as writer:
        writer.add_scalar("loss/train", 0.5, 0)
    ```

    It does not matter whether `tensorboard` and `tensorboardX` are installed, or have been imported before; of torch
    only what is there is replaced, and torch itself is not imported here. Names that a program has taken from these
    modules before keep what they were, so call it first. Forked children have it too, spawned ones do not.

    Returns:
        What `uninstall()` is asked through at the end of a `with asynctb.install():` block. Blocks may be nested: the
        end of the outermost undoes it, unless it was installed without a block as well.
    """
    from asynctb.dropin.installing import install as begin  # few programs need it

    return begin()


def uninstall() -> None:
    """Put back what `import torch.utils.tensorboard` and `import tensorboardX` gave before `install()`.

    The very modules of before are there again. Without `install()`, nothing happens.
    """
    from asynctb.dropin.installing import uninstall as end

    end()

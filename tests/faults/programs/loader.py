"""A DataLoader whose dataset logs, in each worker, through the SummaryWriter that it holds; the trainer logs too."""

import os
import sys
from typing import TYPE_CHECKING, Any

from asynctb import SummaryWriter
from tests.readback.imports import module

if TYPE_CHECKING:
    Dataset: Any = object
else:
    Dataset = module("torch.utils.data").Dataset

ITEMS = 12


class Logged(Dataset):
    """Each item that is asked for is logged by the process that makes it."""

    def __init__(self, writer: SummaryWriter) -> None:
        self.writer = writer
        self.parent = os.getpid()
        self.epoch = 0

    def __len__(self) -> int:
        return ITEMS

    def __getitem__(self, item: int) -> int:
        assert os.getpid() != self.parent
        self.writer.add_scalar(f"worker{os.getpid()}/item{item}", float(item))
        return item


if __name__ == "__main__":
    log_dir, method, epochs, persistent = sys.argv[1:]
    with SummaryWriter(log_dir) as writer:
        loader = module("torch.utils.data").DataLoader(
            Logged(writer), num_workers=2, multiprocessing_context=method, persistent_workers=persistent == "persistent"
        )
        for _ in range(int(epochs)):
            for batch in loader:
                writer.add_scalar("trainer/item", float(batch[0]))
        del loader

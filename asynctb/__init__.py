"""asynctb: the TensorBoard writer for asyncio, and a drop-in for `torch.utils.tensorboard.SummaryWriter`."""

from asynctb.dropin import install, uninstall
from asynctb.errors import AsynctbError, CorruptRecord, EncodeError, StorageError, WriterClosed, WrongLoop
from asynctb.pipeline.options import Stats
from asynctb.signals import flush_on_signal
from asynctb.sync import SummaryWriter
from asynctb.writer import AsyncSummaryWriter

__all__ = [
    "AsyncSummaryWriter",
    "AsynctbError",
    "CorruptRecord",
    "EncodeError",
    "Stats",
    "StorageError",
    "SummaryWriter",
    "WriterClosed",
    "WrongLoop",
    "__version__",
    "flush_on_signal",
    "install",
    "uninstall",
]

__version__ = "0.1.0"

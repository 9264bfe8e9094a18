"""Whether numbers are where they must be, before anything is made of them."""

from __future__ import annotations

import numpy as np

from asynctb.encode.arrays import Array
from asynctb.errors import EncodeError

__all__ = ["check_range"]


def check_range(tag: str, numbers: Array, wanted: str, low: float, high: float) -> None:
    """Raise `EncodeError` unless all numbers are from `low` to `high`; it has the first that is not. NaN is nowhere."""
    with np.errstate(invalid="ignore"):
        if not numbers.size or low <= numbers.min().item() <= numbers.max().item() <= high:
            return
    doubles = numbers.astype(np.float64)
    wrong = numbers[~((doubles >= low) & (doubles <= high))]
    raise EncodeError(tag, wanted, wrong.flat[0].item())

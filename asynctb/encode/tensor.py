"""Tensors as they are, for whoever reads the event files: no dashboard shows them."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from asynctb.encode.arrays import COMPLEX, REAL, Array, held
from asynctb.encode.drafts import draft
from asynctb.encode.pieces import payload, tensor_value
from asynctb.encode.tags import encode_tag
from asynctb.entry import Encode, Entry
from asynctb.errors import EncodeError
from asynctb.proto import summary_pb2

__all__ = ["tensor_values"]

PLUGIN = "tensor"
TENSOR = "a tensor of numbers"
LARGEST = (1 << 31) - (1 << 20)  # protobuf's limit is 2 GiB for the whole event, tag and all
AT_ONCE = 256 << 10  # bytes up to which encoding takes less than the 0.1 ms of a thread's turn


def tensor_values(tag: str, tensor: Any) -> Entry:
    """Return all elements of a tensor of real or complex numbers, its shape and its type."""
    encode_tag(tag)
    source = held(tag, tensor, TENSOR, REAL + COMPLEX)
    _check_size(tag, source.nbytes)  # before it is copied
    return draft([tag], PLUGIN, [source], partial(_prepare, tag), at_once=AT_ONCE)


def _check_size(tag: str, nbytes: int) -> None:
    if nbytes > LARGEST:
        raise EncodeError(tag, "a tensor of less than 2 GiB", f"{nbytes} bytes")


def _prepare(tag: str, array: Array) -> Encode:
    _check_size(tag, array.nbytes)
    if array.dtype.itemsize > 16:
        array = array.astype(np.complex128)  # there is no larger type in the format
    if not array.size and array.dtype.str[1:] in ("u4", "u8"):
        array = array.astype(np.int64)  # TensorBoard cannot read these where they have no elements
    return lambda: payload(tensor_value(tag, array, PLUGIN, data_class=summary_pb2.DATA_CLASS_TENSOR))

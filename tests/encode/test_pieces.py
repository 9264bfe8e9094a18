"""Payloads that are put together from pieces are what protobuf makes of the same."""

import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from asynctb.encode.pieces import Piece, field, joined, payload, tensor_value
from asynctb.encode.tensors import tensor_head, value
from asynctb.encode.wire import delimited, summary
from tests.inputs import TEXTS, holds

KINDS = ["?", "i1", "<i2", ">i4", "<u8", "<f2", "<f4", ">f8", "<c8", ">c16"]
ARRAYS: st.SearchStrategy[Any] = st.sampled_from(KINDS).flatmap(
    lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4))
)


def c_order(array: Any) -> bytes:
    """An array's elements, little-endian and in C order, by way of Python."""
    return b"".join(np.array(item, array.dtype.newbyteorder("<")).tobytes() for item in array.flat)


@holds(200)
@given(st.lists(st.binary(max_size=20) | ARRAYS, max_size=5))
def test_joined(pieces: list[Piece]) -> None:
    """Pieces make their bytes, one behind the other, whatever byte order an array has."""
    want = b"".join(piece if isinstance(piece, bytes) else c_order(piece) for piece in pieces)
    assert joined(pieces) == want
    assert type(joined(pieces)) is bytes


@holds(50)
@given(st.integers(0, 2), st.integers(-3, 3).filter(bool))
def test_joined_of_a_view(axes: int, stride: int) -> None:
    """An array that lies otherwise in memory is read in C order all the same."""
    view = np.moveaxis(np.arange(120.0).reshape(4, 5, 6), axes, 0)[::stride]
    assert joined([view]) == c_order(view)


@pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 16384])
def test_field(size: int) -> None:
    """A field of pieces is a field of their bytes."""
    half = bytes(size // 2)
    assert joined(field(b"\x22", [half, np.zeros(size - size // 2, np.uint8)])) == delimited(b"\x22", bytes(size))


@holds(200)
@given(TEXTS, ARRAYS, TEXTS)
def test_payload_of_a_tensor(tag: str, array: Any, plugin: str) -> None:
    """A tensor's value has the bytes of that which is made of messages in messages."""
    pieces = tensor_value(tag, array, plugin, b"content", summary_description="why")
    assert payload(pieces) == summary(
        value(tag, tensor_head(array) + c_order(array), plugin, b"content", summary_description="why")
    )


def test_gil_is_let_go() -> None:
    """While a large payload is made, another thread runs: it is never kept waiting for most of that time."""
    array = np.zeros((1 << 10, 1 << 13)).T  # 64 MiB, laid out so that it takes a while
    # Who holds the GIL does so each time; that a thread has to wait for a busy machine happens now and then.
    assert any(runs_beside(lambda: payload(tensor_value("t", array, "tensor"))) for _ in range(5))


def runs_beside(work: Callable[[], object]) -> bool:
    """Tell whether another thread ran again and again while this one worked, and never waited for half of the time."""
    done, waits, begin = threading.Event(), [0.0], time.perf_counter()

    def watch() -> None:
        last = time.perf_counter()
        while not done.is_set():
            time.sleep(0.001)
            now = time.perf_counter()
            waits.append(now - last)
            last = now

    watcher = threading.Thread(target=watch)
    watcher.start()
    work()
    done.set()
    watcher.join()
    took = time.perf_counter() - begin
    return len(waits) > 5 and max(waits) < max(took / 2, 0.02)

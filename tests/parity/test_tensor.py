"""Tensors have torch's type and shape, and are readable where torch's are not."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest

from tests.parity.both import ours, theirs
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)

torch = module("torch")
SHAPES = [(), (1,), (5,), (2, 3), (2, 0, 3), (0,), (2, 1, 3, 2)]
FLOATS = ["float32", "float64"]
# Of these torch makes what TensorBoard cannot read: 16 bits in 32, and bytes in a field of other types.
UNREADABLE = ["float16", "bfloat16", "uint8"]
READABLE = ["int8", "int16", "int32", "int64", "bool", "complex64", "complex128"]
NEW = ["float8_e4m3fn", "float8_e5m2", "uint16", "uint32", "uint64"]


def a_tensor(kind: str, shape: tuple[int, ...]) -> Any:
    numbers = torch.arange(int(np.prod(shape)), dtype=torch.float64).reshape(shape) - 2
    return (numbers.abs() if kind.startswith("u") else numbers).to(getattr(torch, kind))


def read(event: Any) -> Any:
    return module("tensorboard.util.tensor_util").make_ndarray(event.summary.value[0].tensor)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", FLOATS)
def test_same_floats(kind: str, shape: tuple[int, ...]) -> None:
    """Single and double precision make torch's event, but for the data class by which TensorBoard lists it."""
    tensor = a_tensor(kind, shape)
    event = ours("add_tensor", "t", tensor)
    assert (
        event.summary.value[0].metadata.data_class == module("tensorboard.compat.proto.summary_pb2").DATA_CLASS_TENSOR
    )
    event.summary.value[0].metadata.ClearField("data_class")
    assert event == theirs("add_tensor", "t", tensor)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("kind", READABLE + UNREADABLE)
def test_same_type_and_shape(kind: str, shape: tuple[int, ...]) -> None:
    """Other types have torch's type and shape, and the same elements; bfloat16 is widened."""
    tensor = a_tensor(kind, shape)
    event, other = ours("add_tensor", "t", tensor), theirs("add_tensor", "t", tensor)
    mine, torchs = event.summary.value[0].tensor, other.summary.value[0].tensor
    assert mine.tensor_shape == torchs.tensor_shape
    assert mine.dtype == (torchs.dtype if kind != "bfloat16" else module("tensorboard.compat.proto.types_pb2").DT_FLOAT)
    np.testing.assert_array_equal(read(event), (tensor.float() if kind == "bfloat16" else tensor).numpy())
    if kind in READABLE:
        np.testing.assert_array_equal(read(event), read(other))
    elif tensor.numel():
        with pytest.raises((OverflowError, ValueError)):
            read(other)


@pytest.mark.parametrize("kind", NEW)
def test_more_types(kind: str) -> None:
    """Types that torch refuses are stored; float8 is widened."""
    tensor = a_tensor(kind, (2, 3))
    with pytest.raises(ValueError, match="unsupported"):
        theirs("add_tensor", "t", tensor)
    want = tensor.float() if kind.startswith("float8") else tensor
    np.testing.assert_array_equal(read(ours("add_tensor", "t", tensor)), want.numpy())


def test_other_tensors() -> None:
    """Arrays, lists, sparse tensors and those with gradient are tensors too."""
    sparse = torch.eye(3).to_sparse()
    np.testing.assert_array_equal(read(ours("add_tensor", "t", sparse)), np.eye(3))
    np.testing.assert_array_equal(read(ours("add_tensor", "t", torch.ones(2, requires_grad=True))), [1, 1])
    for array in (np.ones(2), [1.0, 1.0]):
        with pytest.raises(AttributeError):
            theirs("add_tensor", "t", array)
        np.testing.assert_array_equal(read(ours("add_tensor", "t", array)), [1, 1])


def test_meta() -> None:
    """A tensor without elements of its own is refused."""
    with pytest.raises(ValueError, match="meta"):
        ours("add_tensor", "t", torch.zeros(3, device="meta"))

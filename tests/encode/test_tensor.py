"""A tensor comes back as it went in: its elements, its shape, its type."""

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from asynctb.encode.tensor import AT_ONCE, tensor_values
from asynctb.entry import Draft, Record
from asynctb.errors import EncodeError
from asynctb.proto import summary_pb2
from tests.encode.values import value
from tests.inputs import TEXTS, holds, named
from tests.readback.imports import module

KINDS = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]
SHAPES = npst.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4)


def read(entry: object) -> Any:
    """What TensorBoard's own function makes of the tensor."""
    proto = module("tensorboard.compat.proto.tensor_pb2").TensorProto
    wire = value(entry).tensor.SerializeToString()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # what it does to numpy's arrays is not ours
        return module("tensorboard.util.tensor_util").make_ndarray(proto.FromString(wire))


@holds(500)
@given(st.sampled_from(KINDS), st.sampled_from("<>"), SHAPES, st.data())
def test_reads_back(kind: str, order: str, shape: tuple[int, ...], data: st.DataObject) -> None:
    """TensorBoard reads back every type and shape, empty ones and scalars included, in whatever byte order it was."""
    array = data.draw(npst.arrays(order + kind, shape))
    got = read(tensor_values("t", array))
    assert got.shape == shape
    np.testing.assert_array_equal(got, array)
    assert got.dtype == (np.dtype(kind) if array.size or kind not in ("u4", "u8") else np.int64)


@pytest.mark.parametrize(
    "value", [True, 3, 0.5, [1, 2], [[0.5], [1]], [1j, 2], 1j, (3,), [np.ones(2), np.zeros(2)]], ids=repr
)
def test_reads_back_from_lists(value: Any) -> None:
    """Python's numbers and nested lists are tensors too."""
    got = read(tensor_values("t", value))
    np.testing.assert_array_equal(got, np.asarray(value))
    assert got.shape == np.asarray(value).shape


def test_view_is_read_in_its_order() -> None:
    """A view that lies otherwise in memory is stored as it is indexed."""
    array = np.arange(24.0).reshape(2, 3, 4).transpose(2, 0, 1)[::-2]
    np.testing.assert_array_equal(read(tensor_values("t", array)), array)


def test_wide_types() -> None:
    """What is wider than the format's types is stored in the widest."""
    np.testing.assert_array_equal(read(tensor_values("t", np.ones(3, np.longdouble) / 2)), np.full(3, 0.5))
    np.testing.assert_array_equal(read(tensor_values("t", np.ones(3, np.clongdouble) * 1j)), np.full(3, 1j))


@holds()
@given(TEXTS)
def test_entry(tag: str) -> None:
    """It is listed as a tensor, under its tag."""
    entry = tensor_values(tag, [1.0])
    assert isinstance(entry, Record)
    assert (entry.tags, entry.plugin, entry.media) == ((tag,), "tensor", True)
    metadata = value(entry).metadata
    assert value(entry).tag == tag
    assert metadata.plugin_data.plugin_name == "tensor"
    assert metadata.data_class == summary_pb2.DATA_CLASS_TENSOR


@pytest.mark.parametrize(
    "nothing", [None, "words", {}, [[1], [1, 2]], object(), np.zeros(2, "M8[s]"), ["a"]], ids=named
)
def test_no_tensor(nothing: Any) -> None:
    """What is no array of numbers is refused."""
    with pytest.raises(EncodeError) as raised:
        tensor_values("t", nothing)
    assert (raised.value.tag, raised.value.wanted) == ("t", "a tensor of numbers")


def test_too_large() -> None:
    """2 GiB are refused before anything is copied, and a little less is let through."""
    with pytest.raises(EncodeError, match="less than 2 GiB, got '2147483648 bytes'"):
        tensor_values("t", np.broadcast_to(np.zeros(()), (1 << 28,)))
    most = tensor_values("t", np.broadcast_to(np.zeros((), np.uint8), ((1 << 31) - (1 << 20),)))
    assert isinstance(most, Draft)


def test_large_one_is_taken_first() -> None:
    """A large tensor is made of the copy that is taken, whatever its owner does with it afterwards."""
    array = np.arange(AT_ONCE // 8 + 1)
    draft = tensor_values("t", array)
    assert isinstance(draft, Draft)
    assert (draft.tags, draft.plugin, draft.size) == (("t",), "tensor", array.nbytes)
    encode = draft.take()
    array[:] = 0
    np.testing.assert_array_equal(read(Record(("t",), encode(), "tensor")), np.arange(AT_ONCE // 8 + 1))

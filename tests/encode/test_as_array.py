"""Arrays of whatever library become numpy's, and what is no array of real numbers is refused by name."""

import math
import warnings
from decimal import Decimal
from fractions import Fraction
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst
from PIL import Image

from asynctb.encode.arrays import COMPLEX, COSTLY, NUMBERS, REAL, as_array, held, snapshot
from asynctb.errors import EncodeError
from tests.inputs import holds, named
from tests.readback.imports import module

ARRAYS = st.sampled_from(["f2", "f4", "f8", "i1", "i4", "i8", "u1", "u8", "b1", ">f4", ">i2"]).flatmap(
    lambda kind: nst.arrays(kind, nst.array_shapes(min_dims=0, min_side=0, max_side=4))
)


class Sub(np.ndarray[Any, Any]):
    """An array of somebody's own kind, as numpy's matrix is."""


class Interface:
    """What only `__array__` gives its numbers away by."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        return self.array if dtype is None else self.array.astype(dtype)


class Capsule:
    """What only `__dlpack__` gives its numbers away by."""

    def __init__(self, array: Any) -> None:
        self.array = array

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class Raises:
    """What raises when it is looked at."""

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise RuntimeError("out of luck")


def same(array: Any, expected: Any) -> None:
    """Assert that shape, kind and values are equal, NaN to NaN."""
    assert array.shape == expected.shape
    assert array.dtype.kind == expected.dtype.kind
    np.testing.assert_array_equal(array, expected)


@holds()
@given(ARRAYS)
def test_arrays_stay_what_they_are(array: np.ndarray[Any, Any]) -> None:
    """numpy's arrays come without a copy, and through `__array__` alike."""
    assert as_array("t", array) is array
    same(as_array("t", Interface(array)), array)
    same(as_array("t", array.tolist()), np.asarray(array.tolist()))


@holds()
@given(ARRAYS)
def test_a_snapshot_is_a_copy_of_its_own(array: np.ndarray[Any, Any]) -> None:
    """What is taken shares no memory with what was passed, whichever way it came."""
    for value in (array, Interface(array), array[...], array.T):
        taken = snapshot(held("t", value))
        assert not np.shares_memory(taken, array)
        same(taken, np.asarray(value))


def test_capsules_are_read() -> None:
    """What speaks DLPack alone is an array too."""
    same(as_array("t", Capsule(np.arange(3.0))), np.arange(3.0))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, np.array(3)),
        (2.5, np.array(2.5)),
        (True, np.array(True)),
        ([], np.zeros(0)),
        ((1, 2), np.array([1, 2])),
        ([[1, 2], [3.5, 4]], np.array([[1, 2], [3.5, 4]])),
        ([np.arange(2), np.arange(2)], np.array([[0, 1], [0, 1]])),
        ([10**30, 1], np.array([1e30, 1])),
        ([Decimal("0.5"), Fraction(1, 4)], np.array([0.5, 0.25])),
        (range(3), np.arange(3)),
        (np.float32(1.5), np.array(1.5, "f4")),
        (np.ma.array([1.5, 2], mask=[False, True]), np.array([1.5, math.nan])),
        (np.ma.array([1, 2], mask=[False, False]), np.array([1, 2])),
        (np.array([[1, 2]]).view(Sub), np.array([[1, 2]])),
        ([[1, np.float64(2)]], np.array([[1.0, 2.0]])),
        (np.ma.array([1.5], mask=[False]), np.array([1.5])),
        (np.array([1.5], np.longdouble), np.array([1.5])),
        (Image.new("L", (3, 2), 7), np.full((2, 3), 7, np.uint8)),
        (Image.new("RGB", (3, 2)), np.zeros((2, 3, 3), np.uint8)),
        (memoryview(b"ab"), np.array([97, 98], np.uint8)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_is_an_array(value: Any, expected: Any) -> None:
    """Numbers, lists, masked arrays, pictures and buffers are arrays; what is masked is NaN."""
    same(as_array("t", value), expected)
    same(snapshot(held("t", value)), expected)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [None, 1],
        "text",
        b"bytes",
        ["a", "b"],
        {},
        {1, 2},
        object(),
        Raises(),
        [[1, 2], [3]],
        [np.zeros(2), np.zeros(3)],
        [1j],
        np.array([1j]),
        np.array(["2020"], "M8"),
        np.array([(1, 2)], [("a", "i4"), ("b", "i4")]),
        (number for number in (1, 2)),
    ],
    ids=named,
)
def test_what_is_no_array(value: Any) -> None:
    """The error names the tag, what was wanted and what came, whatever the value itself would have raised."""
    with pytest.raises(EncodeError) as caught:
        snapshot(held("t", value))
    assert (caught.value.tag, caught.value.wanted) == ("t", NUMBERS)


def test_complex_numbers_are_wanted_by_some() -> None:
    """They come through where they are asked for only, be they in a list or in a list of arrays."""
    for value in (np.array([1j]), [1j], [np.array(1j)]):
        same(as_array("t", value, kinds=REAL + COMPLEX), np.array([1j]))
    same(snapshot(held("t", [np.array([1j])], kinds=REAL + COMPLEX)), np.array([[1j]]))


def test_masked_integers_are_refused() -> None:
    """No integer stands for a missing one, and as floats they would count from 0 to 1 in an image."""
    with pytest.raises(EncodeError, match="masked among integers has no value"):
        as_array("t", np.ma.array([1, 2], mask=[False, True]))


class Foreign:
    """A tensor of a kind that has to be converted."""

    nbytes, layout, device = COSTLY + 1, "torch.strided", None

    def __init__(self, **traits: Any) -> None:
        self.__dict__.update(traits)

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        pytest.fail("it was read")


@pytest.mark.parametrize(
    ("traits", "far"),
    [
        ({}, False),
        ({"dtype": "torch.bfloat16"}, True),
        ({"dtype": "torch.float8_e5m2"}, True),
        ({"dtype": "object"}, True),
        ({"layout": "torch.sparse_coo"}, True),
        ({"dtype": "torch.bfloat16", "nbytes": COSTLY}, False),
    ],
    ids=str,
)
def test_what_costs_more_than_a_copy_is_far(traits: dict[str, Any], far: bool) -> None:
    """What has to be converted is not for the event loop, unless it is small; nothing is read to find out."""
    assert held("t", Foreign(**traits)).far is far
    listed = held("t", [Foreign(**traits, shape=(1,)), Foreign(shape=(1,))])
    assert (listed.far, listed.nbytes) == (far, Foreign(**traits).nbytes + Foreign.nbytes)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (np.zeros((3, 5), np.float32), 60),
        ([1, 2, 3], 24),
        (Image.new("RGB", (10, 10)), 400),
        (Interface(np.zeros(3)), 0),
    ],
    ids=lambda value: type(value).__name__,
)
def test_sizes_are_known_beforehand(value: Any, size: int) -> None:
    """How much memory a copy takes is told without making one, where the value tells."""
    source = held("t", value)
    assert (source.nbytes, source.far) == (size, False)


def test_lists_are_read_at_once() -> None:
    """What was in a list when it was passed is what is taken."""
    given_list = [1.0, 2.0]
    source = held("t", given_list)
    given_list[0] = 9.0
    same(snapshot(source), np.array([1.0, 2.0]))


needs_torch = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")


@needs_torch
def test_tensors_of_every_kind() -> None:
    """With or without gradient, strided anyhow, sparse, quantised, negated by a flag, of types that numpy lacks."""
    torch = module("torch")
    base = torch.linspace(-2, 2, 6).reshape(2, 3)
    for tensor in (base, base.clone().requires_grad_(), base.T, base[:, ::2], torch.nn.Parameter(base)):
        same(snapshot(held("t", tensor)), tensor.detach().numpy())
    for kind in (torch.bfloat16, torch.float8_e4m3fn, torch.float8_e5m2):
        same(snapshot(held("t", base.to(kind))), base.to(kind).float().numpy())
    same(snapshot(held("t", base.to_sparse())), base.numpy())
    same(snapshot(held("t", [[base[0].requires_grad_()[0]], [base[0][1]]])), base.detach().numpy()[0, :2, None])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about this type
        half = torch.ones(2, dtype=torch.complex32) * 1j
    same(snapshot(held("t", half, kinds=REAL + COMPLEX)), np.array([1j, 1j], np.complex64))
    with pytest.raises(EncodeError):
        as_array("t", half)
    same(snapshot(held("t", torch.view_as_complex(base.reshape(3, 2)).conj().imag)), -base.reshape(3, 2)[:, 1].numpy())
    same(snapshot(held("t", [base.requires_grad_()[0, 0], base[0, 1]])), base.detach().numpy()[0, :2])


@needs_torch
def test_tensors_without_data_are_refused() -> None:
    """A tensor on the meta device has a shape and no numbers."""
    with pytest.raises(EncodeError, match="meta device has none"):
        as_array("t", module("torch").empty(2, device="meta"))


@needs_torch
def test_tensors_on_a_device_are_far() -> None:
    """What may have to wait for a device says so, and tells its size all the same."""

    class Device:
        type = "cuda"

    class Tensor:
        device = Device()
        nbytes = 12

    source = held("t", Tensor())
    assert (source.far, source.nbytes) == (True, 12)
    assert not held("t", module("torch").zeros(3)).far

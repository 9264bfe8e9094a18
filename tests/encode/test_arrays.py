"""Whatever holds one real number is that number, exactly; everything else is refused with its tag, and never noise."""

import datetime
import enum
import math
import warnings
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.arrays import as_number, as_step, as_wall_time, is_meta
from asynctb.errors import EncodeError
from tests.inputs import DOUBLES, INT64_MAX, INT64_MIN, STEPS, bits, holds

TAG = "loss/train"
NUMERIC = np.typecodes["AllInteger"] + np.typecodes["AllFloat"].replace("F", "").replace("D", "").replace("G", "") + "?"
COMPLEX = "FDG"


class Held:
    """One number behind one protocol of somebody's own library."""

    def __init__(self, array: Any) -> None:
        self.array = np.asarray(array)


class WithArray(Held):
    """As most libraries' arrays."""

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Any:
        return self.array if dtype is None else self.array.astype(dtype)


class WithDlpack(Held):
    """As cupy's or jax's arrays, on a device that numpy can read."""

    def __dlpack__(self, **options: Any) -> Any:
        return self.array.__dlpack__(**options)

    def __dlpack_device__(self) -> Any:
        return self.array.__dlpack_device__()


class WithItem(Held):
    """As a tensor."""

    def item(self) -> Any:
        return self.array.item()


class WithFloat(Held):
    """As a symbolic number."""

    def __float__(self) -> float:
        return float(self.array)


class Color(enum.IntEnum):
    RED = 3


class Failing:
    """An array whose library raises what it likes."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def item(self) -> Any:
        raise self.error


def refused(convert: Callable[[str, Any], object], value: Any) -> EncodeError:
    """Return the error that a value is refused with, which must say all: the tag, what was wanted, what came."""
    with pytest.raises(EncodeError) as caught:
        convert(TAG, value)
    error = caught.value
    assert error.tag == TAG
    assert error.got is value
    assert error.wanted
    assert TAG in str(error)
    assert f"({type(error.got).__name__})" in str(error)
    return error


# Numbers

VALUES: dict[str, tuple[Any, float]] = {
    "int": (3, 3.0),
    "float": (0.1, 0.1),
    "True": (True, 1.0),
    "False": (False, 0.0),
    "infinity": (-math.inf, -math.inf),
    "an integer beyond 2**53": ((1 << 62) + 1, float((1 << 62) + 1)),
    "10**308": (10**308, 1e308),
    "an enum": (Color.RED, 3.0),
    "Decimal": (Decimal("0.1"), 0.1),
    "Fraction": (Fraction(1, 3), 1 / 3),
    "text": ("1.5", 1.5),
    "text with spaces": (" -1e3\n", -1000.0),
    "text of infinity": ("-inf", -math.inf),
    "bytes": (b"1.5", 1.5),
    "numpy text": (np.str_("1.5"), 1.5),
    "numpy bytes": (np.bytes_(b"1.5"), 1.5),
    "a list": ([1.5], 1.5),
    "a tuple": ((2,), 2.0),
    "a nested list": ([[[1.5]]], 1.5),
    "an object array": (np.array([Decimal("1.5")], object), 1.5),
    "an object array of text": (np.array("1.5", object), 1.5),
    "a masked array": (np.ma.array([1.5]), 1.5),
    "a read-only view": (np.broadcast_to(np.float32(1.5), (1, 1)), 1.5),
    "another byte order": (np.array([1.5], ">f8"), 1.5),
    "__array__": (WithArray([1.5]), 1.5),
    "__array__, 0-d": (WithArray(1.5), 1.5),
    "__dlpack__": (WithDlpack([1.5]), 1.5),
    "__dlpack__, (1, 1)": (WithDlpack([[1.5]]), 1.5),
    "item": (WithItem([1.5]), 1.5),
    "__float__": (WithFloat(1.5), 1.5),
}


@pytest.mark.parametrize(("value", "number"), VALUES.values(), ids=VALUES)
def test_one_number_is_taken(value: Any, number: float) -> None:
    """Whatever holds one real number is taken as that number, as a plain float."""
    taken = as_number(TAG, value)
    assert type(taken) is float
    assert bits(taken) == bits(number)


@holds()
@given(DOUBLES)
def test_floats_are_taken_exactly(value: float) -> None:
    """A float, Python's or numpy's or in an array, is taken with all of its bits."""
    for same in (value, np.float64(value), np.array(value), np.array([[value]]), WithArray(value), WithDlpack([value])):
        assert bits(as_number(TAG, same)) == bits(value)


@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (1, 1, 1)], ids=str)
@pytest.mark.parametrize("code", NUMERIC)
def test_every_numpy_type_is_taken(code: str, shape: tuple[int, ...]) -> None:
    """Every real type of numpy's is taken, as a scalar and as an array of one element in any number of dimensions."""
    dtype = np.dtype(code)
    limits = np.iinfo(dtype) if dtype.kind in "iu" else None
    for value in (0, 1) if limits is None else (0, 1, limits.min, limits.max):
        assert as_number(TAG, np.full(shape, value, dtype)) == float(value)
        assert as_number(TAG, dtype.type(value)) == float(value)


@pytest.mark.parametrize(
    "value", [math.nan, np.float16("nan"), Decimal("NaN"), "nan", [math.nan], np.array([[np.nan]])]
)
def test_nan_is_a_number(value: Any) -> None:
    """NaN is logged like any number, from whatever it comes."""
    assert math.isnan(as_number(TAG, value))


@pytest.mark.parametrize("value", [np.ma.masked, np.ma.array([1.5], mask=[True]), np.ma.array(7, mask=True)])
def test_a_masked_number_is_nan(value: Any) -> None:
    """A number that numpy holds to be missing is NaN, and not what happens to stand below its mask."""
    assert math.isnan(as_number(TAG, value))
    with pytest.raises(EncodeError):
        as_wall_time(TAG, value)


REFUSED: dict[str, Any] = {
    "None": None,
    "a dict": {"loss": 1},
    "a set": {1},
    "no number": "abc",
    "an empty text": "",
    "no number in bytes": b"abc",
    "a bytearray": bytearray(b"1"),
    "an object": object(),
    "a class": float,
    "a function": len,
    "a module": math,
    "complex": 1j,
    "a complex list": [1j],
    "10**400": 10**400,
    "-10**400": -(10**400),
    "10**400 in a list": [10**400],
    "an integer that has no text": 10**5000,
    "a signalling NaN": Decimal("sNaN"),
    "an empty list": [],
    "an empty tuple": (),
    "several": [1, 2],
    "a ragged list": [1, [2, 3]],
    "a list of None": [None],
    "a list of dicts": [{}],
    "an empty array": np.zeros(0),
    "an empty 2-d array": np.zeros((1, 0)),
    "two elements": np.zeros(2),
    "an object array of None": np.array(None),
    "an object array of complex": np.array([1j], object),
    "__array__ of two": WithArray([1, 2]),
    "__array__ of complex": WithArray([1j]),
    "__dlpack__ of two": WithDlpack([1, 2]),
    "item of None": WithItem(None),
    "a date": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "a duration": datetime.timedelta(1),
    "a structured scalar": np.zeros((), "i4,i4")[()],
    "a library's error": Failing(RuntimeError("CUDA error")),
    "a library's refusal": Failing(NotImplementedError()),
}
EACH_REFUSED = pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED)


@EACH_REFUSED
def test_what_is_not_one_real_number_is_refused(value: Any) -> None:
    """What is not exactly one real number is refused, and the error names the tag, what was wanted and what came."""
    assert "one real number" in refused(as_number, value).wanted


@pytest.mark.parametrize("code", COMPLEX)
@pytest.mark.parametrize("shape", [(), (1,)], ids=str)
def test_complex_is_refused_even_without_an_imaginary_part(code: str, shape: tuple[int, ...]) -> None:
    """A complex number is refused, as scalar and in an array, though its imaginary part be zero."""
    refused(as_number, np.ones(shape, code))
    refused(as_number, np.dtype(code).type(1))


@pytest.mark.parametrize("unit", ["Y", "D", "s", "ms", "us", "ns"])
@pytest.mark.parametrize("kind", [np.datetime64, np.timedelta64])
@pytest.mark.parametrize("convert", [as_number, as_step, as_wall_time])
def test_numpys_times_are_refused_in_every_unit(convert: Callable[[str, Any], object], kind: type, unit: str) -> None:
    """A time of numpy's is no number in any unit: in nanoseconds it would be a billion times too large a wall time."""
    time = kind(5, unit)
    for value in (time, np.array(time), np.array([time]), WithArray(time)):
        refused(convert, value)


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit()])
@pytest.mark.parametrize("convert", [as_number, as_step, as_wall_time])
def test_the_end_of_the_program_is_no_bad_value(convert: Callable[[str, Any], object], error: BaseException) -> None:
    """An interrupt while a value is read ends the program, and is not taken for the value's fault."""
    with pytest.raises(type(error)):
        convert(TAG, Failing(error))


def test_the_librarys_own_error_is_kept() -> None:
    """Behind a refusal stands the error of the value's own library."""
    cause = RuntimeError("CUDA error")
    assert refused(as_number, Failing(cause)).__cause__ is cause


# Torch


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    torch: ModuleType = pytest.importorskip("torch", reason="torch is not installed")
    return torch


TENSORS: dict[str, tuple[Callable[[Any], Any], float]] = {
    "0-d": (lambda torch: torch.tensor(1.5), 1.5),
    "(1,)": (lambda torch: torch.tensor([1.5]), 1.5),
    "(1, 1)": (lambda torch: torch.tensor([[1.5]]), 1.5),
    "float64": (lambda torch: torch.tensor(0.1, dtype=torch.float64), 0.1),
    "bool": (lambda torch: torch.tensor(True), 1.0),
    "int64": (lambda torch: torch.tensor(INT64_MAX), float(INT64_MAX)),
    "uint8": (lambda torch: torch.tensor([255], dtype=torch.uint8), 255.0),
    "with a gradient": (lambda torch: torch.tensor([1.5], requires_grad=True), 1.5),
    "in a graph": (lambda torch: torch.tensor([1.5], requires_grad=True) * 2, 3.0),
    "Parameter": (lambda torch: torch.nn.Parameter(torch.tensor([1.5])), 1.5),
    "half": (lambda torch: torch.tensor(1.5).half(), 1.5),
    "bfloat16": (lambda torch: torch.tensor(1.5).bfloat16(), 1.5),
    "fp8 e4m3": (lambda torch: torch.tensor([1.5]).to(torch.float8_e4m3fn), 1.5),
    "fp8 e5m2": (lambda torch: torch.tensor([-1.5]).to(torch.float8_e5m2), -1.5),
    "negative view": (lambda torch: torch.tensor([1.5j]).conj().imag, -1.5),
    "expanded": (lambda torch: torch.tensor(1.5).expand(1, 1), 1.5),
    "sparse": (lambda torch: torch.sparse_coo_tensor([[0]], [1.5], (1,), check_invariants=True), 1.5),
    "quantized": (lambda torch: torch.quantize_per_tensor(torch.tensor([1.5]), 0.5, 0, torch.qint8), 1.5),
    "in inference mode": (lambda torch: torch.inference_mode()(lambda: torch.tensor([1.5]))(), 1.5),
}


@pytest.mark.parametrize(("make", "number"), TENSORS.values(), ids=TENSORS)
@pytest.mark.parametrize("convert", [as_number, as_wall_time])
def test_one_tensor_is_taken(
    torch: ModuleType, convert: Callable[[str, Any], float], make: Callable[[Any], Any], number: float
) -> None:
    """A tensor of one element is taken in every type and layout, with or without gradient, and without a warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's own, about its younger types
        tensor = make(torch)
    assert convert(TAG, tensor) == number


def test_a_large_bfloat16_is_not_infinite(torch: ModuleType) -> None:
    """A bfloat16 beyond float16's range stays what it is, where torch makes it infinite."""
    value = torch.tensor(1e30, dtype=torch.bfloat16)
    assert as_number(TAG, value) == value.double().item()
    assert math.isclose(as_number(TAG, value), 1e30, rel_tol=1e-2)


TENSORS_REFUSED: dict[str, Callable[[Any], Any]] = {
    "meta": lambda torch: torch.empty(1, device="meta"),
    "meta, 0-d": lambda torch: torch.empty((), device="meta"),
    "empty": lambda torch: torch.zeros(0),
    "two elements": lambda torch: torch.zeros(2),
    "complex": lambda torch: torch.tensor(1j),
    "complex without an imaginary part": lambda torch: torch.tensor([1 + 0j]),
    "a conjugate view": lambda torch: torch.tensor([1j]).conj(),
    "sparse, two elements": lambda torch: torch.sparse_coo_tensor([[0]], [1.5], (2,), check_invariants=True),
    "a list of a meta tensor": lambda torch: [torch.empty(1, device="meta")],
    "a list of two": lambda torch: [torch.tensor(1.0), torch.tensor(2.0)],
    "a module": lambda torch: torch.nn.Identity(),
    "torch itself": lambda torch: torch,
}


@pytest.mark.parametrize("make", TENSORS_REFUSED.values(), ids=TENSORS_REFUSED)
@pytest.mark.parametrize("convert", [as_number, as_step, as_wall_time])
def test_tensors_without_one_real_number_are_refused(
    torch: ModuleType, convert: Callable[[str, Any], object], make: Callable[[Any], Any]
) -> None:
    """A tensor without exactly one real number is refused; of a meta tensor torch would log noise."""
    value = make(torch)
    with pytest.raises(EncodeError, match=TAG) as caught:
        convert(TAG, value)
    assert caught.value.got is value


def test_a_meta_tensor_is_refused_by_what_it_is(torch: ModuleType) -> None:
    """The refusal of a meta tensor says that it has no data, which its shape does not tell."""
    assert "meta device" in refused(as_number, torch.empty((), device="meta")).wanted


def test_meta_is_known_by_its_device(torch: ModuleType) -> None:
    """A meta tensor is told from one with data, and from what has a device of another kind."""
    assert is_meta(torch.empty(2, device="meta"))
    assert not any(map(is_meta, (torch.empty(2), np.zeros(2), None, 5)))


# Steps

STEP_VALUES: dict[str, tuple[Any, int | None]] = {
    "None": (None, None),
    "an int": (7, 7),
    "the least": (INT64_MIN, INT64_MIN),
    "the largest": (INT64_MAX, INT64_MAX),
    "True": (True, 1),
    "an enum": (Color.RED, 3),
    "a float": (1.9, 1),
    "a negative float": (-1.9, -1),
    "1e18": (1e18, 10**18),
    "text": ("12", 12),
    "bytes": (b"12", 12),
    "Decimal": (Decimal("3.7"), 3),
    "Fraction": (Fraction(7, 2), 3),
    "numpy int": (np.int64(5), 5),
    "numpy uint8": (np.uint8(255), 255),
    "numpy float": (np.float32(1.9), 1),
    "numpy bool": (np.True_, 1),
    "numpy text": (np.str_("12"), 12),
    "0-d array": (np.array(5), 5),
    "(1,) array": (np.array([5]), 5),
    "(1, 1) array": (np.array([[5.9]]), 5),
    "item": (WithItem(5), 5),
}


@pytest.mark.parametrize(("value", "step"), STEP_VALUES.values(), ids=STEP_VALUES)
def test_a_step_is_taken_like_int(value: Any, step: int | None) -> None:
    """A step is what `int()` makes of it, also of an array of one element, and a plain int."""
    taken = as_step(TAG, value)
    assert (taken, type(taken)) == (step, type(step))


@holds()
@given(STEPS)
def test_every_int64_is_a_step(step: int) -> None:
    """Any int64 is taken as it is, from Python, numpy and text alike."""
    assert as_step(TAG, step) == as_step(TAG, np.int64(step)) == as_step(TAG, str(step)) == step


@holds()
@given(st.integers(min_value=INT64_MAX + 1) | st.integers(max_value=INT64_MIN - 1))
def test_what_64_bits_cannot_hold_is_refused(step: int) -> None:
    """A step beyond int64 is refused, whatever it comes as."""
    assert "int64" in refused(as_step, step).wanted
    with pytest.raises(EncodeError, match="int64"):
        as_step(TAG, str(step))


STEPS_REFUSED = {
    "NaN": math.nan,
    "infinity": math.inf,
    "text of infinity": "inf",
    "numpy NaN": np.float32("nan"),
    "no number": "abc",
    "a number with a fraction in text": "1.5",
    "a list": [5],
    "a dict": {},
    "complex": 1j,
    "an object": object(),
    "several": np.zeros(2),
    "an empty array": np.zeros(0),
    "an array of None": np.array(None),
    "a date": datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC),
    "an integer that has no text": 10**5000,
    "a library's error": Failing(RuntimeError("CUDA error")),
}


@pytest.mark.parametrize("value", STEPS_REFUSED.values(), ids=STEPS_REFUSED)
def test_what_is_no_step_is_refused(value: Any) -> None:
    """What is no integer after truncation is refused, and the error names the tag, what was wanted and what came."""
    assert "a global step" in refused(as_step, value).wanted


@pytest.mark.parametrize("step", [7, 7.9, [7], [[7]]])
def test_a_step_may_be_a_tensor(torch: ModuleType, step: Any) -> None:
    """A step may be a tensor of one element."""
    assert as_step(TAG, torch.tensor(step)) == 7


# Wall times


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (0, 0.0),
        (-5, -5.0),
        (1.7e9, 1.7e9),
        (4_000_000_000, 4e9),
        (True, 1.0),
        (np.float32(1.5), 1.5),
        (np.int64(7), 7.0),
        (np.array([1.5]), 1.5),
        (Decimal("1.5"), 1.5),
        (Fraction(3, 2), 1.5),
    ],
)
def test_a_wall_time_is_a_finite_number(value: Any, seconds: float) -> None:
    """Any finite real number is a wall time in seconds, before 1970 and far from now as well."""
    taken = as_wall_time(TAG, value)
    assert (taken, type(taken)) == (seconds, float)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan"), Decimal("NaN"), [math.inf]])
def test_a_wall_time_that_ends_the_file_is_refused(value: Any) -> None:
    """NaN ends the file in TensorBoard's default reader and infinities lose the event: neither is a wall time."""
    with pytest.raises(EncodeError, match=TAG) as caught:
        as_wall_time(TAG, value)
    assert "finite" in caught.value.wanted


@pytest.mark.parametrize("value", ["1.5", b"1.5", "now", np.str_("1.5")])
def test_text_is_no_wall_time(value: Any) -> None:
    """Text is refused as a wall time, even if it is a number, as torch refuses it."""
    refused(as_wall_time, value)


@EACH_REFUSED
def test_what_is_no_number_is_no_wall_time(value: Any) -> None:
    """What is no number is no wall time either."""
    refused(as_wall_time, value)

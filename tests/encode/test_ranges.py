"""Numbers out of their range are refused, and the first of them is named."""

import math
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from asynctb.encode.ranges import check_range
from asynctb.errors import EncodeError
from tests.inputs import holds

FINITE = sys.float_info.max

KINDS = ["?", "i1", "u8", "i8", "f2", ">f4", "f8"]
ARRAYS: st.SearchStrategy[Any] = st.sampled_from(KINDS).flatmap(
    lambda kind: npst.arrays(kind, npst.array_shapes(min_dims=0, max_dims=2, min_side=0, max_side=6))
)


@holds(400)
@given(ARRAYS, st.sampled_from([(0, 1), (0, FINITE), (-FINITE, FINITE), (0, 5), (0, -1)]))
def test_first_wrong_one_is_named(numbers: Any, bounds: tuple[float, float]) -> None:
    """It raises where Python finds a number that is not between the bounds, with the first of them."""
    low, high = bounds
    wrong = [number for number in numbers.reshape(-1).tolist() if not low <= number <= high]
    if not wrong:
        check_range("t", numbers, "this", low, high)
        return
    with pytest.raises(EncodeError) as raised:
        check_range("t", numbers, "this", low, high)
    got = raised.value.got
    assert (raised.value.tag, raised.value.wanted) == ("t", "this")
    assert got == wrong[0] or (math.isnan(wrong[0]) and math.isnan(got))  # type: ignore[arg-type]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_infinity_is_not_finite(kind: type) -> None:
    """Infinities and NaN are beyond what is finite in every type, also where a float64 rounds to infinity."""
    for number in (math.inf, -math.inf, math.nan):
        with pytest.raises(EncodeError):
            check_range("t", np.array([1, number], kind), "finite", -FINITE, FINITE)
    check_range("t", np.array([np.finfo(kind).max, np.finfo(kind).min], kind), "finite", -FINITE, FINITE)

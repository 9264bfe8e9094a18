"""What properties are tried on: all numbers, steps and texts that can reach the encoders."""

import re
import struct
from collections.abc import Callable
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

INT64_MIN, INT64_MAX = -(1 << 63), (1 << 63) - 1

# By their bits, so that each NaN is among them and not one only; and the usual troublemakers.
DOUBLES = st.one_of(
    st.binary(min_size=8, max_size=8).map(lambda bits: float(struct.unpack("<d", bits)[0])),
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e39, -1e39, 3.4028235e38, 3.4028236e38, 5e-324, 1e-40, float("inf"), float("nan")]),
)
STEPS = st.one_of(
    st.integers(INT64_MIN, INT64_MAX),
    st.integers(-1, 300),
    st.sampled_from([0, 127, 128, 16383, 16384, INT64_MIN, INT64_MAX]),
)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]))


def holds(examples: int = 100) -> Callable[[Any], Any]:
    """Try a property so many times."""
    return settings(max_examples=examples)


def bits(value: float) -> bytes:
    """Return a float's bytes: what tells -0.0 from 0.0, and one NaN from another."""
    return struct.pack("<d", value)


def named(value: Any) -> str:
    """Return what a case is called in a report: its value, without the address that differs in each process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))

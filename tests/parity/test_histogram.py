"""Histograms are torch's, but for what torch leaves out or caps wrongly."""

from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as nst

from tests.inputs import holds
from tests.parity.both import ours, theirs
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)
torch = module("torch")

INSIDE = {"min_value": -(2.0**63), "max_value": 2.0**63, "allow_nan": False, "allow_infinity": False}
FLOATS = st.sampled_from([16, 32, 64]).flatmap(
    lambda width: nst.arrays(
        f"f{width // 8}",
        nst.array_shapes(max_dims=3, max_side=12),
        elements=st.floats(-60000, 60000, width=16) if width == 16 else st.floats(width=width, **INSIDE),  # type: ignore[arg-type]
    )
)
WHOLE = st.sampled_from(["i1", "u1", "i4", "i8", "b1"]).flatmap(lambda kind: nst.arrays(kind, st.integers(1, 60)))
EVEN = [1, 2, 10, 64, "tensorflow"]
# Without outliers: torch would store as many bins as the rule asks for, up to what the memory holds.
TAME = nst.arrays("f8", st.integers(1, 60), elements=st.integers(-160, 160).map(lambda sixteenths: sixteenths / 16))
RULES = ["auto", "fd", "doane", "scott", "rice", "sturges", "sqrt"]
CASES = st.tuples(FLOATS | WHOLE, st.sampled_from(EVEN)) | st.tuples(TAME, st.sampled_from(RULES))


def proto(event: Any) -> Any:
    """Return the one histogram that was stored."""
    (value,) = event.summary.value
    return value.histo


@holds(100)
@given(CASES)
def test_histograms_are_the_same(case: tuple[np.ndarray[Any, Any], Any]) -> None:
    """Counts, limits, least and greatest are torch's; the sums are as far as float64 goes."""
    array, bins = case
    try:
        expected = proto(theirs("add_histogram", "t", array, bins=bins))
    except ValueError:
        return  # numpy finds no room for so many bins, and torch raises; ours stores what it can: see test_histogram
    histo = proto(ours("add_histogram", "t", array, bins=bins))
    for sums in ("sum", "sum_squares"):
        size = np.abs(array.astype(float)).sum() if sums == "sum" else getattr(expected, sums)
        assert abs(getattr(histo, sums) - getattr(expected, sums)) <= 1e-12 * size
        setattr(histo, sums, getattr(expected, sums))
    for end in ("min", "max"):
        for one in (histo, expected):
            setattr(one, end, getattr(one, end) + 0.0)  # which of -0.0 and 0.0 is the least is by the order of looking
    assert histo == expected


@pytest.mark.parametrize(
    "values",
    [
        torch.linspace(-2, 2, 100, requires_grad=True),
        torch.linspace(-2, 2, 100, dtype=torch.float16),
        torch.linspace(-2, 2, 64, dtype=torch.bfloat16),
        torch.arange(24).reshape(2, 3, 4).transpose(0, 2),
        torch.tensor([True, False]),
        3,
        2.5,
        np.float32(7),
    ],
    ids=str,
)
def test_values_of_all_kinds_are_the_same(values: Any) -> None:
    """Tensors of torch's types, views, and single numbers make torch's histogram."""
    assert ours("add_histogram", "t", values) == theirs("add_histogram", "t", values)


@pytest.mark.parametrize("edges", [[0, 1, 2, 5], np.linspace(-3, 3, 7)], ids=str)
def test_edges_are_the_same(edges: Any) -> None:
    """Given edges count what is between them as in torch."""
    values = np.array([0.5, 1.0, 1.5, 2.0])
    assert ours("add_histogram", "t", values, bins=edges) == theirs("add_histogram", "t", values, bins=edges)


def test_enough_bins_are_the_same() -> None:
    """A cap that is not reached changes nothing."""
    options = {"bins": 20, "max_bins": 20}
    values = np.arange(100.0)
    assert ours("add_histogram", "t", values, **options) == theirs("add_histogram", "t", values, **options)


def test_raw_is_the_same() -> None:
    """What was counted elsewhere is stored alike, from lists, arrays and tensors."""
    for lists in ([1.0, 2.0, 3.0], np.array([1.0, 2.0, 3.0]), torch.tensor([1.0, 2.0, 3.0])):
        args = ("add_histogram_raw", "t", 0.5, 2.5, 6, 9, 14.5, lists, lists)
        assert ours(*args) == theirs(*args)


# What is mended


def test_the_cap_is_one() -> None:
    """torch stores four buckets where three were asked for; ours stores no more than asked for."""
    assert len(proto(theirs("add_histogram", "t", np.arange(100.0), bins=10, max_bins=3)).bucket) == 1 + 4
    assert len(proto(ours("add_histogram", "t", np.arange(100.0), bins=10, max_bins=3)).bucket) == 1 + 3


def test_what_is_not_finite_spoils_nothing() -> None:
    """torch's least, greatest and sum become NaN, and infinities are counted nowhere; ours are of the finite values."""
    values = np.array([1.0, np.nan, 2.0])
    assert np.isnan(proto(theirs("add_histogram", "t", values)).max)
    histo = proto(ours("add_histogram", "t", values))
    assert (histo.min, histo.max, histo.num, sum(histo.bucket)) == (1, 2, 2, 2)


def test_values_beyond_the_buckets_are_counted() -> None:
    """torch leaves values beyond 1e20 out of its buckets; ours counts them in the outermost."""
    values = np.array([1.0, 1e30])
    assert sum(proto(theirs("add_histogram", "t", values)).bucket) == 1
    assert sum(proto(ours("add_histogram", "t", values)).bucket) == 2


def test_bfloat16_keeps_its_range() -> None:
    """torch goes through float16, where 1e30 is infinite; ours through float32."""
    values = torch.tensor([1e10, 2e10], dtype=torch.bfloat16)
    with pytest.raises(ValueError, match=r"histogram is empty|finite"):
        theirs("add_histogram", "t", values)
    assert proto(ours("add_histogram", "t", values)).min == pytest.approx(1e10, rel=0.01)

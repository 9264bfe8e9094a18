"""A precision-recall curve counts, at each threshold, what is right and what is wrong."""

import math
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb.encode.pr_curve import AT_ONCE, BLOCK, FEW_THRESHOLDS, MOST_THRESHOLDS, RAW, pr_curve, pr_curve_raw
from asynctb.entry import Draft, Record
from asynctb.errors import EncodeError
from asynctb.proto import plugins_pb2
from tests.encode.values import value
from tests.inputs import TEXTS, holds


def rows(entry: object) -> Any:
    """The six rows; what stands beside them must fit them."""
    only = value(entry)
    sides = [dim.size for dim in only.tensor.tensor_shape.dim]
    content = plugins_pb2.PrCurvePluginData.FromString(only.metadata.plugin_data.content)
    assert only.metadata.plugin_data.plugin_name == "pr_curves"
    assert sides == [6, content.num_thresholds]
    assert content.version == 0
    return np.array(only.tensor.float_val, np.float32).reshape(sides)


def counted(labels: Sequence[Any], predictions: Sequence[Any], count: int, weights: Sequence[Any]) -> Any:
    """The same by definition, in fractions: at threshold k of `count`, what is at least k / (count - 1) is positive."""
    table = []
    elements = [tuple(map(Fraction, element)) for element in zip(labels, predictions, weights, strict=True)]
    for k in range(count):
        taken = [(y, w) for y, p, w in elements if p * (count - 1) >= k]
        left = [(y, w) for y, p, w in elements if p * (count - 1) < k]
        tp, fp = sum(y * w for y, w in taken), sum((1 - y) * w for y, w in taken)
        fn, tn = sum(y * w for y, w in left), sum((1 - y) * w for y, w in left)
        table.append((tp, fp, tn, fn, tp / max(Fraction(1e-7), tp + fp), tp / max(Fraction(1e-7), tp + fn)))
    return np.array(table, np.float64).T


# Numbers that no arithmetic here rounds: what is counted is then exact.
EIGHTHS = st.integers(0, 8).map(lambda n: n / 8)
ELEMENTS = st.lists(st.tuples(EIGHTHS | st.booleans(), EIGHTHS, st.integers(0, 9).map(float)), max_size=30)


@holds(300)
@given(ELEMENTS, st.integers(1, 130), st.sampled_from(["f2", "f4", "f8"]), st.booleans())
def test_counts(elements: list[tuple[Any, float, float]], count: int, kind: str, weighted: bool) -> None:
    """All six rows are what their definitions say, for fractional labels and weights too."""
    labels, predictions, weights = (list(column) for column in zip(*elements, strict=True)) if elements else ([],) * 3
    entry = pr_curve("t", np.array(labels, kind), np.array(predictions, kind), count, weights if weighted else None)
    want = counted(labels, predictions, count, weights if weighted else [1] * len(labels))
    np.testing.assert_allclose(rows(entry), want, rtol=1e-6)


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int64, np.float32, list])
def test_types(kind: Any) -> None:
    """Labels and predictions may be of any real type, in lists too, where they are 0 and 1."""
    labels, predictions = [0, 1, 1, 0], [1, 1, 0, 0]
    if kind is not list:
        labels, predictions = np.array(labels, kind), np.array(predictions, kind)  # type: ignore[assignment]
    np.testing.assert_allclose(
        rows(pr_curve("t", labels, predictions, 3, 2)), counted([0, 1, 1, 0], [1, 1, 0, 0], 3, [2] * 4)
    )


@pytest.mark.parametrize("count", [1, 2, 127, 128, 1000, FEW_THRESHOLDS + 1, 20_000])
def test_any_number_of_thresholds(count: int) -> None:
    """As many thresholds as are asked for are drawn."""
    got = rows(pr_curve("t", [0, 1], [0.25, 0.75], count, None))
    assert got.shape == (6, count)
    assert got[0].sum() == math.floor(0.75 * (count - 1)) + 1


def test_many_elements() -> None:
    """Elements beyond what is counted at a time count as well."""
    size = 2 * BLOCK + 7
    predictions = np.linspace(0, 1, size)
    entry = pr_curve("t", np.ones(size), predictions, 5, np.ones(size, np.float32))
    assert isinstance(entry, Draft)
    assert rows(entry)[0].tolist() == [np.count_nonzero(predictions >= k / 4) for k in range(5)]


@pytest.mark.parametrize(
    ("labels", "predictions", "weights"),
    [
        ((5,), (5, 1), None),
        ((1, 5), (5,), (5, 1)),
        ((2, 3), (2, 3), (3,)),
        ((2, 3), (2, 3), (2, 1)),
        ((), (), ()),
        ((1,), (), 1),
    ],
)
def test_shapes(labels: Any, predictions: Any, weights: Any) -> None:
    """Shapes may differ in sides of length 1, and weights are broadcast."""
    y, p = np.ones(labels), np.full(predictions, 0.5)
    w = np.full(weights, 3.0) if isinstance(weights, tuple) else weights
    assert rows(pr_curve("t", y, p, 3, w))[0].tolist() == [y.size * (3 if isinstance(weights, tuple) else 1)] * 2 + [0]


def test_weights_go_to_their_elements() -> None:
    """A weight that is broadcast counts for its own row or column."""
    labels, predictions = np.ones((2, 3)), np.array([[0, 0, 0], [1, 1, 1]])
    assert rows(pr_curve("t", labels, predictions, 2, np.array([10, 1])[:, None]))[0].tolist() == [33, 3]
    with pytest.raises(EncodeError, match="weights that fit"):
        pr_curve("t", labels, predictions, 2, [1, 2])


REFUSED = {
    "a prediction above 1": (([0, 1], [0.5, 1.0000001]), "predictions in", 1.0000001),
    "a prediction below 0": (([0, 1], [-1e-9, 1]), "predictions in", -1e-9),
    "a label above 1": (([0, 2], [0.5, 1]), "labels in", 2),
    "a label below 0": (([-1, 1], [0.5, 1]), "labels in", -1),
    "a negative weight": (([0, 1], [0.5, 1], 3, [1, -1]), "weights", -1),
    "an infinite weight": (([0, 1], [0.5, 1], 3, math.inf), "weights", math.inf),
    "other sizes": (([0, 1], [0.5]), "predictions of the labels' shape", (1,)),
    "other shapes": ((np.zeros((2, 3)), np.zeros((3, 2))), "predictions of the labels' shape", (3, 2)),
    "no threshold": (([0], [0], 0), "a number of thresholds", 0),
    "too many thresholds": (([0], [0], MOST_THRESHOLDS + 1), "a number of thresholds", MOST_THRESHOLDS + 1),
    "half a threshold": (([0], [0], 100.0), "a number of thresholds", 100.0),
    "text": (([0], [0], "many"), "a number of thresholds", "many"),
    "labels of text": ((["a"], [0]), "labels", ["a"]),
    "no predictions": (([0], None), "an array of probabilities", None),
    "complex": (([0], [1j]), "an array of probabilities", [1j]),
    "weights of text": (([0], [0], 3, "w"), "weights", "w"),
}


@pytest.mark.parametrize(("args", "wanted", "got"), REFUSED.values(), ids=REFUSED.keys())
def test_refused(args: tuple[Any, ...], wanted: str, got: object) -> None:
    """What makes no curve is refused, with the number that was wrong."""
    with pytest.raises(EncodeError) as raised:
        pr_curve("t", *(args + (3, None)[len(args) - 2 :]))
    assert raised.value.tag == "t"
    assert raised.value.wanted.startswith(wanted)
    assert raised.value.got == got


@pytest.mark.parametrize("place", [0, 1, 2])
def test_nan_is_refused(place: int) -> None:
    """NaN is no label, no prediction and no weight."""
    args = [[0.0, 1.0], [0.5, 0.5], [1.0, 1.0]]
    args[place][1] = math.nan
    labels, predictions, weights = args
    with pytest.raises(EncodeError, match="got nan"):
        pr_curve("t", labels, predictions, 3, weights)


def test_large_one_is_checked_when_it_is_taken() -> None:
    """A large curve is checked and copied by its take, and its owner may change it then."""
    labels, predictions = np.ones(AT_ONCE), np.ones(AT_ONCE)
    draft = pr_curve("t", labels, predictions, 2, None)
    assert isinstance(draft, Draft)
    encode = draft.take()
    predictions[:] = 7
    with pytest.raises(EncodeError, match=r"predictions in \[0, 1\], got 7"):
        draft.take()
    assert rows(Record(("t",), encode(), "pr_curves"))[0].tolist() == [AT_ONCE, AT_ONCE]


RAWS = st.integers(1, 40).flatmap(
    lambda n: st.lists(st.lists(st.floats(0, 1e6, width=32), min_size=n, max_size=n), min_size=6, max_size=6)
)


@holds(200)
@given(TEXTS, RAWS, st.integers(1, 500))
def test_raw(tag: str, six: list[list[float]], count: int) -> None:
    """Numbers that are there already are stored as they are, with their own number of thresholds."""
    entry = pr_curve_raw(tag, [np.array(six[0], np.float32), *six[1:]], count)
    assert isinstance(entry, Record)
    assert (entry.tags, entry.plugin, entry.media) == ((tag,), "pr_curves", True)
    np.testing.assert_array_equal(rows(entry), np.array(six, np.float32))


def test_raw_without_a_rate() -> None:
    """Precision and recall may be NaN, where there is nothing to divide by."""
    got = rows(pr_curve_raw("t", [[3e30], [0], [0], [0], [math.nan], [math.nan]], 127))
    np.testing.assert_array_equal(got, np.array([[3e30], [0], [0], [0], [np.nan], [np.nan]], np.float32))


@pytest.mark.parametrize("row", range(6))
@pytest.mark.parametrize(
    "bad", [[], [1], [1, 2, 3], [[1, 2]], 1, None, "words", [1j, 1j], [math.inf, 1], [math.nan, 1], [1e39, 1]], ids=repr
)
def test_raw_refused(row: int, bad: Any) -> None:
    """An array of another length or shape is refused, and a count that is not finite, by its name."""
    six: list[Any] = [[1.0, 2.0]] * 6
    six[row] = bad
    if row > 3 and isinstance(bad, list) and len(bad) == 2 and not isinstance(bad[0], complex):
        assert len(rows(pr_curve_raw("t", six, 127))) == 6
        return
    with pytest.raises(EncodeError) as raised:
        pr_curve_raw("t", six, 127)
    assert raised.value.tag == "t"
    if row:
        assert RAW[row] in raised.value.wanted


@pytest.mark.parametrize("count", [0, "many", 2.5])
def test_raw_number_of_thresholds(count: Any) -> None:
    """A number of thresholds that is none is refused although it has no effect."""
    with pytest.raises(EncodeError):
        pr_curve_raw("t", [[1.0]] * 6, count)

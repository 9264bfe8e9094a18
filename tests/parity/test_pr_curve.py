"""Precision-recall curves are torch's, to the last bit, but for the differences named here."""

import math
from importlib.util import find_spec
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from asynctb import EncodeError
from tests.inputs import holds
from tests.parity.both import ours, theirs
from tests.readback.imports import module

if find_spec("torch") is None:
    pytest.skip("torch, whose SummaryWriter is compared with, is not installed", allow_module_level=True)

torch = module("torch")


@holds(80)
@given(
    st.integers(0, 300) | st.sampled_from([65536, 65537, 200_000]),
    st.sampled_from([{}, {"num_thresholds": 1}, {"num_thresholds": 2}, {"num_thresholds": 50}]),
    st.sampled_from(["bool", "int64", "float32", "float64"]),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from(["none", "number", "array", "column"]),
    st.booleans(),
    st.integers(0, 1 << 32),
)
def test_same_curve(
    size: int, options: dict[str, Any], labels: str, predictions: str, weights: str, tensors: bool, seed: int
) -> None:
    """The event is torch's, byte for byte, whatever the types, the number of thresholds and the weights."""
    random = np.random.default_rng(seed)
    shape = (size // 2, 2) if weights == "column" else (size,)
    y = random.integers(0, 2, shape).astype(labels) if labels[0] != "f" else random.random(shape).astype(labels)
    p = random.choice([random.random(shape), random.integers(0, 11, shape) / 10, random.integers(0, 2, shape)]).astype(
        predictions
    )
    w = {"none": None, "number": 0.3, "array": random.random(shape), "column": random.random((size // 2, 1))}[weights]
    args = ("t", torch.from_numpy(y), torch.from_numpy(p)) if tensors else ("t", y, p)
    assert ours("add_pr_curve", *args, weights=w, **options) == theirs("add_pr_curve", *args, weights=w, **options)


@holds(40)
@given(st.integers(1, 127), st.integers(0, 1 << 32), st.sampled_from([np.asarray, torch.as_tensor, list]))
def test_same_raw_curve(count: int, seed: int, kind: Any) -> None:
    """Numbers that are there already make torch's event."""
    rows = [kind(row) for row in np.random.default_rng(seed).random((6, count)) * 1e6]
    args = ("add_pr_curve_raw", "t", *rows)
    assert ours(*args, num_thresholds=count) == theirs(*args, num_thresholds=count)


@pytest.mark.parametrize("count", [128, 1000])
def test_more_thresholds(count: int) -> None:
    """More than 127 thresholds are what is asked for, where torch makes 127; TensorBoard draws them all."""
    y, p = np.array([0, 1]), np.array([0.2, 0.9])
    sides = [
        [
            dim.size
            for dim in write("add_pr_curve", "t", y, p, num_thresholds=count).summary.value[0].tensor.tensor_shape.dim
        ]
        for write in (theirs, ours)
    ]
    assert sides == [[6, 127], [6, count]]


@pytest.mark.parametrize(("size", "count"), [(10, 127), (10, 50), (300, 300), (300, 127)])
def test_number_of_thresholds_of_raw_curves(size: int, count: int) -> None:
    """It is the arrays' length, whatever is said; torch says what it is told, up to 127."""
    plugin_data = module("tensorboard.plugins.pr_curve.plugin_data_pb2").PrCurvePluginData
    args = ("add_pr_curve_raw", "t", *np.ones((6, size)))
    told = []
    for write in (theirs, ours):
        event = write(*args, num_thresholds=count)
        (value,) = event.summary.value
        told.append(plugin_data.FromString(value.metadata.plugin_data.content).num_thresholds)
        value.metadata.plugin_data.content = b""
        assert event.summary.value[0].tensor.tensor_shape.dim[1].size == size
    assert told == [min(count, 127), size]


REFUSED: dict[str, tuple[Any, ...]] = {
    "a prediction that is not counted": (np.array([0, 1]), np.array([0.5, 1.5])),
    "a prediction of NaN": (np.array([0, 1]), np.array([0.5, math.nan])),
    "a label of 2": (np.array([0, 2]), np.array([0.5, 0.5])),
    "a negative weight": (np.array([0, 1]), np.array([0.5, 0.5]), None, 127, -1),
}


@pytest.mark.parametrize("args", REFUSED.values(), ids=REFUSED.keys())
def test_refused(args: tuple[Any, ...]) -> None:
    """What torch makes a wrong curve of is refused."""
    options = {"weights": args[4]} if len(args) > 2 else {}
    theirs("add_pr_curve", "t", *args[:2], **options)
    with pytest.raises(EncodeError):
        ours("add_pr_curve", "t", *args[:2], **options)


def test_a_column_of_predictions() -> None:
    """Predictions of the shape (N, 1), as a network's last layer gives them, go with labels of the shape (N,)."""
    y, p = np.array([0, 1, 1]), np.array([[0.2], [0.7], [0.9]])
    with pytest.raises(ValueError, match="shape"):
        theirs("add_pr_curve", "t", y, p)
    assert ours("add_pr_curve", "t", y, p) == theirs("add_pr_curve", "t", y, p[:, 0])


def test_half_precision() -> None:
    """Half precision is counted in single precision, so that no prediction falls below its own threshold."""
    y, p = np.ones(2049), np.arange(2049, dtype=np.float16) / np.float16(2048)
    assert ours("add_pr_curve", "t", y, p) == theirs("add_pr_curve", "t", y, p.astype(np.float32))
    assert ours("add_pr_curve", "t", y, p) != theirs("add_pr_curve", "t", y, p)

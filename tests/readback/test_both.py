"""A difference is told so that it can be read."""

from pathlib import Path

import pytest

from tests.readback import sample
from tests.readback.both import assert_same_in_both
from tests.readback.points import Point, Series, differences

SERIES: Series = {"a": {"x": [Point(0, 1.5, 1.0), Point(1, 2.5, 2.0)]}}
GOOD = [(0, 1.5, 1.0), (1, 2.5, 2.0)]
NAN = float("nan")


@pytest.mark.parametrize(
    ("points", "told"),
    [
        (GOOD, None),
        (SERIES["a"]["x"], None),
        ([GOOD[0], (2, 2.5, 2.0)], "point 1 differs"),
        ([(0, 1.5000001, 1.0), GOOD[1]], "point 0 differs"),
        ([GOOD[0], (1, 2.5, NAN)], "point 1 differs"),
        ([GOOD[0]], "point 1 differs (1 expected, 2 got)"),
        ([*GOOD, (2, 3.5, 3.0)], "point 2 differs (3 expected, 2 got)"),
    ],
)
def test_first_differing_point_is_told(points: list[Point | tuple[int, float, float]], told: str | None) -> None:
    """Points are compared exactly and in order, and the first that differs is named with run and tag."""
    lines = differences({"a": {"x": points}}, SERIES)
    assert lines == [] if told is None else lines[0].startswith(f"run 'a' tag 'x': {told}")


def test_missing_and_unexpected_tags_are_told() -> None:
    """A tag that only one side has is told; a run without tags is nothing."""
    lines = differences({"a": {}, "b": {"y": [(0, 0.0, 0.0)]}, "c": {}}, SERIES)
    assert lines == ["run 'a' tag 'x': not expected; got 2 points", "run 'b' tag 'y': missing; 1 points expected"]


def test_nan_is_nan_at_any_depth() -> None:
    """NaN equals NaN, also inside a tensor."""
    found: Series = {".": {"x": [Point(0, 0.0, ((NAN, 1.0),))]}}
    assert differences({".": {"x": [(0, 0.0, ((float("nan"), 1.0),))]}}, found) == []
    assert differences({".": {"x": [(0, 0.0, ((float("nan"),),))]}}, found)


def test_both_loaders_are_asked(tmp_path: Path) -> None:
    """What only one of the loaders shows otherwise fails with the name of that one."""
    sample.write(tmp_path, sample.scalar("x", 1, 5), sample.scalar("x", 2, 5))
    with pytest.raises(AssertionError) as caught:
        assert_same_in_both(tmp_path, {".": {"x": [(5, 1.7e9, 1.0), (5, 1.7e9, 2.0)]}})
    assert str(caught.value).startswith("Rust server: run '.' tag 'x': point 0 differs (2 expected, 1 got)\n")

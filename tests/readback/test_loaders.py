"""Both loaders give what TensorBoard shows, whole and unrounded."""

import math
from collections.abc import Callable
from pathlib import Path
from unittest.mock import ANY

import numpy as np
import pytest

from tests.readback import python_loader, rust_server, sample
from tests.readback.both import assert_same_in_both
from tests.readback.points import Point, Series, float32

LOADERS = pytest.mark.parametrize("load", [python_loader.load, rust_server.load], ids=["python", "rust"])
T = 1.7e9
Loader = Callable[[Path], Series]


def steps(points: list[Point]) -> list[int]:
    return [point.step for point in points]


def test_scalars_and_texts_in_runs(tmp_path: Path) -> None:
    """Scalars and texts of the log directory and of a run below it are read back, wall times to the last bit."""
    times = [T + 1 / 3, T + 0.1 + 0.2]
    sample.write(tmp_path, *(sample.scalar("loss", step / 3, step, time) for step, time in enumerate(times)))
    sample.write(tmp_path / "eval" / "deep", sample.scalar("loss", -1, 2**53), sample.text("note", ["häß\n# x"], 7))
    expected = {
        ".": {"loss": [(0, times[0], 0.0), (1, times[1], float32(1 / 3))]},
        "eval/deep": {"loss": [(2**53, T, -1.0)], "note": [(7, T, ("häß\n# x",))]},
    }
    assert_same_in_both(tmp_path, expected)


def test_numbers_without_a_size(tmp_path: Path) -> None:
    """NaN and the infinities are points like others."""
    values = [math.nan, math.inf, -math.inf, 0.5]
    sample.write(tmp_path, *(sample.scalar("x", value, step) for step, value in enumerate(values)))
    assert_same_in_both(tmp_path, {".": {"x": [(step, T, value) for step, value in enumerate(values)]}})


@LOADERS
def test_scalars_are_points_of_floats(tmp_path: Path, load: Loader) -> None:
    """A scalar is a Point of an int and two Python floats."""
    sample.write(tmp_path, sample.scalar("x", 1, 1))
    (point,) = load(tmp_path)["."]["x"]
    assert [type(part) for part in (point.step, point.wall_time, point.value)] == [int, float, float]


def test_scalars_of_another_type_or_shape(tmp_path: Path) -> None:
    """A scalar tensor is a point in Python, whatever its type; in Rust only one of DT_FLOAT and shape () is."""
    values = {"double": np.float64(0.1), "float": np.float32(0.5), "int": 3, "vector": [0.5]}
    sample.write(tmp_path, *(sample.tensor("scalars", tag, value, 1) for tag, value in values.items()))
    shown = {"double": 0.1, "float": 0.5, "int": 3, "vector": 0.5}
    assert python_loader.load(tmp_path) == {".": {tag: [Point(1, T, value)] for tag, value in shown.items()}}
    assert rust_server.load(tmp_path) == {".": {"double": [], "float": [Point(1, T, 0.5)], "int": [], "vector": []}}


def test_shapes_of_texts(tmp_path: Path) -> None:
    """A text of no dimension is a string; one of more is tuples of its shape, for TensorBoard shows it as a table."""
    values = {"bare": "a", "one": ["a"], "table": [["a", "b"], ["c", "d"], ["", "f"]]}
    sample.write(tmp_path, *(sample.text(tag, value, 1) for tag, value in values.items()))
    shown = {"bare": "a", "one": ("a",), "table": (("a", "b"), ("c", "d"), ("", "f"))}
    assert_same_in_both(tmp_path, {".": {tag: [(1, T, value)] for tag, value in shown.items()}})


def test_tensors_and_blobs(tmp_path: Path) -> None:
    """A histogram is rows of three numbers, and an image the bytes of its width, its height and its file."""
    picture = {"width": 2, "height": 3, "encoded_image_string": b"\x89PNG\xff"}
    buckets = {"min": 0.0, "max": 2.0, "bucket_limit": [1.0, 2.0], "bucket": [3.0, 4.0]}
    values = [{"tag": "image", "image": picture}, {"tag": "histogram", "histo": buckets}]
    sample.write(tmp_path, sample.event(1, T, summary={"value": values}))
    shown = {"image": (b"2", b"3", b"\x89PNG\xff"), "histogram": ((0.0, 1.0, 3.0), (1.0, 2.0, 4.0))}
    assert_same_in_both(tmp_path, {".": {tag: [(1, T, value)] for tag, value in shown.items()}})


def test_nothing_is_sampled(tmp_path: Path) -> None:
    """Tags with more points than TensorBoard keeps by default are given whole."""
    scalars = [sample.scalar("x", step, step) for step in range(1100)]
    rare = [
        sample.event(step, summary={"value": [{"tag": "image", "image": {"encoded_image_string": b"a"}}]})
        for step in range(15)
    ]
    sample.write(tmp_path, *scalars, *rare, *(sample.text("t", "a", step) for step in range(110)))
    counts = {"x": 1100, "image": 15, "t": 110}
    assert_same_in_both(tmp_path, {".": {tag: [(step, T, ANY) for step in range(n)] for tag, n in counts.items()}})


def test_files_of_a_run_are_one_series(tmp_path: Path) -> None:
    """The files of a run make one series, in name order."""
    sample.write(tmp_path, sample.scalar("x", 1, 1), name="events.out.tfevents.1700000001.host")
    sample.write(tmp_path, sample.scalar("x", 2, 2), name="events.out.tfevents.1700000002.host")
    assert_same_in_both(tmp_path, {".": {"x": [(1, T, 1.0), (2, T, 2.0)]}})


@LOADERS
def test_torn_tail_is_waited_for(tmp_path: Path, load: Loader) -> None:
    """A torn record at the end hides nothing that is before it."""
    path = sample.write(tmp_path, sample.scalar("x", 1, 1), sample.scalar("x", 2, 2))
    path.write_bytes(path.read_bytes()[:-1])
    assert steps(load(tmp_path)["."]["x"]) == [1]


def test_steps_that_do_not_increase(tmp_path: Path) -> None:
    """The known difference: a step evicts those of its tag that are not below it in Rust, and none in Python."""
    written = [0, 1, 2, 5, 3, 4, 4, 6]
    sample.write(tmp_path, *(sample.scalar("x", index, step) for index, step in enumerate(written)))
    assert steps(python_loader.load(tmp_path)["."]["x"]) == written
    assert steps(rust_server.load(tmp_path)["."]["x"]) == [0, 1, 2, 3, 4, 6]


def test_body_with_a_bad_checksum(tmp_path: Path) -> None:
    """The other difference: Python stops at a bad body, and Rust does only when it is asked to look."""
    path = sample.write(tmp_path, sample.scalar("x", 1, 1), sample.scalar("x", 2, 2))
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    assert steps(python_loader.load(tmp_path)["."]["x"]) == [1]
    assert steps(rust_server.load(tmp_path)["."]["x"]) == [1, 2]
    assert steps(rust_server.load(tmp_path, checksum=True)["."]["x"]) == [1]


@pytest.mark.parametrize(("purge_orphaned", "kept"), [(True, [0, 1, 2]), (False, [0, 1, 2, 3, 2])])
def test_restart_purges_in_python(tmp_path: Path, purge_orphaned: bool, kept: list[int]) -> None:
    """The second START in a run takes away the steps from its own on, unless the loader is told to keep them."""
    before = [sample.scalar("x", step, step) for step in range(4)]
    sample.write(tmp_path, *before, sample.start(2), sample.start(2), sample.scalar("x", 9, 2))
    assert steps(python_loader.load(tmp_path, purge_orphaned=purge_orphaned)["."]["x"]) == kept


@LOADERS
def test_run_without_points_is_listed(tmp_path: Path, load: Loader) -> None:
    """A run of which only the version event is written is listed, and has no tags."""
    sample.write(tmp_path / "idle")
    assert load(tmp_path) == {"idle": {}}


def test_metadata_is_at_hand(tmp_path: Path) -> None:
    """The dashboard of a tag is known, and so is all else that its first value said of it."""
    sample.write(tmp_path / "a", sample.scalar("x", 1, 1), sample.text("t", "a", 1))
    assert python_loader.plugin_of(tmp_path, "a", "x") == "scalars"
    assert python_loader.metadata(tmp_path, "a", "t").plugin_data.plugin_name == "text"


def test_tag_of_no_dashboard_is_in_the_multiplexer(tmp_path: Path) -> None:
    """A tensor without a data class, as torch's add_tensor writes it, is listed nowhere but is in the multiplexer."""
    sample.write(tmp_path, sample.tensor("tensor", "x", [1.0], 1))
    assert_same_in_both(tmp_path, {})
    (found,) = python_loader.multiplexer(tmp_path).Tensors(".", "x")
    assert list(found.tensor_proto.float_val) == [1.0]

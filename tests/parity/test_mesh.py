"""Meshes are torch's events, but for the types of faces and colours, and what TensorBoard makes of them."""

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
TYPES = ["DT_FLOAT", "DT_INT32", "DT_UINT8"]  # TensorFlow's mesh summary has them too


def read(value: Any) -> Any:
    return module("tensorboard.util.tensor_util").make_ndarray(value.tensor)


@holds(60)
@given(
    st.integers(1, 3),
    st.integers(1, 9),
    st.sampled_from(["float32", "float64", "float16", "int64"]),
    st.none() | st.sampled_from(["uint8", "int32", "float32"]),
    st.none() | st.sampled_from(["int32", "int64", "uint8", "float32"]),
    st.none() | st.just({}) | st.just({"material": {"cls": "PointsMaterial", "size": 1.5}, "lights": []}),
    st.booleans(),
)
def test_same_mesh(
    meshes: int, count: int, kind: str, colours: str | None, faces: str | None, config: Any, tensors: bool
) -> None:
    """The values have torch's tags, order, metadata, shapes and numbers; vertices are the same to the byte."""
    random = np.random.default_rng(meshes * count)
    v = (random.random((meshes, count, 3)) * 100).astype(kind)
    c = None if colours is None else random.integers(2, 256, v.shape).astype(colours)
    f = None if faces is None else random.integers(0, count, (meshes, 4, 3)).astype(faces)
    arrays = [None if each is None else torch.from_numpy(each) for each in (v, c, f)] if tensors else [v, c, f]
    event, other = (write("add_mesh", "t", *arrays, config_dict=config) for write in (ours, theirs))
    for mine, torchs in zip(event.summary.value, other.summary.value, strict=True):
        np.testing.assert_array_equal(read(mine), read(torchs))
        mine.tensor.CopyFrom(torchs.tensor)
    assert event == other
    assert ours("add_mesh", "t", arrays[0]) == theirs("add_mesh", "t", arrays[0])


def test_faces_that_no_float_holds() -> None:
    """The numbers of vertices beyond 2**24 are exact, where torch rounds them."""
    count = (1 << 24) + 2
    v, f = torch.zeros(1, 1, 3).expand(1, count, 3), torch.tensor([[[0, 1, count - 1]]])
    assert (
        module("torch.utils.tensorboard.summary")
        .mesh("t", torch.zeros(1, 1, 3), None, f, None)
        .value[1]
        .tensor.float_val[2]
        == count - 2
    )
    assert read(ours("add_mesh", "t", v, None, f).summary.value[1])[0, 0, 2] == count - 1


OTHER_COLOURS: dict[str, tuple[Any, list[float], list[int]]] = {
    "from 0 to 1, which torch documents": (np.array([1, 0.5, 0], np.float32), [1, 0.5, 0], [255, 128, 0]),
    "of bools": (np.array([True, False, True]), [1, 0, 1], [255, 0, 255]),
    "beyond 255": (np.array([300, -1, 255]), [300, -1, 255], [255, 0, 255]),
}


@pytest.mark.parametrize(("colours", "torchs", "asynctbs"), OTHER_COLOURS.values(), ids=OTHER_COLOURS.keys())
def test_other_colours(colours: Any, torchs: list[float], asynctbs: list[int]) -> None:
    """Torch stores all colours as they come, and TensorBoard cuts them to bytes or fails; ours are what they mean."""
    args = ("add_mesh", "t", np.zeros((1, 1, 3)), colours.reshape(1, 1, 3))
    stored = [read(write(*args).summary.value[1]).reshape(-1).tolist() for write in (theirs, ours)]
    assert stored == [torchs, asynctbs]


def test_one_mesh() -> None:
    """Without a batch it is one mesh, which torch refuses."""
    v = np.arange(9.0).reshape(3, 3)
    with pytest.raises(ValueError, match="BxNx3"):
        theirs("add_mesh", "t", v)
    assert ours("add_mesh", "t", v) == theirs("add_mesh", "t", v[None])


WRONG: dict[str, dict[str, Any]] = {
    "infinite vertices": {"vertices": np.full((1, 1, 3), np.inf)},
    "colours of other vertices": {"colors": np.zeros((1, 2, 3))},
    "a face of a vertex that is not there": {"faces": np.full((1, 1, 3), 5)},
    "other batches": {"faces": np.zeros((2, 1, 3))},
    "NaN in the configuration": {"config_dict": {"a": float("nan")}},
}


@pytest.mark.parametrize("options", WRONG.values(), ids=WRONG.keys())
def test_refused(options: dict[str, Any]) -> None:
    """What torch stores, and TensorBoard cannot show, is refused."""
    options = {"vertices": np.zeros((1, 3, 3)), **options}
    theirs("add_mesh", "t", **options)
    with pytest.raises(EncodeError):
        ours("add_mesh", "t", **options)

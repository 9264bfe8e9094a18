"""Sound, tensors, precision-recall curves and meshes are what both of TensorBoard's readers show, and serve."""

import asyncio
import io
import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter
from tests.readback import rust_server
from tests.readback.both import assert_same_in_both
from tests.readback.imports import module

T = 1.7e9 + 1 / 3
RANDOM = np.random.default_rng(7)
SOUND = RANDOM.uniform(-1, 1, (2, 60_000)).astype(np.float32)  # large enough for a thread, as the rest is not
VERTICES = RANDOM.random((2, 40, 3), np.float32)
FACES = RANDOM.integers(0, 40, (2, 9, 3))
SHADES = RANDOM.integers(0, 256, VERTICES.shape)
TENSORS: dict[str, Any] = {
    **{
        f"tensor/{kind}": np.arange(6).reshape(2, 3).astype(kind)
        for kind in ("?", "i1", "u2", "i8", "f2", "f4", "f8", "c16")
    },
    "tensor/scalar": np.array(0.1),
    "tensor/empty": np.zeros((2, 0, 3), np.uint32),
    "tensor/large": RANDOM.random(40_000),
}
CURVE = np.array([[2, 1, 0], [1, 0, 0], [0, 1, 1], [0, 1, 2], [0.5, 1, np.nan], [1, 0.5, 0]])


def each(writer: Any, step: int | None) -> list[Any]:
    """Make every call, and give what they return."""
    colours = (SHADES / 255).astype(np.float32)
    return [
        writer.add_audio("sound", SOUND, step, 16000, T),
        *(writer.add_tensor(tag, tensor, step, T) for tag, tensor in TENSORS.items()),
        writer.add_pr_curve("curve", [0, 1, 1], [0.25, 0.5, 1], step, 5, walltime=T),
        writer.add_pr_curve_raw("raw", *CURVE, step, walltime=T),
        writer.add_mesh("mesh", VERTICES, colours, FACES, {"camera": {"fov": 50}}, step, T),
        writer.add_mesh("cloud", VERTICES[0], None, None, None, step, T),
    ]


def awaited(logdir: Path, *steps: int | None) -> None:
    async def main() -> None:
        async with AsyncSummaryWriter(logdir) as writer:
            for step in steps:
                await asyncio.gather(*each(writer, step))

    asyncio.run(main())


def from_a_script(logdir: Path, *steps: int | None) -> None:
    with SummaryWriter(logdir) as writer:
        for step in steps:
            each(writer, step)


def tuples(array: Any) -> Any:
    return tuple(map(tuples, array)) if isinstance(array, list) else array


def wav() -> bytes:
    """The sound's file, by another way."""
    file = io.BytesIO()
    with wave.open(file, "wb") as writer:
        writer.setparams((2, 2, 16000, 0, "NONE", ""))
        writer.writeframes((SOUND.T * 32767).astype("<i2").tobytes())
    return file.getvalue()


def expected() -> dict[str, Any]:
    counts = [[2, 2, 2, 1, 1], [1, 1, 0, 0, 0], [0, 0, 1, 1, 1], [0, 0, 0, 1, 1]]
    rates = [[2 / 3, 2 / 3, 1, 1, 1], [1, 1, 1, 0.5, 0.5]]
    arrays = {
        **TENSORS,
        "curve": np.array([*counts, *rates], np.float32),
        "raw": CURVE.astype(np.float32),
        "mesh_VERTEX": VERTICES,
        "mesh_FACE": FACES,
        "mesh_COLOR": SHADES,
        "cloud_VERTEX": VERTICES[:1],
    }
    return {"sound": (wav(),), **{tag: tuples(array.tolist()) for tag, array in arrays.items()}}


@pytest.mark.parametrize("write", [awaited, from_a_script])
def test_what_is_logged_is_shown(tmp_path: Path, write: Callable[..., None]) -> None:
    """Every number of every kind of array is shown by both readers, at each step."""
    write(tmp_path, -1, 7, 2**40)
    points = {tag: [(step, T, value) for step in (-1, 7, 2**40)] for tag, value in expected().items()}
    assert_same_in_both(tmp_path, {".": points})


def test_without_steps(tmp_path: Path) -> None:
    """Without steps each tag counts on, and the tags of a mesh do so together."""
    awaited(tmp_path, None, None, 9, None)
    points = {tag: [(step, T, value) for step in (0, 1, 9, 10)] for tag, value in expected().items()}
    assert_same_in_both(tmp_path, {".": points})


def test_what_is_served(tmp_path: Path) -> None:
    """The pages of TensorBoard get, from its default loader, the bytes of a mesh and the points of a curve."""
    from_a_script(tmp_path, 3)
    with rust_server.serve(tmp_path, reload_interval=rust_server.ONCE) as server:
        get = client(server.provider, "mesh.mesh_plugin", "MeshPlugin")
        for kind, dtype, array in (("VERTEX", "<f4", VERTICES), ("FACE", "<i4", FACES), ("COLOR", "u1", SHADES)):
            served = get("/data", run=".", tag="mesh", step=3, sample=1, content_type=kind)
            np.testing.assert_array_equal(np.frombuffer(served, dtype), array[1].reshape(-1))
        assert json.loads(get("/tags")) == {".": {"mesh": {"samples": 2}, "cloud": {"samples": 1}}}
        get = client(server.provider, "pr_curve.pr_curves_plugin", "PrCurvesPlugin")
        ((raw,),) = json.loads(get("/pr_curves", run=".", tag="raw")).values()
        assert (raw["thresholds"], raw["precision"], raw["recall"]) == ([0, 0.5], [0.5, 1], [1, 0.5])


def client(provider: Any, name: str, plugin: str) -> Callable[..., bytes]:
    """Return what asks a plugin for a page, which it fills from `provider`."""
    context = module("tensorboard.plugins.base_plugin").TBContext(data_provider=provider)
    apps = getattr(module(f"tensorboard.plugins.{name}"), plugin)(context).get_plugin_apps()

    def get(route: str, **query: Any) -> bytes:
        response = module("werkzeug.test").Client(apps[route]).get("/", query_string=query)
        assert response.status_code == 200
        content: bytes = response.data
        return content

    return get

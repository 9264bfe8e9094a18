"""A real TensorBoard lists every kind of data that the gallery logs, and returns it, with either of its loaders."""

import runpy
import struct
from argparse import Namespace
from collections.abc import Iterator
from html import unescape
from io import BytesIO
from pathlib import Path
from typing import Any
from wave import open as open_wave

import numpy as np
import pytest
from PIL import Image

from tests.readback.http_server import Answer, Dashboards, serve

GALLERY = Path(__file__).parents[1] / "examples" / "gallery.py"
STEPS = 30
RUN = {"run": "."}


@pytest.fixture(scope="module")
def logdir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The gallery's run."""
    path = tmp_path_factory.mktemp("gallery") / "run"
    runpy.run_path(str(GALLERY))["main"](Namespace(log_dir=str(path)))
    return path


@pytest.fixture(scope="module", params=[True, False], ids=["data server", "Python loader"])
def tensorboard(request: pytest.FixtureRequest, logdir: Path) -> Iterator[Dashboards]:
    """A TensorBoard that has loaded the gallery."""
    with serve(logdir, fast=request.param) as dashboards:
        dashboards.until(lambda runs: "lr=0.001" in runs, "scalars/tags")
        dashboards.until(lambda runs: "confusion" in str(runs) or "classifier" in str(runs), "pr_curves/tags")
        yield dashboards


def of_run(tensorboard: Dashboards, route: str) -> set[str]:
    """Return the tags that a plugin lists of the gallery's own run, asking until there are some."""
    return set(tensorboard.until(lambda runs: runs.get("."), route)["."])


def test_scalars(tensorboard: Dashboards) -> None:
    """Curves have all their points; those of `add_scalars` are runs of their own."""
    tags = tensorboard.ask("scalars/tags").json
    assert set(tags["."]) == {"loss/mean", "loss/low", "loss/high"}
    assert {"both_train", "both_test"} <= set(tags)
    points = tensorboard.ask("scalars/scalars", **RUN, tag="loss/mean").json
    assert [step for _, step, _ in points] == list(range(STEPS))
    assert points[0][2] == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("tag", "steps", "form", "size"),
    [
        ("rings", 3, "PNG", (128, 128)),
        ("grid", 1, "PNG", (8 * 64, 64)),
        ("boxes", 1, "PNG", (128, 128)),
        ("film", 1, "GIF", (96, 96)),
    ],
)
def test_images(tensorboard: Dashboards, tag: str, steps: int, form: str, size: tuple[int, int]) -> None:
    """Pictures are there at each step, in their size; a video is an animation of all its frames."""
    assert tag in of_run(tensorboard, "images/tags")
    shown = tensorboard.ask("images/images", **RUN, tag=tag, sample=0).json
    assert [image["step"] for image in shown] == list(range(steps))
    answer = tensorboard.ask(f"images/individualImage?{shown[-1]['query']}")
    picture = Image.open(BytesIO(answer.body))
    assert (answer.kind, picture.format, picture.size) == (f"image/{form.lower()}", form, size)
    assert getattr(picture, "n_frames", 1) == (30 if tag == "film" else 1)


@pytest.mark.parametrize(("tag", "channels"), [("chord", 1), ("stereo", 2)])
def test_audio(tensorboard: Dashboards, tag: str, channels: int) -> None:
    """Sounds play for a second, on their channels; the data server leaves it to the browser to see that it is WAV."""
    assert tag in of_run(tensorboard, "audio/tags")
    (shown,) = tensorboard.ask("audio/audio", **RUN, tag=tag, sample=0).json
    answer = tensorboard.ask(f"audio/individualAudio?{shown['query']}")
    assert answer.kind == shown["contentType"] in ("audio/wav", "application/octet-stream")
    with open_wave(BytesIO(answer.body)) as sound:
        assert (sound.getnchannels(), sound.getnframes(), sound.getframerate()) == (channels, 8000, 8000)


def test_histograms_and_distributions(tensorboard: Dashboards) -> None:
    """Both dashboards have each step; the buckets hold all values, and the spread grows."""
    assert of_run(tensorboard, "histograms/tags") == of_run(tensorboard, "distributions/tags") == {"weights"}
    shown = tensorboard.ask("histograms/histograms", **RUN, tag="weights").json
    assert [step for _, step, _ in shown] == list(range(STEPS))
    assert sum(count for _, _, count in shown[0][2]) == pytest.approx(5000)
    spreads = tensorboard.ask("distributions/distributions", **RUN, tag="weights").json
    assert len(spreads) == STEPS
    assert spreads[-1][2][-1][1] > 3 * spreads[0][2][-1][1]


def test_text(tensorboard: Dashboards) -> None:
    """Markdown is rendered, and a table's cells show what they hold."""
    assert of_run(tensorboard, "text/tags") == {"notes/text_summary", "samples/text_summary"}
    (notes,) = tensorboard.ask("text/text", **RUN, tag="notes/text_summary").json
    (samples,) = tensorboard.ask("text/text", **RUN, tag="samples/text_summary").json
    assert "<strong>One of everything.</strong>" in notes["text"]
    assert {"<td>*no*</td>", "<td>a | b</td>"} <= set(unescape(samples["text"]).splitlines())


def test_pr_curves(tensorboard: Dashboards) -> None:
    """There is a curve a step, of the thresholds that any guess reaches; the last one is the best."""
    assert of_run(tensorboard, "pr_curves/tags") == {"classifier"}
    curves = tensorboard.ask("pr_curves/pr_curves", **RUN, tag="classifier").json["."]
    assert [curve["step"] for curve in curves] == list(range(5))
    assert all(100 < len(curve["precision"]) == len(curve["thresholds"]) <= 127 for curve in curves)
    assert np.mean(curves[-1]["precision"]) > np.mean(curves[0]["precision"]) + 0.2


def test_meshes(tensorboard: Dashboards) -> None:
    """Vertices, faces and colours come back as they went in."""
    assert of_run(tensorboard, "mesh/tags") == {"knot"}
    parts = tensorboard.ask("mesh/meshes", **RUN, tag="knot", sample=0).json
    assert {part["content_type"] for part in parts} == {1, 2, 3}
    step = parts[0]["step"]

    def data(kind: str) -> bytes:
        return tensorboard.ask("mesh/data", **RUN, tag="knot", content_type=kind, sample=0, step=step).body

    vertices = np.frombuffer(data("VERTEX"), np.float32).reshape(-1, 3)
    faces = np.frombuffer(data("FACE"), np.int32).reshape(-1, 3)
    colors = np.frombuffer(data("COLOR"), np.uint8).reshape(-1, 3)
    assert len(vertices) == len(colors) == 12 * 120
    assert np.abs(vertices).max() == pytest.approx(3.4, abs=0.05)
    assert (faces.min(), faces.max()) == (0, len(vertices) - 1)
    assert set(colors[:, 2]) == {128}


def test_hparams(tensorboard: Dashboards) -> None:
    """Each run is a row with its hyperparameters, of their own types, and its metrics."""
    experiment = tensorboard.ask("hparams/experiment", {"experimentName": ""}).json
    assert {info["name"]: info["type"] for info in experiment["hparamInfos"]} == {
        "lr": "DATA_TYPE_FLOAT64",
        "optimizer": "DATA_TYPE_STRING",
        "augment": "DATA_TYPE_BOOL",
    }
    assert {info["name"]["tag"] for info in experiment["metricInfos"]} == {"hparam/loss", "hparam/accuracy"}
    asked = {"startIndex": 0, "sliceSize": 10, "allowedStatuses": ["STATUS_SUCCESS"]}
    groups = tensorboard.ask("hparams/session_groups", asked).json["sessionGroups"]
    rows = {group["hparams"]["lr"]: group for group in groups}
    assert set(rows) == {0.1, 0.01, 0.001}
    assert rows[0.01]["hparams"]["augment"] is True
    metrics = {metric["name"]["tag"]: metric["value"] for metric in rows[0.01]["metricValues"]}
    assert metrics == {"hparam/loss": pytest.approx(0.1), "hparam/accuracy": pytest.approx(0.99)}


def test_custom_scalars(tensorboard: Dashboards) -> None:
    """The layout names the chart with its margin, whose curves can be fetched."""
    layout = tensorboard.ask("custom_scalars/layout").json
    (category,) = layout["category"]
    (chart,) = category["chart"]
    assert (category["title"], chart["title"]) == ("losses", "loss")
    assert chart["margin"]["series"] == [{"value": "loss/mean", "lower": "loss/low", "upper": "loss/high"}]
    curves = tensorboard.ask("custom_scalars/scalars", **RUN, tag="loss/mean").json
    assert len(curves["tag_to_events"]["loss/mean"]) == STEPS


def test_projector(tensorboard: Dashboards) -> None:
    """The embedding has its points, its table of metadata and its pictures."""
    assert tensorboard.until(bool, "projector/runs") == ["."]
    (embedding,) = tensorboard.ask("projector/info", **RUN).json["embeddings"]
    name = {"name": embedding["tensorName"]}
    assert embedding["sprite"]["singleImageDim"] == [16, 16]
    points = tensorboard.ask("projector/tensor", **RUN, **name).body
    assert len(struct.unpack(f"<{len(points) // 4}f", points)) == 120 * 8
    metadata = tensorboard.ask("projector/metadata", **RUN, **name).body.decode().splitlines()
    assert metadata[0].split("\t") == ["name", "colour"]
    assert len(metadata) == 1 + 120
    sprite: Answer = tensorboard.ask("projector/sprite_image", **RUN, **name)
    assert Image.open(BytesIO(sprite.body)).size == (11 * 16, 11 * 16)


def test_no_tag_is_made_up(tensorboard: Dashboards) -> None:
    """No dashboard lists a tag twice, or one that belongs to another."""
    listed: dict[str, Any] = {
        plugin: of_run(tensorboard, f"{plugin}/tags") for plugin in ("scalars", "images", "audio", "histograms", "text")
    }
    assert sum(map(len, listed.values())) == len(set().union(*listed.values()))

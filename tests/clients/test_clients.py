"""Clients of torch's writer log the same through asynctb, which they know nothing of, with tensorboard or without."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.running import THROUGH_ASYNCTB, Run, environment_without, run
from tests.clients.stored import TIME, Differences, Stored, kinds, stored, writers
from tests.readback import python_loader, rust_server
from tests.readback.points import Series

pytestmark = pytest.mark.timeout(300)  # the imports of some clients take long, on a busy machine

TENSORBOARD = ("tensorboard", "tensorboard-data-server")
TENSORBOARDX = ("tensorboardX",)


class Client(NamedTuple):
    """A program, the packages that it is about, and what is known of it."""

    program: str
    packages: tuple[str, ...]
    kinds: frozenset[str]  # of what it logs at the least
    but: Differences = Differences()
    notices: frozenset[str] = frozenset()  # tags that it logs twice at a step, which asynctb says once
    without: tuple[str, ...] = ()  # what it would rather use than torch's writer


ALL_KINDS = frozenset({"simple_value", "histo", "image", "tensor", "hparams"})
HUGGING_FACE_CLOCKS = {
    "train": ("train_runtime", "train_samples_per_second", "train_steps_per_second"),
    "eval": ("runtime", "samples_per_second", "steps_per_second"),
}
CLIENTS = [
    Client(
        "lightning_trainer",
        ("pytorch_lightning",),
        ALL_KINDS | {"graph_def", "tagged_run_metadata"},
        notices=frozenset({"epoch"}),
    ),
    Client(
        "transformers_trainer",
        ("transformers", "accelerate"),
        frozenset({"simple_value", "tensor"}),
        Differences(
            clocks=frozenset(f"{stage}/{name}" for stage, all_ in HUGGING_FACE_CLOCKS.items() for name in all_)
        ),
        notices=frozenset({"train/epoch"}),
    ),
    Client("accelerate_tracker", ("accelerate",), ALL_KINDS - {"histo"}),
    Client(
        "stable_baselines3_ppo",
        ("stable_baselines3", "moviepy"),
        ALL_KINDS,
        Differences(clocks=frozenset({"time/fps"}), videos=frozenset({"kinds/video"})),
    ),
    Client("ignite_logger", ("ignite",), frozenset({"simple_value", "histo", "tensor"}), without=TENSORBOARDX),
    Client("monai_visualize", ("monai",), frozenset({"image"})),
    Client("torch_monitor", (), frozenset({"simple_value"}), Differences(steps=True)),
]


def param(client: Client) -> Any:
    missing = [name for name in ("torch", *client.packages) if find_spec(name) is None]
    skip = pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)}: not installed")
    return pytest.param(client, id=client.program, marks=skip)


each_client = pytest.mark.parametrize("client", [param(client) for client in CLIENTS])


class Runs(NamedTuple):
    """A client's program: with torch's writer, through asynctb, and through it where there is no tensorboard."""

    theirs: Future[Run]
    ours: Future[Run]
    alone: Future[Run]


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Return the interpreter of an environment without some distributions, made when first asked for."""

    @functools.cache
    def made(*left_out: str) -> Path:
        if not left_out:
            return Path(sys.executable)
        return environment_without(tmp_path_factory.mktemp("without") / "venv", *left_out)

    return made


@pytest.fixture(scope="session")
def runs_of(tmp_path_factory: pytest.TempPathFactory, python: Callable[..., Path]) -> Iterator[Callable[..., Runs]]:
    """Run a client's program in its three ways, all at once, when it is first asked for."""
    with ThreadPoolExecutor() as threads:

        @functools.cache
        def begun(client: Client) -> Runs:
            folder = tmp_path_factory.mktemp(client.program)
            plain, bare = python(*client.without), python(*TENSORBOARD, *TENSORBOARDX)
            return Runs(
                threads.submit(run, client.program, folder / "theirs", python=plain),
                threads.submit(run, client.program, folder / "ours", *THROUGH_ASYNCTB, python=plain),
                threads.submit(run, client.program, folder / "alone", *THROUGH_ASYNCTB, python=bare),
            )

        yield begun


@pytest.fixture
def theirs(client: Client, runs_of: Callable[..., Runs]) -> Run:
    return runs_of(client).theirs.result()


@pytest.fixture
def ours(client: Client, runs_of: Callable[..., Runs]) -> Run:
    return runs_of(client).ours.result()


@pytest.fixture
def alone(client: Client, runs_of: Callable[..., Runs]) -> Run:
    return runs_of(client).alone.result()


def events_of(client: Client, run: Run) -> Stored:
    return stored(run.logdir, client.but)


@each_client
def test_events_are_torchs(client: Client, theirs: Run, ours: Run) -> None:
    """Run for run and file for file, the same events in the same order."""
    assert events_of(client, ours) == events_of(client, theirs)


@each_client
def test_both_log_all_that_is_compared(client: Client, theirs: Run, ours: Run) -> None:
    """What is equal is not equally nothing, and the one is torch's and the other asynctb's."""
    assert writers(theirs.logdir) == {"tensorboard.summary.writer.event_file_writer"}
    assert writers(ours.logdir) == {"asynctb"}
    assert client.kinds <= kinds(ours.logdir)
    told = "\n".join(told for files in events_of(client, ours).values() for file in files for told in file)
    assert [tag for tag in client.but.clocks | client.but.videos if f'tag: "{tag}"' not in told] == []


@each_client
def test_asynctb_says_no_more_than_is_known(client: Client, ours: Run) -> None:
    """The log names the tags whose steps the client does not increase, once each, and nothing else."""
    said = re.findall(r".*asynctb.*", ours.said)
    assert len(said) == len(client.notices)
    assert {tag for line in said for tag in re.findall(r"of tag '(.*)' does not come after", line)} == client.notices


@each_client
@pytest.mark.parametrize("loader", [python_loader, rust_server], ids=["python", "rust"])
def test_tensorboard_shows_the_same(client: Client, loader: Any, theirs: Run, ours: Run) -> None:
    """Each of TensorBoard's loaders finds the same tags with the same steps as in what torch has written."""
    assert shown(client, loader.load(ours.logdir)) == shown(client, loader.load(theirs.logdir))


def shown(client: Client, series: Series) -> dict[tuple[str, str], list[int]]:
    """Return the steps of each tag, without those that are not compared."""
    return {
        (TIME.sub("TIME", run), tag): [] if client.but.steps else [point.step for point in points]
        for run, tags in series.items()
        for tag, points in tags.items()
    }


@pytest.mark.parametrize("client", [param(client) for client in CLIENTS if client.but.steps])
def test_steps_left_out_are_counted(client: Client, theirs: Run, ours: Run) -> None:
    """Where torch stores every point at step 0, of which TensorBoard shows one, each tag has a curve."""
    for series in (rust_server.load(theirs.logdir)["."], python_loader.load(theirs.logdir)["."]):
        assert {point.step for points in series.values() for point in points} == {0}
    for series in (rust_server.load(ours.logdir)["."], python_loader.load(ours.logdir)["."]):
        assert series
        for points in series.values():
            assert [point.step for point in points] == list(range(5))


@each_client
def test_the_same_without_tensorboard(client: Client, ours: Run, alone: Run) -> None:
    """Where neither tensorboard nor tensorboardX is installed, the same events are stored."""
    assert writers(alone.logdir) == {"asynctb"}
    assert events_of(client, alone) == events_of(client, ours)


def test_an_environment_without_tensorboard_has_none(python: Callable[..., Path]) -> None:
    """Neither modules nor metadata are found there, and what was not left out is."""
    program = """
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
for name in "tensorboard", "tensorboardX", "tensorboard-data-server":
    try:
        print(version(name))
    except PackageNotFoundError:
        pass
print([find_spec(name.replace("-", "_")) for name in ("tensorboard", "tensorboardX", "tensorboard-data-server")])
print(version("numpy"), find_spec("numpy") is not None)
"""
    where = python(*TENSORBOARD, *TENSORBOARDX)
    out = subprocess.run([where, "-c", program], capture_output=True, text=True, check=True, timeout=60).stdout
    assert re.fullmatch(r"\[None, None, None\]\n\d\S+ True\n", out)

"""Clients of torch's writer log the same through asynctb, which they know nothing of, with tensorboard or without."""

from __future__ import annotations

import functools
import re
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.clients.running import THROUGH_ASYNCTB, Run, environment_without, run
from tests.clients.stored import TIME, Stored, kinds, stored, writers
from tests.clients.table import CLIENTS, TENSORBOARD, TENSORBOARDX, TORCHS_WRITER, Client
from tests.readback import python_loader, rust_server
from tests.readback.points import Series

pytestmark = pytest.mark.timeout(300)  # the imports of some clients take long, on a busy machine


def param(client: Client) -> Any:
    missing = [name for name in ("torch", *client.packages) if find_spec(name) is None]
    skip = pytest.mark.skipif(bool(missing), reason=f"{', '.join(missing)}: not installed")
    beside = "" if client.writer == TORCHS_WRITER else "-tensorboardX"
    return pytest.param(client, id=client.program + beside, marks=skip)


def each(clients: Iterable[Client]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("client", list(map(param, clients)))


each_client = each(CLIENTS)


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
            plain, bare = python(*client.absent), python(*TENSORBOARD, *TENSORBOARDX)
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


def events_of(client: Client, run: Run) -> Stored:
    return stored(run.logdir, client.but)


@each_client
def test_the_events_are_the_same(client: Client, theirs: Run, ours: Run) -> None:
    """Run for run and file for file, the same events in the same order."""
    assert events_of(client, ours) == events_of(client, theirs)


@each_client
def test_both_log_all_that_is_compared(client: Client, theirs: Run, ours: Run) -> None:
    """What is equal is not equally nothing, and each was written by whom it should be."""
    assert writers(theirs.logdir) == {client.writer}
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
    """Each of TensorBoard's loaders finds the same tags with the same steps as without asynctb."""
    assert shown(loader.load(ours.logdir)) == shown(loader.load(theirs.logdir))


def shown(series: Series) -> dict[tuple[str, str], list[int]]:
    return {
        (TIME.sub("TIME", run), tag): [point.step for point in points]
        for run, tags in series.items()
        for tag, points in tags.items()
    }


@each(client for client in CLIENTS if not client.needs)
def test_the_same_without_tensorboard(client: Client, ours: Run, runs_of: Callable[..., Runs]) -> None:
    """Where neither tensorboard nor tensorboardX is installed, the same events are stored."""
    alone = runs_of(client).alone.result()
    assert writers(alone.logdir) == {"asynctb"}
    assert events_of(client, alone) == client.alone(events_of(client, ours))


@each(client for client in CLIENTS if client.needs)
def test_what_needs_tensorboard(client: Client, runs_of: Callable[..., Runs]) -> None:
    """Where it is not installed, a client that asks for the package itself, or for its messages, says so."""
    with pytest.raises(AssertionError, match=re.escape(client.needs)):
        runs_of(client).alone.result()


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

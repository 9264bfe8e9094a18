"""Rule 10 in torch's DataLoader, whose workers are processes."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.faults.owners import steps_by_tag
from tests.faults.program import run

if find_spec("torch") is None:
    pytest.skip("torch, whose DataLoader is used, is not installed", allow_module_level=True)

EPOCHS, ITEMS = 2, 12


@pytest.mark.parametrize(
    ("method", "workers"),
    [
        ("fork", "persistent"),
        pytest.param("spawn", "persistent", marks=pytest.mark.long),
        pytest.param("fork", "new ones", marks=pytest.mark.long),
        pytest.param("spawn", "new ones", marks=pytest.mark.long),
        pytest.param("forkserver", "persistent", marks=pytest.mark.long),
    ],
)
def test_a_dataset_that_logs(method: str, workers: str, tmp_path: Path) -> None:
    """Each worker has a file of its own, also for all epochs, and nothing that they or the trainer log is lost."""
    run("loader", tmp_path, method, EPOCHS, workers)
    found = steps_by_tag(tmp_path)
    assert found.pop("trainer/item") == list(range(EPOCHS * ITEMS))
    items = sorted(tag.split("/")[1] for tag, steps in found.items() for _ in steps)
    assert items == sorted(f"item{item}" for item in range(ITEMS) for _ in range(EPOCHS))
    processes = 2 if workers == "persistent" else 2 * EPOCHS
    assert len({tag.split("/")[0] for tag in found}) == processes
    assert len(list(tmp_path.iterdir())) == 1 + processes

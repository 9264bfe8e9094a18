"""The notebook runs from its first cell to its last, in a kernel of its own."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.examples.running import EXAMPLES, environment, needs, shown, steps

NOTEBOOK = EXAMPLES / "notebook.ipynb"


def test_is_stored_without_outputs() -> None:
    """A notebook with outputs is large, and says what was once true."""
    cells = json.loads(NOTEBOOK.read_text("utf-8"))["cells"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in cells if "outputs" in cell)
    assert len({cell["id"] for cell in cells}) == len(cells)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Execute it in a directory of its own; return it, and that."""
    import nbclient
    import nbformat

    folder = tmp_path_factory.mktemp("notebook")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    resources = {"metadata": {"path": str(folder)}}
    nbclient.NotebookClient(notebook, timeout=60, resources=resources).execute(env=environment())
    return notebook, folder


@needs("ipykernel", "nbclient", "nbformat")
def test_cells_say_what_they_should(executed: tuple[Any, Path]) -> None:
    """No cell warns or complains; two have a result, and the writer's last one has nothing pending."""
    notebook, _ = executed
    outputs = {cell["id"]: cell["outputs"] for cell in notebook["cells"] if cell.get("outputs")}
    assert list(outputs) == ["finish", "close"]
    (closed,) = outputs["close"]
    assert closed["data"]["text/plain"] == "(204, 0)"


@needs("ipykernel", "nbclient", "nbformat")
def test_both_writers_have_written(executed: tuple[Any, Path]) -> None:
    """What was awaited in cells and in the background is there, and so is what the plain writer logged."""
    runs = shown(executed[1] / "runs" / "notebook")
    assert sorted(runs) == ["awaited", "plain"]
    awaited = {tag: steps(points) for tag, points in runs["awaited"].items()}
    trained = {tag: awaited.pop(tag) for tag in ("loss/train", "loss/test")}
    assert trained == {"loss/train": list(range(200)), "loss/test": list(range(200))}
    assert awaited == {"config/text_summary": [0], "loss/start": [0], "gradient": [0], "noise": [0]}
    assert runs["awaited"]["noise"][0].value == 10_000
    assert steps(runs["plain"]["wave"]) == list(range(100))

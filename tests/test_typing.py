"""The types that users see: `tests/typing` passes both type checkers, refusals included."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CHECKERS = {
    "mypy": ["tests/typing"],  # strict by pyproject.toml, so that a needless ignore fails
    "pyright": ["--pythonpath", sys.executable, "tests/typing"],
}


@pytest.mark.parametrize("checker", CHECKERS)
def test_types(checker: str) -> None:
    """Every call of `tests/typing` has the type that stands there, and what stands there as refused is refused."""
    if find_spec(checker) is None:
        pytest.skip(f"{checker} is not installed")
    command = [sys.executable, "-m", checker, *CHECKERS[checker]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110)
    assert done.returncode == 0, done.stdout + done.stderr

"""Programs in processes of their own, in which some packages are not to be found."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

HIDING = """
import sys
class Hiding:
    hidden = set({hidden!r})
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.hidden:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Hiding())
"""


def run(program: str, *, cwd: Path, hidden: tuple[str, ...] = ()) -> str:
    """Run a program without these packages; return what it prints. It must end well, and warn of nothing."""
    source = HIDING.format(hidden=hidden) + textwrap.dedent(program)
    done = python("-W", "error", "-c", source, cwd=cwd)
    assert done.returncode == 0, done.stderr
    return done.stdout


def python(*args: str, cwd: Path) -> "subprocess.CompletedProcess[str]":
    """Run Python where it finds this package, and whatever these tests find."""
    return subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

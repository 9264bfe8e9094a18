"""The processes in which the entrants run: one for each package, of which one at a time has something to do.

In one process for all, each would pay for the others: for torch's hundreds of thousands of objects whenever garbage is
collected, for its threads, and for memory that another has left in pieces. In a new process for each sample, a run of
some milliseconds would begin with cold caches after seconds of importing. So each package has a process of its own that
lives through a group of cases, and a first run of each case warms it up.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from tests.bench.case import Figures
from tests.bench.entrants import workers

__all__ = ["Crew", "Failed"]


class Failed(Exception):
    """An entrant could not do what was asked: that is its result."""


class _Worker:
    """One process."""

    def __init__(self, env: dict[str, str]) -> None:
        self._said: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the process
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
            env=env,
        )

    def ask(self, request: dict[str, Any]) -> Figures:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        line = self._process.stdout.readline()
        if not line:
            raise Failed(f"its process ended with {self._process.wait()}: {self._last_words()}")
        reply = json.loads(line)
        if "error" in reply:
            raise Failed(reply["error"])
        figures: Figures = reply["figures"]
        return figures

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def stop(self) -> None:
        with self._said, self._process:
            assert self._process.stdin is not None
            self._process.stdin.close()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:  # one of the writers has a thread that holds it up
                self._process.kill()

    def _last_words(self) -> str:
        self._said.seek(0)
        return self._said.read()[-300:].decode(errors="replace")


class Crew:
    """The workers, begun when first asked; `together` has one for all, where the figures do not matter."""

    def __init__(self, *, together: bool = False) -> None:
        self._together = together
        self._workers: dict[str, _Worker] = {}
        root = str(Path(__file__).resolve().parents[2])
        path = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        # Threads of numerical libraries would only compete with what is measured; a headless backend draws.
        self._env = {**os.environ, "PYTHONPATH": path, "MPLBACKEND": "agg", "TF_CPP_MIN_LOG_LEVEL": "3"}

    def ask(self, function: str, entrant: str, folder: Path, options: dict[str, Any], *, fresh: bool) -> Figures:
        """Have a function run for an entrant, in its package's process or in a new one; raises `Failed`."""
        request: dict[str, Any] = {"function": function, "entrant": entrant, "folder": str(folder), "options": options}
        request["collect"] = not self._together
        if fresh:
            worker = _Worker(self._env)
            try:
                return worker.ask(request)
            finally:
                worker.stop()
        name = "all" if self._together else workers(entrant)
        if name not in self._workers or not self._workers[name].alive:
            self._workers[name] = _Worker(self._env)
        return self._workers[name].ask(request)

    def __enter__(self) -> Self:
        """Begin with no process."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End all processes."""
        for worker in self._workers.values():
            worker.stop()

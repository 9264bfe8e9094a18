"""TensorBoard itself, a program of its own, asked over HTTP as its dashboards ask."""

import os
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

STARTS_WITHIN = 60.0
ENDS_WITHIN = 5.0
POLL = 0.05
READY = re.compile(r"at (http://\S+?)/? \(Press")


@contextmanager
def dashboard(logdir: Path, *, fast: bool) -> Iterator["Dashboard"]:
    """Run TensorBoard on a directory, with its data server or with its Python loader."""
    flags = ["--logdir", str(logdir), "--port", "0", "--host", "localhost", "--load_fast", str(fast).lower()]
    log = logdir.with_name(f"{logdir.name}-dashboard.log")
    with log.open("wb") as output:
        command = [sys.executable, "-W", "ignore", "-m", "tensorboard.main", *flags]
        environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
        with subprocess.Popen(command, stdout=output, stderr=output, env=environment) as process:
            try:
                yield Dashboard(_url(process, log))
            finally:
                process.terminate()
                try:
                    process.wait(ENDS_WITHIN)
                except subprocess.TimeoutExpired:
                    process.kill()


def _url(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and process.poll() is None:
        if ready := READY.search(log.read_text(errors="replace")):
            return ready[1]
        time.sleep(POLL)
    raise RuntimeError(f"TensorBoard did not start:\n{log.read_text(errors='replace')}")


class Dashboard:
    """A TensorBoard that answers."""

    def __init__(self, url: str) -> None:
        self._url = url

    def get(self, route: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return what it answers; raises for any status but 200."""
        query_text = f"?{urllib.parse.urlencode(query)}" if query else ""
        with urllib.request.urlopen(f"{self._url}/data/{route}{query_text}", timeout=30) as answer:
            found: bytes = answer.read()
        return found

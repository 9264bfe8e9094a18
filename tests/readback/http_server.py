"""A real TensorBoard, asked over HTTP as its dashboards ask it."""

import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from tests.readback.events import PathLike

__all__ = ["Answer", "Dashboards", "serve"]

STARTS_WITHIN = 100.0
ANSWERS_WITHIN = 100.0
ENDS_WITHIN = 10.0
LOOK = 0.2  # seconds between two looks


class Answer(NamedTuple):
    """What came back: its type and its bytes."""

    kind: str
    body: bytes

    @property
    def json(self) -> Any:
        """The body, read."""
        return json.loads(self.body)


class Dashboards:
    """What the plugins of a TensorBoard answer."""

    def __init__(self, address: str) -> None:
        self.address = address

    def ask(self, route: str, body: Any = None, **query: Any) -> Answer:
        """Ask a plugin's route, such as `scalars/tags`; with a body, which is sent as JSON, by POST."""
        url = f"{self.address}/data/plugin/{route}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Content-Type": "application/json"}
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(url, data, headers), timeout=ANSWERS_WITHIN) as response:
            return Answer(response.headers["Content-Type"].partition(";")[0], response.read())

    def until(self, told: Callable[[Any], bool], route: str, body: Any = None, **query: Any) -> Any:
        """Ask until the answer is as it should be: TensorBoard loads in the background."""
        deadline = time.monotonic() + ANSWERS_WITHIN
        while True:
            answer = None
            with suppress(HTTPError):
                answer = self.ask(route, body, **query).json
                if told(answer):
                    return answer
            assert time.monotonic() < deadline, f"{route} still answers {answer}"
            time.sleep(LOOK)


@contextmanager
def serve(logdir: PathLike, *, fast: bool = True, flags: Mapping[str, str] | None = None) -> Iterator[Dashboards]:
    """Run TensorBoard on a log directory until the block ends, with the default data server or the Python loader."""
    options = {
        "load_fast": str(fast).lower(),
        "port": "0",
        "host": "localhost",
        "reload_interval": "1",
        **(flags or {}),
    }
    command = [sys.executable, "-W", "ignore", "-m", "tensorboard.main", "--logdir", str(logdir)]
    with tempfile.TemporaryFile("w+") as log:
        program = subprocess.Popen(
            [*command, *(f"--{name}={value}" for name, value in options.items())], stdout=log, stderr=log
        )
        try:
            yield Dashboards(_address(program, log))
        finally:
            program.terminate()
            try:
                program.wait(ENDS_WITHIN)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()


def _address(program: subprocess.Popen[bytes], log: Any) -> str:
    deadline = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < deadline and program.poll() is None:
        log.seek(0)
        if found := re.search(r"at (http://localhost:\d+)", log.read()):
            return found[1]
        time.sleep(LOOK)
    log.seek(0)
    raise AssertionError(f"TensorBoard did not start: {log.read()}")

"""A FastAPI service that logs every request to TensorBoard, and whose requests do not feel it.

Run as a program it serves itself: of two services one logs, both take the same load by turns for some seconds, and
their latencies are compared. To serve for real: `uvicorn --app-dir examples --factory service:service`.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
import socket
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import httpx
import numpy as np
import uvicorn
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel

from asynctb import AsyncSummaryWriter

CLIENTS = 4
TURN = 0.25  # seconds of load on the one service, then on the other
SAMPLES = 4  # prompts and answers that are shown of each window


class Question(BaseModel):
    prompt: str


def service(log_dir: str | None = None, *, logging: bool = True) -> FastAPI:
    """Answer questions. The writer lives as long as the service does, and each start is a run of its own."""

    @contextlib.asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with AsyncSummaryWriter(log_dir, comment="_service", overflow="drop", enabled=logging) as w:
            app.state.telemetry = telemetry = Telemetry(w)
            reporter = asyncio.create_task(telemetry.report_every(1.0))
            yield
            reporter.cancel()
            await asyncio.wait([reporter])
            await telemetry.report()  # what came since the last one

    app = FastAPI(lifespan=lifespan)

    @app.middleware("http")
    async def timed(request: Request, answered: Callable[[Request], Awaitable[Response]]) -> Response:
        began = time.perf_counter()
        try:
            return await answered(request)
        finally:
            app.state.telemetry.request(1000 * (time.perf_counter() - began))

    @app.post("/answer")
    async def answer(question: Question) -> dict[str, str]:
        await asyncio.sleep(random.uniform(0.002, 0.006))  # a model would think here
        text = question.prompt[::-1]
        app.state.telemetry.sample(question.prompt, text)
        return {"answer": text}

    return app


class Telemetry:
    """A point for each request, and the figures of all requests in a second's window.

    Requests and windows are two clocks, so they have tags of their own.
    """

    def __init__(self, w: AsyncSummaryWriter) -> None:
        self.w = w
        self.requests = self.windows = 0
        self.latencies: list[float] = []
        self.samples: list[tuple[str, str]] = []

    def request(self, milliseconds: float) -> None:
        """Called in the path of every request: nothing here waits. What finds no room is dropped, and counted."""
        self.requests += 1
        self.latencies.append(milliseconds)
        self.w.nowait.add_scalar("request/ms", milliseconds, self.requests)

    def sample(self, prompt: str, answer: str) -> None:
        if len(self.samples) < SAMPLES:
            self.samples.append((prompt, answer))

    async def report_every(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await self.report()

    async def report(self) -> None:
        latencies, self.latencies = self.latencies, []  # both at once: requests go on while the lines below await
        samples, self.samples = self.samples, []
        self.windows += 1
        await self.w.log({"window/requests": len(latencies)}, self.windows)
        if latencies:
            p50, p90, p99 = np.percentile(latencies, [50, 90, 99])
            await self.w.log({"window": {"p50_ms": p50, "p90_ms": p90, "p99_ms": p99}}, self.windows)
            await self.w.add_histogram("window/ms", latencies, self.windows)
        if samples:
            await self.w.add_text("window/samples", samples, self.windows, header=["prompt", "answer"])


async def main(options: argparse.Namespace) -> None:
    logged, plain = service(options.log_dir), service(options.log_dir, logging=False)
    took: dict[str, list[float]] = {"on": [], "off": []}
    async with serving(logged) as on, serving(plain) as off:
        end = time.perf_counter() + options.seconds
        while time.perf_counter() < end:
            for name, client in (("on", on), ("off", off)):  # by turns, so that a busy machine is busy for both
                took[name] += await load(client, TURN)
    for name, milliseconds in took.items():
        p50, p99 = np.percentile(milliseconds, [50, 99])
        print(f"logging {name:>3}: {len(milliseconds):5} requests, p50 {p50:4.1f} ms, p99 {p99:4.1f} ms")
    w = logged.state.telemetry.w
    print(f"\n{w.stats.written} events written and {sum(w.stats.dropped.values())} dropped. To look at them:\n")
    print(f"    pip install tensorboard\n    tensorboard --logdir {w.log_dir}")


async def load(client: httpx.AsyncClient, seconds: float) -> list[float]:
    """Clients that ask one question after the other; return the milliseconds that each answer took."""
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def ask(number: int) -> None:
        while (began := time.perf_counter()) < end:
            response = await client.post("/answer", json={"prompt": f"client {number}, question {len(took)}"})
            response.raise_for_status()
            took.append(1000 * (time.perf_counter() - began))

    async with asyncio.TaskGroup() as group:
        for number in range(CLIENTS):
            group.create_task(ask(number))
    return took


class Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # Ctrl-C is for the whole program, which then ends its servers


@contextlib.asynccontextmanager
async def serving(app: FastAPI) -> AsyncIterator[httpx.AsyncClient]:
    """Serve on a free port, with a client for it; at the end the service shuts down in peace."""
    server = Server(uvicorn.Config(app, log_level="warning"))
    with socket.socket(proto=socket.IPPROTO_TCP) as listener:  # without it, asyncio leaves Nagle's algorithm on
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # already, so that the first client need not wait until the server is up
        task = asyncio.create_task(server.serve([listener]))
        async with httpx.AsyncClient(base_url="http://{}:{}".format(*listener.getsockname())) as client:
            try:
                yield client
            finally:
                server.should_exit = True
                await task


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--log-dir", help="where to write (default: runs/<date>_<host>_service)")
    parser.add_argument("--seconds", type=float, default=8, help="of load (default: %(default)s)")
    try:
        asyncio.run(main(parser.parse_args()))
    except KeyboardInterrupt:
        print("\nStopped. Everything logged until now is in the run.")
        sys.exit(130)

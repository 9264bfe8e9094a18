"""A pool of processes that all log, with a writer that is handed over in some way; and the parent logs too.

Each of eight jobs adds the steps 0 to 9 of a tag of its own. The pool ends by itself, or is terminated once its jobs,
which flush then, are done.
"""

import multiprocessing
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing.context import BaseContext

from asynctb import AsyncSummaryWriter, SummaryWriter

Writer = SummaryWriter | AsyncSummaryWriter
JOBS = range(8)

inherited: Writer | None = None


def inherit(writer: Writer) -> None:
    global inherited
    inherited = writer


def log(writer: Writer, flush: bool, job: int) -> None:
    tag = f"job{multiprocessing.current_process().pid}/{job}"
    for step in range(10):
        if isinstance(writer, SummaryWriter):
            writer.add_scalar(tag, step, step)
        else:
            assert writer.nowait.add_scalar(tag, step, step)
    if flush and isinstance(writer, SummaryWriter):
        writer.flush()


def log_to_inherited(flush: bool, job: int) -> None:
    assert inherited is not None
    log(inherited, flush, job)


def run_pool(context: BaseContext, writer: Writer, by: str, *, terminate: bool) -> None:
    work = partial(log, writer, terminate) if by == "argument" else partial(log_to_inherited, terminate)
    # What is forked has it already.
    needs = by == "global" and context.get_start_method() != "fork"
    pool = context.Pool(2, inherit if needs else None, (writer,) if needs else ())
    pool.map(work, JOBS, chunksize=2)
    if terminate:
        pool.terminate()
    else:
        pool.close()
    pool.join()


def run_executor(context: BaseContext, writer: Writer) -> None:
    with ProcessPoolExecutor(2, context, inherit, (writer,)) as executor:
        list(executor.map(partial(log_to_inherited, False), JOBS))


if __name__ == "__main__":
    log_dir, method, colour, by, end = sys.argv[1:]
    context = multiprocessing.get_context(method)
    with SummaryWriter(log_dir) as parent:
        writer: Writer = parent if colour == "sync" else AsyncSummaryWriter(log_dir)
        inherited = writer
        parent.add_scalar("parent/a", 0.0)
        if by == "executor":
            run_executor(context, writer)
        else:
            run_pool(context, writer, by, terminate=end == "terminated")
        parent.add_scalar("parent/a", 0.0)

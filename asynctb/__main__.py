"""`python -m asynctb run script.py ...`: a program with asynctb in the place of torch's writer and tensorboardX's."""

from __future__ import annotations

import os
import runpy
import sys
from types import TracebackType
from typing import Any

from asynctb.dropin import install

__all__ = ["main"]

_kept: dict[str, Any] = {}  # the program's globals, which live on until the process ends
HELP = """\
usage: python -m asynctb run SCRIPT [ARGUMENT...]
       python -m asynctb run -m MODULE [ARGUMENT...]

Runs a Python program as `python SCRIPT ...` or `python -m MODULE ...` would, in which
`torch.utils.tensorboard` and `tensorboardX` are asynctb.
"""


def main(args: list[str]) -> int:
    """Run what the command line says; return the exit status."""
    if not args or args in (["-h"], ["--help"]):
        sys.stdout.write(HELP)
        return 0
    command, *rest = args
    by_name = rest[:1] == ["-m"]
    program = rest[by_name:]
    if command != "run" or not program or (program[0].startswith("-") and not by_name):
        sys.stderr.write(HELP)
        return 2
    if not by_name and not os.path.exists(program[0]):
        sys.stderr.write(f"{sys.executable}: can't open file {os.path.abspath(program[0])!r}: no such file\n")
        return 2
    install()
    sys.excepthook = _hook
    _run(program, by_name)
    return 0


def _run(program: list[str], by_name: bool) -> None:
    global _kept
    sys.argv = program
    if by_name:
        _kept = runpy.run_module(program[0], run_name="__main__", alter_sys=True)
        return
    path = program[0]
    if os.path.isfile(path):
        path = os.path.join(os.getcwd(), path)  # Python's `__file__`, good after a chdir; runpy has it in sys.argv, too
        if not sys.flags.safe_path:
            sys.path[0] = os.path.dirname(os.path.realpath(path))  # it was the working directory, as `-m` has it
    _kept = runpy.run_path(path, run_name="__main__")


def _hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """Show what ended the program as Python does: without the frames of who runs it."""
    shown = _without_ours(trace)
    sys.__excepthook__(kind, error.with_traceback(shown), shown)


def _without_ours(trace: TracebackType | None) -> TracebackType | None:
    ours = {__file__, runpy.__file__, "<frozen runpy>"}
    inner = trace
    while inner is not None and inner.tb_frame.f_code.co_filename in ours:
        inner = inner.tb_next
    return inner


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

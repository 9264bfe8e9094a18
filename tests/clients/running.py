"""Runs a program as its user would: in a process and a folder of its own, with torch's writer or through asynctb."""

from __future__ import annotations

import os
import subprocess
import sysconfig
import venv
from importlib.metadata import distribution
from pathlib import Path
from typing import NamedTuple

import asynctb

PROGRAMS = Path(__file__).parent / "programs"
LIBRARY = Path(asynctb.__file__).parents[1]  # so that the programs import what the tests import
THROUGH_ASYNCTB = ("-m", "asynctb", "run")
HANG = 240.0  # seconds after which a program that has not ended never will
ALONE = {  # one thread, so that sums have one order; and no network
    "HF_HUB_OFFLINE": "1",
    "MPLBACKEND": "agg",
    "OMP_NUM_THREADS": "1",
    "PYTHONHASHSEED": "0",
}


class Run(NamedTuple):
    """What a program has left, and what it has said on stderr."""

    logdir: Path
    said: str


def run(program: str, folder: Path, *through: str, python: Path) -> Run:
    """Run a program in a new folder; fails if it fails."""
    folder.mkdir()
    ended = subprocess.run(
        [python, *through, str(PROGRAMS / f"{program}.py")],
        cwd=folder,
        env={**os.environ, **ALONE, "PYTHONPATH": str(LIBRARY)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        timeout=HANG,
    )
    assert ended.returncode == 0, f"exit status {ended.returncode}:\n{ended.stdout}\n{ended.stderr}"
    return Run(folder / "runs", ended.stderr)


def environment_without(folder: Path, *left_out: str) -> Path:
    """Make a virtual environment of this one's packages but for some distributions; return its interpreter.

    Nothing in it tells that they have ever been there: neither modules nor metadata.
    """
    absent = {entry for name in left_out for entry in entries(name)}
    venv.create(folder, symlinks=True)
    scheme = {"base": str(folder), "platbase": str(folder)}
    site = Path(sysconfig.get_path("purelib", "venv", scheme))
    for package in Path(sysconfig.get_path("purelib")).iterdir():
        if package.name not in absent:
            (site / package.name).symlink_to(package)
    return Path(sysconfig.get_path("scripts", "venv", scheme), "python")


def entries(name: str) -> set[str]:
    """Return what an installed distribution has put into the folder of the packages."""
    files = distribution(name).files
    assert files, f"{name} does not say what it has installed"
    return {file.parts[0] for file in files}

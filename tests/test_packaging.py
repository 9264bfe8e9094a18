"""What is built from this tree is what users install: whole, typed, light to import, and of one version."""

import json
import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from email.message import Message
from email.parser import HeaderParser
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import asynctb

ROOT = Path(__file__).parents[1]
PACKAGE = {path.relative_to(ROOT).as_posix() for path in (ROOT / "asynctb").rglob("*") if path.is_file()}
PACKAGE = {path for path in PACKAGE if "__pycache__" not in path}

SLOW_TO_IMPORT = {"PIL", "hypothesis", "matplotlib", "onnx", "pandas", "tensorboard", "tensorboardX", "tensorflow"}
SLOW_TO_IMPORT |= {"torch", "trio", "uvloop"}


class Built(NamedTuple):
    """The two distributions."""

    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the source distribution from this tree, and the wheel from that."""
    for name in ("build", "hatchling"):
        if find_spec(name) is None:
            pytest.skip(f"{name} is not installed")
    folder = tmp_path_factory.mktemp("dist")
    run("-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT), cwd=folder)
    (wheel,), (sdist,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return Built(wheel, sdist)


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel alone into a folder of its own."""
    if find_spec("pip") is None:
        pytest.skip("pip is not installed")
    folder = tmp_path_factory.mktemp("site")
    options = ["--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check", "--quiet"]
    run("-m", "pip", "install", *options, "--target", str(folder), str(built.wheel), cwd=folder)
    return folder


def run(*arguments: str, cwd: Path, **environment: str) -> str:
    """Run Python elsewhere than in this tree, and return what it prints."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | environment
    done = subprocess.run([sys.executable, *arguments], cwd=cwd, env=env, capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def metadata(built: Built) -> Message:
    with zipfile.ZipFile(built.wheel) as wheel:
        (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return HeaderParser().parsestr(wheel.read(name).decode())


def project() -> dict[str, Any]:
    found: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    return found


def test_wheel_is_the_package(built: Built) -> None:
    """The wheel holds every file of the package, with the same bytes, and besides it only what describes it."""
    with zipfile.ZipFile(built.wheel) as wheel:
        names = set(wheel.namelist())
        assert {name for name in names if ".dist-info/" not in name} == PACKAGE
        assert [name for name in PACKAGE if wheel.read(name) != (ROOT / name).read_bytes()] == []
        (licence,) = [name for name in names if name.endswith("LICENSE")]
        assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_package_is_whole() -> None:
    """Among the files of the package are the mark for type checkers and, of every message, source, module and stub."""
    protos = {path.removesuffix(".proto") for path in PACKAGE if path.endswith(".proto")}
    assert len(protos) >= 5
    assert {"asynctb/py.typed"} | {f"{proto}_pb2.{kind}" for proto in protos for kind in ("py", "pyi")} <= PACKAGE


def test_sdist_is_the_tree(built: Built) -> None:
    """The source distribution holds what is needed to build, test and read: package, tests, examples, licence."""
    with tarfile.open(built.sdist) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").rglob("*.py")}
    examples = {path.relative_to(ROOT).as_posix() for path in (ROOT / "examples").glob("*.py")}
    assert PACKAGE | tests | examples | {"LICENSE", "README.md", "pyproject.toml", "PKG-INFO"} <= names
    assert [name for name in names if "__pycache__" in name or name.startswith((".git/", "runs/"))] == []


def test_metadata(built: Built) -> None:
    """The metadata says what pyproject.toml says: version, licence, Pythons and dependencies."""
    found = metadata(built)
    assert found["Name"] == "asynctb"
    assert found["Version"] == asynctb.__version__
    assert found["License-Expression"] == "Apache-2.0"
    assert found["Requires-Python"] == project()["requires-python"]
    required = [line.replace(" ", "") for line in found.get_all("Requires-Dist", []) if "extra ==" not in line]
    assert sorted(required) == sorted(project()["dependencies"])
    assert set(found.get_all("Provides-Extra", [])) == set(project()["optional-dependencies"])


def test_installed_package_works(installed: Path, tmp_path: Path) -> None:
    """Installed from the wheel, it is imported from there, knows its version, and writes an event file."""
    code = """
import importlib.metadata, json, asynctb
with asynctb.SummaryWriter("run") as writer:
    writer.add_scalar("x", 1)
    writer.add_text("t", "text")
print(json.dumps([asynctb.__file__, asynctb.__version__, importlib.metadata.version("asynctb")]))
"""
    where, version, metadata_version = json.loads(run("-c", code, cwd=tmp_path, PYTHONPATH=str(installed)))
    assert Path(where) == installed / "asynctb" / "__init__.py"
    assert version == metadata_version == asynctb.__version__
    (path,) = (tmp_path / "run").iterdir()
    assert path.stat().st_size > 0


def test_import_is_light(tmp_path: Path) -> None:
    """Importing asynctb imports nothing that takes long, though all of it may be installed."""
    code = "import asynctb, json, sys; print(json.dumps(sorted(sys.modules)))"
    modules = set(json.loads(run("-c", code, cwd=tmp_path, PYTHONPATH=str(ROOT))))
    assert "asynctb.sync" in modules
    assert {name.partition(".")[0] for name in modules} & SLOW_TO_IMPORT == set()


def test_public_names(tmp_path: Path) -> None:
    """`from asynctb import *` gives the documented names, and all of them are there."""
    names = run("-c", "from asynctb import *; print(*sorted(dir()))", cwd=tmp_path, PYTHONPATH=str(ROOT)).split()
    assert {name for name in names if not name.startswith("__")} == set(asynctb.__all__) - {"__version__"}
    assert sorted(asynctb.__all__) == sorted(set(asynctb.__all__))

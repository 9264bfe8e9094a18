"""Who may import whom: downward only, and what is not ours only where it belongs."""

import ast
import sys
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = "asynctb"

# A unit is a module or a folder of the package. It may import from the layers below it.
LAYERS = [
    {"__main__"},
    {"dropin"},
    {"sync"},
    {"filewriter", "signals", "summary", "writer"},
    {"methods", "pipeline", "settings"},
    {"encode", "eventbatch", "eventfile", "record", "storage"},
    {"daemon", "entry", "notices"},
    {"errors", "proto", "yielding"},
]
# What may be imported from beside, by whom.
BESIDE = {
    ("eventbatch", "encode"),
    ("eventbatch", "record"),
    ("eventfile", "encode"),
    ("eventfile", "record"),
    ("notices", "daemon"),
    ("settings", "pipeline"),
    ("storage", "eventfile"),
    ("storage", "record"),
}
HEIGHT = {unit: -number for number, layer in enumerate(LAYERS) for unit in layer}

LOOPS = {"pipeline", "storage", "sync", "writer"}
ONLY_IN = {
    "asyncio": LOOPS,
    "anyio": LOOPS,
    "aiofiles": {"storage.local"},
    "PIL": {"encode"},
    "struct": {"encode.wire", "eventbatch", "record"},
    "google_crc32c": {"record"},
    "logging": {"notices"},
    "tensorboard": set[str](),
    "tensorflow": set[str](),
}
HEAVY = {"PIL", "matplotlib", "onnx", "torch"}  # imported by the one function that needs them, and not with asynctb
PURE = {"encode", "entry", "errors", "eventbatch", "eventfile", "record"}
EFFECTS = {"asyncio", "concurrent", "logging", "os", "pathlib", "random", "shutil", "socket", "subprocess", "tempfile"}
EFFECTS |= {"threading", "time"}
IMPORTED_AS = {"pillow": "PIL", "protobuf": "google", "google-crc32c": "google_crc32c"}


class Import(NamedTuple):
    """One name that a module imports, from its package's root on."""

    by: str
    name: str
    at: str
    """`module` when the module is imported, `function` when something runs, `typing` never."""

    @property
    def inside(self) -> str:
        """The name within our package, or nothing for what is not ours."""
        return self.name.removeprefix(f"{PACKAGE}.") if is_in(self.name, PACKAGE) else ""


def is_in(name: str, package: str) -> bool:
    return f"{name}.".startswith(f"{package}.")


def unit(module: str) -> str:
    return module.partition(".")[0]


def imports_of(by: str, tree: ast.AST, at: str = "module") -> Iterator[Import]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (Import(by, alias.name, at) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{by}: a relative import"
            yield from (Import(by, f"{node.module}.{alias.name}", at) for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            yield from imports_of(by, ast.Module(node.body, []), "typing")
            yield from imports_of(by, ast.Module(node.orelse, []), at)
        else:
            inner = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports_of(by, node, "function" if inner and at == "module" else at)


def modules() -> Iterator[tuple[str, ast.Module]]:
    for path in (ROOT / PACKAGE).rglob("*.py"):
        name = ".".join(path.relative_to(ROOT / PACKAGE).with_suffix("").parts)
        yield name.removesuffix(".__init__"), ast.parse(path.read_text(encoding="utf-8"))


SOURCES = dict(modules())
IMPORTS = [each for name, tree in SOURCES.items() for each in imports_of(name, tree)]
OURS = [each for each in IMPORTS if each.inside]
OTHERS = [each for each in IMPORTS if not each.inside]


def test_this_sees_imports() -> None:
    """An import is seen wherever it stands, with when it takes place."""
    source = """
import a.b, c
from d import e
if TYPE_CHECKING:
    import f
else:
    import g
class C:
    import h
    def method(self):
        if self:
            from i.j import k
async def function():
    import l
"""
    found = [(each.name, each.at) for each in imports_of("x", ast.parse(source))]
    by_module = [(name, "module") for name in ("a.b", "c", "d.e")]
    in_blocks = [("f", "typing"), ("g", "module"), ("h", "module")]
    assert found == [*by_module, *in_blocks, ("i.j.k", "function"), ("l", "function")]


def test_every_unit_has_its_layer() -> None:
    """The drawing shows the whole house: each module or folder, once."""
    assert sorted(unit for layer in LAYERS for unit in layer) == sorted({unit(name) for name in SOURCES} - {"__init__"})


def test_imports_go_down() -> None:
    """A unit imports from the layers below it, and from beside what is named; nobody imports the package's root."""
    wrong = []
    used = set()
    for each in OURS:
        if each.by == "__init__" or unit(each.by) == unit(each.inside):
            continue
        beside = {pair for pair in BESIDE if unit(each.by) == pair[0] and is_in(each.inside, pair[1])}
        used |= beside
        if not beside and not HEIGHT[unit(each.by)] > HEIGHT.get(unit(each.inside), 1):
            wrong.append(f"{each.by} imports {each.name}")
    assert wrong == []
    assert used == BESIDE


def test_nothing_imports_in_a_circle() -> None:
    """No module needs itself in order to be imported, by whatever way round."""
    needs: dict[str, set[str]] = {name: set() for name in SOURCES}
    for each in OURS:
        if each.at == "module":
            needs[each.by] |= {name for name in (each.inside, each.inside.rpartition(".")[0]) if name in SOURCES}
    assert len(list(TopologicalSorter(needs).static_order())) == len(SOURCES)


def test_root_has_the_public_names_and_nothing_else() -> None:
    """`asynctb` gives names from below, and holds nothing of its own but its version."""
    kinds = [type(node) for node in SOURCES["__init__"].body]
    assert set(kinds) == {ast.Expr, ast.ImportFrom, ast.Assign}
    assert kinds.count(ast.Assign) == 2
    assert kinds.count(ast.Expr) == 1


@pytest.mark.parametrize("name", ONLY_IN)
def test_outside_name_stays_where_it_belongs(name: str) -> None:
    """What is not ours is imported by those alone whose matter it is; tensorboard by nobody, not even on demand."""
    where = {each.by for each in OTHERS if is_in(each.name, name)}
    assert [by for by in sorted(where) if not any(is_in(by, place) for place in ONLY_IN[name])] == []


def test_heavy_names_wait_until_they_are_needed() -> None:
    """`import asynctb` never imports what takes long: it is imported inside the function that needs it."""
    assert [each for each in OTHERS if each.at == "module" and any(is_in(each.name, name) for name in HEAVY)] == []


def test_pure_units_have_no_effects() -> None:
    """What turns values into bytes knows no file, clock, thread, loop or log."""
    pure = [each for each in OTHERS if unit(each.by) in PURE]
    assert pure
    assert [each for each in pure if unit(each.name) in EFFECTS] == []


def test_all_else_is_declared() -> None:
    """What is neither ours nor Python's is a dependency; inside a function it may be one of an extra."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    always = names(project["dependencies"])
    extras = names(each for extra in ("figure", "graph", "onnx") for each in project["optional-dependencies"][extra])
    outside = [each for each in OTHERS if unit(each.name) not in sys.stdlib_module_names]
    assert {unit(each.name) for each in outside if each.at == "module"} == always - HEAVY
    assert {unit(each.name) for each in outside} <= always | extras


def names(requirements: "Iterator[str] | list[str]") -> set[str]:
    """What the distributions of these requirements are imported as."""
    found = {requirement.partition(">=")[0] for requirement in requirements}
    return {IMPORTED_AS.get(name, name) for name in found}

"""The boxes of an exported graph: which module each node is in, named as TorchScript's are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["Names", "Scopes"]


class Names:
    """The names that are taken."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}

    def unique(self, name: str) -> str:
        """Return a name that no node has, and take it.

        Without what means something else at an edge: a colon stands before an output's number, `^` for an order. And
        without empty boxes, at which TensorBoard's page fails.
        """
        name = "/".join(filter(None, name.replace(":", "_").replace("^", "_").split("/"))) or "_"
        count = self._taken.get(name, 0)
        self._taken[name] = count + 1
        return self.unique(f"{name}_{count}") if count else name


class Scopes:
    """The boxes by their modules' paths from the root."""

    def __init__(self, root: str, boxes: Mapping[str, str]) -> None:
        self._root = root
        self._boxes = boxes

    @classmethod
    def of(cls, graph: Any, default: str, modules: Mapping[str, str]) -> Scopes:
        """Learn of all modules that some node is in, and of others by their paths and classes.

        The root's class may be known from the nodes, or is the default.
        """
        stacks = [list(_stack(node)) for node in graph.nodes]
        root = next((name for stack in stacks for path, name in stack if not path), default)
        boxes = {path: name for stack in stacks for path, name in _boxes(root, stack)}
        for path, kind in modules.items():  # parents come first
            above, _, name = path.rpartition(".")
            boxes.setdefault(path, f"{boxes.get(above, root)}/{kind}[{_plain(name)}]" if path else root)
        return cls(root, boxes)

    def of_node(self, node: Any) -> str:
        """Return the box that a node is in."""
        paths = [path for path, _ in _stack(node)]
        return self._boxes.get(paths[-1], self._root) if paths else self._root

    def path(self, target: str) -> str:
        """Name what a module holds, in the box of that module, or of the nearest around it that has one."""
        path, rest = target, ""
        while path not in self._boxes:
            path, _, name = path.rpartition(".")
            rest = f"{name}.{rest}" if rest else name
            if not path:
                return f"{self._root}/{_plain(rest)}"
        return f"{self._boxes[path]}/{_plain(rest)}"

    def leaf(self, scope: str, target: str, kind: str) -> str:
        """Return the box of a module that is called as a whole, inside its caller's unless the caller is not known."""
        return self._boxes.get(target) or f"{scope}/{kind}[{_plain(target)}]"


def _stack(node: Any) -> Iterator[tuple[str, str]]:
    """Return the modules that a node is in, from the outside: path and class."""
    for key, module in (node.meta.get("nn_module_stack") or {}).items():
        path, kind = module if isinstance(module, tuple) else (key, module)  # torch.fx has the class alone before 2.2
        name = kind if isinstance(kind, str) else kind.__qualname__
        yield path.partition("@")[0], name.rpartition(".")[2]


def _boxes(root: str, stack: list[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    box, above = root, ""
    for path, kind in stack:
        if path:
            inside = path.startswith(f"{above}.") if above else True
            name = path[len(above) + 1 :] if above and inside else path
            box, above = f"{box}/{kind}[{_plain(name)}]", path
        yield path, box


def _plain(name: str) -> str:
    """Return a name of one box: a key of a ModuleDict may have a slash in it."""
    return name.replace("/", "_")

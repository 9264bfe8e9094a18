"""`install()` puts asynctb in the place of torch's writer and tensorboardX's, and `uninstall()` puts these back."""

import importlib
import importlib.util
import inspect
import pickle
import sys
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest

import asynctb
from asynctb.dropin import tensorboardx, tensorboardx_summary, torchs
from asynctb.dropin.finder import PROVIDED, is_in
from tests.dropin.programs import run
from tests.readback.imports import module

NEEDS_TORCH = pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
EVERYTHING = ("torch", "tensorboard", "tensorboardX", "tensorflow")
WRITE = """
with SummaryWriter("run") as writer:
    writer.add_scalar("x", 1.0, 1)
print(SummaryWriter.__module__)
"""


@pytest.fixture(autouse=True)
def nothing_stays() -> Iterator[None]:
    """No test leaves anything of ours installed."""
    yield
    asynctb.uninstall()
    assert asynctb.dropin.finder.Finder not in map(type, sys.meta_path)


def replaced() -> dict[str, ModuleType]:
    return {name: found for name, found in sys.modules.items() if is_in(name)}


# What a program gets


@pytest.mark.parametrize("hidden", [EVERYTHING, ("torch", "tensorboard"), ("tensorboardX",), ("tensorboard",)])
def test_tensorboardx_is_ours(hidden: tuple[str, ...], tmp_path: Path) -> None:
    """`tensorboardX` is ours, whichever of the packages are installed."""
    program = f"import asynctb\nasynctb.install()\nfrom tensorboardX import SummaryWriter\n{WRITE}"
    assert run(program, cwd=tmp_path, hidden=hidden) == "asynctb.dropin.tensorboardx\n"
    assert list((tmp_path / "run").iterdir())


@NEEDS_TORCH
@pytest.mark.parametrize("hidden", [("tensorboard", "tensorboardX"), ("tensorboard",), ()])
def test_torchs_is_ours(hidden: tuple[str, ...], tmp_path: Path) -> None:
    """`torch.utils.tensorboard` is ours, with and without tensorboard, which torch's own cannot do without."""
    program = f"import asynctb\nasynctb.install()\nfrom torch.utils.tensorboard import SummaryWriter\n{WRITE}"
    assert run(program, cwd=tmp_path, hidden=hidden) == "asynctb.dropin.torchs\n"


def test_there_is_no_torch_where_there_is_none(tmp_path: Path) -> None:
    """Without torch, no `torch` is made up, nor is `torch.utils.tensorboard` found."""
    program = """
        import asynctb, importlib.util
        asynctb.install()
        for name in ("torch", "torch.utils.tensorboard"):
            try:
                importlib.import_module(name)
            except ModuleNotFoundError as error:
                print(error.name)
        print(importlib.util.find_spec("tensorboardX").name)
        """
    assert run(program, cwd=tmp_path, hidden=EVERYTHING).split() == ["torch", "torch", "tensorboardX"]


def test_installing_imports_neither(tmp_path: Path) -> None:
    """`install()` itself imports no package of others, nor does asynctb import what `install()` needs."""
    program = """
        import asynctb
        assert "asynctb.dropin.finder" not in sys.modules
        before = set(sys.modules)
        asynctb.install()
        print(*sorted(name for name in set(sys.modules) - before if not name.startswith("asynctb.")))
        """
    assert not {"torch", "tensorboard", "tensorboardX"} & set(run(program, cwd=tmp_path).split())


def test_all_names() -> None:
    """Every module that is provided has the names of ours, the very same objects, also when reloaded."""
    with asynctb.install():
        for name, provided in PROVIDED.items():
            if name.startswith("torch.") and find_spec("torch") is None:
                continue
            ours = importlib.import_module(provided.module)
            theirs = importlib.import_module(name)
            assert importlib.reload(theirs) is theirs
            names = getattr(ours, "__all__", [])
            assert [getattr(theirs, each) for each in names] == [getattr(ours, each) for each in names]


def test_modules_are_whole() -> None:
    """Modules have what the import system and its users expect: a spec, a loader, a file; packages a path."""
    with asynctb.install():
        import tensorboardX
        import tensorboardX.summary

        assert tensorboardX.__spec__ is importlib.util.find_spec("tensorboardX")
        assert tensorboardX.__spec__.loader is tensorboardX.__loader__
        assert tensorboardX.__file__ == tensorboardx.__file__
        assert list(tensorboardX.__path__) == []
        assert not hasattr(tensorboardX.summary, "__path__")
        assert inspect.getmodule(tensorboardX.SummaryWriter) is tensorboardx
        assert tensorboardX.summary.hparams is tensorboardx_summary.hparams
        assert tensorboardX.__version__
        with pytest.raises(ModuleNotFoundError, match=r"tensorboardX\.torchvis"):
            importlib.import_module("tensorboardX.torchvis")


def test_protos_are_there() -> None:
    """A program that imports tensorboardX's messages has ours."""
    with asynctb.install():
        from tensorboardX.proto.summary_pb2 import Summary

        wire = Summary(value=[Summary.Value(tag="t", simple_value=1.0)]).SerializeToString()
    theirs = module("tensorboard.compat.proto.summary_pb2").Summary
    assert theirs.FromString(wire).value[0].tag == "t"


def test_pickles_without_it(tmp_path: Path) -> None:
    """A writer that is pickled while installed can be loaded where it is not: its class has a name of its own."""
    with asynctb.install():
        import tensorboardX

        writer = tensorboardX.SummaryWriter(str(tmp_path))
        writer.close()
    copy = pickle.loads(pickle.dumps(writer))
    assert type(copy) is tensorboardx.SummaryWriter
    assert copy.logdir == str(tmp_path)


# What was there before


def imported_before() -> list[str]:
    names = ["tensorboardX", "tensorboardX.summary"]
    if find_spec("torch") is not None:
        names += ["torch.utils.tensorboard", "torch.utils.tensorboard.summary"]
    for name in names:
        module(name)
    return names


def test_what_was_imported_is_replaced_and_put_back() -> None:
    """Modules that were imported are replaced at once, and after the block the very same are there again."""
    names = imported_before()
    before = replaced()
    with asynctb.install():
        assert all(sys.modules[name] is not before[name] for name in names)
        assert all(sys.modules[name].__file__.startswith(str(Path(asynctb.__file__).parent)) for name in names)
    after = replaced()
    assert after.keys() == before.keys()
    assert all(after[name] is before[name] for name in before)


@NEEDS_TORCH
def test_parents_attribute() -> None:
    """`torch.utils.tensorboard`, reached through torch without another import, is ours, and then torch's again."""
    imported_before()
    torch = module("torch")
    theirs = torch.utils.tensorboard
    with asynctb.install():
        assert torch.utils.tensorboard.SummaryWriter is torchs.SummaryWriter
        assert torch.utils.tensorboard.writer.FileWriter is torchs.FileWriter
    assert torch.utils.tensorboard is theirs


@NEEDS_TORCH
def test_parents_attribute_that_was_not_there(tmp_path: Path) -> None:
    """If torch's was not imported before, torch has no such attribute afterwards, and a new import gives torch's."""
    program = """
        import torch, asynctb, warnings
        assert not hasattr(torch.utils, "tensorboard")
        with asynctb.install():
            import torch.utils.tensorboard
            ours = torch.utils.tensorboard
        assert not hasattr(torch.utils, "tensorboard")
        warnings.simplefilter("ignore")
        from torch.utils.tensorboard import SummaryWriter
        print(SummaryWriter.__module__)
        """
    assert run(program, cwd=tmp_path) == "torch.utils.tensorboard.writer\n"


def test_names_taken_before_stay() -> None:
    """A class that a program has imported before is what it was."""
    theirs = module("tensorboardX").SummaryWriter
    asynctb.install()
    assert theirs is not sys.modules["tensorboardX"].SummaryWriter
    assert theirs.__module__ == "tensorboardX.writer"


# Several times


def test_nested_blocks() -> None:
    """The end of the outermost block undoes it, and no earlier one does."""
    theirs = module("tensorboardX")
    with asynctb.install():
        ours = sys.modules["tensorboardX"]
        with asynctb.install():
            assert sys.modules["tensorboardX"] is ours
        assert sys.modules["tensorboardX"] is ours
    assert sys.modules["tensorboardX"] is theirs


def test_a_block_within_a_whole_program() -> None:
    """Where it was installed without a block, the end of a block leaves it so; `uninstall()` undoes all."""
    theirs = module("tensorboardX")
    asynctb.install()
    with asynctb.install():
        pass
    assert sys.modules["tensorboardX"] is not theirs
    asynctb.uninstall()
    assert sys.modules["tensorboardX"] is theirs


def test_uninstall_within_a_block() -> None:
    """What is undone within a block stays so at its end, and another `install()` in between is not undone by it."""
    theirs = module("tensorboardX")
    with asynctb.install():
        asynctb.uninstall()
        asynctb.uninstall()
        assert sys.modules["tensorboardX"] is theirs
        asynctb.install()
    assert sys.modules["tensorboardX"] is not theirs


def test_undone_by_an_exception() -> None:
    """A block that an exception leaves is undone."""
    theirs = module("tensorboardX")
    with pytest.raises(ZeroDivisionError), asynctb.install():
        raise ZeroDivisionError
    assert sys.modules["tensorboardX"] is theirs


def test_forked_children_have_it(tmp_path: Path) -> None:
    """A forked child imports ours; a spawned one does not have it installed."""
    program = """
        import asynctb, multiprocessing, sys

        def name(queue):
            import tensorboardX
            queue.put(tensorboardX.SummaryWriter.__module__)

        asynctb.install()
        context = multiprocessing.get_context("fork")
        queue = context.SimpleQueue()
        child = context.Process(target=name, args=(queue,))
        child.start()
        print(queue.get())
        child.join()
        """
    with warnings.catch_warnings():
        assert run(program, cwd=tmp_path, hidden=EVERYTHING) == "asynctb.dropin.tensorboardx\n"

"""`python -m asynctb run` runs a program as Python would, with asynctb in the place of the others."""

import signal
import textwrap
from pathlib import Path

import pytest

from tests.dropin.programs import python
from tests.readback.events import run_events

SHOW = """
import sys, tensorboardX
from beside import NAME
if __name__ == "__main__":
    print(sys.argv[1:], NAME, tensorboardX.SummaryWriter.__module__, __name__)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "scripts").mkdir()
    return tmp_path


def script(folder: Path, source: str) -> str:
    (folder / "scripts" / "beside.py").write_text("NAME = 'beside'\n")
    (folder / "scripts" / "program.py").write_text(textwrap.dedent(source))
    return "scripts/program.py"


def test_script(folder: Path) -> None:
    """A script finds its arguments and the modules beside it, and is the main module."""
    done = python("-m", "asynctb", "run", script(folder, SHOW), "-a", "--b=1", "run", cwd=folder)
    assert done.stderr == ""
    assert done.stdout == "['-a', '--b=1', 'run'] beside asynctb.dropin.tensorboardx __main__\n"


def test_a_script_finds_itself(folder: Path) -> None:
    """Its `__file__` is Python's, which is right in any working directory."""
    program = script(folder, "import os; os.chdir('..'); print(os.path.realpath(__file__))")
    ours, theirs = python("-m", "asynctb", "run", program, cwd=folder), python(program, cwd=folder)
    assert (ours.stdout, ours.stderr) == (theirs.stdout, theirs.stderr)


def test_module(folder: Path) -> None:
    """So does a module, found from the working directory."""
    script(folder, SHOW)
    done = python("-m", "asynctb", "run", "-m", "program", "-m", "x", cwd=folder / "scripts")
    assert done.stderr == ""
    assert done.stdout == "['-m', 'x'] beside asynctb.dropin.tensorboardx __main__\n"


@pytest.mark.parametrize(
    ("source", "status"), [("", 0), ("raise SystemExit(7)", 7), ("import sys; sys.exit('no')", 1), ("1/0", 1)]
)
def test_exit_status(source: str, status: int, folder: Path) -> None:
    """The exit status is the program's, and so is what `sys.exit` says."""
    program = script(folder, source)
    ours, theirs = python("-m", "asynctb", "run", program, cwd=folder), python(program, cwd=folder)
    assert ours.returncode == theirs.returncode == status
    assert ours.stderr.splitlines()[-1:] == theirs.stderr.splitlines()[-1:]


def test_traceback(folder: Path) -> None:
    """A traceback begins in the program, and shows no more than Python's; so does that of a cause."""
    program = script(
        folder,
        """
        def inner():
            try:
                1 / 0
            except ZeroDivisionError as error:
                raise ValueError("bad") from error

        inner()
        """,
    )
    ours = python("-m", "asynctb", "run", program, cwd=folder).stderr
    theirs = python(program, cwd=folder).stderr
    assert ours == theirs
    assert "asynctb" not in ours


def test_interrupt(folder: Path) -> None:
    """A program that Ctrl-C ends dies of the signal, as under Python, and shows its own frames."""
    source = "import signal\nsignal.raise_signal(signal.SIGINT)\n"
    done = python("-m", "asynctb", "run", script(folder, source), cwd=folder)
    assert done.returncode == -signal.SIGINT
    assert done.stderr.splitlines()[-1] == "KeyboardInterrupt"
    assert "asynctb" not in done.stderr


def test_globals_live_on_to_the_end(folder: Path) -> None:
    """What a program leaves unclosed is written, and its objects are alive while functions run at exit."""
    source = """
        import atexit, weakref
        from tensorboardX import SummaryWriter
        writer = SummaryWriter("run")
        writer.add_scalar("x", 1.0, 1)
        class Held:
            pass
        held = Held()
        atexit.register(print, weakref.ref(held))
        """
    done = python("-m", "asynctb", "run", script(folder, source), cwd=folder)
    assert "to 'Held'" in done.stdout
    assert done.stderr == ""
    assert [event.step for event in run_events(folder / "run")["."]] == [0, 1]


@pytest.mark.parametrize("args", [[], ["--help"]])
def test_help(args: list[str], tmp_path: Path) -> None:
    """Without a command there is a short help."""
    done = python("-m", "asynctb", *args, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("usage: python -m asynctb run SCRIPT")


@pytest.mark.parametrize("args", [["nonsense"], ["run"], ["run", "-m"], ["run", "--what"], ["run", "no_such.py"]])
def test_wrong_command_lines(args: list[str], tmp_path: Path) -> None:
    """A command line that makes no sense ends with status 2, as Python's own."""
    done = python("-m", "asynctb", *args, cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr
    assert "Traceback" not in done.stderr


def test_safe_path(folder: Path) -> None:
    """With `-P`, the script's folder is not added, as Python does not."""
    program = script(folder, "import sys; print('scripts' in str(sys.path))")
    done = python("-P", "-m", "asynctb", "run", program, cwd=folder)
    assert (done.stdout, done.stderr) == ("False\n", "")

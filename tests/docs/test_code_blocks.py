"""The documentation does what it says: its Python runs, its links lead somewhere, and its navigation is complete."""

import os
import re
import subprocess
import sys
import textwrap
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest

import asynctb

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
LIBRARY = Path(asynctb.__file__).resolve().parents[1]  # so that the blocks import what the tests import

PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
ATTACHED = [path for path in DOCS.rglob("*.*") if path.is_file() and path not in PAGES and path.suffix != ".pyc"]
DOCSTRINGS = sorted(path for path in (ROOT / "asynctb").rglob("*.py") if not path.name.endswith("_pb2.py"))

NOT_RUN = {  # languages of blocks, and why they are not run; every block has a language
    "py": "Python that needs torch; on the page of pictures, which compares its lines with the example's",
    "sh": "commands: they install things and start servers",
    "text": "drawings, and what a notebook or a prompt alone understands",
}

ON_A_LOOP = """
    import asyncio
    import numpy as np
    from asynctb import AsyncSummaryWriter

    rng = np.random.default_rng(0)

    async def main():
        step = version = 7
        async with AsyncSummaryWriter("runs/exp1") as w:
            {block}

    asyncio.run(main())
    """

PREAMBLES = {  # what a page's fragments are put into, so that they find their names; a program stands alone
    "docs/async-rl.md": ON_A_LOOP,
    "docs/gallery.md": """
        import math
        import numpy as np
        from asynctb import SummaryWriter

        RATE, STEPS = 8000, 30
        rng = np.random.default_rng(0)
        vertices = colors = np.eye(3)[np.newaxis]
        faces = np.array([[[0, 1, 2]]])
        points, pictures = np.eye(3), np.zeros((3, 3, 4, 4))
        names = [["one", "red"], ["two", "green"], ["three", "blue"]]

        def rings(size, phase):
            return np.full((size, size, 3), 0.5)

        with SummaryWriter("runs/gallery") as w:
            {block}
        """,
    "docs/notebooks.md": ON_A_LOOP,
    "docs/services.md": ON_A_LOOP,
    "docs/tutorial.md": ON_A_LOOP,
    "asynctb/signals.py": """
        import signal
        import asynctb

        {block}
        with asynctb.SummaryWriter("runs/exp1") as writer:
            writer.add_scalar("loss", 0.5)
        """,
    "asynctb/sync.py": """
        from asynctb import SummaryWriter

        step = 7
        {block}
        """,
    "asynctb/writer.py": """
        import asyncio
        from asynctb import AsyncSummaryWriter

        async def main():
            step = 7
            {block}

        asyncio.run(main())
        """,
}

FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\n(?P<code>.*?)^(?P=indent)```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^]]*\]\((?P<target>[^)\s]+)\)")
PRINTED = re.compile(r"^ *print\(.*\)  # (.+)$", re.MULTILINE)
LOGGED = re.compile(r"^# (asynctb: .+)$", re.MULTILINE)
COMMAND = re.compile(r"^<!-- command: (\w+) -->\n```sh\n([^\n]+)\n```$", re.MULTILINE)


class Block(NamedTuple):
    """A fenced block: its file and line, its language and its code."""

    source: str
    line: int
    language: str
    code: str

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"

    def program(self) -> str:
        """Return the block as a program: itself if it imports and makes a writer, otherwise in its page's preamble."""
        if "SummaryWriter(" in self.code and "import " in self.code:
            return self.code
        assert self.source in PREAMBLES, f"{self} is no program, and its page has no preamble"
        frame = textwrap.dedent(PREAMBLES[self.source])
        return re.sub(r"^( *)\{block\}", lambda match: textwrap.indent(self.code, match[1]), frame, flags=re.MULTILINE)


def blocks(path: Path) -> list[Block]:
    text = path.read_text("utf-8")
    source = path.relative_to(ROOT).as_posix()
    return [
        Block(source, text.count("\n", 0, match.start()) + 1, match["language"], textwrap.dedent(match["code"]))
        for match in FENCE.finditer(text)
    ]


BLOCKS = [block for path in (*PAGES, *DOCSTRINGS) for block in blocks(path)]
PYTHON = [block for block in BLOCKS if block.language == "python"]


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_runs(block: Block, tmp_path: Path) -> None:
    """A Python block runs without a warning, writes below `runs`, and prints and logs what its comments say."""
    script = tmp_path / "block.py"
    script.write_text(block.program(), "utf-8")
    folder = tmp_path / "cwd"
    folder.mkdir()
    path = os.pathsep.join(filter(None, [str(LIBRARY), os.environ.get("PYTHONPATH")]))
    result = subprocess.run(
        [sys.executable, "-W", "error", str(script)],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (result.returncode, result.stderr.splitlines()) == (0, LOGGED.findall(block.code))
    assert list(folder.glob("runs/*/events.out.tfevents.*"))
    for line in PRINTED.findall(block.code):
        assert line in result.stdout.splitlines()


def test_the_tutorial_can_be_typed(tmp_path: Path) -> None:
    """All that follows the tutorial's prompt works there in its order, with one writer, compiled as a prompt compiles.

    The prompt itself is not asked: without a terminal, that of Python 3.13.0 takes no statement of several lines.
    """
    tutorial = [block for block in BLOCKS if block.source == "docs/tutorial.md"]
    (prompt,) = (block for block in tutorial if block.language == "text")
    typed = [block.code for block in tutorial if block.language == "python" and block.line > prompt.line]
    assert len(typed) > 10
    path = os.pathsep.join(filter(None, [str(LIBRARY), os.environ.get("PYTHONPATH")]))
    console = "import ast, asyncio, sys; code = compile(sys.stdin.read(), '', 'exec', ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)"
    result = subprocess.run(
        [sys.executable, "-c", f"{console}; asyncio.run(eval(code))"],
        input="\n".join([prompt.code.replace(">>> ", ""), *typed]),
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    logged = [line for code in typed for line in LOGGED.findall(code)]
    assert (result.returncode, result.stderr.splitlines()) == (0, logged)
    assert list(tmp_path.glob("runs/tried/events.out.tfevents.*"))


def test_every_preamble_is_used() -> None:
    """A preamble whose page has no fragment any more is a leftover."""
    assert sorted(PREAMBLES) == sorted({block.source for block in PYTHON if block.program() != block.code})


def test_every_block_runs_or_is_known_not_to() -> None:
    """No block escapes by having no language, or one that nobody runs; and no fence is left open."""
    assert {block.language for block in BLOCKS} == {"python", *NOT_RUN}
    for path in PAGES:
        assert path.read_text("utf-8").count("```") == 2 * len(blocks(path)), path.name


def test_readme_has_one_command_for_the_example_and_one_for_the_tests() -> None:
    """A script can find the README's two commands by their marks, each one line; there are no others."""
    commands = dict(COMMAND.findall((ROOT / "README.md").read_text("utf-8")))
    assert list(commands) == ["quickstart", "tests"]
    assert list(commands.values()) == [block.code.strip() for block in blocks(ROOT / "README.md") if is_command(block)]
    assert (ROOT / commands["quickstart"].split()[-1]).is_file()
    assert commands["tests"] in (DOCS / "contributing.md").read_text("utf-8")


def is_command(block: Block) -> bool:
    return block.language == "sh"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_no_marks_of_a_merge(page: Path) -> None:
    """No page shows the marks of two versions that nobody joined."""
    assert re.findall(r"^(?:<{7}|={7}$|>{7}).*", page.read_text("utf-8"), re.MULTILINE) == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    """A link names a page that exists, and a heading on it, or an image; those of the site stay within the site."""
    for match in LINK.finditer(FENCE.sub("", page.read_text("utf-8"))):
        target, _, heading = match["target"].partition("#")
        if target.startswith("https://"):
            continue
        linked = (page.parent / target).resolve() if target else page
        assert linked in PAGES or linked in ATTACHED, match[0]
        assert page.parent != DOCS or DOCS in linked.parents, match[0]
        assert not heading or heading in headings(linked), match[0]


def test_every_attached_file_is_linked() -> None:
    """A file of docs/ that is no page is one that a page shows or links to."""
    linked = {
        (page.parent / match["target"]).resolve()
        for page in PAGES
        for match in LINK.finditer(FENCE.sub("", page.read_text("utf-8")))
    }
    assert [path for path in ATTACHED if path not in linked] == []


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as Markdown's table of contents makes them."""
    titles = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[-\s]+", "-", re.sub(r"[^\w\s-]", "", title).strip().lower()) for title in titles}


def test_navigation_names_every_page_once() -> None:
    """The site's navigation has each page of docs/ exactly once, and nothing else; its first is the front page."""
    config = tomllib.loads((ROOT / ".zensical.toml").read_text("utf-8"))
    entries = [page for entry in config["project"]["nav"] for page in entry.values()]
    assert sorted(entries) == sorted(path.name for path in DOCS.glob("*.md"))
    assert entries[0] == "index.md"


def test_images_are_small() -> None:
    """A page loads fast: no picture has more than 200 kB."""
    assert [path.name for path in ATTACHED if path.suffix == ".png" and path.stat().st_size > 200_000] == []


def test_the_page_of_pictures_shows_the_lines_of_the_example() -> None:
    """What stands beside a picture is what made it."""
    example = [line.strip() for line in (ROOT / "examples" / "gallery.py").read_text("utf-8").splitlines()]
    shown = [block.code for block in blocks(DOCS / "gallery.md") if block.language in ("python", "py")]
    lines = [line.strip() for code in shown for line in code.splitlines()]
    assert len(shown) > 10
    assert [line for line in lines if line not in example] == []

"""The pages and the code name the same numbers and the same methods: one that changes has to change in both."""

import inspect
import re
from pathlib import Path
from typing import Any

import pytest

from asynctb import AsyncSummaryWriter, SummaryWriter, notices, writer
from asynctb.encode import text
from asynctb.entry import OVERHEAD
from asynctb.pipeline import backlog, driver, health
from asynctb.storage import local

DOCS = Path(__file__).resolve().parents[2] / "docs"


def default(function: Any, name: str) -> Any:
    return inspect.signature(function).parameters[name].default


def prose(page: str) -> str:
    """Return a page's text with every run of white space as one space."""
    return " ".join((DOCS / page).read_text("utf-8").split())


@pytest.mark.parametrize(
    "said",
    [
        f"has been in flight for {health.STUCK_AFTER:g} s",
        f"A write that does not return is failing only after {health.STUCK_AFTER:g} s",
        f"so with such a disk the wait is {health.STUCK_AFTER + health.PATIENCE:g} s at most",
        f"wait, all together for {health.PATIENCE:g} s at most",
        f"after {driver.FIRST_RETRY * 1000:g} ms at first and every {driver.LAST_RETRY:g} s later",
        f"text of {text.LONG:,} characters or more",
        f"after every {writer.TURN >> 10} KiB of accepted entries",
        f"at most `max_bytes` ({default(SummaryWriter, 'max_bytes') >> 20} MiB)",
        f"until that is encoded, and {OVERHEAD} bytes more",
        f"while {backlog.MAX_ENTRIES:,} entries are unwritten",
        f"the limit of {backlog.MAX_ENTRIES:,} entries (rule 5)",
        f"in the file within {2 * driver.LINGER * 1000:g} ms, whatever",
        f"looks for itself, every {local.LOOK * 1000:g} ms",
        f"wait for company, for {driver.LINGER * 1000:g} ms at most",
        f"at most every {notices.EVERY:g} s",
        f"at most `exit_timeout` ({default(SummaryWriter, 'exit_timeout'):g} s)",
        f"takes {default(SummaryWriter.close, 'timeout')} s at most",
        f"`max_queue` ({default(SummaryWriter, 'max_queue')})",
        f"`flush_secs` ({default(SummaryWriter, 'flush_secs')})",
    ],
)
def test_contract_says_what_the_code_does(said: str) -> None:
    """A number of the contract is the code's."""
    assert said in prose("contract.md")


def test_the_numbers_that_are_said_in_words() -> None:
    """Three quarters of the bound, and 64 files at once."""
    assert backlog.MEDIA_SHARE == 0.75
    assert f"At most {local.MAX_OPEN} files of a writer are open" in prose("differences.md")


@pytest.mark.parametrize("name", ["max_queue", "flush_secs", "max_bytes", "overflow", "exit_timeout"])
def test_both_writers_have_the_same_defaults(name: str) -> None:
    """The contract gives one number for both writers, so they share it; `on_storage_error` alone differs."""
    assert default(AsyncSummaryWriter, name) == default(SummaryWriter, name)


def test_differences_name_methods_that_are_there() -> None:
    """Every method on the page of differences is one of ours."""
    named = set(re.findall(r"`(add_\w+)", prose("differences.md")))
    assert len(named) > 15
    assert named <= {name for name in dir(SummaryWriter) if name.startswith("add_")}

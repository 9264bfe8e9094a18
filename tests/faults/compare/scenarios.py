"""The faults: one scenario each, which all writers meet alike, and what asynctb promises in it."""

from __future__ import annotations

from dataclasses import dataclass

from tests.faults.compare.outcome import Outcome

EXIT_TIMEOUT = 5.0


@dataclass(frozen=True)
class Promise:
    """What asynctb's own outcome must be; None where nothing is promised."""

    lost: int | None = 0
    told: bool | None = None  # True: whoever loses entries is told
    raised: frozenset[str | None] = frozenset({None})
    shown: bool = True  # both loaders show all that is stored, where they are asked
    longest: float = 1.0  # seconds that an add may take
    held: float = 1.0  # seconds, in all, for which the loop may be late
    delay: float = EXIT_TIMEOUT

    def broken(self, outcome: Outcome, slack: float = 1.0) -> list[str]:
        """Return what is not as promised; `slack` is what a busy machine may add to a time."""
        rules = {
            f"it hangs in {outcome.hung}": outcome.hung is None,
            f"{outcome.children_hung} children hang": outcome.children_hung == 0,
            f"{outcome.lost} of {outcome.accepted} are lost": self.lost is None or outcome.lost <= self.lost,
            "more is stored than accepted": outcome.lost >= 0,
            "nobody is told": self.told is None or outcome.told is self.told,
            f"{outcome.twice} are there twice": outcome.twice == 0,
            f"it raises {outcome.raised}": outcome.raised in self.raised,
            f"{outcome.escaped} files are outside": outcome.escaped == 0,
            f"{outcome.shown} of {outcome.stored} are shown": outcome.shown in (None, outcome.stored) or not self.shown,
            f"an add takes {outcome.longest} s": outcome.longest <= self.longest + slack,
            f"the loop is held for {outcome.held} s": (outcome.held or 0.0) <= self.held + slack,
            f"its end takes {outcome.delay} s": (outcome.delay or 0.0) <= self.delay + slack,
            "it is dead afterwards": not outcome.dead,
        }
        return [what for what, kept in rules.items() if not kept]


@dataclass(frozen=True)
class Scenario:
    """One fault."""

    name: str
    fault: str
    program: str
    args: tuple[str, ...]
    shows: frozenset[str] = frozenset({"lost"})  # what of an outcome the table tells
    coroutine: bool = True  # whether it makes sense in asyncio
    kill: tuple[float, float] | None = None  # seconds after the first add, from and to
    varies: bool = False  # from run to run, so that it is run more often
    alone: bool = False  # its figures are times, which others would spoil
    promise: Promise = Promise()
    promise_async: Promise | None = None

    def promised(self, writer: str) -> Promise:
        """Return what one of asynctb's writers promises."""
        return self.promise_async if writer == "async" and self.promise_async else self.promise


def _scenario(name: str, fault: str, program: str, args: str, *shows: str, **options: object) -> Scenario:
    return Scenario(name, fault, program, tuple(args.split()), frozenset(shows or {"lost"}), **options)  # type: ignore[arg-type]


def _killed(name: str, fault: str, rate: int, lost: int, first: float = 0.2, last: float = 1.0) -> Scenario:
    kept = Promise(lost=lost)
    return _scenario(name, fault, "kills", str(rate), "cost", kill=(first, last), varies=True, promise=kept)


def _raises(*what: str) -> frozenset[str | None]:
    return frozenset(what)


FLAT_OUT = 2_000
EXITS = [
    _scenario("return-1", "the program returns after 1 add, without `close()`", "exits", "return 1 0", varies=True),
    _scenario("return-10", "… after 10 adds", "exits", "return 10 0", varies=True),
    _scenario("return-1000", "… after 1,000 adds", "exits", "return 1000 0", varies=True),
    _scenario("sys-exit", "`sys.exit` after 100 adds", "exits", "exit 100 0", varies=True),
    _scenario("exception", "an exception after 100 adds", "exits", "exception 100 0", varies=True),
    _scenario("ctrl-c", "Ctrl-C after 100 adds", "exits", "ctrl-c 100 0", varies=True),
    _scenario(
        "stuck-exit",
        "it returns after 5 adds, and the disk takes no byte any more",
        "exits",
        "stuck 5 0",
        "lost",
        "delay",
        promise=Promise(lost=None, told=True),
    ),
]
KILLS = [
    _scenario("flush-kill", "50 adds, `flush()`, SIGKILL", "kills", "flushed", "cost", varies=True),
    _killed("kill-10", "SIGKILL at 10 adds a second", 10, 2, 0.3, 1.5),
    _killed("kill-100", "SIGKILL at 100 adds a second", 100, 20),
    _killed("kill-1000", "SIGKILL at 1,000 adds a second", 1000, 200),
    _killed("kill-flat-out", "SIGKILL, flat out", 0, FLAT_OUT),
    _scenario(
        "kill-busy",
        "50 adds, 0.3 s of computation, SIGKILL",
        "kills",
        "busy",
        "cost",
        varies=True,
        promise_async=Promise(lost=50),
    ),
    _scenario(
        "os-exit",
        "100 adds, and `os._exit` at once",
        "exits",
        "os._exit 100 0",
        "cost",
        varies=True,
        promise=Promise(100),
    ),
    _scenario(
        "sigterm", "100 adds, and SIGTERM at once", "exits", "sigterm 100 0", "cost", varies=True, promise=Promise(100)
    ),
    _scenario("sigterm-later", "100 adds, and SIGTERM 0.5 s later", "exits", "sigterm 100 0.5", "cost", varies=True),
]
DISKS = [
    _scenario(
        "full",
        "the disk is full, for good; 5,000 adds",
        "disks",
        "full",
        "lost",
        "longest",
        promise=Promise(lost=None, told=True),
        promise_async=Promise(lost=None, told=True, raised=_raises("StorageError from flush")),
    ),
    _scenario(
        "full-healed", "… and after 2,500 adds there is room again", "disks", "healed", "lost", "shown", "longest"
    ),
    _scenario("hiccup", "one write fails with EIO, 500 adds", "disks", "hiccup", "lost", "shown"),
    _scenario(
        "slow-disk",
        "0.2 s for each write to the disk; 30 adds of a coroutine, 10 ms apart",
        "slow_disk",
        "",
        "lost",
        "longest",
        "lag",
        alone=True,
    ),
    _scenario("folder-deleted", "the log directory is deleted, then 500 adds", "disks", "folder", "lost"),
    _scenario("file-deleted", "the event file is deleted, then 500 adds", "disks", "file", "lost", "shown"),
]
PROCESSES = [
    _scenario("fork-5", "a forked child adds 5 and ends", "forks", "fork 5", "lost", "children", coroutine=False),
    _scenario("fork-100", "a forked child adds 100 and ends", "forks", "fork 100", "lost", "children", coroutine=False),
    _scenario("fork-flush", "… adds 5, and calls `flush()`", "forks", "flush 5", "lost", "children", coroutine=False),
    _scenario("fork-load", "8 forks while a thread logs", "forks", "load 8", "lost", "children", coroutine=False),
    _scenario(
        "multiprocessing",
        "a `multiprocessing` child adds 5 and returns",
        "forks",
        "multiprocessing 5",
        "lost",
        "children",
        coroutine=False,
    ),
    _scenario(
        "threads-4",
        "4 writers of one directory in the same second, in threads",
        "crowds",
        "threads 4 50",
        coroutine=False,
    ),
    _scenario("processes-2", "2 writers, in processes", "crowds", "processes 2 50", coroutine=False),
    _scenario("threads-16", "one writer in 16 threads", "crowds", "shared 16 500", coroutine=False),
]
NAMES = [
    _scenario("planted", "a link stands where the event file should be", "names", "planted", "escaped"),
    _scenario(
        "outside",
        "`..` in the names of `add_scalars`, `add_hparams`, `add_embedding`",
        "names",
        "outside",
        "escaped",
        promise=Promise(raised=_raises("EncodeError from add_scalars")),
    ),
]
VALUES = [
    _scenario(
        "nan-time",
        "a wall time of NaN between 20 adds",
        "values",
        "nan",
        "shown",
        promise=Promise(raised=_raises("EncodeError from add_scalar")),
    ),
    _scenario(
        "bad-tag",
        "a tag that is not UTF-8 between 20 adds",
        "values",
        "tag",
        "shown",
        promise=Promise(raised=_raises("EncodeError from add_scalar")),
    ),
    _scenario("no-steps", "100 adds without a step", "values", "no-steps", "shown"),
    _scenario("clock", "a run is resumed with the clock an hour back", "values", "clock", "shown", coroutine=False),
    _scenario(
        "closed",
        "10 adds after `close()`",
        "values",
        "closed",
        "lost",
        promise_async=Promise(raised=_raises("WriterClosed from add_scalar")),
    ),
    _scenario("pickle", "10 adds with a pickled copy", "values", "pickle", "lost"),
]
SCENARIOS = {s.name: s for s in (*EXITS, *KILLS, *DISKS, *PROCESSES, *NAMES, *VALUES)}

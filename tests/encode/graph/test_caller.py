"""The thread that traces has its caller's context, and warns of nothing; everybody else warns as before."""

import threading
import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from contextvars import ContextVar
from typing import Any, TypeVar

import pytest

from asynctb.encode.graph.caller import Caller
from tests.encode.graph.models import nn, torch

T = TypeVar("T")
variable: ContextVar[str] = ContextVar("variable", default="nobody's")


def elsewhere(function: Callable[[], T]) -> T:
    """Run it in a thread, as if here."""
    caller = Caller()
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(caller.run, function).result()


def test_context_variables() -> None:
    """Variables are the caller's, and what is changed stays there."""
    token = variable.set("the caller's")
    try:
        assert elsewhere(variable.get) == "the caller's"
        elsewhere(lambda: variable.set("the thread's"))
        assert variable.get() == "the caller's"
    finally:
        variable.reset(token)


def state() -> dict[str, Any]:
    return {
        "gradients": torch.is_grad_enabled(),
        "inference": torch.is_inference_mode_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "type": torch.get_autocast_dtype("cpu"),
        "cache": torch.is_autocast_cache_enabled(),
        "result": nn.Linear(2, 2)(torch.ones(1, 2)).dtype,
        "device": torch.get_default_device().type,
    }


@pytest.mark.parametrize(
    "modes",
    [
        [],
        [lambda: torch.no_grad()],
        [lambda: torch.inference_mode()],
        [lambda: torch.inference_mode(), lambda: torch.enable_grad()],
        [lambda: torch.autocast("cpu", dtype=torch.bfloat16)],
        [lambda: torch.autocast("cpu", dtype=torch.float16, cache_enabled=False), lambda: torch.no_grad()],
        [lambda: torch.autocast("cpu", dtype=torch.bfloat16), lambda: torch.autocast("cpu", enabled=False)],
        [lambda: torch.device("meta")],
    ],
    ids=["none", "no_grad", "inference", "inference with gradients", "bfloat16", "float16", "autocast off", "device"],
)
def test_modes_of_torch(modes: list[Callable[[], Any]]) -> None:
    """Gradient mode, inference mode, autocast and the default device are the caller's; the thread's own come back."""
    with ThreadPoolExecutor(1) as pool:
        own = pool.submit(state).result()
        with modes[0]() if modes else nullcontext(), modes[1]() if len(modes) > 1 else nullcontext():
            here = state()
            caller = Caller()
        assert pool.submit(caller.run, state).result() == here
        assert pool.submit(state).result() == own


def test_the_same_thread() -> None:
    """Where there is no other thread nothing changes."""
    with torch.inference_mode(), torch.autocast("cpu", dtype=torch.bfloat16):
        here = state()
        assert Caller().run(state) == here
        assert state() == here


def test_no_warnings_from_inside() -> None:
    """What is run warns of nothing, whatever the filters; its caller does, before and after."""
    for action in ("error", "always"):
        with warnings.catch_warnings(record=True) as seen:
            warnings.simplefilter(action)  # type: ignore[arg-type]
            Caller().run(lambda: warnings.warn("inside", stacklevel=1))
            elsewhere(lambda: warnings.warn("inside", DeprecationWarning, stacklevel=1))
            with pytest.raises(UserWarning) if action == "error" else nullcontext():
                warnings.warn("outside", stacklevel=1)
        assert [str(each.message) for each in seen] == (["outside"] if action == "always" else [])


def test_warnings_of_others_meanwhile() -> None:
    """While something runs silently, other threads' warnings come through, and none of their settings changes."""
    inside, go_on = threading.Event(), threading.Event()

    def run() -> None:
        inside.set()
        go_on.wait(30)
        warnings.warn("inside", stacklevel=1)

    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        thread = threading.Thread(target=Caller().run, args=(run,))
        thread.start()
        assert inside.wait(30)
        with warnings.catch_warnings():
            warnings.warn("outside", stacklevel=1)
            go_on.set()
            thread.join()
        warnings.warn("after", stacklevel=1)
    assert [str(each.message) for each in seen] == ["outside", "after"]


def test_filters_do_not_pile_up() -> None:
    """However often something runs, there is one filter for it."""
    with warnings.catch_warnings():
        Caller().run(int)
        count = len(warnings.filters)
        for _ in range(10):
            Caller().run(int)
        assert len(warnings.filters) == count


def test_who_copies_the_filters_copies_one_that_matches_nothing() -> None:
    """scikit-learn hands filters to its workers by their patterns; ours must neither break that nor silence them."""
    Caller().run(lambda: None)
    patterns = [message.pattern for _, message, *_ in warnings.filters if message is not None]
    assert "(?!)" in patterns
    with warnings.catch_warnings():
        warnings.resetwarnings()
        warnings.simplefilter("error")
        warnings.filterwarnings("ignore", message="(?!)")
        with pytest.raises(UserWarning, match="heard"):
            warnings.warn("heard", stacklevel=1)

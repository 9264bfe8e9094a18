"""The ways out of a script that closes no writer."""

from __future__ import annotations

import atexit
import os
import sys
import threading

from asynctb import SummaryWriter
from tests.faults.programs.leaving import CTRL_C, Plan, first_half, log, made, press_ctrl_c, second_half, way_out


@way_out()
def a_script_returns() -> None:
    Plan.kept.append(writers := made(SummaryWriter))
    log(writers)


@way_out()
def a_script_drops_its_writer() -> None:
    log(made(SummaryWriter))


@way_out(1)
def a_script_ends_with_an_exception() -> None:
    Plan.kept.append(writers := made(SummaryWriter))
    log(writers)
    raise LookupError("meant to happen")


@way_out(3)
def sys_exit_in_a_script() -> None:
    Plan.kept.append(writers := made(SummaryWriter))
    log(writers)
    sys.exit(3)


@way_out(CTRL_C)
def ctrl_c_in_a_script() -> None:
    Plan.kept.append(writers := made(SummaryWriter))
    log(writers)
    press_ctrl_c()


@way_out(CTRL_C)
def ctrl_c_twice_in_a_script() -> None:
    Plan.kept.append(writers := made(SummaryWriter))
    try:
        log(writers, first_half)
        press_ctrl_c()
    finally:
        log(writers, second_half)
        press_ctrl_c()


@way_out()
def a_thread_of_a_script_goes_on_behind_its_end() -> None:
    Plan.kept.append(writers := made(SummaryWriter))
    log(writers, first_half)
    threading.Thread(target=log, args=(writers, second_half)).start()


@way_out()
def a_script_with_an_exit_handler_older_than_the_writer() -> None:
    atexit.register(lambda: log(writers, second_half))
    writers = made(SummaryWriter)
    log(writers, first_half)


@way_out()
def a_script_with_an_exit_handler_younger_than_the_writer() -> None:
    writers = made(SummaryWriter)
    atexit.register(lambda: log(writers, second_half))
    log(writers, first_half)


@way_out()
def a_forked_child_leaves_through_sys_exit() -> None:
    if os.fork() == 0:
        Plan.kept.append(writers := made(SummaryWriter))
        log(writers)
        sys.exit(0)
    assert os.waitstatus_to_exitcode(os.wait()[1]) == 0

"""What all tests begin with."""

import logging
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# A slow machine is no failure. Where `CI` is set, hypothesis has a profile that tries the same examples each time.
settings.register_profile("asynctb", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("asynctb")

# A shell has its background jobs, and all that they start, ignore Ctrl-C; here programs are to end by it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture
def caplog(caplog: pytest.LogCaptureFixture, tmp_path: Path) -> Iterator[pytest.LogCaptureFixture]:
    """Capture what is logged in this test, but not what earlier tests' writers say of their folders.

    One that a test has left unclosed ends when it is collected, which may be during any later test.
    """

    def concerns_this_test(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        return str(tmp_path.parent) not in message or str(tmp_path) in message

    caplog.handler.addFilter(concerns_this_test)
    yield caplog
    caplog.handler.removeFilter(concerns_this_test)

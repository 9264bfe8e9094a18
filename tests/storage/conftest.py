"""After each test here every file that was opened must be closed by the storage that opened it."""

from collections.abc import Iterator

import pytest

from tests.storage.points import MADE


@pytest.fixture(autouse=True)
def all_is_closed() -> Iterator[None]:
    MADE.clear()
    yield
    for storage, _ in MADE:
        storage.close()
    left = [files.open for _, files in MADE if files.open]
    MADE.clear()
    assert left == []

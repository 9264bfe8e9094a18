"""What the contract's tests have too: loops to run on, and a disk that does as it is told."""

from tests.contract.conftest import disk, run

__all__ = ["disk", "run"]

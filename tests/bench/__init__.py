"""The benchmark: asynctb beside the other writers and beside what the work costs alone. `python -m tests.bench`."""

"""The benchmark: asynctb beside torch's writer, in one run. `python -m tests.bench`."""

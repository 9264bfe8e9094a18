"""What is measured: each function runs in a worker's process, for one entrant, and returns figures."""

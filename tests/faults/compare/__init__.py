"""What each writer does in each fault: the same program for all of them, run and read back."""

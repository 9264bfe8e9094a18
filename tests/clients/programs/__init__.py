"""Real clients of torch's writer, unmodified; each program is run by a test, as a script, and writes below `runs`."""

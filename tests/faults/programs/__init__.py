"""Programs that faults strike; each is run by a test, as a script."""

"""Pure encoders: from what a user has to what should be stored. No file, clock, loop, thread or global state."""

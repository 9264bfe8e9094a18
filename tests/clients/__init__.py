"""Programs that know nothing of asynctb, run through it."""

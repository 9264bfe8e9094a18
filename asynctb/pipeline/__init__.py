"""From accepted entries to ordered batches to storage: bounds, order, flushes and failures."""

"""The contract under faults, each brought about in a process of its own."""

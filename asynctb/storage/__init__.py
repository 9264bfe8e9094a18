"""Where bytes come to rest. Nothing else touches a file."""

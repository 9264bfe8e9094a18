"""The programs: each is run as `program.py <writer> <folder> <argument>...`, in a process of its own."""

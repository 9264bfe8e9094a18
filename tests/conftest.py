"""What all tests begin with."""

import signal

# A shell has its background jobs, and all that they start, ignore Ctrl-C; here programs are to end by it.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

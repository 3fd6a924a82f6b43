"""Run a module for as long as whoever started it keeps its standard input open.

    python -m broadcasts.management.leash MODULE [ARGUMENT...]

The pipe closes when the parent lets go of it, and as well when the parent is killed: so no child
outlives its parent, on any system. What follows is what Ctrl-C does.
"""

import os
import runpy
import signal
import sys
import threading
import time
from contextlib import suppress

# How long a module may take to end by itself.
PATIENCE_SECONDS = 8.0


def end_with_parent() -> None:
    """Wait for the end of standard input, then interrupt the main thread; insist after a while."""
    while sys.stdin.buffer.read(1):
        pass
    # To the main thread itself, as it may sit in a system call that only a signal ends.
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
    time.sleep(PATIENCE_SECONDS)
    os._exit(1)


def main() -> None:
    # It may have been inherited as ignored.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    threading.Thread(target=end_with_parent, daemon=True).start()
    module, *arguments = sys.argv[1:]
    sys.argv[1:] = arguments
    with suppress(KeyboardInterrupt):
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

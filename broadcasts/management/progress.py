"""How far a command is, in one line of a terminal that it rewrites; elsewhere nothing."""

import sys
import time

SECONDS = 0.2


class Progress:
    """Tells how far something is, no more often than people can look."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._is_shown = sys.stderr.isatty()
        self._told_at = 0.0

    def __call__(self, done: int, total: int | None = None) -> None:
        now = time.monotonic()
        if not self._is_shown or now - self._told_at < SECONDS:
            return
        self._told_at = now
        of_all = f" of {total:,}" if total else ""
        sys.stderr.write(f"\r{self._what}: {done:,}{of_all}\x1b[K")
        sys.stderr.flush()

    def end(self) -> None:
        """Leave the line to what comes next."""
        if self._told_at:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()

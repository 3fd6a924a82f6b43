"""Child processes that are watched together and end together."""

import os
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import NamedTuple, Self

# Somewhat longer than a child on its leash takes at most.
PATIENCE_SECONDS = 10.0
LINES_KEPT = 20


class Line(NamedTuple):
    """One line of a child's output."""

    child: str
    text: str


class ChildEnded(Exception):
    """A child has ended by itself; says which, how, and what its last words were."""

    def __init__(self, name: str, code: int, last_lines: str) -> None:
        how = f"signal {-code}" if code < 0 else f"exit code {code}"
        super().__init__(f"{name} has ended ({how}).\n{last_lines}".rstrip())


class Children:
    """Python modules run as processes of their own; used by one thread.

    Leaving the context ends all of them. Each is on a leash (see `leash`), so they end as well when
    this process is killed; and in a session of its own, so that Ctrl-C in the terminal reaches this
    process alone, which then ends them in its own way.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._processes: dict[str, subprocess.Popen[str]] = {}
        self._last_lines: dict[str, deque[str]] = {}
        self._news: SimpleQueue[tuple[str, str | None]] = SimpleQueue()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        for process in self._processes.values():
            assert process.stdin
            process.stdin.close()
        for process in self._processes.values():
            try:
                process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def start(self, name: str, module: str, *arguments: str, **environment: str) -> None:
        """Start a module under a name of ours; `environment` is added to this process's own."""
        self._last_lines[name] = deque(maxlen=LINES_KEPT)
        process = self._processes[name] = subprocess.Popen(
            [sys.executable, "-m", "broadcasts.management.leash", module, *arguments],
            cwd=self._directory,
            env=unbuffered(environment),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        threading.Thread(target=self._read, args=(name, process), daemon=True).start()

    def next_line(self, timeout: float | None = None) -> Line | None:
        """Return the next line of any child; None after `timeout` seconds. Raises ChildEnded."""
        try:
            name, text = self._news.get(timeout=timeout)
        except Empty:
            return None
        if text is None:
            code = self._processes[name].wait()
            raise ChildEnded(name, code, "\n".join(self._last_lines[name]))
        self._last_lines[name].append(text)
        return Line(name, text)

    def _read(self, name: str, process: subprocess.Popen[str]) -> None:
        assert process.stdout
        for text in process.stdout:
            self._news.put((name, text.rstrip("\n")))
        self._news.put((name, None))


def unbuffered(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a child whose lines come as they are written."""
    return {**os.environ, **environment, "PYTHONUNBUFFERED": "1"}

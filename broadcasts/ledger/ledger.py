"""One writer thread per process that takes everything waiting and commits it at once.

Grouping is what makes a durable record cheap: the cost of a commit is shared by all the entries
that came in while the last one was being written, so it falls as load rises.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError, connection, transaction

from broadcasts.domain.errors import in_a_line
from broadcasts.domain.lifecycle import STASIS_STATUS, Status

from .commit import Commit
from .entries import (
    Attempt,
    Ending,
    Entry,
    HandedOver,
    HangUp,
    LedgerError,
    Opening,
    RoundBegun,
    SessionEnd,
    no_one,
)

log = logging.getLogger(__name__)

Outcome = tuple[Callable[[Any], None], Any]
Deliver = Callable[[list[Outcome]], None]

# What is noted of a call that goes on; nobody waits for it.
NOTES = (HandedOver, SessionEnd, HangUp)
# Entries that state what has happened: they are kept until the database takes them.
MUST_LAND = (Opening, Attempt, RoundBegun, Ending, *NOTES)
# Small enough that processes which share one SQLite file get their turns.
GROUP_LIMIT = 128
# How long entries that nobody waits for may wait for company.
LINGER_SECONDS = 0.005
PATIENCE_SECONDS = 1.0
RETRY_PAUSE_SECONDS = 0.02
RETRY_SECONDS = 1.0
OWED_LIMIT = 100_000
# How long PostgreSQL may wait for a lock, and take for one statement: callers wait meanwhile.
LOCK_MS = 2_000
STATEMENT_MS = 5_000
TOO_LATE = "the record could not be written in time"


def forget_keys(group: list[Entry]) -> None:
    """Take back the keys that a rolled-back insert gave out: they may become another row's."""
    for entry in group:
        if isinstance(entry, Opening):
            entry.row.pk = None


def as_told(entry: Entry) -> Entry:
    """Return what is to be recorded later of an entry whose refusal has been told.

    A caller who cannot be recorded is sent back FAILED; one whose time-out cannot be recorded, too:
    somebody may have won the call.
    """
    if isinstance(entry, Opening):
        row, entry.replaces = entry.row, False
        row.status, row.reason, row.ended_at = Status.FAILED, TOO_LATE, row.opened_at
        row.stasis_status = STASIS_STATUS[Status.FAILED]
    elif isinstance(entry, Ending) and entry.status is Status.TIMED_OUT:
        entry.status, entry.reason = Status.FAILED, TOO_LATE
    return entry


def limit_waiting() -> None:
    """Bound what a new connection to PostgreSQL may wait for; SQLite has its own time-out."""
    if connection.vendor == "postgresql" and connection.connection is None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT set_config('lock_timeout', %s, false),"
                " set_config('statement_timeout', %s, false)",
                [str(LOCK_MS), str(STATEMENT_MS)],
            )


class Ledger:
    """Takes entries from the event loop; delivers their results to it after the commit.

    `deliver` is called on the writer thread with a list of (done, result) pairs in the order in
    which the entries were submitted, and has to run them on the event loop.
    """

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._waiting: deque[Entry] = deque()
        self._some = threading.Event()
        self._urgent = threading.Event()
        self._stopping = False
        self._owed: deque[Entry] = deque(maxlen=OWED_LIMIT)
        self._retry_at = 0.0
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Write what is waiting, then end. Blocks until then."""
        self._stopping = True
        self._urgent.set()
        self._some.set()
        self._thread.join()

    def submit(self, entry: Entry) -> None:
        """Enter something in the record; never blocks."""
        self._waiting.append(entry)
        if entry.urgent:
            self._urgent.set()
        if not self._some.is_set():
            self._some.set()

    @property
    def backlog(self) -> int:
        """How many entries wait for their commit."""
        return len(self._waiting)

    @property
    def owed(self) -> int:
        """How many entries the database has refused so far and will be offered again."""
        return len(self._owed)

    def _run(self) -> None:
        while not (self._stopping and not self._waiting):
            group = self._next_group()
            self._pay_owed(force=self._stopping)
            group = self._defer_notes(group)
            if group:
                self._tell(self._write(group))
        while self._pay_owed(force=True):
            pass
        connection.close()

    def _next_group(self) -> list[Entry]:
        """Wait for something to write, and a moment longer unless somebody waits for it."""
        if not self._some.wait(RETRY_SECONDS if self._owed else None):
            return []
        self._urgent.wait(LINGER_SECONDS)
        # Cleared before taking: what comes from here on is either taken or sets them again.
        self._some.clear()
        self._urgent.clear()
        group = [self._waiting.popleft() for _ in range(min(len(self._waiting), GROUP_LIMIT))]
        if self._waiting or self._stopping:
            self._urgent.set()
            self._some.set()
        return group

    def _defer_notes(self, group: list[Entry]) -> list[Entry]:
        """Keep notes behind what is owed, which may be of the same call; returns the others."""
        if not self._owed:
            return group
        self._owed.extend(entry for entry in group if isinstance(entry, NOTES))
        return [entry for entry in group if not isinstance(entry, NOTES)]

    def _tell(self, outcomes: list[Outcome]) -> None:
        awaited = [outcome for outcome in outcomes if outcome[0] is not no_one]
        if awaited:
            self._deliver(awaited)

    def _write(self, group: list[Entry]) -> list[Outcome]:
        try:
            return self._commit(group)
        except (OperationalError, InterfaceError) as error:
            return self._refuse(group, error)
        except Exception as error:  # Whatever is wrong with one entry, the others are not to wait.
            forget_keys(group)
            if len(group) == 1:
                return self._reject(group[0], error)
            # One entry spoils the transaction: written one by one, the others are safe.
            return [outcome for entry in group for outcome in self._write([entry])]

    def _commit(self, group: list[Entry]) -> list[Outcome]:
        """Write a group in one transaction.

        What passes by itself, as a server that restarts, is tried again for a moment before anybody
        is told.
        """
        patience = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                limit_waiting()
                with transaction.atomic():
                    return Commit().apply(group)
            except (OperationalError, InterfaceError):
                forget_keys(group)
                connection.close()
                if time.monotonic() > patience or self._owed:
                    raise
                time.sleep(RETRY_PAUSE_SECONDS)

    def _refuse(self, group: list[Entry], error: Exception) -> list[Outcome]:
        """The database is away: answer who waits, keep what must land."""
        if not self._owed:
            log.error("The record cannot be written: %s", in_a_line(error))
        self._owed.extend(as_told(entry) for entry in group if isinstance(entry, MUST_LAND))
        self._retry_at = time.monotonic() + RETRY_SECONDS
        return [(entry.done, LedgerError(in_a_line(error))) for entry in group]

    def _reject(self, entry: Entry, error: Exception) -> list[Outcome]:
        """The database will never take this entry as it is."""
        if isinstance(entry, Opening) and not entry.replaces:
            # Most likely an older broadcast of the channel was never ended in the record.
            entry.replaces = True
            return self._write([entry])
        reason = in_a_line(error)
        log.error("An entry was rejected by the database: %s: %s", type(entry).__name__, reason)
        return [(entry.done, LedgerError(reason))]

    def _pay_owed(self, force: bool) -> bool:
        """Offer the oldest of what is owed to the database; returns whether that took something."""
        if not self._owed or (time.monotonic() < self._retry_at and not force):
            return False
        owed = [self._owed.popleft() for _ in range(min(len(self._owed), GROUP_LIMIT))]
        for entry in owed:
            entry.done = no_one
        newer = len(self._owed)
        self._write(owed)
        # What was refused again stays before what has happened since.
        refused = len(self._owed) - newer
        self._owed.rotate(refused)
        if not self._owed:
            log.info("The record is being written again.")
        return refused < len(owed)

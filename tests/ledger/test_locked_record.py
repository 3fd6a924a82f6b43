"""A ledger whose tables somebody has locked, as a migration or an administrator may."""

import threading
import time
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from broadcasts.domain.lifecycle import Status
from broadcasts.ledger import Ledger, Opening
from broadcasts.ledger import ledger as ledger_module
from broadcasts.ledger.entries import LedgerError
from broadcasts.models import Broadcast
from tests.builders import make_broadcast

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql",
        reason="SQLite has one lock, with a time-out; test_on_postgresql.py runs this",
    ),
]

PATIENCE_SECONDS = 20


class Told:
    """Takes the results of a ledger."""

    def __init__(self):
        self.results = []
        self.something = threading.Event()

    def deliver(self, outcomes):
        self.results += [result for _, result in outcomes]
        self.something.set()


@contextmanager
def table_locked():
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {Broadcast._meta.db_table}")
        yield


def test_nobody_waits_for_a_lock_without_end(monkeypatch):
    monkeypatch.setattr(ledger_module, "LOCK_MS", 200)
    row = make_broadcast(channel_id="1.1")
    row.delete()
    told = Told()
    ledger = Ledger(told.deliver)
    ledger.start()
    try:
        with table_locked():
            ledger.submit(Opening(row, ("a",), "socket", done=told.results.append))
            assert told.something.wait(PATIENCE_SECONDS)
            assert isinstance(told.results[0], LedgerError)
        until = time.monotonic() + PATIENCE_SECONDS
        while not Broadcast.objects.exists() and time.monotonic() < until:
            time.sleep(0.05)
    finally:
        ledger.stop()
    recorded = Broadcast.objects.get()
    assert (recorded.status, recorded.stasis_status) == (Status.FAILED, "FAILED")
    assert recorded.reason == "the record could not be written in time"
    assert recorded.ended_at == recorded.opened_at

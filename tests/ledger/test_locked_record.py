"""A ledger whose tables somebody has locked, as a migration or an administrator may."""

import threading
import time
from contextlib import contextmanager

import pytest
from django.db import connection, transaction

from broadcasts.domain.happenings import Claim
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import Ledger, Opening, TryClaim
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


@pytest.mark.parametrize("is_known", [True, False], ids=["ours", "another process's"])
def test_two_ledgers_never_wait_for_each_other(is_known):
    """Each takes its group's locks in the order of the rows, whatever that of its entries is."""
    first, second = (make_broadcast(("a",), channel_id=channel) for channel in ("1.1", "1.2"))
    told = Told()
    ledger = Ledger(told.deliver)
    for row in (second, first):
        claim = Claim(1, "a", "user", time.time())
        known = row if is_known else None
        ledger.submit(TryClaim(claim, row.channel_id, known, done=told.results.append))
    try:
        with transaction.atomic():
            Broadcast.objects.select_for_update().get(pk=first.pk)
            ledger.start()
            time.sleep(0.3)
            Broadcast.objects.select_for_update(nowait=True).get(pk=second.pk)
    finally:
        ledger.stop()
    assert [result.verdict for result in told.results] == [Verdict.WON, Verdict.WON]

"""A ledger that writes to a broadcast while it is being sealed, as only PostgreSQL lets it."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest
from django.db import OperationalError, connection, transaction

from broadcasts.archive import keys, sealing
from broadcasts.archive.sealing import look
from broadcasts.domain.happenings import Claim
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import Attempt, HangUp
from broadcasts.ledger.commit import Commit
from broadcasts.models import Broadcast, Seal
from tests.archive.cast import LATER, attempt, faults, finished, watch

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.skipif(
        connection.vendor != "postgresql",
        reason="on SQLite one writes at a time; test_on_postgresql.py runs this",
    ),
]

PATIENCE_SECONDS = 20
WAITING = """
    SELECT count(*) FROM pg_stat_activity
    WHERE wait_event_type = 'Lock' AND datname = current_database()"""


def in_own_connection(do):
    try:
        return do()
    finally:
        connection.close()


def write(*entries) -> None:
    with transaction.atomic():
        Commit().apply(list(entries))


def wait_until_somebody_waits() -> None:
    """Wait until a session waits for another one's lock."""
    until = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < until:
        with connection.cursor() as cursor:
            cursor.execute(WAITING)
            if cursor.fetchone()[0]:
                return
    raise AssertionError("nobody waits")


@contextmanager
def half_sealed(monkeypatch) -> Iterator[ThreadPoolExecutor]:
    """Hold a look in the middle: it has read the record, and not yet committed."""
    is_half, may_go_on = threading.Event(), threading.Event()
    mark = sealing._mark

    def mark_later(numbers):
        mark(numbers)
        is_half.set()
        assert may_go_on.wait(PATIENCE_SECONDS)

    monkeypatch.setattr(sealing, "_mark", mark_later)
    with ThreadPoolExecutor(2) as pool:
        sealer = pool.submit(in_own_connection, lambda: look(LATER))
        assert is_half.wait(PATIENCE_SECONDS)
        try:
            yield pool
        finally:
            may_go_on.set()
        assert sealer.result().sealed == 1


def test_an_attempt_that_comes_while_its_broadcast_is_sealed_stands_by_itself(monkeypatch):
    row = finished(offered=["a"])
    watch()
    attempt = Attempt(Claim(0, "b", "user", 1e9), Verdict.ENDED, row.channel_id, row)
    with half_sealed(monkeypatch) as pool:
        written = pool.submit(in_own_connection, lambda: write(attempt))
        wait_until_somebody_waits()
    written.result()
    assert row.attempts.count() == 1
    assert not faults()


def test_a_hang_up_that_comes_while_its_broadcast_is_sealed_is_not_noted(monkeypatch):
    row = finished()
    watch()
    with half_sealed(monkeypatch) as pool:
        hang_up = HangUp(row, 1e9, 16, "Normal Clearing")
        written = pool.submit(in_own_connection, lambda: write(hang_up))
        wait_until_somebody_waits()
    written.result()
    assert Broadcast.objects.get().hangup_cause is None
    assert not faults()


def test_a_broadcast_that_is_just_being_written_to_is_sealed_the_next_time():
    row = finished()
    watch()
    with ThreadPoolExecutor(1) as pool, transaction.atomic():
        Commit().apply([HangUp(row, 1e9, 16, "Normal Clearing")])
        with pytest.raises(OperationalError):
            pool.submit(in_own_connection, lambda: look(LATER)).result()
    assert look(LATER).sealed == 1
    assert Broadcast.objects.get().hangup_cause == 16
    assert not faults()


def test_a_single_record_that_comes_behind_a_larger_key_is_sealed_in_its_turn(monkeypatch):
    has_a_key, may_end = threading.Event(), threading.Event()

    def write_slowly():
        with transaction.atomic():
            attempt(1)
            has_a_key.set()
            assert may_end.wait(PATIENCE_SECONDS)

    watch()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(in_own_connection, write_slowly)
        assert has_a_key.wait(PATIENCE_SECONDS)
        larger = attempt(2)
        with monkeypatch.context() as impatient, pytest.raises(OperationalError, match="too long"):
            impatient.setattr(keys, "PATIENCE_SECONDS", 0.0)
            look(LATER)
        monkeypatch.setattr(keys.time, "sleep", lambda _: (may_end.set(), slow.result()))
        assert look(LATER).sealed == 2
    assert [one.subject for one in Seal.objects.all()] == [larger.pk - 1, larger.pk]
    assert not faults()

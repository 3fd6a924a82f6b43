"""What waits for its seal: for how long, and what becomes of a record that cannot be read."""

import logging
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from broadcasts.archive import upkeep
from broadcasts.archive.sealing import look
from broadcasts.archive.upkeep import Persistent
from broadcasts.archive.waiting import SETTLED, Unreadable, lag
from broadcasts.models import AccessEvent, Seal
from tests.archive.cast import LATER, access, at, attempt, faults, finished, seal, watch
from tests.builders import make_broadcast

pytestmark = pytest.mark.django_db
on_sqlite = pytest.mark.skipif(
    connection.vendor != "sqlite", reason="PostgreSQL lets no such value in"
)

BROKEN = {
    "when a broadcast opened": ("broadcasts_broadcast", "opened_at", "'2026-02-31 12:00:00'"),
    "when a broadcast ended": ("broadcasts_broadcast", "ended_at", "'2026-03-01 12:06:61'"),
    "the time to claim": ("broadcasts_broadcast", "claim_ms", "'soon'"),
    "a text that is none": ("broadcasts_broadcast", "caller_name", "CAST(x'2B34FF' AS TEXT)"),
    "when a candidate was offered it": (
        "broadcasts_candidate",
        "offered_at",
        "'2026-02-31 12:00:00'",
    ),
    "when its attempt came": ("broadcasts_claimattempt", "at", "'2026-02-31 12:00:00'"),
}


def alter(table: str, column: str, value: str, key: int) -> Callable[[], None]:
    """Do by hand what no code of ours does; returns what undoes it."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {column} FROM {table} WHERE id = %s", [key])
        (before,) = cursor.fetchone()
        cursor.execute(f"UPDATE {table} SET {column} = {value} WHERE id = %s", [key])

    def mend() -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"UPDATE {table} SET {column} = %s WHERE id = %s", [before, key])

    return mend


def test_nothing_lags_where_nothing_waits():
    assert lag(LATER) == 0
    finished(), attempt(), access()
    assert lag(at(60)) == 0, "none of it can be sealed yet"
    seal()
    assert lag(LATER) == 0


@pytest.mark.parametrize("make", [finished, attempt, access])
def test_it_lags_since_the_oldest_could_have_been_sealed(make):
    make(30), make(20)
    assert lag(at(20) + SETTLED + timedelta(seconds=5)) == 5


def test_what_is_live_or_belongs_to_a_broadcast_does_not_wait():
    one = make_broadcast(opened_at=at(0))
    attempt(0, one)
    assert lag(LATER) == 0


def test_how_far_it_lags_is_asked_as_often_whatever_waits():
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            lag(LATER)
        return len(captured)

    before = queries()
    for seconds in range(20):
        finished(seconds), attempt(seconds), access(seconds)
    assert queries() == before


@on_sqlite
@pytest.mark.parametrize(("table", "column", "value"), BROKEN.values(), ids=BROKEN)
def test_sealing_stops_at_a_broadcast_that_cannot_be_read_and_names_it(table, column, value):
    finished(0)
    seal(at(300))
    one, later = finished(400), finished(500)
    key = {"broadcasts_candidate": one.candidates, "broadcasts_claimattempt": one.attempts}
    mend = alter(table, column, value, key[table].first().pk if table in key else one.pk)
    watch()
    with pytest.raises(Unreadable, match=f"^the broadcast {one.pk} cannot be read, "):
        look(LATER)
    assert Seal.objects.count() == 1
    assert faults() == [
        f"the broadcast {one.pk} cannot be read: nothing is sealed until it is mended or removed"
    ]
    assert lag(LATER) > 0
    mend()
    assert look(LATER).sealed == 2
    assert [seal.subject for seal in Seal.objects.all()][1:] == [one.pk, later.pk]
    assert faults() == []


@on_sqlite
def test_sealing_stops_at_a_single_record_that_cannot_be_read_and_names_it():
    stray, event = attempt(), access()
    mend = alter("broadcasts_claimattempt", "at", "'2026-02-31 12:00:00'", stray.pk)
    mend_event = alter("broadcasts_accessevent", "at", "'2026-02-31 12:00:00'", event.pk)
    watch()
    with pytest.raises(Unreadable, match=f"^the claim attempt without a broadcast {stray.pk} "):
        look(LATER)
    assert len(faults()) == 2
    mend()
    with pytest.raises(Unreadable, match=f"^the access {event.pk} "):
        look(LATER)
    mend_event()
    assert look(LATER).sealed == 2
    assert faults() == []


@on_sqlite
def test_what_was_put_in_and_cannot_be_read_is_named_all_the_same():
    finished(0), attempt(1), access(2)
    seal()
    one = finished(-10)
    alter("broadcasts_broadcast", "opened_at", "'2026-02-31 12:00:00'", one.pk)
    event = AccessEvent.objects.create(pk=-5, at=at(0), kind="sign_in")
    alter("broadcasts_accessevent", "at", "'2026-02-31 12:00:00'", event.pk)
    assert set(faults()) == {
        f"the broadcast {one.pk} was put in: it has no seal, though all that ended then was sealed",
        f"the broadcast {one.pk} cannot be read: nothing is sealed until it is mended or removed",
        "the access -5 was put in: it has no seal",
    }


@on_sqlite
@pytest.mark.django_db(transaction=True)
async def test_the_log_names_the_record_once_and_none_of_its_values(caplog):
    caplog.set_level(logging.INFO, upkeep.__name__)
    persistent = Persistent("The record cannot be sealed", "The record is being sealed again.")

    def spoil() -> tuple[int, Callable[[], None]]:
        key = finished(caller_name="Alice").pk
        watch()
        return key, alter("broadcasts_broadcast", "caller_name", "CAST(x'2B3439FF' AS TEXT)", key)

    async def try_it() -> bool:
        return (await upkeep.in_thread(lambda: look(LATER))).more

    key, mend = await upkeep.in_thread(spoil)
    for _ in range(3):
        await persistent(try_it)
    await upkeep.in_thread(mend)
    await persistent(try_it)
    assert caplog.messages == [
        f"The record cannot be sealed: the broadcast {key} cannot be read, as if it had been "
        "altered by hand. Nothing is sealed until its row has been mended or removed; see "
        "docs/proof.md",
        "The record is being sealed again.",
    ]
    assert "+49" not in caplog.text


def test_a_fault_of_our_own_is_not_taken_for_the_record_s(monkeypatch):
    finished()
    watch()

    def fail(*_):
        raise LookupError("ours")

    monkeypatch.setattr("broadcasts.archive.sealing._links", fail)
    with pytest.raises(LookupError, match="ours"), transaction.atomic():
        look(LATER)

"""Sealing: what is finished for long enough becomes links of one chain, in order."""

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from broadcasts.archive import sealing
from broadcasts.archive.chain import anchor, chained, head
from broadcasts.archive.sealing import INTERRUPTED, Look, look
from broadcasts.archive.waiting import SETTLED
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.seal import BEGINNING
from broadcasts.models import Broadcast, Seal, ServerHour
from tests.archive.cast import LATER, access, at, attempt, finished, seal, verified, watch
from tests.builders import make_broadcast

pytestmark = pytest.mark.django_db

SECOND = timedelta(seconds=1)


def told(seals):
    return [(one.number, one.kind, one.subject) for one in seals]


def test_what_is_finished_is_sealed_in_the_order_in_which_it_was():
    third, first = finished(3), finished(1)
    second, fourth = attempt(2), access(4)
    assert told(seal()) == [
        (1, "broadcast", first.pk),
        (2, "attempt", second.pk),
        (3, "broadcast", third.pk),
        (4, "access", fourth.pk),
    ]
    assert [Broadcast.objects.get(pk=one.pk).seal for one in (first, third)] == [1, 3]


def test_each_seal_follows_the_one_before():
    for seconds in range(3):
        finished(seconds)
    chain = BEGINNING
    for one in seal():
        chain = chained(chain, one)
        assert bytes(one.chain) == chain
    assert anchor() == f"3:{chain.hex()}"


def test_what_is_live_or_young_is_not_sealed():
    live = make_broadcast(status=Status.CLAIMED, opened_at=at(0))
    young = finished(600 - SETTLED.seconds + 1)
    attempt(600 - SETTLED.seconds + 1)
    old = finished(600 - SETTLED.seconds)
    assert told(seal(at(600))) == [(1, "broadcast", old.pk)]
    assert Broadcast.objects.filter(seal=None, pk__in=[live.pk, young.pk]).count() == 2


def test_what_was_sealed_is_not_sealed_again():
    finished(), attempt(), access()
    assert len(seal()) == 3
    assert look(LATER + SECOND) == Look()
    later = finished(660)
    assert told(seal(at(900))) == [(4, "broadcast", later.pk)]


def test_many_are_sealed_in_small_looks_that_leave_none_out():
    for seconds in range(7):
        finished(seconds, offered=["a"]), attempt(seconds), access(seconds)
    watch()
    looks = []
    while not looks or looks[-1].more:
        looks.append(look(LATER, limit=2))
    assert len(looks) > 3
    assert sum(one.sealed for one in looks) == 21
    finished_at = list(Seal.objects.order_by("number").values_list("finished_at", flat=True))
    assert finished_at == sorted(finished_at)
    assert not Seal.objects.filter(late=True).exists()


def test_more_that_ended_at_the_same_moment_than_one_look_takes_are_not_late():
    for _ in range(5):
        finished(1)
    assert [one.late for one in seal(limit=2)] == [False] * 5


def test_a_look_asks_as_often_however_much_it_seals():
    def queries(count: int) -> int:
        with CaptureQueriesContext(connection) as captured:
            assert look(LATER, limit=count).sealed == count
        return len(captured)

    for seconds in range(41):
        finished(seconds)
    watch()
    assert queries(40) == queries(1)


def test_after_a_pause_late_entries_are_waited_for():
    finished()
    watch()
    assert look(LATER + INTERRUPTED + SECOND).sealed == 0, "nobody looked for too long"
    late = finished(-60)
    for seconds in (20, 40):
        assert look(LATER + INTERRUPTED + SECOND * seconds).sealed == 0
    done = seal(LATER + timedelta(minutes=5))
    assert told(done)[0] == (1, "broadcast", late.pk)
    assert [one.late for one in done] == [False, False]


def test_a_clock_that_ran_ahead_and_was_set_back_keeps_nothing_waiting():
    finished(3600)
    assert len(seal(at(4000))) == 1
    one, other = finished(500), access(510)
    assert told(seal(at(600))) == [(2, "broadcast", one.pk), (3, "access", other.pk)]
    assert not Seal.objects.filter(late=True).exists()
    finished(620)
    assert not verified().faults.count


def test_what_a_clock_that_was_ahead_has_dated_keeps_nothing_behind_it_waiting():
    finished()
    seal(at(300))
    attempts, accesses = [attempt(86400), attempt(500)], [access(86400), access(510)]
    sealed = told(seal(at(600), limit=1))
    assert [key for _, kind, key in sealed if kind == "attempt"] == [one.pk for one in attempts]
    assert [key for _, kind, key in sealed if kind == "access"] == [one.pk for one in accesses]
    assert not Seal.objects.filter(late=True).exists()
    assert not verified().faults.count


def test_the_time_is_the_database_s_and_not_that_of_a_host(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: at(-(10**9)))
    look()
    assert head().looked_at > at(-(10**8))


def test_a_record_that_comes_when_younger_ones_are_sealed_is_marked_as_late():
    finished(100), attempt(100), access(100)
    seal()
    finished(99), attempt(50), access(50)
    assert [one.late for one in seal(LATER + timedelta(minutes=1))] == [True] * 3


def test_attempts_that_are_written_in_another_order_than_made_are_not_late():
    attempt(101), attempt(100)
    attempt(100.5)
    assert [one.late for one in seal(at(160))] == []
    assert [one.late for one in seal(at(161))] == [False, False, False]


def test_an_attempt_that_is_too_young_is_waited_for_by_those_behind_it():
    young = attempt(590)
    owed = attempt(10)
    assert seal(at(600)) == []
    assert told(seal(at(700))) == [(1, "attempt", young.pk), (2, "attempt", owed.pk)]


def test_the_attempts_of_a_broadcast_have_no_seal_of_their_own():
    one = finished()
    assert one.attempts.count() == 2
    assert told(seal()) == [(1, "broadcast", one.pk)]


def test_what_is_sealed_is_counted_for_the_reports_once():
    finished(), finished(1, status=Status.TIMED_OUT, claim_ms=None, winner="")
    seal()
    seal(LATER + timedelta(minutes=5))
    hour = ServerHour.objects.get()
    assert (hour.claimed, hour.timed_out) == (1, 1)


def test_a_look_that_fails_has_done_nothing(monkeypatch):
    finished()
    watch()

    def fail(numbers):
        raise DatabaseError("away")

    with monkeypatch.context() as broken, pytest.raises(DatabaseError):
        broken.setattr(sealing, "_mark", fail)
        look(LATER)
    assert (Seal.objects.count(), head().number, ServerHour.objects.count()) == (0, 0, 0)
    assert look(LATER).sealed == 1
    assert not verified().faults.count

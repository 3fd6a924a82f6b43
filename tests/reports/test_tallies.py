"""Counting broadcasts."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models import Sum

from broadcasts.domain.histogram import Histogram
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.models import ApplicationDay, ApplicationHour, Broadcast, ServerHour
from broadcasts.reports import tallies
from broadcasts.reports.tallies import read_records
from tests.builders import make_broadcast, make_server

from .cast import everything, make_attempt, make_records, seal

pytestmark = pytest.mark.django_db

HOUR = datetime(2026, 3, 2, 9, tzinfo=UTC)


def count(*broadcasts):
    tallies.count(read_records(Broadcast.objects.filter(pk__in=[one.pk for one in broadcasts])))


def at(minute):
    return HOUR + timedelta(minutes=minute)


def fared(application):
    """Return what is kept of an application: it has to be the same by the hour and by the day."""
    kept = [
        model.objects.values_list(*model.COUNTS, "margin_ms").get(application=application)
        for model in (ApplicationHour, ApplicationDay)
    ]
    assert kept[0] == kept[1]
    return dict(zip((*ApplicationHour.COUNTS, "margin_ms"), kept[0], strict=True))


def test_a_claimed_broadcast_counts_for_its_server_and_each_of_its_applications():
    broadcast = make_broadcast(["a", "b", "c"], status=Status.CLAIMED, claim_ms=40, opened_at=at(5))
    make_attempt(broadcast, "a", Verdict.WON)
    make_attempt(broadcast, "b", Verdict.TAKEN, 7.0)
    make_attempt(broadcast, "b", Verdict.TAKEN, 9.0)
    count(broadcast)
    hour = ServerHour.objects.get()
    assert (hour.hour, hour.server, hour.claimed) == (HOUR, make_server(), 1)
    assert Histogram(hour.claim_ms).percentile(0.5) == pytest.approx(40, rel=0.02)
    won = fared("a")
    assert (won["offered"], won["attempted"], won["won"], won["never_answered"]) == (1, 1, 1, 0)
    assert (won["failed_handovers"], won["margin_ms"]) == (0, {})
    lost = fared("b")
    assert (lost["attempted"], lost["won"], lost["never_answered"]) == (1, 0, 0)
    assert len(Histogram(lost["margin_ms"])) == 2
    assert fared("c")["never_answered"] == 1


def test_who_claims_what_it_was_not_offered_counts_as_trying_alone():
    broadcast = make_broadcast(["a"], status=Status.TIMED_OUT, opened_at=at(50))
    make_attempt(broadcast, "z", Verdict.NOT_OFFERED)
    count(broadcast)
    stranger = fared("z")
    assert (stranger["offered"], stranger["attempted"], stranger["never_answered"]) == (0, 1, 0)
    assert ServerHour.objects.get().timed_out_quarters == {39: 1}


def test_a_hand_over_fails_for_the_winner_whether_the_call_is_offered_again_or_goes_back():
    again = make_broadcast(["a", "b"], status=Status.CLAIMED, winner="b", opened_at=at(0))
    again.candidates.filter(application="a").update(failed_at=at(1))
    back = make_broadcast(
        ["a", "b"], status=Status.FAILED, winner="a", claim_ms=3, ended_at=at(1), opened_at=at(0)
    )
    count(again, back)
    hour = ServerHour.objects.get()
    assert (hour.failed_handovers, hour.claimed, hour.failed) == (2, 1, 1)
    assert fared("a")["failed_handovers"] == 2
    assert (fared("a")["won"], fared("b")["won"]) == (0, 1)


def test_what_is_open_does_not_count():
    count(make_broadcast(opened_at=at(0)))
    assert not ServerHour.objects.exists()
    assert not ApplicationHour.objects.exists()


def test_counting_in_portions_comes_to_the_same_as_counting_at_once():
    broadcasts = make_records(60, HOUR, timedelta(hours=30))
    count(*broadcasts)
    at_once = everything()
    for model in tallies.TALLIES:
        model.objects.all().delete()
    for start in range(0, 60, 7):
        count(*broadcasts[start : start + 7])
    assert everything() == at_once


def test_servers_and_hours_are_kept_apart():
    broadcasts = make_records(40, HOUR, timedelta(hours=5))
    seal(broadcasts)
    ended = [one for one in broadcasts if one.status != Status.OPEN]
    places = {(tallies.hour_of(one.opened_at), one.server_id) for one in ended}
    assert {row.key for row in ServerHour.objects.all()} == places
    sums = ServerHour.objects.aggregate(*map(Sum, [status.value for status in tallies.OUTCOMES]))
    assert sum(sums.values()) == len(ended)


def test_more_broadcasts_take_no_more_statements(django_assert_num_queries):
    few = list(read_records(broadcasts_of(make_records(4, HOUR, timedelta(minutes=50)))))
    many = list(read_records(broadcasts_of(make_records(60, HOUR, timedelta(minutes=50), seed=2))))
    with django_assert_num_queries(8):
        tallies.count(few)
    with django_assert_num_queries(8):
        tallies.count(many)


def broadcasts_of(made):
    return Broadcast.objects.filter(pk__in=[one.pk for one in made])


def test_nothing_takes_no_statement(django_assert_num_queries):
    with django_assert_num_queries(0):
        tallies.count([])

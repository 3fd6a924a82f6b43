"""What the record can be filtered by."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.history.filters import BroadcastFilter
from broadcasts.history.numbers import pseudonym_of
from broadcasts.models import Broadcast, Candidate, ClaimAttempt
from tests.builders import make_broadcast, make_server

pytestmark = pytest.mark.django_db

LONG_AGO = timedelta(days=400)


def found(**asked):
    chosen = BroadcastFilter(asked, queryset=Broadcast.objects.all())
    assert chosen.is_valid(), chosen.errors
    return set(chosen.qs)


def errors(**asked):
    return set(BroadcastFilter(asked, queryset=Broadcast.objects.all()).errors)


def test_the_last_seven_days_are_shown_unless_something_else_is_asked_for():
    new, old = make_broadcast(), make_broadcast(opened_at=timezone.now() - LONG_AGO)
    assert found() == {new}
    assert found(period="all") == {new, old}
    assert found(until=(timezone.now() - timedelta(days=9)).isoformat()) == {old}


def test_a_channel_or_a_number_is_found_whenever_it_was():
    old = make_broadcast(opened_at=timezone.now() - LONG_AGO, caller_number="+1999", called="7")
    make_broadcast()
    for term in (old.channel_id, "+1999", "7", " 7 "):
        assert found(q=term) == {old}
    assert found(q="+1999", period="1h") == set()


def test_a_caller_is_found_under_the_pseudonym_too():
    before = make_broadcast(caller_number=pseudonym_of("+1999"))
    after = make_broadcast(caller_number="+1999")
    make_broadcast()
    assert found(caller="+1999") == found(q="+1999") == {before, after}
    assert found(same_caller=after.pk) == {before, after}


@pytest.mark.parametrize(
    ("asked", "columns"),
    [
        ({"status": ["failed"]}, {"status": Status.FAILED}),
        ({"stasis_status": ["FAILED"]}, {"status": Status.FAILED}),
        ({"winner": "ivr-main"}, {"status": Status.CLAIMED}),
        ({"called": "601"}, {"called": "601"}),
        ({"preset": "@vip"}, {"preset_name": "vip", "preset_version": 1}),
        ({"latency_min": "100"}, {"status": Status.CLAIMED, "claim_ms": 100}),
    ],
)
def test_columns_are_compared(asked, columns):
    make_broadcast(status=Status.TIMED_OUT)
    wanted = make_broadcast(**columns)
    assert found(**asked) == {wanted}


def test_latency_has_two_ends():
    fast, slow = (make_broadcast(status=Status.CLAIMED, claim_ms=ms) for ms in (5, 500))
    assert found(latency_max="5") == {fast}
    assert found(latency_min="5", latency_max="500") == {fast, slow}


def test_servers_are_named():
    there = make_broadcast(server=make_server("branch"))
    make_broadcast()
    assert found(server="branch") == {there}
    assert errors(server="nowhere") == {"server"}


def test_applications_are_told_apart_by_what_they_did():
    broadcast = make_broadcast(offered=["a", "b", "c"])
    Candidate.objects.filter(application="b").update(failed_at=timezone.now())
    ClaimAttempt.objects.create(
        broadcast=broadcast,
        channel_id=broadcast.channel_id,
        application="a",
        user="u",
        at=timezone.now(),
        answer=409,
        verdict=Verdict.TAKEN,
    )
    other = make_broadcast(offered=["z"])
    assert found(candidate="c") == {broadcast}
    assert found(attempted="a") == {broadcast}
    assert found(attempted="b") == set()
    assert found(unanswered_by="a") == set()
    assert found(unanswered_by="b") == {broadcast}
    assert found(failed_for="b") == found(failed_handover="true") == {broadcast}
    assert found(failed_handover="false") == {other}


def test_a_hand_over_has_failed_too_where_the_call_went_back_to_the_dialplan():
    back = make_broadcast(["a", "b"], status=Status.FAILED, winner="a", claim_ms=5)
    refused = make_broadcast([], status=Status.FAILED)
    assert found(failed_for="a") == found(failed_handover="true") == {back}
    assert found(failed_for="b") == set()
    assert found(failed_handover="false") == {refused}


def test_hours_and_weekdays_are_those_of_the_readers_zone():
    monday_2330_utc = datetime(2026, 11, 23, 23, 30, tzinfo=ZoneInfo("UTC"))
    late = make_broadcast(opened_at=monday_2330_utc)
    with timezone.override("Europe/Berlin"):
        assert found(period="all", hour="0") == found(period="all", weekday="2") == {late}
    with timezone.override("UTC"):
        assert found(period="all", hour="23") == found(period="all", weekday="1") == {late}


def test_the_same_channel_is_the_same_on_its_own_server_alone():
    one = make_broadcast(channel_id="1.1", status=Status.FAILED)
    again = make_broadcast(channel_id="1.1")
    make_broadcast(channel_id="1.1", server=make_server("branch"))
    assert found(same_channel=one.pk) == {one, again}
    assert found(same_channel=10**9) == found(same_caller=10**9) == set()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("since", "soon"),
        ("since", "0001-01-01T00:00:00+14:00"),
        ("until", "9999-12-31T23:59:59"),
        ("period", "ever"),
        ("status", ["lost"]),
        ("latency_min", "-1"),
        ("hour", "24"),
        ("weekday", "8"),
        ("same_caller", "you"),
        ("failed_handover", "perhaps"),
    ],
)
def test_nonsense_is_named(name, value):
    assert errors(**{name: value}) == {name}

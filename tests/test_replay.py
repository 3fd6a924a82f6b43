"""Whom a draft would have offered what was broadcast."""

from datetime import UTC, datetime, timedelta

import pytest

from broadcasts import replay as replay_module
from broadcasts.domain.app_filter import FilterRefused
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.plan import PlannedRound
from broadcasts.models import Broadcast
from broadcasts.replay import Chosen, Place, replay, replay_slice
from tests.builders import make_broadcast, make_connection, make_server

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def connected(*applications: str, since=NOON - MINUTE, until=None):
    for application in applications:
        make_connection(application, since, until)


def broadcast(*offered: str, at=NOON, status=Status.TIMED_OUT, **columns):
    return make_broadcast(offered, opened_at=at, status=status, **columns)


def replayed(*filters, start=NOON - DAY, end=NOON + DAY, most=20_000, **options):
    """Replay rounds, each a filter or a filter and its milliseconds."""
    rounds = [
        PlannedRound(*one) if isinstance(one, tuple) else PlannedRound(one, 500) for one in filters
    ]
    return replay(rounds, Chosen(start, end, **options), most)


def test_a_draft_that_reaches_the_same_changes_nothing():
    connected("ivr-1", "sales")
    broadcast("ivr-1")
    result = replayed("^ivr-")
    assert (result.examined, result.changed, result.place) == (1, 0, None)
    assert not result.gains and not result.losses


def test_who_gains_and_who_loses_is_counted_by_broadcast():
    connected("ivr-1", "sales", "support")
    broadcast("ivr-1")
    broadcast("ivr-1", "sales")
    result = replayed("^s")
    assert (result.examined, result.changed) == (2, 2)
    assert result.gains == {"sales": 1, "support": 2}
    assert result.losses == {"ivr-1": 2}


def test_only_those_who_were_connected_at_the_time_are_reached():
    connected("early", until=NOON - timedelta(seconds=1))
    connected("late", since=NOON + MINUTE)
    connected("there")
    broadcast("there")
    assert not replayed("").gains


def test_who_was_offered_the_call_was_there_whatever_else_is_known():
    broadcast("ivr-1")
    assert replayed("").changed == 0


def test_applications_of_other_servers_are_not_reached():
    connected("elsewhere")
    broadcast("ivr-1", server=make_server("other"))
    assert not replayed("").gains


def test_calls_that_nobody_would_have_heard_of_are_counted():
    connected("ivr-1")
    broadcast("ivr-1")
    result = replayed("^nobody")
    assert (result.unreached, result.changed) == (1, 1)


def test_calls_that_nobody_heard_of_may_gain():
    connected("ivr-1")
    broadcast(status=Status.NO_CANDIDATES)
    assert replayed("^ivr-").gains == {"ivr-1": 1}


def test_winners_that_would_not_have_been_asked_are_counted():
    connected("ivr-1", "sales")
    broadcast("ivr-1", status=Status.CLAIMED)
    broadcast("sales", status=Status.CLAIMED)
    assert replayed("^ivr-").lost_winners == 1


def test_a_later_round_counts_only_for_calls_that_waited_for_it():
    connected("vip", "sales")
    broadcast("vip", status=Status.CLAIMED, claim_ms=100)
    broadcast("vip", status=Status.CLAIMED, claim_ms=900)
    assert replayed(("^vip", 500), ("", 2000)).gains == {"sales": 1}


def test_a_round_that_admits_nobody_takes_no_time():
    connected("sales")
    broadcast("sales", status=Status.CLAIMED, claim_ms=10)
    assert replayed(("^vip", 500), ("", 2000)).changed == 0


def test_only_the_chosen_period_server_and_preset_are_looked_at():
    broadcast("a", at=NOON - DAY, preset_name="vip")
    broadcast("a", at=NOON, preset_name="vip")
    other = broadcast("a", at=NOON, server=make_server("other"))
    assert replayed("", start=NOON, end=NOON + MINUTE).examined == 2
    assert replayed("", start=NOON + MINUTE).examined == 0
    assert replayed("", server_id=other.server_id).examined == 1
    assert replayed("", preset_name="vip").examined == 2


def test_of_a_long_period_the_newest_broadcasts_are_looked_at(monkeypatch):
    monkeypatch.setattr(replay_module, "SLICE", 1)
    connected("ivr-1", since=NOON)
    for minutes in range(4):
        broadcast("old", at=NOON + minutes * MINUTE, channel_id=str(minutes))
    result = replayed("^ivr-", most=2)
    assert (result.examined, result.place.opened_at) == (2, NOON + 2 * MINUTE)
    assert result.gains == {"ivr-1": 2}


@pytest.mark.parametrize("size", [1, 2, 3, 1000])
def test_slices_of_any_size_come_to_the_same(monkeypatch, size):
    """Whoever was connected, and calls that began in the same instant, count once each."""
    connected("early", until=NOON + MINUTE)
    connected("late", since=NOON + 2 * MINUTE)
    for minutes in (0, 0, 0, 1, 2, 3):
        broadcast("a", at=NOON + minutes * MINUTE)
    whole = replayed("^(early|late)")
    monkeypatch.setattr(replay_module, "SLICE", size)
    assert replayed("^(early|late)") == whole
    assert (whole.examined, whole.gains) == (6, {"early": 3, "late": 2})


def test_it_is_known_how_much_is_done():
    chosen = Chosen(NOON - DAY, NOON + DAY)
    assert chosen.share_done(None) == 1
    for at in (NOON, NOON + DAY / 2):
        broadcast("a", at=at)
    assert chosen.share_done(Place(NOON + DAY, 1)) == 0
    assert chosen.share_done(Place(NOON + DAY / 2, 1)) == 0.5, "before noon there is nothing"
    assert chosen.share_done(Place(NOON - DAY, 1)) == 1


def test_a_bad_filter_is_refused():
    with pytest.raises(FilterRefused):
        replayed("(")


def test_nothing_is_written(django_assert_num_queries):
    connected("ivr-1")
    broadcast("ivr-1")
    before = list(Broadcast.objects.values())
    with django_assert_num_queries(3):
        replay_slice([PlannedRound("^ivr-", 500)], Chosen(NOON - DAY, NOON + DAY))
    assert list(Broadcast.objects.values()) == before

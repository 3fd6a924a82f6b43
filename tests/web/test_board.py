"""What the live board reads from the record."""

from datetime import timedelta

import pytest
from django.utils import timezone

from broadcasts.domain.lifecycle import Status
from broadcasts.history.numbers import in_full
from broadcasts.web import board
from tests.builders import (
    make_broadcast,
    make_lease,
    make_presence,
    make_process,
    make_server,
)

pytestmark = pytest.mark.django_db


def read():
    return board.read(timezone.now())


def row_of(broadcast):
    return next(row for row in read()["rows"] if row["id"] == broadcast.pk)


def minutes_ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def test_the_newest_broadcasts_come_first():
    older = make_broadcast(status=Status.TIMED_OUT, opened_at=minutes_ago(2))
    newer = make_broadcast(status=Status.TIMED_OUT, opened_at=minutes_ago(1))
    assert read()["recent"] == [newer.pk, older.pk]


def test_broadcasts_before_the_window_are_left_out():
    make_broadcast(status=Status.CLAIMED, opened_at=minutes_ago(16))
    seen = read()
    assert (seen["recent"], seen["rows"]) == ([], [])
    assert seen["summary"]["claimed"] == 0
    assert seen["summary"]["median_claim_ms"] is None


def test_the_calls_that_wait_longest_come_first_even_from_before_the_window():
    new = make_broadcast()
    old = make_broadcast(opened_at=minutes_ago(20), timeout_ms=3_600_000)
    seen = read()
    assert seen["waiting"] == [old.pk, new.pk]
    assert seen["recent"] == [new.pk]
    assert seen["summary"]["open"] == 2


def test_a_busy_board_is_cut_but_counted(monkeypatch):
    monkeypatch.setattr(board, "RECENT_LIMIT", 3)
    monkeypatch.setattr(board, "WAITING_LIMIT", 2)
    for _ in range(5):
        make_broadcast()
    seen = read()
    assert (len(seen["recent"]), len(seen["waiting"])) == (3, 2)
    assert seen["summary"]["open"] == 5


def test_the_first_names_offered_are_shown_and_the_others_counted():
    row = row_of(make_broadcast(offered=["e", "d", "c", "b", "a"]))
    assert (row["offered"], row["offered_more"]) == (["e", "d", "c"], 2)


def test_a_claimed_call_shows_its_winner_and_how_long_the_claim_took():
    row = row_of(make_broadcast(offered=["ivr-main"], status=Status.CLAIMED, claim_ms=8.25))
    assert (row["winner"], row["claim_ms"], row["stage"]) == ("ivr-main", 8.25, "in call")


def test_a_claimed_call_is_being_handed_over_until_the_winner_has_it():
    row = row_of(make_broadcast(status=Status.CLAIMED, handed_over_at=None))
    assert row["stage"] == "handing over"


def test_a_call_whose_winner_is_done_has_ended():
    row = row_of(
        make_broadcast(status=Status.CLAIMED, ended_at=timezone.now(), stasis_status="SUCCESS")
    )
    assert (row["stage"], row["stasis_status"]) == ("ended", "SUCCESS")


def test_a_caller_without_a_number_is_shown_by_name():
    row = row_of(make_broadcast(caller_number="", caller_name="Front desk"))
    assert (row["caller"], row["caller_name"]) == ("F•••", "")


def test_numbers_are_masked_unless_the_viewer_has_unmasked_them():
    broadcast = make_broadcast(
        caller_name="Ada",
        channel_name="Local/ada@trunk",
        reason="+15550100 is gone",
        warnings=["no +15550100 here, nor Ada"],
    )
    row = row_of(broadcast)
    assert (row["caller"], row["reason"]) == ("•••0100", "•••0100 is gone")
    assert row["warnings"] == ["no •••0100 here, nor A•••"]
    assert row["channel"] == "Local/A•••@trunk"
    (row,) = board.read(timezone.now(), in_full)["rows"]
    assert (row["caller"], row["reason"]) == ("+15550100", "+15550100 is gone")


def test_the_summary_counts_each_outcome_and_takes_the_median():
    for claim_ms in (10, 20, 90):
        make_broadcast(status=Status.CLAIMED, claim_ms=claim_ms)
    for status in (Status.TIMED_OUT, Status.TIMED_OUT, Status.ABANDONED, Status.FAILED):
        make_broadcast(status=status)
    assert read()["summary"] == {
        "open": 0,
        "claimed": 3,
        "timed_out": 2,
        "abandoned": 1,
        "no_candidates": 0,
        "failed": 1,
        "median_claim_ms": 20.0,
    }


def test_a_look_takes_as_many_queries_for_many_calls_as_for_one(django_assert_num_queries):
    make_broadcast(offered=["a", "b"])
    read()
    for _ in range(20):
        make_broadcast(offered=["a", "b"])
        make_broadcast(status=Status.CLAIMED)
    make_presence("a")
    make_lease()
    # Waiting, recent, their candidates, the count of the waiting, links, applications, their count.
    with django_assert_num_queries(7):
        assert len(read()["rows"]) == 41


def test_a_link_is_up_while_its_lease_is_kept():
    make_lease(make_server("pbx"), asterisk_version="22.5.0")
    [link] = read()["links"]
    assert (link["name"], link["up"], link["version"]) == ("pbx", True, "22.5.0")


@pytest.mark.parametrize(
    ("lease", "error"),
    [
        ({"connected_since": None, "last_error": "connection refused"}, "connection refused"),
        ({"expires_at": timezone.now() - timedelta(seconds=1)}, "not connected yet"),
    ],
)
def test_a_link_is_down_when_it_is_not_connected_or_its_lease_is_over(lease, error):
    make_lease(**lease)
    [link] = read()["links"]
    assert (link["up"], link["error"], link["since"]) == (False, error, None)


def test_a_server_that_no_process_has_dialled_is_down_and_a_disabled_one_is_not_shown():
    make_server("new")
    make_server("off", enabled=False)
    assert [(link["name"], link["up"]) for link in read()["links"]] == [("new", False)]


def test_applications_of_living_processes_are_listed_by_name():
    dead = make_process(seen_at=minutes_ago(1))
    make_presence("gone", process=dead)
    make_presence("queue-b", process=make_process())
    make_presence("ivr-a", process=make_process(), user="ivr")
    applications = read()["applications"]
    assert applications["count"] == 2
    assert [one["name"] for one in applications["listed"]] == ["ivr-a", "queue-b"]
    assert applications["listed"][0]["user"] == "ivr"

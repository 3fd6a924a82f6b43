"""The photo finish, before it is drawn."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.web.timeline import DRAWN, MARGIN, scale, timeline

START = datetime(2026, 11, 25, 10, tzinfo=UTC)


def after(ms):
    return START + timedelta(milliseconds=ms)


def broadcast(**columns):
    """A broadcast as its row is read: offered, and nothing more has happened."""
    times = dict.fromkeys(("handed_over_at", "ended_at", "hung_up_at"))
    words = {"winner": "", "reason": "", "hangup_cause_text": ""}
    return {"opened_at": START, "status": Status.OPEN, **times, **words, **columns}


def candidate(application, **columns):
    defaults = {"round": 1, "offered_at": START, "failed_at": None, "failure": ""}
    return {"application": application, **defaults, **columns}


def claim(application, ms, verdict=Verdict.TAKEN, behind=None):
    return {
        "application": application,
        "at": after(ms),
        "verdict": verdict,
        "answer": verdict.http_status,
        "behind_winner_ms": behind,
    }


def told(drawn):
    return [(moment.title, moment.detail) for moment in drawn.moments]


def test_a_call_is_told_from_its_offer_to_its_end():
    row = broadcast(
        status=Status.CLAIMED,
        winner="a",
        handed_over_at=after(20),
        ended_at=after(600_020),
        hung_up_at=after(600_024),
        hangup_cause_text="Normal Clearing",
    )
    claims = [claim("a", 11.2, Verdict.WON), claim("b", 11.6, behind=0.4)]
    drawn = timeline(row, [candidate("a"), candidate("b")], claims)
    assert told(drawn) == [
        ("Offered", "to 2 applications"),
        ("a", "204 won"),
        ("b", "409 taken already, 0.4 ms behind the winner"),
        ("Handed over to a", ""),
        ("Winner's session ended", ""),
        ("Hung up", "Normal Clearing"),
    ]
    assert [stage.kind for stage in drawn.stages] == ["offered", "claimed", "in_call", "ended"]
    assert drawn.stages[2].lasted == "10:00 min"


def test_a_failed_hand_over_is_followed_by_another_offer():
    failing = candidate("a", failed_at=after(30), failure="the move failed")
    row = broadcast(status=Status.CLAIMED, winner="b", handed_over_at=after(50))
    claims = [claim("a", 10, Verdict.WON), claim("b", 40, Verdict.WON)]
    drawn = timeline(row, [failing, candidate("b")], claims)
    assert ("Hand-over to a failed", "the move failed") in told(drawn)
    assert [stage.kind for stage in drawn.stages] == ["offered", "claimed", "offered", "claimed"]
    second = drawn.moments[-2]
    assert second.title == "b"
    assert second.start == drawn.moments[2].x


def test_rounds_are_told_apart():
    later = candidate("b", round=2, offered_at=after(500))
    drawn = timeline(broadcast(), [candidate("a"), later], [])
    assert told(drawn) == [
        ("Round 1 offered", "to 1 application"),
        ("Round 2 offered", "to 1 application"),
    ]


def test_a_call_without_candidates_entered_all_the_same():
    row = broadcast(status=Status.NO_CANDIDATES, reason="nobody is connected", ended_at=after(0))
    drawn = timeline(row, [], [])
    assert told(drawn) == [
        ("Entered", "no application"),
        ("No candidates", "nobody is connected"),
    ]
    assert drawn.stages == []


def test_claims_within_a_millisecond_and_a_long_talk_are_both_told_apart():
    times = [after(ms) for ms in (0, 12.0, 12.3, 12.6, 13.9, 600_000)]
    places = list(scale(times).values())
    gaps = [b - a for a, b in pairwise(places)]
    assert places[0] == MARGIN
    assert round(places[-1], 6) == 100 - MARGIN
    assert min(gaps) > 5
    assert max(gaps) < 50
    assert gaps[0] > gaps[1]


def test_what_happened_at_once_is_drawn_at_one_place():
    assert scale([START, START]) == {START: MARGIN}


def test_of_many_claims_the_winners_and_the_first_are_drawn():
    claims = [claim(f"a{n}", n) for n in range(200)] + [claim("b", 300, Verdict.WON)]
    drawn = timeline(broadcast(), [candidate("b")], claims)
    shown = [moment.title for moment in drawn.moments]
    assert len(shown) == DRAWN + 1
    assert shown[-1] == "b"
    assert drawn.left_out == 201 - DRAWN

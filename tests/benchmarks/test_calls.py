"""What the load generator holds against a call."""

import dataclasses

from benchmarks.calls import Call, latencies

WHOLE = Call(
    "bench-1",
    originate_status=200,
    offered={"bench-0": 1.000, "bench-1": 1.001},
    sent={"bench-0": 1.001, "bench-1": 1.002},
    granted={"bench-0": 1.004},
    started={"bench-0": 1.006},
    ending_status=204,
    ended_at=1.010,
)


def changed(**changes: object) -> list[str]:
    return dataclasses.replace(WHOLE, **changes).problems()


def test_nothing_is_held_against_a_whole_call() -> None:
    assert WHOLE.problems() == []


def test_two_winners_are_told() -> None:
    granted = {"bench-0": 1.004, "bench-1": 1.005}
    assert "2 claims answered 204" in changed(granted=granted)


def test_a_call_that_nobody_won_is_told() -> None:
    assert "0 claims answered 204" in changed(granted={}, started={})


def test_a_call_handed_to_a_loser_is_told() -> None:
    assert changed(started={"bench-1": 1.006}) == ["StasisStart elsewhere than at the winner"]


def test_a_call_handed_to_the_winner_and_a_loser_is_told() -> None:
    started = {"bench-0": 1.006, "bench-1": 1.006}
    assert changed(started=started) == ["StasisStart elsewhere than at the winner"]


def test_a_lost_call_is_told() -> None:
    assert changed(ended_at=None, lost=True) == ["lost"]


def test_refused_requests_are_told() -> None:
    assert changed(originate_status=400) == ["originate answered 400"]
    assert changed(ending_status=404) == ["ending the call answered 404"]


def test_latencies_are_the_winner_s() -> None:
    later = dataclasses.replace(WHOLE, granted={"bench-1": 1.006}, started={"bench-1": 1.011})
    found = latencies([WHOLE, later])
    assert found["offered_204_ms_median"] == 4.5
    assert found["offered_start_ms_median"] == 8.0
    assert found["claim_204_ms_median"] == 3.5

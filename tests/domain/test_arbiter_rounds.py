"""The arbiter of a broadcast with several rounds."""

import pytest

from broadcasts.domain.decisions import (
    AdmitRound,
    Answer,
    BeginRound,
    CommitClaim,
    Offer,
    WakeAt,
)
from broadcasts.domain.happenings import (
    DeadlineReached,
    HandoverFailed,
    Reopened,
    RoundAdmitted,
)
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict

from .arbiters import claim, make_arbiter, moving, offered


def test_at_a_rounds_deadline_the_next_one_is_judged():
    assert offered("vip", rounds=(10, 20)).handle(DeadlineReached(10.0)) == [AdmitRound(2)]


def test_the_next_round_is_offered_to_those_it_is_new_to():
    arbiter = offered("vip", rounds=(10, 20))
    arbiter.handle(DeadlineReached(10.0))
    decisions = arbiter.handle(RoundAdmitted(2, ("b", "vip", "a"), 10.0))
    assert decisions == [BeginRound(2, ("b", "a"), 30.0, 10.0), Offer(("b", "a")), WakeAt(30.0)]


@pytest.mark.parametrize("application", ["vip", "a"])
def test_whoever_was_offered_the_call_in_any_round_may_claim_it(application):
    arbiter = offered("vip", rounds=(10, 20))
    arbiter.handle(RoundAdmitted(2, ("a",), 10.0))
    late = claim(application, at=12.0)
    assert arbiter.handle(late) == [CommitClaim(late)]


def test_whoever_a_later_round_admits_may_not_claim_before_it():
    arbiter = offered("vip", rounds=(10, 20))
    assert arbiter.handle(claim("a"))[-1] == Answer(1, Verdict.NOT_OFFERED)


def test_a_round_begins_when_the_one_before_it_was_due_however_late_it_is_noticed():
    arbiter = offered("vip", rounds=(10, 20, 5))
    begin, _, wake = arbiter.handle(RoundAdmitted(2, ("a",), 10.4))
    assert (wake.at, begin.deadline) == (30.0, 35.0)


def test_a_round_that_admits_nobody_is_skipped_and_takes_no_time():
    arbiter = offered("vip", rounds=(10, 20, 5))
    arbiter.handle(DeadlineReached(10.0))
    begin, _, wake = arbiter.handle(RoundAdmitted(3, ("a",), 10.0))
    assert (begin.number, wake.at, begin.deadline) == (3, 15.0, 15.0)


def test_when_no_later_round_admits_anyone_the_call_times_out():
    arbiter = offered("vip", rounds=(10, 20))
    arbiter.handle(DeadlineReached(10.0))
    (ending,) = arbiter.handle(RoundAdmitted(None, (), 10.0))
    assert ending.status is Status.TIMED_OUT


def test_after_the_last_round_the_call_times_out():
    arbiter = offered("vip", rounds=(10, 20))
    arbiter.handle(RoundAdmitted(2, ("a",), 10.0))
    (ending,) = arbiter.handle(DeadlineReached(30.0))
    assert ending.status is Status.TIMED_OUT


def test_when_the_only_candidate_fails_the_next_round_comes_at_once():
    arbiter = moving("vip", rounds=(10, 20))
    arbiter.handle(HandoverFailed("not registered", 2.0, "vip"))
    assert arbiter.handle(Reopened(Status.OPEN, 2.0)) == [AdmitRound(2)]
    begin, offer, wake = arbiter.handle(RoundAdmitted(2, ("vip", "a"), 2.0))
    assert (offer.applications, wake.at) == (("a",), 22.0)
    assert begin.applications == ("a",)


def test_a_round_for_those_only_who_have_failed_is_over_at_once():
    arbiter = moving("vip", rounds=(10, 20))
    arbiter.handle(HandoverFailed("not registered", 2.0, "vip"))
    arbiter.handle(Reopened(Status.OPEN, 2.0))
    begin, ending = arbiter.handle(RoundAdmitted(2, ("vip",), 2.0))
    assert begin.applications == ()
    assert ending.status is Status.TIMED_OUT


def test_a_call_found_after_a_restart_goes_on_with_its_round():
    arbiter = make_arbiter("vip", rounds=(10, 20))
    assert arbiter.resume(Status.OPEN, "") == [Offer(("vip",)), WakeAt(10.0)]
    assert arbiter.handle(DeadlineReached(10.0)) == [AdmitRound(2)]

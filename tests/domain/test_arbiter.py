"""The arbiter, one story at a time; test_arbiter_orders tries the orders nobody thought of."""

import pytest

from broadcasts.domain.arbiter import Phase
from broadcasts.domain.decisions import (
    Announce,
    Answer,
    CommitClaim,
    CommitEnding,
    CommitReopen,
    Forget,
    Move,
    NoteAttempt,
    NoteHandedOver,
    NoteHangup,
    NoteSessionEnded,
    Offer,
    Open,
    Return,
    WakeAt,
    WatchHandover,
)
from broadcasts.domain.happenings import (
    BackInDialplan,
    Claim,
    ClaimDecided,
    DeadlineReached,
    Destroyed,
    EndingDecided,
    HandoverFailed,
    HungUp,
    LeftBroadcast,
    Opened,
    Reopened,
    Replaced,
    RowSeen,
    Unrecorded,
    WinnerLost,
    WinnerStarted,
)
from broadcasts.domain.lifecycle import StasisStatus, Status
from broadcasts.domain.policy import OnFailedHandover
from broadcasts.domain.verdict import Verdict

from .arbiters import claim, make_arbiter, moving, offered, with_winner


def test_a_call_is_recorded_offered_and_timed():
    assert make_arbiter("a", "b").start() == [Open(Status.OPEN), Offer(("a", "b")), WakeAt(10.0)]


def test_without_candidates_it_ends_at_once_and_returns_when_recorded():
    arbiter = make_arbiter()
    (opening,) = arbiter.start()
    assert opening.status is Status.NO_CANDIDATES
    assert arbiter.handle(Opened()) == [Return(StasisStatus.TIMEOUT)]


def test_a_refused_filter_ends_it_failed_with_the_reason():
    arbiter = make_arbiter("a")
    assert arbiter.start(refused="bad filter") == [Open(Status.FAILED, "bad filter")]
    assert arbiter.handle(Opened()) == [Return(StasisStatus.FAILED)]


def test_a_claim_is_answered_only_after_its_commit():
    arbiter = offered("a", "b")
    first = claim("a")
    assert arbiter.handle(first) == [CommitClaim(first)]
    assert arbiter.handle(ClaimDecided(1, Verdict.WON, "a")) == [
        Answer(1, Verdict.WON),
        Move("a"),
        WatchHandover("a"),
    ]


def test_the_news_of_a_claim_follows_the_move_when_asked_for():
    arbiter = offered("a", notify_claimed=True)
    arbiter.handle(claim("a"))
    assert arbiter.handle(ClaimDecided(1, Verdict.WON, "a"))[-1] == Announce("a")


def test_claims_that_come_while_one_asks_the_row_wait_for_its_answer():
    arbiter = offered("a", "b")
    arbiter.handle(claim("a"))
    assert arbiter.handle(claim("b", ticket=2)) == []
    decisions = arbiter.handle(ClaimDecided(1, Verdict.WON, "a"))
    assert decisions[0] == Answer(1, Verdict.WON)
    assert decisions[-1] == Answer(2, Verdict.TAKEN)


def test_when_a_claim_cannot_be_written_the_next_one_asks():
    arbiter = offered("a", "b")
    arbiter.handle(claim("a"))
    second = claim("b", ticket=2)
    arbiter.handle(second)
    decisions = arbiter.handle(ClaimDecided(1, Verdict.FAULT))
    assert decisions == [Answer(1, Verdict.FAULT), CommitClaim(second)]


@pytest.mark.parametrize("late", ["b", "a", "stranger"])
def test_whoever_claims_a_taken_call_is_told_so_from_memory(late):
    arbiter = moving("a", "b")
    second = claim(late, ticket=2)
    assert arbiter.handle(second) == [NoteAttempt(second, Verdict.TAKEN), Answer(2, Verdict.TAKEN)]


def test_an_application_that_was_not_offered_the_call_cannot_win():
    arbiter = offered("a")
    assert arbiter.handle(claim("b"))[-1] == Answer(1, Verdict.NOT_OFFERED)


def test_credentials_that_may_not_speak_for_the_name_cannot_win():
    arbiter = offered("a")
    refused = claim("a", refusal=Verdict.NOT_ALLOWED)
    assert arbiter.handle(refused)[-1] == Answer(1, Verdict.NOT_ALLOWED)


def test_a_setting_restores_that_any_name_may_claim():
    arbiter = offered("a", any_name_may_claim=True)
    anyone = claim("b", refusal=Verdict.NOT_CONNECTED)
    assert arbiter.handle(anyone) == [CommitClaim(anyone)]


def test_that_setting_does_not_lift_the_limits_of_credentials():
    arbiter = offered("a", any_name_may_claim=True)
    assert arbiter.handle(claim("b", refusal=Verdict.NOT_ALLOWED))[-1] == Answer(
        1, Verdict.NOT_ALLOWED
    )


def test_nobody_claims_in_time():
    arbiter = offered("a")
    (ending,) = arbiter.handle(DeadlineReached(10.0))
    assert ending.status is Status.TIMED_OUT
    decided = EndingDecided(True, Status.TIMED_OUT)
    assert arbiter.handle(decided) == [Return(StasisStatus.TIMEOUT)]
    assert arbiter.handle(claim("a"))[-1] == Answer(1, Verdict.TIMED_OUT)
    assert arbiter.handle(LeftBroadcast(10.1)) == [Forget()]


def test_a_claim_after_the_deadline_but_before_the_ending_wins():
    arbiter = offered("a")
    arbiter.handle(DeadlineReached(10.0))
    late = claim("a", at=10.001)
    assert arbiter.handle(late) == [CommitClaim(late)]
    assert Move("a") in arbiter.handle(ClaimDecided(1, Verdict.WON, "a"))
    assert arbiter.handle(EndingDecided(False, Status.CLAIMED, "a")) == []
    assert arbiter.phase is Phase.MOVING


def test_a_claim_committed_by_another_process_is_handed_over_here():
    arbiter = offered("a", "b")
    assert arbiter.handle(RowSeen(Status.CLAIMED, "b")) == [Move("b"), WatchHandover("b")]


def test_the_deadline_finds_a_claim_whose_hint_was_lost():
    arbiter = offered("a", "b")
    arbiter.handle(DeadlineReached(10.0))
    assert arbiter.handle(EndingDecided(False, Status.CLAIMED, "b"))[0] == Move("b")


def test_the_caller_hangs_up_while_waiting():
    arbiter = offered("a")
    (ending,) = arbiter.handle(HungUp(3.0))
    assert ending.status is Status.ABANDONED
    assert arbiter.handle(EndingDecided(True, Status.ABANDONED)) == [Forget()]
    assert arbiter.handle(claim("a"))[-1] == Answer(1, Verdict.ABANDONED)


def test_a_winner_of_a_caller_who_has_hung_up_is_told_the_truth_of_the_row():
    arbiter = offered("a")
    arbiter.handle(claim("a"))
    arbiter.handle(HungUp(3.0))
    decisions = arbiter.handle(ClaimDecided(1, Verdict.WON, "a"))
    assert decisions[0] == Answer(1, Verdict.WON)
    assert isinstance(decisions[-1], CommitEnding)


@pytest.mark.parametrize("seen", [LeftBroadcast(2.0), WinnerStarted("a", 2.0)])
def test_either_sign_confirms_the_hand_over(seen):
    assert moving("a").handle(seen) == [NoteHandedOver(2.0)]


def test_another_applications_start_confirms_nothing():
    assert moving("a", "b").handle(WinnerStarted("b", 2.0)) == []


def test_a_failed_move_offers_the_call_to_the_others():
    arbiter = moving("a", "b")
    failed = HandoverFailed("not registered", 2.0, "a")
    assert arbiter.handle(failed) == [CommitReopen("a", "not registered")]
    assert arbiter.handle(Reopened(Status.OPEN, 2.0)) == [Offer(("b",)), WakeAt(10.0)]
    assert arbiter.handle(claim("a", ticket=2))[-1] == Answer(2, Verdict.NOT_OFFERED)


@pytest.mark.parametrize(
    ("arbiter", "at"),
    [
        (moving("a"), 2.0),
        (moving("a", "b"), 10.0),
        (moving("a", "b", on_failed_handover=OnFailedHandover.RETURN), 2.0),
    ],
    ids=["nobody else", "no time left", "by setting"],
)
def test_a_failed_move_returns_the_call_failed(arbiter, at):
    (ending,) = arbiter.handle(HandoverFailed("not registered", at, "a"))
    assert ending.status is Status.FAILED
    assert arbiter.handle(EndingDecided(True, Status.FAILED)) == [Return(StasisStatus.FAILED)]


def test_a_lost_winner_keeps_its_call_unless_rescue_is_set():
    assert with_winner("a", "b").handle(WinnerLost(3.0)) == []


def test_rescue_offers_the_call_of_a_lost_winner_to_the_others():
    (decision,) = with_winner("a", "b", rescue=True).handle(WinnerLost(3.0))
    assert isinstance(decision, CommitReopen)


@pytest.mark.parametrize("moved_again", [False, True])
def test_our_stasis_end_may_come_when_the_winner_has_been_lost_already(moved_again):
    arbiter = moving("a", "b", rescue=True)
    arbiter.handle(WinnerStarted("a", 2.0))
    arbiter.handle(WinnerLost(3.0))
    arbiter.handle(Reopened(Status.OPEN, 3.1))
    if moved_again:
        arbiter.handle(claim("b", ticket=2))
        arbiter.handle(ClaimDecided(2, Verdict.WON, "b"))
    phase = arbiter.phase
    assert arbiter.handle(LeftBroadcast(3.2)) == []
    assert arbiter.phase is phase


def test_the_winner_sends_the_call_back_to_the_dialplan():
    arbiter = with_winner("a")
    assert arbiter.handle(BackInDialplan(5.0)) == [NoteSessionEnded(5.0)]
    assert arbiter.handle(claim("b"))[-1] == Answer(1, Verdict.ENDED)
    destroyed = Destroyed(6.0, 16, "Normal Clearing")
    assert arbiter.handle(destroyed) == [NoteHangup(6.0, 16, "Normal Clearing"), Forget()]


def test_the_call_ends_with_its_winner():
    arbiter = with_winner("a")
    assert arbiter.handle(Destroyed(6.0, 16, "Normal Clearing")) == [
        NoteSessionEnded(6.0),
        NoteHangup(6.0, 16, "Normal Clearing"),
        Forget(),
    ]


def test_without_a_record_the_caller_goes_back_failed():
    arbiter = make_arbiter("a")
    arbiter.start()
    assert arbiter.handle(Unrecorded("no database")) == [Return(StasisStatus.FAILED)]


def test_a_second_broadcast_of_the_channel_replaces_the_first():
    arbiter = with_winner("a")
    assert arbiter.handle(Replaced(4.0)) == [NoteSessionEnded(4.0), Forget()]


@pytest.mark.parametrize("is_ending", [False, True])
def test_claims_for_a_call_that_its_channel_has_left_for_a_new_one_are_answered(is_ending):
    arbiter = make_arbiter("a")
    if is_ending:
        arbiter.handle(DeadlineReached(10.0))
    arbiter.handle(Replaced(4.0))
    late = Claim(2, "a", "user", 5.0, None)
    expected = [NoteAttempt(late, Verdict.ABANDONED), Answer(2, Verdict.ABANDONED)]
    assert arbiter.handle(late) == expected


@pytest.mark.parametrize("status", [Status.TIMED_OUT, Status.ABANDONED, Status.NO_CANDIDATES])
def test_a_settled_call_that_still_sits_with_us_is_sent_back(status):
    assert make_arbiter("a").resume(status, "") == [Return(StasisStatus.TIMEOUT)]


def test_a_claimed_call_found_after_a_restart_is_handed_over():
    assert make_arbiter("a").resume(Status.CLAIMED, "a")[0] == Move("a")


def test_an_unlisted_happening_changes_nothing():
    arbiter = with_winner("a")
    assert arbiter.handle(DeadlineReached(10.0)) == []
    assert arbiter.phase is Phase.WITH_WINNER


# What was asked of the row before its winner failed


def test_a_late_ending_does_not_hand_the_call_to_a_winner_that_has_failed():
    arbiter = offered("a")
    arbiter.handle(claim("a"))
    arbiter.handle(DeadlineReached(10.0))
    arbiter.handle(ClaimDecided(1, Verdict.WON, "a"))
    arbiter.handle(HandoverFailed("not registered", 10.1, "a"))
    ending, sent_back = arbiter.handle(EndingDecided(False, Status.CLAIMED, "a"))
    assert ending.status is Status.FAILED
    assert sent_back == Return(StasisStatus.FAILED)
    assert arbiter.handle(EndingDecided(True, Status.FAILED)) == []


def test_a_call_that_another_process_has_handed_over_is_left_to_it():
    timed_out, taken_back = offered("a", "b"), moving("a", "b")
    timed_out.handle(DeadlineReached(10.0))
    assert timed_out.handle(EndingDecided(False, Status.CLAIMED, "a", held=True)) == [Forget()]
    taken_back.handle(HandoverFailed("no StasisStart", 2.0, "a"))
    assert taken_back.handle(Reopened(Status.CLAIMED, 2.0, "b", held=True)) == [Forget()]


def test_a_call_that_was_claimed_again_before_its_taking_back_was_told_goes_to_who_has_it():
    """The connection was lost after the commit: it was written again, and another came first."""
    arbiter = moving("a", "b")
    arbiter.handle(HandoverFailed("no StasisStart", 2.0, "a"))
    move, *_ = arbiter.handle(Reopened(Status.CLAIMED, 2.0, "b"))
    assert move == Move("b")


def test_a_claim_that_cannot_be_taken_back_as_the_call_has_ended_sends_it_back():
    arbiter = moving("a", "b")
    arbiter.handle(HandoverFailed("no StasisStart", 2.0, "a"))
    assert arbiter.handle(Reopened(Status.FAILED, 2.0)) == [Return(StasisStatus.FAILED)]


def test_with_any_name_a_winner_that_has_failed_may_still_not_claim_again():
    arbiter = moving("a", "b", any_name_may_claim=True)
    arbiter.handle(HandoverFailed("not registered", 2.0, "a"))
    arbiter.handle(Reopened(Status.OPEN, 2.0))
    assert arbiter.handle(claim("a", ticket=2))[-1] == Answer(2, Verdict.NOT_OFFERED)

"""What the ledger writes, entry by entry."""

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from broadcasts.domain.happenings import Claim, EndingDecided, Reopened, RowSeen
from broadcasts.domain.lifecycle import Status
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import (
    Attempt,
    Ending,
    HandedOver,
    HangUp,
    Look,
    Opening,
    Reopening,
    RoundBegun,
    SessionEnd,
    TryClaim,
)
from broadcasts.ledger.commit import Commit
from broadcasts.ledger.entries import LedgerError, moment
from broadcasts.models import Broadcast, Candidate, ClaimAttempt
from tests.builders import make_broadcast, make_server

pytestmark = pytest.mark.django_db

NOW = 1_800_000_000.0


def write(*entries):
    """Commit entries as one group and return their results."""
    with transaction.atomic():
        return [result for _, result in Commit().apply(list(entries))]


def new_row(server=None, channel_id="1.1", **columns) -> Broadcast:
    """Return a broadcast that is not saved yet."""
    saved = make_broadcast(server=server or make_server(), channel_id=channel_id, **columns)
    saved.delete()
    return saved


def open_row(*candidates: str, **columns) -> Broadcast:
    row = new_row(**columns)
    write(Opening(row, candidates or ("a", "b"), "socket"))
    return row


def claim(application="a", at=NOW, refusal=None) -> Claim:
    return Claim(1, application, "user", at, refusal)


def try_claim(row, application="a", at=NOW) -> TryClaim:
    return TryClaim(claim(application, at), row.channel_id, row)


def stored(row) -> Broadcast:
    return Broadcast.objects.get(pk=row.pk)


def test_an_opening_keeps_the_call_and_its_candidates_in_their_order():
    row = open_row("b", "a", "c")
    assert stored(row).status == Status.OPEN
    assert [c.application for c in Candidate.objects.filter(broadcast=row)] == ["b", "a", "c"]


def test_a_group_costs_the_same_few_statements_however_many_calls_it_opens():
    server = make_server()
    rows = [new_row(server, f"many.{number}") for number in range(20)]
    with CaptureQueriesContext(
        connection,
    ) as queries:
        write(*(Opening(row, ("a", "b", "c"), "socket") for row in rows))
    assert len(queries) == 4, "savepoint, broadcasts, candidates, release"
    assert Candidate.objects.count() == 60


def test_the_first_claim_wins_and_the_second_is_told_so():
    row = open_row()
    first, second = write(try_claim(row, "a"), try_claim(row, "b", NOW + 0.002))
    assert (first.verdict, second.verdict) == (Verdict.WON, Verdict.TAKEN)
    assert second.winner == "a"
    assert (stored(row).status, stored(row).winner) == (Status.CLAIMED, "a")


def test_a_claim_that_is_written_again_after_its_commit_was_lost_from_sight_has_won():
    row = open_row()
    again = try_claim(row, "a")
    write(try_claim(row, "a"))
    assert write(again)[0].verdict is Verdict.WON
    assert write(try_claim(row, "a", NOW + 0.001))[0].verdict is Verdict.TAKEN


def test_an_attempt_keeps_its_answer_and_its_margin_behind_the_winner():
    row = open_row()
    write(try_claim(row, "a"), try_claim(row, "b", NOW + 0.002))
    won, lost = ClaimAttempt.objects.filter(broadcast=row)
    assert (won.answer, won.verdict, won.behind_winner_ms) == (204, "won", None)
    assert (lost.answer, lost.verdict) == (409, "taken")
    assert lost.behind_winner_ms == pytest.approx(2, abs=0.01)


def test_a_claim_of_a_row_that_another_process_has_claimed_names_the_winner():
    row = open_row()
    Broadcast.objects.filter(pk=row.pk).update(status=Status.CLAIMED, winner="elsewhere")
    (result,) = write(try_claim(row))
    assert (result.verdict, result.winner) == (Verdict.TAKEN, "elsewhere")


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        (Status.TIMED_OUT, Verdict.TIMED_OUT),
        (Status.ABANDONED, Verdict.ABANDONED),
        (Status.FAILED, Verdict.FAILED),
    ],
)
def test_a_claim_after_the_ending_is_refused(status, verdict):
    row = open_row()
    ending, result = write(Ending(row, status, "because", NOW), try_claim(row))
    assert ending == EndingDecided(True, status)
    assert result.verdict is verdict


def test_an_ending_after_a_claim_changes_nothing():
    row = open_row()
    _, ending = write(try_claim(row, "a"), Ending(row, Status.TIMED_OUT, "late", NOW))
    assert ending == EndingDecided(False, Status.CLAIMED, "a")
    assert stored(row).ended_at is None


def test_a_claim_whose_broadcast_was_never_recorded_fails():
    row = new_row()
    row.pk = None
    (result,) = write(try_claim(row))
    assert isinstance(result, LedgerError)


def test_a_claim_that_memory_cannot_place_finds_its_live_row():
    row = open_row("a")
    (result,) = write(TryClaim(claim("a"), row.channel_id, None))
    assert (result.verdict, result.broadcast_id) == (Verdict.WON, row.pk)


def test_a_claim_that_memory_cannot_place_still_needs_an_offer():
    row = open_row("a")
    (result,) = write(TryClaim(claim("stranger"), row.channel_id, None))
    assert result.verdict is Verdict.NOT_OFFERED
    assert stored(row).status == Status.OPEN


def test_of_two_servers_calls_with_one_id_a_claim_means_the_one_that_was_offered():
    offered, other = open_row("a"), open_row("b", server=make_server(name="pbx2"))
    (result,) = write(TryClaim(claim("a"), "1.1", None))
    assert (result.verdict, result.broadcast_id) == (Verdict.WON, offered.pk)
    assert stored(other).status == Status.OPEN


def test_a_claim_for_an_unknown_channel_is_recorded_without_a_broadcast():
    (result,) = write(TryClaim(claim("a"), "no.such", None))
    assert result.verdict is Verdict.UNKNOWN
    assert ClaimAttempt.objects.get().broadcast is None


def test_an_attempt_for_an_unknown_channel_need_not_be_recorded():
    (result,) = write(TryClaim(claim("a"), "no.such", None, note_unknown=False))
    assert result.verdict is Verdict.UNKNOWN
    assert not ClaimAttempt.objects.exists()


def test_an_attempt_that_does_not_win_need_not_be_recorded():
    row = open_row("a", "b")
    write(TryClaim(claim("a"), row.channel_id, None, note_lost=False))
    (result,) = write(TryClaim(claim("b"), row.channel_id, None, note_lost=False))
    assert result.verdict is Verdict.TAKEN
    assert [one.verdict for one in row.attempts.all()] == [Verdict.WON]


def test_any_name_may_claim_but_not_with_credentials_for_other_names():
    row = open_row("a")
    anywhere = frozenset({row.server_id})
    limited = claim("stranger", refusal=Verdict.NOT_ALLOWED)
    (refused,) = write(TryClaim(limited, row.channel_id, None, anywhere))
    assert refused.verdict is Verdict.NOT_ALLOWED
    (won,) = write(TryClaim(claim("stranger"), row.channel_id, None, anywhere))
    assert won.verdict is Verdict.WON


def test_a_claim_taken_back_opens_the_row_and_marks_the_candidate():
    row = open_row("a", "b")
    _, reopened = write(try_claim(row, "a"), Reopening(row, "a", "not registered", NOW))
    assert reopened == Reopened(Status.OPEN, NOW)
    assert (stored(row).status, stored(row).winner) == (Status.OPEN, "")
    assert Candidate.objects.get(broadcast=row, application="a").failure == "not registered"
    (again,) = write(TryClaim(claim("a"), row.channel_id, None))
    assert again.verdict is Verdict.NOT_OFFERED


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"winner": "b"}, {"winner": "b"}),
        ({"handed_over_at": moment(NOW)}, {"winner": "a", "held": True}),
    ],
)
def test_a_claim_is_not_taken_back_from_whom_another_process_gave_the_call(changed, expected):
    row = open_row("a", "b")
    write(try_claim(row, "a"))
    Broadcast.objects.filter(pk=row.pk).update(**changed)
    (reopened,) = write(Reopening(row, "a", "no StasisStart", NOW))
    assert reopened == Reopened(Status.CLAIMED, NOW, **expected)
    assert not Candidate.objects.exclude(failed_at=None).exists()


def test_a_call_that_another_process_has_handed_over_does_not_end_as_failed():
    row = open_row()
    write(try_claim(row, "a"))
    Broadcast.objects.filter(pk=row.pk).update(handed_over_at=moment(NOW))
    (ending,) = write(Ending(row, Status.FAILED, "no StasisStart", NOW))
    assert ending == EndingDecided(False, Status.CLAIMED, "a", held=True)
    assert stored(row).ended_at is None


def test_a_winner_that_is_lost_in_the_call_can_be_taken_back_by_who_handed_it_over():
    row = open_row("a", "b")
    write(try_claim(row, "a"), HandedOver(row, NOW))
    (reopened,) = write(Reopening(row, "a", "its socket was lost", NOW + 1))
    assert reopened == Reopened(Status.OPEN, NOW + 1)


def test_who_asks_after_a_claim_was_taken_back_is_behind_nobody():
    row = open_row("a", "b")
    write(try_claim(row), Reopening(row, "a", "not registered", NOW))
    write(Attempt(claim("a", NOW + 1), Verdict.NOT_OFFERED, row.channel_id, row))
    assert ClaimAttempt.objects.order_by("-pk")[0].behind_winner_ms is None


def test_the_winners_session_is_kept_from_hand_over_to_hang_up():
    row = open_row()
    write(try_claim(row))
    write(
        HandedOver(row, NOW + 1),
        SessionEnd(row, NOW + 61),
        HangUp(row, NOW + 62, 16, "Normal Clearing"),
    )
    kept = stored(row)
    assert kept.talk_ms == 60_000
    assert (kept.stasis_status, kept.hangup_cause) == ("SUCCESS", 16)
    assert kept.ended_at is not None


def test_a_claim_after_the_session_finds_it_ended():
    row = open_row()
    write(try_claim(row), HandedOver(row, NOW), SessionEnd(row, NOW + 1))
    (result,) = write(try_claim(row, "b"))
    assert result.verdict is Verdict.ENDED


def test_a_look_sees_what_the_entries_before_it_wrote():
    row = open_row()
    assert write(try_claim(row, "b"), Look(row))[1] == RowSeen(Status.CLAIMED, "b")


def test_an_attempt_answered_from_memory_costs_one_statement():
    row = open_row()
    write(try_claim(row))
    attempts = [Attempt(claim("b"), Verdict.TAKEN, row.channel_id, row) for _ in range(10)]
    with CaptureQueriesContext(connection) as queries:
        write(*attempts)
    assert len(queries) == 3, "savepoint, attempts, release"
    assert ClaimAttempt.objects.filter(answer=409).count() == 10


def test_the_database_holds_one_live_broadcast_per_channel():
    row = open_row()
    with pytest.raises(IntegrityError):
        open_row(server=row.server, channel_id=row.channel_id)


def test_a_replacing_opening_ends_the_older_broadcast_first():
    older = open_row()
    newer = new_row(older.server, "other")
    newer.channel_id = older.channel_id
    write(Opening(newer, ("a",), "socket", replaces=True))
    assert stored(older).status == Status.ABANDONED
    assert stored(newer).status == Status.OPEN


def sealed_row() -> Broadcast:
    """Return an ended broadcast as memory knows it, which has been sealed since."""
    row = open_row()
    write(Ending(row, Status.TIMED_OUT, "nobody claimed in time", NOW))
    Broadcast.objects.filter(pk=row.pk).update(seal=1)
    assert row.seal is None
    return row


def test_a_sealed_broadcast_gets_no_further_attempts_whoever_made_them():
    row = sealed_row()
    write(Attempt(claim("b"), Verdict.TIMED_OUT, row.channel_id, row), try_claim(row))
    write(TryClaim(claim("a"), row.channel_id, None))
    assert not row.attempts.exists()
    kept = ClaimAttempt.objects.filter(channel_id=row.channel_id, broadcast=None)
    assert list(kept.values_list("answer", flat=True)) == [404, 404, 404]


def test_a_sealed_broadcast_is_told_no_hang_up_any_more():
    row = sealed_row()
    write(HangUp(row, NOW + 62, 16, "Normal Clearing"))
    assert (stored(row).hung_up_at, stored(row).hangup_cause) == (None, None)


def test_a_claim_that_nobody_has_judged_does_not_win_what_is_taken_back_meanwhile(monkeypatch):
    """Another process takes the winner's claim back after this one has read the row."""
    row = open_row()
    write(try_claim(row))
    read_before = stored(row)
    monkeypatch.setattr(Commit, "_find", lambda self, entry: read_before)
    write(Reopening(row, "a", "no StasisStart", NOW))
    unjudged = TryClaim(claim("stranger", refusal=Verdict.NOT_ALLOWED), row.channel_id, None)
    assert [result.verdict for result in write(unjudged)] == [Verdict.TAKEN]
    assert stored(row).status == Status.OPEN


def test_a_round_that_is_entered_late_leaves_what_has_been_sealed():
    row = open_row("a")
    Broadcast.objects.filter(pk=row.pk).update(seal=1)
    write(RoundBegun(row, 2, ("b",), "socket", 1, NOW + 5, NOW))
    assert (stored(row).round, stored(row).candidate_count) == (1, 1)
    assert not row.candidates.filter(application="b").exists()

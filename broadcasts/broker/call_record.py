"""What a call enters in the record, and what follows once that is committed or refused."""

import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broadcasts import metrics
from broadcasts.domain.decisions import (
    BeginRound,
    CommitClaim,
    CommitEnding,
    CommitReopen,
    NoteAttempt,
    NoteHandedOver,
    NoteHangup,
    NoteSessionEnded,
    Open,
)
from broadcasts.domain.happenings import ClaimDecided, EndingDecided, Opened, Unrecorded
from broadcasts.domain.lifecycle import STASIS_STATUS, Status
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import (
    Attempt,
    Ending,
    HandedOver,
    HangUp,
    Opening,
    Reopening,
    RoundBegun,
    SessionEnd,
    TryClaim,
)
from broadcasts.ledger.entries import LedgerError
from broadcasts.ledger.ledger import as_told

from .call_log import log, log_outcome, told
from .limits import RECORDED_ATTEMPTS

if TYPE_CHECKING:
    from .call import Call

# How long a caller waits for the record before it goes back to the dialplan without.
RECORD_SECONDS = 10.0


class CallRecord:
    """Carries out those of a call's decisions that are entered in its record."""

    def __init__(self, call: "Call") -> None:
        self._call = call
        self._broker = call.broker
        self._row = call.row
        self._offered_at = call.row.opened_at.timestamp()
        self._attempts: Counter[str] = Counter()

    def open(self, decision: Open) -> None:
        """Enter the broadcast and its first candidates."""
        row = self._row
        row.status, row.reason = decision.status, decision.reason[:255]
        if decision.status is not Status.OPEN:
            row.ended_at = row.opened_at
            row.stasis_status = STASIS_STATUS[decision.status]
        candidates = self._call.arbiter.broadcast.candidates
        reached_by = self._broker.reached_by(self._call.link.server)
        # An offer can be committed with its first claim, unless another process may get that.
        urgent = decision.status is not Status.OPEN or not self._broker.alone
        opening = Opening(row, candidates, reached_by, self._call.replaces, urgent, self._opened)
        if decision.status is Status.OPEN:
            self._broker.ledger.submit(opening)
        else:
            self._submit_for_the_caller(opening)

    def _submit_for_the_caller(self, entry: Opening | Ending | Reopening) -> None:
        """Enter what the caller waits for; a record that is silent for long counts as away."""
        decided = entry.done

        def tell(result: Any) -> None:
            if not waiting.cancelled():
                waiting.cancel()
                decided(result)

        def give_up() -> None:
            as_told(entry)
            tell(LedgerError("the record does not answer"))

        waiting = self._call.after(RECORD_SECONDS, give_up)
        entry.done = tell
        self._broker.ledger.submit(entry)

    def _opened(self, result: Any) -> None:
        if isinstance(result, LedgerError):
            self._call.handle(Unrecorded(str(result)))
        else:
            self._call.handle(Opened())
            self._broker.announce_opened(self._call)
            self._broker.announce_offered(self._call, self._row.round)
        if self._row.status != Status.OPEN:
            log_outcome(self._row, self._call.arbiter.broadcast)
            metrics.broadcasts[Status(self._row.status)].inc()

    def begin_round(self, decision: BeginRound) -> None:
        """Enter a later round and whom it adds."""
        row, number = self._row, decision.number
        begun = RoundBegun(
            row=row,
            number=number,
            candidates=decision.applications,
            reached_by=self._broker.reached_by(self._call.link.server),
            offered_before=row.candidate_count,
            deadline=decision.deadline,
            at=decision.at,
            done=lambda result: self._round_begun(result, number),
        )
        row.candidate_count += len(decision.applications)
        self._broker.ledger.submit(begun)

    def _round_begun(self, result: Any, number: int) -> None:
        if not isinstance(result, LedgerError):
            self._broker.announce_offered(self._call, number)
            self._broker.announce_changed(self._call)

    def commit_claim(self, decision: CommitClaim) -> None:
        """Let the row decide about a claim, and tell."""
        ticket = decision.claim.ticket

        def decided(result: Any) -> None:
            if isinstance(result, LedgerError):
                self._call.handle(ClaimDecided(ticket, Verdict.FAULT))
                return
            if result.verdict is Verdict.WON:
                metrics.claim_seconds.observe(time.time() - self._offered_at)
                if not self._call.is_ours:
                    self._broker.announce_claimed_elsewhere(result.broadcast_id)
            self._call.handle(ClaimDecided(ticket, result.verdict, result.winner))

        self._broker.ledger.submit(
            TryClaim(decision.claim, self._row.channel_id, self._row, done=decided)
        )

    def note_attempt(self, decision: NoteAttempt) -> None:
        """Enter a claim that was answered from memory, up to a number."""
        application = decision.claim.application
        self._attempts[application] += 1
        if self._attempts[application] <= RECORDED_ATTEMPTS:
            self._broker.ledger.submit(
                Attempt(decision.claim, decision.verdict, self._row.channel_id, self._row)
            )

    def commit_ending(self, decision: CommitEnding) -> None:
        """Ask the row to end without a winner, and tell."""
        self._call.cancel_timers()

        def decided(result: Any) -> None:
            if isinstance(result, LedgerError):
                self._call.handle(Unrecorded(str(result)))
                return
            self._call.handle(result)
            self._ended(result, decision)

        ending = Ending(self._row, decision.status, decision.reason, time.time(), decided)
        self._submit_for_the_caller(ending)

    def _ended(self, result: EndingDecided, decision: CommitEnding) -> None:
        if result.landed:
            self._row.status, self._row.reason = decision.status, decision.reason
            log_outcome(self._row, self._call.arbiter.broadcast)
            metrics.broadcasts[decision.status].inc()
            self._broker.announce_changed(self._call)

    def commit_reopen(self, decision: CommitReopen) -> None:
        """Take the call back from a winner that could not take it, and tell."""
        self._call.cancel_timers()

        def decided(result: Any) -> None:
            if isinstance(result, LedgerError):
                # Owed to the record, as the caller goes back to the dialplan now.
                ending = Ending(self._row, Status.FAILED, decision.reason, time.time())
                self._broker.ledger.submit(ending)
                self._call.handle(Unrecorded(str(result)))
                return
            self._call.handle(result)
            self._broker.announce_offered(self._call)
            self._broker.announce_changed(self._call)

        log.warning(
            "%s: %s could not take the call (%s)",
            told(self._row, self._row.channel_name),
            decision.application,
            told(self._row, decision.reason),
        )
        self._submit_for_the_caller(
            Reopening(self._row, decision.application, decision.reason, time.time(), decided)
        )

    def note_handed_over(self, decision: NoteHandedOver) -> None:
        """Enter that the winner has the call."""
        self._call.cancel_limits()
        metrics.handover_seconds.observe(decision.at - self._offered_at)
        self._broker.ledger.submit(HandedOver(self._row, decision.at, self._changed))

    def note_session_ended(self, decision: NoteSessionEnded) -> None:
        """Enter that the winner is done with the call."""
        metrics.broadcasts[Status.CLAIMED].inc()
        self._broker.ledger.submit(SessionEnd(self._row, decision.at, self._changed))

    def note_hangup(self, decision: NoteHangup) -> None:
        """Enter when and why the channel was hung up."""
        self._broker.ledger.submit(
            HangUp(self._row, decision.at, decision.cause, decision.cause_text)
        )

    def _changed(self, _: Any) -> None:
        self._broker.announce_changed(self._call)


RECORD: dict[type, Callable[[CallRecord, Any], None]] = {
    Open: CallRecord.open,
    BeginRound: CallRecord.begin_round,
    CommitClaim: CallRecord.commit_claim,
    NoteAttempt: CallRecord.note_attempt,
    CommitEnding: CallRecord.commit_ending,
    CommitReopen: CallRecord.commit_reopen,
    NoteHandedOver: CallRecord.note_handed_over,
    NoteSessionEnded: CallRecord.note_session_ended,
    NoteHangup: CallRecord.note_hangup,
}

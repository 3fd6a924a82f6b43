"""The arbiter of one broadcast: happenings in, decisions out, nothing else.

What is durable is decided by the row (see `lifecycle`); the arbiter decides what to ask of it and
what follows. `REACTIONS` is its whole behaviour: what that table does not list changes nothing.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import Any

from .broadcast import Broadcast
from .decisions import (
    AdmitRound,
    Announce,
    Answer,
    BeginRound,
    CommitClaim,
    CommitEnding,
    CommitReopen,
    Decision,
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
from .happenings import (
    BackInDialplan,
    Claim,
    ClaimDecided,
    DeadlineReached,
    Destroyed,
    EndingDecided,
    HandoverFailed,
    Happening,
    HungUp,
    LeftBroadcast,
    Opened,
    Reopened,
    Replaced,
    RoundAdmitted,
    RowSeen,
    Unrecorded,
    WinnerLost,
    WinnerStarted,
)
from .lifecycle import STASIS_STATUS, StasisStatus, Status
from .policy import OnFailedHandover
from .verdict import LOST, Verdict


class Phase(Enum):
    """Where the arbiter stands; finer than the row's status, and kept in memory only."""

    OFFERED = auto()
    ENDING = auto()
    MOVING = auto()
    REOPENING = auto()
    WITH_WINNER = auto()
    RETURNING = auto()
    FOLLOWED = auto()
    GONE = auto()


class Arbiter:
    """Arbitrates one broadcast, on the process that holds the link to its Asterisk.

    Args:
        spent: candidates that could not take the call before, as the record says.
    """

    def __init__(self, broadcast: Broadcast, spent: Iterable[str] = ()) -> None:
        self.broadcast = broadcast
        self.phase = Phase.OFFERED
        self._asking = False
        self._held: list[Claim] = []
        self._spent = set(spent)
        self._hung_up = False
        self._has_left = False  # our application: it has been handed over once

    def start(self, refused: str = "") -> list[Decision]:
        """Open the broadcast; `refused` says why its filter could not be used, if so."""
        broadcast = self.broadcast
        if refused:
            return self._open_closed(Status.FAILED, refused)
        if not broadcast.candidates:
            return self._open_closed(Status.NO_CANDIDATES, "no connected application is admitted")
        return [Open(Status.OPEN), Offer(broadcast.candidates), WakeAt(broadcast.deadline)]

    def resume(self, status: Status, winner: str) -> list[Decision]:
        """Take up a broadcast from its row after a restart or a change of owner.

        The channel is known to sit in our application.
        """
        self.broadcast.status = status
        if status is Status.OPEN:
            return [Offer(self._others()), WakeAt(self.broadcast.deadline)]
        if status is Status.CLAIMED:
            return self._hand_over(winner)
        return self._return(STASIS_STATUS[status])

    def follow(self, winner: str) -> None:
        """Take up a call that its winner already holds."""
        self.broadcast.status, self.broadcast.winner = Status.CLAIMED, winner
        self.phase, self._has_left = Phase.WITH_WINNER, True

    def handle(self, happening: Happening) -> list[Decision]:
        """Return what follows from a happening; one that its phase does not list changes nothing.

        A claim is always answered. Our StasisEnd of a call that was handed over tells nothing any
        more: over its own socket, it may come when the winner has been lost already.
        """
        reaction = REACTIONS.get((self.phase, type(happening)))
        if reaction is None or (self._has_left and isinstance(happening, LeftBroadcast)):
            return []
        return reaction(self, happening)

    # Opening and ending

    def _open_closed(self, status: Status, reason: str) -> list[Decision]:
        self.phase = Phase.ENDING
        self.broadcast.status = status
        return [Open(status, reason)]

    def _opened_closed(self, _: Opened) -> list[Decision]:
        if self.broadcast.status is Status.OPEN:
            return []
        return self._return(STASIS_STATUS[self.broadcast.status])

    def _unrecorded(self, _: Unrecorded) -> list[Decision]:
        self.broadcast.status = Status.FAILED
        return self._return(StasisStatus.FAILED)

    def _end(self, status: Status, reason: str) -> list[Decision]:
        self.phase = Phase.ENDING
        return [CommitEnding(status, reason)]

    def _next_round(self, _: DeadlineReached | None = None) -> list[Decision]:
        if self.broadcast.has_later_rounds:
            return [AdmitRound(self.broadcast.round + 1)]
        return self._end(Status.TIMED_OUT, "nobody claimed in time")

    def _round_admitted(self, happening: RoundAdmitted) -> list[Decision]:
        number, at, broadcast = happening.number, happening.at, self.broadcast
        if number is None:
            return self._end(Status.TIMED_OUT, "nobody claimed in time")
        if number <= broadcast.round:
            return []
        fit = tuple(name for name in happening.applications if name not in self._spent)
        new = broadcast.begin_round(number, fit, at)
        begin = BeginRound(number, new, broadcast.last_deadline, at)
        if not self._others():
            return [begin, *self._next_round()]
        return [begin, Offer(new), WakeAt(broadcast.deadline)]

    def _hung_up_waiting(self, _: HungUp | LeftBroadcast) -> list[Decision]:
        self._hung_up = True
        return self._end(Status.ABANDONED, "the caller hung up")

    def _remember_hangup(self, _: HungUp | LeftBroadcast) -> list[Decision]:
        self._hung_up = True
        return []

    def _replaced_waiting(self, _: Replaced) -> list[Decision]:
        self.phase = Phase.GONE
        return [
            CommitEnding(Status.ABANDONED, "the channel entered a new broadcast"),
            Forget(),
        ]

    def _replaced_with_winner(self, happening: Replaced) -> list[Decision]:
        self.phase = Phase.GONE
        return [NoteSessionEnded(happening.at), Forget()]

    def _ending_decided(self, happening: EndingDecided) -> list[Decision]:
        if happening.landed or happening.status is not Status.CLAIMED:
            return self._ended(happening.status)
        return self._claimed_meanwhile(happening)

    def _claimed_meanwhile(self, happening: EndingDecided | Reopened) -> list[Decision]:
        if happening.held:
            return self._forget()  # Another process has handed it over.
        if happening.winner in self._spent:
            return self._end_unheard()
        return self._won(happening.winner)

    def _ended(self, status: Status) -> list[Decision]:
        self.broadcast.status = status
        return self._forget() if self._hung_up else self._return(STASIS_STATUS[status])

    def _end_unheard(self) -> list[Decision]:
        """End a call whose winner could not take it before, without waiting for the row."""
        status = Status.ABANDONED if self._hung_up else Status.FAILED
        return [CommitEnding(status, "its winner could not take it"), *self._ended(status)]

    def _return(self, status: StasisStatus) -> list[Decision]:
        self.phase = Phase.RETURNING
        return [Return(status)]

    def _forget(self, _: Happening | None = None) -> list[Decision]:
        self.phase = Phase.GONE
        return [Forget()]

    # Claims

    def _claim(self, claim: Claim) -> list[Decision]:
        """One claim at a time asks the row; those that come meanwhile wait for its answer."""
        refusal = self._refusal(claim)
        if refusal:
            return self._answer(claim, refusal)
        if self._asking:
            self._held.append(claim)
            return []
        self._asking = True
        return [CommitClaim(claim)]

    def _release(self) -> list[Decision]:
        """Treat the claims that waited as if they came now."""
        held, self._held = self._held, []
        return [decision for claim in held for decision in self.handle(claim)]

    def _refusal(self, claim: Claim) -> Verdict | None:
        if claim.application in self._spent:
            return Verdict.NOT_OFFERED
        if self.broadcast.policy.any_name_may_claim:
            # Natively anybody may claim for any name, but nobody there has limited credentials.
            return claim.refusal if claim.refusal is Verdict.NOT_ALLOWED else None
        if claim.application not in self.broadcast.candidates:
            return Verdict.NOT_OFFERED
        return claim.refusal

    def _claim_taken(self, claim: Claim) -> list[Decision]:
        return self._answer(claim, Verdict.TAKEN)

    def _claim_too_late(self, claim: Claim) -> list[Decision]:
        status = self.broadcast.status
        # One that its channel has left for a new one may be over before its end is known.
        lost = LOST.get(status, Verdict.ABANDONED)
        return self._answer(claim, Verdict.ENDED if status is Status.CLAIMED else lost)

    def _answer(self, claim: Claim, verdict: Verdict) -> list[Decision]:
        return [NoteAttempt(claim, verdict), Answer(claim.ticket, verdict)]

    def _claim_decided(self, happening: ClaimDecided) -> list[Decision]:
        self._asking = False
        decisions: list[Decision] = [Answer(happening.ticket, happening.verdict)]
        if happening.verdict in (Verdict.WON, Verdict.TAKEN):
            decisions += self._won(happening.winner)
        return decisions + self._release()

    def _claim_decided_late(self, happening: ClaimDecided) -> list[Decision]:
        self._asking = False
        return [Answer(happening.ticket, happening.verdict), *self._release()]

    def _row_seen(self, happening: RowSeen) -> list[Decision]:
        if happening.status is not Status.CLAIMED:
            return []
        return self._won(happening.winner)

    def _won(self, winner: str) -> list[Decision]:
        """A claim is durable, in whichever process; the hand-over is ours, as we hold the link.

        What was asked of the row before its winner failed is answered after it: nothing new.
        """
        if winner in self._spent:
            return []
        self.broadcast.status, self.broadcast.winner = Status.CLAIMED, winner
        announce: list[Decision] = [Announce(winner)] if self.broadcast.notify_claimed else []
        if self._hung_up:
            return announce + self._end(Status.ABANDONED, "the caller hung up")
        return self._hand_over(winner) + announce

    # Hand-over

    def _hand_over(self, winner: str) -> list[Decision]:
        self.broadcast.winner = winner
        self.phase = Phase.MOVING
        return [Move(winner), WatchHandover(winner)]

    def _handed_over(self, happening: LeftBroadcast | WinnerStarted) -> list[Decision]:
        self.phase, self._has_left = Phase.WITH_WINNER, True
        return [NoteHandedOver(happening.at)]

    def _winner_started(self, happening: WinnerStarted) -> list[Decision]:
        if happening.application != self.broadcast.winner:
            return []
        return self._handed_over(happening)

    def _handover_failed(self, happening: HandoverFailed) -> list[Decision]:
        if happening.application not in ("", self.broadcast.winner):
            return []
        return self._take_back(happening.reason, happening.at)

    def _winner_lost(self, happening: WinnerLost) -> list[Decision]:
        if not self.broadcast.policy.rescue:
            return []
        return self._take_back("the winner's socket was lost", happening.at)

    def _take_back(self, reason: str, at: float) -> list[Decision]:
        winner = self.broadcast.winner
        self._spent.add(winner)
        again = self.broadcast.policy.on_failed_handover is OnFailedHandover.OFFER_AGAIN
        if again and at < self.broadcast.last_deadline and self._anyone_left():
            self.phase = Phase.REOPENING
            return [CommitReopen(winner, reason)]
        return self._end(Status.FAILED, f"{winner}: {reason}")

    def _anyone_left(self) -> bool:
        return bool(self._others()) or self.broadcast.has_later_rounds

    def _others(self) -> tuple[str, ...]:
        return tuple(name for name in self.broadcast.candidates if name not in self._spent)

    def _reopened(self, happening: Reopened) -> list[Decision]:
        if happening.status is Status.CLAIMED:
            return self._claimed_meanwhile(happening)
        if happening.status is not Status.OPEN:
            return self._ended(happening.status)
        self.phase = Phase.OFFERED
        self.broadcast.status, self.broadcast.winner = Status.OPEN, ""
        if self._hung_up:
            return self._end(Status.ABANDONED, "the caller hung up")
        others = self._others()
        if not others:
            return self._next_round()
        return [Offer(others), WakeAt(self.broadcast.deadline)]

    # The winner's session

    def _session_ended(self, happening: BackInDialplan) -> list[Decision]:
        self.phase = Phase.FOLLOWED
        return [NoteSessionEnded(happening.at)]

    def _destroyed_with_winner(self, happening: Destroyed) -> list[Decision]:
        return [NoteSessionEnded(happening.at), *self._destroyed(happening)]

    def _destroyed(self, happening: Destroyed) -> list[Decision]:
        self.phase = Phase.GONE
        return [NoteHangup(happening.at, happening.cause, happening.cause_text), Forget()]


Reaction = Callable[[Arbiter, Any], list[Decision]]

REACTIONS: Mapping[tuple[Phase, type], Reaction] = MappingProxyType(
    {
        (Phase.OFFERED, Unrecorded): Arbiter._unrecorded,
        (Phase.OFFERED, Claim): Arbiter._claim,
        (Phase.OFFERED, ClaimDecided): Arbiter._claim_decided,
        (Phase.OFFERED, RowSeen): Arbiter._row_seen,
        (Phase.OFFERED, DeadlineReached): Arbiter._next_round,
        (Phase.OFFERED, RoundAdmitted): Arbiter._round_admitted,
        (Phase.OFFERED, HungUp): Arbiter._hung_up_waiting,
        (Phase.OFFERED, LeftBroadcast): Arbiter._hung_up_waiting,
        (Phase.OFFERED, Destroyed): Arbiter._hung_up_waiting,
        (Phase.OFFERED, Replaced): Arbiter._replaced_waiting,
        # A claim that is committed before the ending wins: only the row says which came first.
        (Phase.ENDING, Opened): Arbiter._opened_closed,
        (Phase.ENDING, Unrecorded): Arbiter._unrecorded,
        (Phase.ENDING, Claim): Arbiter._claim,
        (Phase.ENDING, ClaimDecided): Arbiter._claim_decided,
        (Phase.ENDING, EndingDecided): Arbiter._ending_decided,
        (Phase.ENDING, HungUp): Arbiter._remember_hangup,
        (Phase.ENDING, LeftBroadcast): Arbiter._remember_hangup,
        (Phase.ENDING, Destroyed): Arbiter._remember_hangup,
        (Phase.ENDING, Replaced): Arbiter._forget,
        (Phase.MOVING, Claim): Arbiter._claim_taken,
        (Phase.MOVING, ClaimDecided): Arbiter._claim_decided_late,
        (Phase.MOVING, LeftBroadcast): Arbiter._handed_over,
        # Our StasisEnd and the winner's StasisStart come in either order (seen on Asterisk 23).
        (Phase.MOVING, WinnerStarted): Arbiter._winner_started,
        (Phase.MOVING, HandoverFailed): Arbiter._handover_failed,
        (Phase.MOVING, HungUp): Arbiter._hung_up_waiting,
        (Phase.MOVING, Destroyed): Arbiter._hung_up_waiting,
        (Phase.MOVING, Replaced): Arbiter._replaced_waiting,
        (Phase.REOPENING, Claim): Arbiter._claim,
        (Phase.REOPENING, ClaimDecided): Arbiter._claim_decided_late,
        (Phase.REOPENING, Unrecorded): Arbiter._unrecorded,
        (Phase.REOPENING, Reopened): Arbiter._reopened,
        (Phase.REOPENING, HungUp): Arbiter._remember_hangup,
        (Phase.REOPENING, LeftBroadcast): Arbiter._remember_hangup,
        (Phase.REOPENING, Destroyed): Arbiter._remember_hangup,
        (Phase.REOPENING, Replaced): Arbiter._replaced_waiting,
        (Phase.WITH_WINNER, Claim): Arbiter._claim_taken,
        (Phase.WITH_WINNER, ClaimDecided): Arbiter._claim_decided_late,
        (Phase.WITH_WINNER, WinnerLost): Arbiter._winner_lost,
        (Phase.WITH_WINNER, BackInDialplan): Arbiter._session_ended,
        (Phase.WITH_WINNER, Destroyed): Arbiter._destroyed_with_winner,
        (Phase.WITH_WINNER, Replaced): Arbiter._replaced_with_winner,
        (Phase.RETURNING, Claim): Arbiter._claim_too_late,
        (Phase.RETURNING, ClaimDecided): Arbiter._claim_decided_late,
        (Phase.RETURNING, LeftBroadcast): Arbiter._forget,
        (Phase.RETURNING, BackInDialplan): Arbiter._forget,
        (Phase.RETURNING, HungUp): Arbiter._forget,
        (Phase.RETURNING, Destroyed): Arbiter._forget,
        (Phase.RETURNING, Replaced): Arbiter._forget,
        (Phase.FOLLOWED, Claim): Arbiter._claim_too_late,
        (Phase.FOLLOWED, ClaimDecided): Arbiter._claim_decided_late,
        (Phase.FOLLOWED, Destroyed): Arbiter._destroyed,
        (Phase.FOLLOWED, Replaced): Arbiter._forget,
        (Phase.GONE, Claim): Arbiter._claim_too_late,
        (Phase.GONE, ClaimDecided): Arbiter._claim_decided_late,
    }
)

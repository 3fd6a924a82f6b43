"""One call in the broker's hands: carries out what its arbiter decides."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broadcasts import metrics
from broadcasts.domain.arbiter import Arbiter, Phase
from broadcasts.domain.decisions import (
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
from broadcasts.domain.happenings import (
    ClaimDecided,
    DeadlineReached,
    EndingDecided,
    HandoverFailed,
    Happening,
    HungUp,
    Opened,
    RoundAdmitted,
    Unrecorded,
)
from broadcasts.domain.lifecycle import STASIS_STATUS, Status
from broadcasts.domain.messages import call_broadcast, call_claimed
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
from broadcasts.ledger.entries import LedgerError, moment
from broadcasts.models import Broadcast

from .call_log import log, log_outcome, log_winner, told
from .ports import Link, LinkDown, Response, channel_uri

if TYPE_CHECKING:
    from .broker import Broker

# Attempts of one application for one call beyond these are answered but not recorded.
RECORDED_ATTEMPTS = 20


class Call:
    """Joins one broadcast's arbiter, its row, its channel and its timers."""

    def __init__(
        self,
        broker: "Broker",
        link: Link,
        row: Broadcast,
        arbiter: Arbiter,
        move_args: str = "",
    ) -> None:
        self.broker = broker
        self.link = link
        self.row = row
        self.arbiter = arbiter
        self.move_args = move_args
        self.replaces = False
        # None for a call that was taken up from its row.
        self.entered_over: Link | None = link
        self.awaited: set[str] = set()
        self._offered_at = row.opened_at.timestamp()
        self._deadline: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._attempts: Counter[str] = Counter()

    def __repr__(self) -> str:
        return f"<Call {self.row.channel_id} {self.arbiter.phase.name}>"

    def handle(self, happening: Happening) -> None:
        """Report a happening to the arbiter and carry out what follows."""
        self.perform(self.arbiter.handle(happening))

    def perform(self, decisions: list[Decision]) -> None:
        """Carry out decisions, in their order."""
        for decision in decisions:
            PERFORM[type(decision)](self, decision)

    @property
    def winner_is_here(self) -> bool:
        """Whether the winner's StasisStart passes through this process."""
        winner = self.arbiter.broadcast.winner
        return self.broker.candidates.session(self.link.server.id, winner) is not None

    def waits_in_spite_of(self, kind: str) -> bool:
        """Whether an event of the channel is no news yet, because a better one will follow."""
        if kind == "StasisEnd":
            # It says that the channel has left, not that its winner has heard of it.
            return self.arbiter.phase is Phase.MOVING and self.winner_is_here
        if kind == "ApplicationMoveFailed" and not (self.entered_over or self.winner_is_here):
            # Its winner was thought to be connected to the process that died.
            self.awaited.add(self.arbiter.broadcast.winner)
            return True
        return False

    def candidate_joined(self, application: str) -> None:
        """Catch up with an application that was away when it was its turn."""
        if application not in self.awaited:
            return
        self.awaited.discard(application)
        if self.arbiter.phase is Phase.OFFERED:
            self._send_offer((application,))
            self.broker.announce_offered(self)
        elif self.arbiter.phase in (Phase.MOVING, Phase.WITH_WINNER):
            self._move_channel(application)

    def link_restored(self, link: Link) -> None:
        """Do again what a lost link may have swallowed; the channel is known to be with us."""
        self.link = link
        if self.arbiter.phase is Phase.MOVING:
            self.move_to_winner()
        elif self.arbiter.phase is Phase.RETURNING:
            self._return(Return(STASIS_STATUS[self.arbiter.broadcast.status]))

    # The record

    def _open(self, decision: Open) -> None:
        row = self.row
        row.status, row.reason = decision.status, decision.reason[:255]
        if decision.status is not Status.OPEN:
            row.ended_at = row.opened_at
            row.stasis_status = STASIS_STATUS[decision.status]
        candidates = self.arbiter.broadcast.candidates
        reached_by = self.broker.reached_by(self.link.server)
        # An offer that only applications here have seen can be committed with its first claim.
        urgent = decision.status is not Status.OPEN or not self.broker.candidates.all_here(
            self.link.server.id, candidates
        )
        self.broker.ledger.submit(
            Opening(row, candidates, reached_by, self.replaces, urgent, self._opened)
        )

    def _opened(self, result: Any) -> None:
        if isinstance(result, LedgerError):
            self.handle(Unrecorded(str(result)))
            return
        self.handle(Opened())
        self.broker.announce_opened(self)
        self.broker.announce_offered(self, self.row.round)
        if self.row.status != Status.OPEN:
            log_outcome(self.row, self.arbiter.broadcast)
            metrics.broadcasts[Status(self.row.status)].inc()

    def _begin_round(self, decision: BeginRound) -> None:
        row, number = self.row, decision.number
        begun = RoundBegun(
            row=row,
            number=number,
            candidates=decision.applications,
            reached_by=self.broker.reached_by(self.link.server),
            offered_before=row.candidate_count,
            deadline=decision.deadline,
            at=decision.at,
            done=lambda result: self._round_begun(result, number),
        )
        row.candidate_count += len(decision.applications)
        self.broker.ledger.submit(begun)

    def _round_begun(self, result: Any, number: int) -> None:
        if not isinstance(result, LedgerError):
            self.broker.announce_offered(self, number)
            self.broker.announce_changed(self)

    def _commit_claim(self, decision: CommitClaim) -> None:
        ticket = decision.claim.ticket

        def decided(result: Any) -> None:
            if isinstance(result, LedgerError):
                self.handle(ClaimDecided(ticket, Verdict.FAULT))
                return
            if result.verdict is Verdict.WON:
                metrics.claim_seconds.observe(time.time() - self._offered_at)
            self.handle(ClaimDecided(ticket, result.verdict, result.winner))

        self.broker.ledger.submit(
            TryClaim(decision.claim, self.row.channel_id, self.row, done=decided)
        )

    def _note_attempt(self, decision: NoteAttempt) -> None:
        application = decision.claim.application
        self._attempts[application] += 1
        if self._attempts[application] <= RECORDED_ATTEMPTS:
            self.broker.ledger.submit(
                Attempt(decision.claim, decision.verdict, self.row.channel_id, self.row)
            )

    def _commit_ending(self, decision: CommitEnding) -> None:
        self._cancel_timers()

        def decided(result: Any) -> None:
            if isinstance(result, LedgerError):
                self.handle(Unrecorded(str(result)))
                return
            self.handle(result)
            self._ended(result, decision)

        self.broker.ledger.submit(
            Ending(self.row, decision.status, decision.reason, time.time(), decided)
        )

    def _ended(self, result: EndingDecided, decision: CommitEnding) -> None:
        if result.landed:
            self.row.status, self.row.reason = decision.status, decision.reason
            log_outcome(self.row, self.arbiter.broadcast)
            metrics.broadcasts[decision.status].inc()
            self.broker.announce_changed(self)

    def _commit_reopen(self, decision: CommitReopen) -> None:
        self._cancel_timers()

        def decided(result: Any) -> None:
            if isinstance(result, LedgerError):
                # Owed to the record, as the caller goes back to the dialplan now.
                ending = Ending(self.row, Status.FAILED, decision.reason, time.time())
                self.broker.ledger.submit(ending)
                self.handle(Unrecorded(str(result)))
                return
            self.handle(result)
            self.broker.announce_offered(self)
            self.broker.announce_changed(self)

        log.warning(
            "%s: %s could not take the call (%s)",
            told(self.row, self.row.channel_name),
            decision.application,
            told(self.row, decision.reason),
        )
        self.broker.ledger.submit(
            Reopening(self.row, decision.application, decision.reason, time.time(), decided)
        )

    def _note_handed_over(self, decision: NoteHandedOver) -> None:
        self._cancel_timers()
        metrics.handover_seconds.observe(decision.at - self._offered_at)
        self.broker.ledger.submit(HandedOver(self.row, decision.at, self._changed))

    def _note_session_ended(self, decision: NoteSessionEnded) -> None:
        metrics.broadcasts[Status.CLAIMED].inc()
        self.broker.ledger.submit(SessionEnd(self.row, decision.at, self._changed))

    def _note_hangup(self, decision: NoteHangup) -> None:
        self.broker.ledger.submit(
            HangUp(self.row, decision.at, decision.cause, decision.cause_text)
        )

    def _changed(self, _: Any) -> None:
        self.broker.announce_changed(self)

    # The candidates

    def _offer(self, decision: Offer) -> None:
        self._send_offer(decision.applications)

    def _admit_round(self, decision: AdmitRound) -> None:
        filters = [one["app_filter"] for one in self.row.rounds]
        candidates, server_id = self.broker.candidates, self.link.server.id
        number, names = candidates.first_round(server_id, filters, decision.first)
        self.handle(RoundAdmitted(number, names, time.time()))

    def _send_offer(self, applications: tuple[str, ...]) -> None:
        message = call_broadcast(self.row.channel, moment(time.time()), self.row.asterisk_id)
        server_id = self.link.server.id
        self.awaited.update(self.broker.candidates.send(server_id, applications, message))

    def _announce(self, decision: Announce) -> None:
        at = moment(time.time())
        message = call_claimed(self.row.channel, decision.winner, at, self.row.asterisk_id)
        candidates = self.arbiter.broadcast.candidates
        self.broker.candidates.send(self.link.server.id, candidates, message)

    def _answer(self, decision: Answer) -> None:
        self.broker.answer(decision.ticket, decision.verdict)

    # The channel

    def _move(self, decision: Move) -> None:
        if self._deadline:
            self._deadline.cancel()
        log_winner(self.row, self.arbiter.broadcast)
        self.broker.announce_changed(self)
        self.move_to_winner()

    def move_to_winner(self) -> None:
        """Move the channel as soon as its winner is connected, which it may not be right away.

        After a restart a winner needs a moment to come back.
        """
        winner = self.arbiter.broadcast.winner
        self.awaited.clear()  # Who missed the offer need not be told of it any more.
        if self.broker.candidates.is_connected(self.link.server.id, winner):
            self._move_channel(winner)
        else:
            self.awaited.add(winner)

    def _move_channel(self, application: str) -> None:
        """Follow the channel, then move it: both sent at once, carried out in this order."""
        server = self.link.server
        self.link.request(
            "POST",
            f"applications/{server.application}/subscription",
            {"eventSource": f"channel:{self.row.channel_id}"},
        ).add_done_callback(self._ignore)
        query = {"app": application}
        if self.move_args:
            query["appArgs"] = self.move_args
        moved = self.link.request("POST", f"{channel_uri(self.row.channel_id)}/move", query)
        moved.add_done_callback(lambda future: self._moved(future, application))

    def _moved(self, future: "asyncio.Future[Response]", application: str) -> None:
        response = self._ignore(future)
        if response is None or response.status < 400:
            return
        if response.status == 404:
            self.handle(HungUp(time.time()))
        else:
            reason = f"Asterisk refused the move ({response.status} {response.body})"
            self.handle(HandoverFailed(reason, time.time(), application))

    def _return(self, decision: Return) -> None:
        channel = channel_uri(self.row.channel_id)
        self.link.request(
            "POST",
            f"{channel}/variable",
            {"variable": "BROADCASTSTATUS", "value": decision.status},
        ).add_done_callback(self._ignore)
        self.link.request("POST", f"{channel}/continue").add_done_callback(self._returned)

    def _returned(self, future: "asyncio.Future[Response]") -> None:
        response = self._ignore(future)
        if response is None:
            return  # The link is down; the channel is looked for when it is back.
        if response.status in (404, 409):
            self.handle(HungUp(time.time()))
        elif response.status >= 400:
            name, answer = (told(self.row, text) for text in (self.row.channel_name, str(response)))
            log.error("%s cannot be sent back: %s", name, answer)

    @staticmethod
    def _ignore(future: "asyncio.Future[Response]") -> Response | None:
        """Return the answer, or None when the link was lost: recovery settles what follows."""
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or isinstance(error, LinkDown):
            return None
        return future.result()

    # Timers

    def _wake_at(self, decision: WakeAt) -> None:
        self._deadline = self._in(
            decision.at - time.time(), lambda: self.handle(DeadlineReached(time.time()))
        )

    def _watch_handover(self, decision: WatchHandover) -> None:
        seconds = self.arbiter.broadcast.policy.handover_ms / 1000
        self._watch = self._in(
            seconds,
            lambda: self.handle(
                HandoverFailed(
                    f"no StasisStart within {seconds:g} s", time.time(), decision.application
                )
            ),
        )

    @staticmethod
    def _in(seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(max(0.0, seconds), action)

    def _cancel_timers(self) -> None:
        for timer in (self._deadline, self._watch):
            if timer:
                timer.cancel()

    def _forget(self, _: Forget) -> None:
        self._cancel_timers()
        self.broker.forget(self)


PERFORM: dict[type, Callable[[Call, Any], None]] = {
    Open: Call._open,
    Offer: Call._offer,
    AdmitRound: Call._admit_round,
    BeginRound: Call._begin_round,
    WakeAt: Call._wake_at,
    WatchHandover: Call._watch_handover,
    CommitClaim: Call._commit_claim,
    Answer: Call._answer,
    NoteAttempt: Call._note_attempt,
    Announce: Call._announce,
    Move: Call._move,
    CommitEnding: Call._commit_ending,
    CommitReopen: Call._commit_reopen,
    Return: Call._return,
    NoteHandedOver: Call._note_handed_over,
    NoteSessionEnded: Call._note_session_ended,
    NoteHangup: Call._note_hangup,
    Forget: Call._forget,
}

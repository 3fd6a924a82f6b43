"""One call in the broker's hands: carries out what its arbiter decides."""

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from broadcasts.domain.arbiter import Arbiter, Phase
from broadcasts.domain.decisions import (
    AdmitRound,
    Announce,
    Answer,
    Decision,
    Forget,
    Move,
    Offer,
    Return,
    WakeAt,
    WatchHandover,
)
from broadcasts.domain.happenings import (
    DeadlineReached,
    HandoverFailed,
    Happening,
    HungUp,
    RoundAdmitted,
    WinnerLost,
)
from broadcasts.domain.lifecycle import STASIS_STATUS
from broadcasts.domain.messages import call_broadcast, call_claimed
from broadcasts.ledger.entries import moment
from broadcasts.models import Broadcast

from .call_log import log, log_winner, told
from .call_record import RECORD, CallRecord
from .ports import Link, LinkDown, Response, channel_uri

if TYPE_CHECKING:
    from .broker import Broker

# As long as candidates of a dead process count as connected (`peers.DEAD_AFTER`).
DOUBTFUL_SECONDS = 5.0
# Between a refused attempt to send a caller back to the dialplan and the next.
RETURN_AGAIN_SECONDS = 1.0


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
        # Whether the StasisStart is still to come of a call that recovery found.
        self.start_is_due = False
        # None for a call that was taken up from its row.
        self.entered_over: Link | None = link
        self.awaited: set[str] = set()
        self._deadline: asyncio.TimerHandle | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._doubt: asyncio.TimerHandle | None = None
        self._record = CallRecord(self)

    def __repr__(self) -> str:
        return f"<Call {self.row.channel_id} {self.arbiter.phase.name}>"

    def handle(self, happening: Happening) -> None:
        """Report a happening to the arbiter and carry out what follows."""
        self.perform(self.arbiter.handle(happening))

    def perform(self, decisions: list[Decision]) -> None:
        """Carry out decisions, in their order."""
        for decision in decisions:
            kind = type(decision)
            if kind in RECORD:
                RECORD[kind](self._record, decision)
            else:
                PERFORM[kind](self, decision)

    @property
    def is_ours(self) -> bool:
        """Whether the link that the call is with is up; if not, another process may have it now."""
        return self.broker.links.get(self.link.server.id) is self.link

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
        if kind == "ApplicationMoveFailed" and not self.entered_over:
            return self._moved_in_vain()
        return False

    def _moved_in_vain(self) -> bool:
        """Whether a move has failed because the winner was with a process that is dead."""
        if self.winner_is_here:
            # It has come here since, and the call has been moved to it again.
            return self._doubt is not None
        self._trust_the_move()
        self.awaited.add(self.arbiter.broadcast.winner)
        return True

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
            self._watch_handover(WatchHandover(self.arbiter.broadcast.winner))
        elif self.arbiter.phase is Phase.WITH_WINNER:
            self.expect_winner()
        elif self.arbiter.phase is Phase.RETURNING:
            self._return(Return(STASIS_STATUS[self.arbiter.broadcast.status]))

    def expect_winner(self) -> None:
        """Give a winner time to come back that may have left while nobody could tell why."""
        self._after_handover_time(self._winner_is_due)

    def _winner_is_due(self) -> None:
        winner = self.arbiter.broadcast.winner
        if self.is_ours and not self.broker.candidates.is_connected(self.link.server.id, winner):
            self.handle(WinnerLost(time.time()))

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
            if self.entered_over or self.winner_is_here:
                return
            # It may have been with the process that died: should it come here, it is moved again.
            self._doubt = self.after(DOUBTFUL_SECONDS, self._trust_the_move)
        self.awaited.add(winner)

    def _trust_the_move(self) -> None:
        """Wait for the winner no longer: it is connected to another process."""
        if self._doubt:
            self._doubt.cancel()
        self._doubt = None
        self.awaited.clear()

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
        if response is None:
            return
        if response.status < 400:
            if self.is_moving_elsewhere(application):
                self.broker.look_for(self, application)
        elif response.status == 404:
            self.handle(HungUp(time.time()))
        else:
            reason = f"Asterisk refused the move ({response.status} {response.body})"
            self.handle(HandoverFailed(reason, time.time(), application))

    def is_moving_elsewhere(self, winner: str) -> bool:
        """Whether the call is on its way to this winner, which is with another process."""
        is_moving = self.arbiter.phase is Phase.MOVING and self.is_ours
        return is_moving and self.arbiter.broadcast.winner == winner and not self.winner_is_here

    def _return(self, decision: Return) -> None:
        channel = channel_uri(self.row.channel_id)
        self.link.request(
            "POST",
            f"{channel}/variable",
            {"variable": "BROADCASTSTATUS", "value": decision.status},
        ).add_done_callback(self._ignore)
        self.link.request("POST", f"{channel}/continue").add_done_callback(
            lambda future: self._returned(future, decision)
        )

    def _returned(self, future: "asyncio.Future[Response]", decision: Return) -> None:
        response = self._ignore(future)
        if response is None:
            return  # The link is down; the channel is looked for when it is back.
        if response.status in (404, 409):
            self.handle(HungUp(time.time()))
        elif response.status >= 400:
            name, answer = (told(self.row, text) for text in (self.row.channel_name, str(response)))
            log.error("%s cannot be sent back, which is tried again: %s", name, answer)
            self.after(RETURN_AGAIN_SECONDS, lambda: self._return_again(decision))

    def _return_again(self, decision: Return) -> None:
        if self.arbiter.phase is Phase.RETURNING and self.is_ours:
            self._return(decision)

    @staticmethod
    def _ignore(future: "asyncio.Future[Response]") -> Response | None:
        """Return the answer, or None when the link was lost: recovery settles what follows."""
        error = None if future.cancelled() else future.exception()
        if future.cancelled() or isinstance(error, LinkDown):
            return None
        return future.result()

    # Timers

    def _wake_at(self, decision: WakeAt) -> None:
        self._deadline = self.after(
            decision.at - time.time(), lambda: self.handle(DeadlineReached(time.time()))
        )

    def _watch_handover(self, decision: WatchHandover) -> None:
        self._after_handover_time(lambda: self._handover_is_late(decision))

    def _after_handover_time(self, action: Callable[[], None]) -> None:
        if self._watch:
            self._watch.cancel()
        self._watch = self.after(self._handover_seconds, action)

    @property
    def _handover_seconds(self) -> float:
        return self.arbiter.broadcast.policy.handover_ms / 1000

    def _handover_is_late(self, decision: WatchHandover) -> None:
        """Give up on the winner, unless the link was lost: when it is back, time counts anew."""
        if self.is_ours:
            reason = f"no StasisStart within {self._handover_seconds:g} s"
            self.handle(HandoverFailed(reason, time.time(), decision.application))

    @staticmethod
    def after(seconds: float, action: Callable[[], None]) -> asyncio.TimerHandle:
        """Do something later, unless the returned handle is cancelled."""
        return asyncio.get_running_loop().call_later(max(0.0, seconds), action)

    def cancel_timers(self) -> None:
        """Wake up, and wait for anybody, no more."""
        self.cancel_limits()
        self._trust_the_move()

    def cancel_limits(self) -> None:
        """Let the call take as long as it does; that its winner is dead may still be feared."""
        for timer in (self._deadline, self._watch):
            if timer:
                timer.cancel()

    def _forget(self, _: Forget) -> None:
        self.cancel_timers()
        self.broker.forget(self)


PERFORM: dict[type, Callable[[Call, Any], None]] = {
    Offer: Call._offer,
    AdmitRound: Call._admit_round,
    WakeAt: Call._wake_at,
    WatchHandover: Call._watch_handover,
    Answer: Call._answer,
    Announce: Call._announce,
    Move: Call._move,
    Return: Call._return,
    Forget: Call._forget,
}

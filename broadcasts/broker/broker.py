"""The broker: joins links, candidates, arbiters and the ledger on one event loop."""

import asyncio
import functools
import itertools
import logging
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from broadcasts import metrics
from broadcasts.domain.app_filter import FilterRefused, compile_filter
from broadcasts.domain.happenings import (
    BackInDialplan,
    Claim,
    Destroyed,
    HandoverFailed,
    Happening,
    HungUp,
    LeftBroadcast,
    Replaced,
    RowSeen,
    WinnerLost,
    WinnerStarted,
)
from broadcasts.domain.plan import Configuration
from broadcasts.domain.policy import Policy
from broadcasts.domain.verdict import Verdict
from broadcasts.ledger import ClaimResult, Ledger, Look, TryClaim
from broadcasts.ledger.entries import LedgerError
from broadcasts.models import Candidate

from .arrivals import Arrivals, channel_of
from .call import Call
from .candidates import Candidates
from .limits import UNKNOWN_PER_SECOND, Allowance, Attempts
from .ports import Link, Principal, Server
from .recovery import Recovery

log = logging.getLogger(__name__)

# How long a finished call is remembered, so that late claims are answered without a query.
LINGER_SECONDS = 10
# Claims for channels that memory does not know, looked up in the record at one time.
LOOKUPS_AT_ONCE = 32
# How long a claim waits for a call that another process may be committing just now.
OFFER_SECONDS = 0.25
Changed = Callable[[Call], None]


class Broker:
    """Conducts every broadcast of the links that this process holds.

    All methods run on the event loop's thread. `on_opened` and `on_changed` are told of calls
    after the commit of what happened to them, `on_offered` of each round too. `configuration` is
    replaced as a whole when it changes; a call keeps what it was judged by.
    """

    def __init__(self, ledger: Ledger, configuration: Configuration) -> None:
        self.ledger = ledger
        self.configuration = configuration
        self.candidates = Candidates(self._candidate_joined, self._candidate_left)
        self.servers: dict[int, Server] = {}
        self.links: dict[int, Link] = {}
        self.alone = True  # the only process of this service
        self.on_opened: list[Changed] = []
        self.on_changed: list[Changed] = []
        self.on_offered: list[Callable[[Call, int | None], None]] = []
        self.on_claimed_elsewhere: list[Callable[[int], None]] = []
        self.arrivals = Arrivals(self)
        self._calls: dict[str, list[Call]] = defaultdict(list)
        self._answers: dict[int, asyncio.Future[Verdict]] = {}
        self._tickets = itertools.count(1)
        self._lookups = asyncio.Semaphore(LOOKUPS_AT_ONCE)
        self._unknown = Allowance(UNKNOWN_PER_SECOND)
        self._attempts = Attempts()
        self._tasks: set[asyncio.Task[None]] = set()

    # Links

    def link_up(self, link: Link) -> None:
        """A link is connected: settle every call that may sit in its application."""
        self.links[link.server.id] = link
        self.spawn(Recovery(self, link).run())

    def link_down(self, link: Link) -> None:
        """A link is lost; its calls wait for the next one."""
        if self.links.get(link.server.id) is link:
            del self.links[link.server.id]

    def event(self, link: Link, event: Mapping[str, Any]) -> None:
        """Take an event of our own application from a link; nonsense is logged and ignored."""
        kind = event.get("type")
        if kind == "StasisStart":
            self.arrivals.stasis_start(link, event)
            return
        translate = EVENTS.get(kind) if isinstance(kind, str) else None
        if translate is None:
            return
        channel_id = channel_of(event)
        call = self.call_of(link.server.id, channel_id) if channel_id else None
        if call and not call.waits_in_spite_of(kind):
            call.handle(translate(event, time.time()))

    def winner_started(self, server_id: int, application: str, channel_id: str) -> None:
        """A candidate's session has been sent the StasisStart of a call."""
        call = self.call_of(server_id, channel_id)
        if call:
            call.handle(WinnerStarted(application, time.time()))

    def look_for(self, call: Call, winner: str) -> None:
        """Ask Asterisk whether a call is with a winner of another process by now."""
        self.spawn(Recovery(self, call.link).look_for(call, winner))

    # Calls

    def forget_calls(self, server_id: int) -> None:
        """Another process holds a server now, and settles its calls from their rows."""
        for call in self.calls_of(server_id):
            call.cancel_timers()
            self._drop(call)

    def call_of(self, server_id: int, channel_id: str) -> Call | None:
        """Return the newest call of a channel, if it is in our hands."""
        calls = self._calls.get(channel_id, ())
        return next((call for call in reversed(calls) if call.link.server.id == server_id), None)

    def calls_of(self, server_id: int) -> list[Call]:
        """Return every call of a server."""
        return [
            call
            for calls in self._calls.values()
            for call in calls
            if call.row.server_id == server_id
        ]

    def add(self, call: Call) -> None:
        """Take a call into our hands; an older one of the same channel is replaced."""
        older = self.call_of(call.link.server.id, call.row.channel_id)
        if older:
            call.replaces = True
            older.handle(Replaced(time.time()))
        self._calls[call.row.channel_id].append(call)

    def forget(self, call: Call) -> None:
        """Drop a finished call after a while."""
        asyncio.get_running_loop().call_later(LINGER_SECONDS, self._drop, call)

    def _drop(self, call: Call) -> None:
        calls = self._calls.get(call.row.channel_id, [])
        if call in calls:
            calls.remove(call)
        if not calls:
            self._calls.pop(call.row.channel_id, None)

    def reached_by(self, server: Server) -> str:
        """Return how the candidates of a server are reached."""
        by_link = server.outbound and not server.url
        return Candidate.ReachedBy.LINK if by_link else Candidate.ReachedBy.SOCKET

    # Claims

    async def claim(self, channel_id: str, application: str, principal: Principal) -> Verdict:
        """Judge a claim; never raises. WON is returned only once it is durable."""
        call = self._place(channel_id, application)
        claim = Claim(
            next(self._tickets),
            application,
            principal.name,
            time.time(),
            self._refusal(call, application, principal),
        )
        if call is None or not call.is_ours:
            # Without its link, what is remembered of a call may be over for long.
            verdict = await self._claim_from_record(claim, channel_id, call)
        else:
            answer = self._answers[claim.ticket] = asyncio.get_running_loop().create_future()
            call.handle(claim)
            verdict = await answer
        metrics.claims[verdict].inc()
        return verdict

    def answer(self, ticket: int, verdict: Verdict) -> None:
        """Answer a waiting claim."""
        future = self._answers.pop(ticket, None)
        if future and not future.done():
            future.set_result(verdict)

    def _place(self, channel_id: str, application: str) -> Call | None:
        """Find the call that a claim means: of several servers' the one that was offered."""
        calls = self._calls.get(channel_id)
        if not calls:
            return None
        for call in reversed(calls):
            if application in call.arbiter.broadcast.candidates:
                return call
        return calls[-1]

    def _refusal(self, call: Call | None, application: str, principal: Principal) -> Verdict | None:
        if not may_speak_for(principal.applications, application):
            return Verdict.NOT_ALLOWED
        servers = [call.link.server.id] if call else list(self.servers)
        if not any(self.candidates.is_connected(server, application) for server in servers):
            return Verdict.NOT_CONNECTED
        return None

    async def _claim_from_record(self, claim: Claim, channel_id: str, call: Call | None) -> Verdict:
        """Claim a channel that the record knows better than we do.

        It is another process's, one from before a restart, or `call`, whose link is lost.
        """
        if not (self.alone or claim.refusal):
            verdict = await self._ask_record(claim, channel_id, call)
            if verdict is not Verdict.UNKNOWN:
                return verdict
            # The offer goes out while another process commits the call.
            await asyncio.sleep(OFFER_SECONDS)
        note_unknown = self._unknown.take(claim.at)
        return await self._ask_record(claim, channel_id, call, note_unknown)

    async def _ask_record(
        self, claim: Claim, channel_id: str, call: Call | None, note_unknown: bool = False
    ) -> Verdict:
        async with self._lookups:
            decided: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self.ledger.submit(
                TryClaim(
                    claim,
                    channel_id,
                    None,
                    self._open_to_any_name(),
                    note_unknown,
                    self._attempts.count(channel_id, claim.application),
                    functools.partial(self._decided_from_record, decided, call),
                )
            )
            result = await decided
        return Verdict.FAULT if isinstance(result, LedgerError) else result.verdict

    def _decided_from_record(
        self,
        decided: asyncio.Future[Any],
        call: Call | None,
        result: ClaimResult | LedgerError,
    ) -> None:
        """Tell who waits, if it still does; a claim that won has won in any case."""
        if not decided.done():
            decided.set_result(result)
        if isinstance(result, ClaimResult) and result.verdict is Verdict.WON:
            if call and call.row.pk == result.broadcast_id:
                self.look(call)
            self.announce_claimed_elsewhere(result.broadcast_id)

    def _open_to_any_name(self) -> frozenset[int]:
        """Return the servers whose calls any name may claim."""
        return frozenset(
            server_id for server_id in self.servers if self._policy(server_id).any_name_may_claim
        )

    def _policy(self, server_id: int) -> Policy:
        return self.configuration.in_force(server_id).policy

    def look_again(self, broadcast_id: int) -> None:
        """Read the row of one of our calls again: another process may have settled it."""
        for calls in self._calls.values():
            for call in calls:
                if call.row.pk == broadcast_id:
                    self.look(call)
                    return

    def look(self, call: Call) -> None:
        """Read the row of a call again."""
        self.ledger.submit(Look(call.row, functools.partial(self._looked, call)))

    def _looked(self, call: Call, result: RowSeen | LedgerError) -> None:
        if isinstance(result, RowSeen):
            call.handle(result)

    # Candidates

    def _candidate_joined(self, server_id: int, application: str) -> None:
        for call in self.calls_of(server_id):
            call.candidate_joined(application)

    def _candidate_left(self, server_id: int, application: str) -> None:
        # Without the link, it is the link that is lost, or we are stopping.
        if server_id not in self.links or not self._policy(server_id).rescue:
            return
        for call in self.calls_of(server_id):
            if call.arbiter.broadcast.winner == application:
                call.handle(WinnerLost(time.time()))

    # News

    def announce_opened(self, call: Call) -> None:
        for listener in self.on_opened:
            listener(call)

    def announce_offered(self, call: Call, number: int | None = None) -> None:
        """Tell that the candidates of a round, or all of them again, were offered a call."""
        for listener in self.on_offered:
            listener(call, number)

    def announce_claimed_elsewhere(self, broadcast_id: int) -> None:
        """Tell that whoever holds the link of a call has to look at its row."""
        for listener in self.on_claimed_elsewhere:
            listener(broadcast_id)

    def announce_changed(self, call: Call) -> None:
        for listener in self.on_changed:
            listener(call)

    def spawn(self, coroutine: Any) -> None:
        """Run something beside everything else, to its end."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


@functools.lru_cache(maxsize=4096)
def may_speak_for(pattern: str, application: str) -> bool:
    """Whether credentials limited to `pattern` may act for an application."""
    try:
        return compile_filter(pattern).admits(application)
    except FilterRefused:
        return False


def _destroyed(event: Mapping[str, Any], at: float) -> Destroyed:
    cause = event.get("cause")
    return Destroyed(
        at, cause if isinstance(cause, int) else 0, str(event.get("cause_txt") or "")[:80]
    )


def _move_failed(event: Mapping[str, Any], at: float) -> HandoverFailed:
    return HandoverFailed(
        "it was not registered when the call was moved", at, str(event.get("destination") or "")
    )


EVENTS: dict[str, Callable[[Mapping[str, Any], float], Happening]] = {
    "StasisEnd": lambda event, at: LeftBroadcast(at),
    "ChannelHangupRequest": lambda event, at: HungUp(at),
    "ChannelDestroyed": _destroyed,
    "ChannelDialplan": lambda event, at: BackInDialplan(at),
    "ApplicationMoveFailed": _move_failed,
}

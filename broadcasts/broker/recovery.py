"""After a link comes up: find every call that may be with us and settle it from its row."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from broadcasts.domain import messages
from broadcasts.domain.arbiter import Phase
from broadcasts.domain.decisions import NoteHandedOver
from broadcasts.domain.errors import in_a_line
from broadcasts.domain.happenings import (
    BackInDialplan,
    Destroyed,
    HungUp,
    LeftBroadcast,
    WinnerStarted,
)
from broadcasts.domain.lifecycle import Status
from broadcasts.models import Broadcast

from .database import OUTAGE, beside_pages
from .opening import Arrival, recorded_call
from .ports import Link, LinkDown, channel_uri

if TYPE_CHECKING:
    from .broker import Broker
    from .call import Call

log = logging.getLogger(__name__)

RETRY_SECONDS = 1.0
# How long our StasisEnd may take after a move, and between two looks at its winner instead.
LOOK_SECONDS = 0.2
# In these the channel is back in the dialplan, or gone.
OVER = (Phase.FOLLOWED, Phase.GONE)
WANTED_EVENTS = (
    "ApplicationMoveFailed",
    "ApplicationReplaced",
    "ChannelDestroyed",
    "ChannelDialplan",
    "ChannelHangupRequest",
    "RESTResponse",
    "StasisEnd",
    "StasisStart",
)


class Recovery:
    """Asks Asterisk which channels are with us, the record what they came to, and settles each."""

    def __init__(self, broker: "Broker", link: Link) -> None:
        self.broker = broker
        self.link = link

    async def run(self) -> None:
        """Settle every call of this link's server, however long the record is out of reach.

        A link that is lost meanwhile starts it anew when it is back.
        """
        try:
            await self._hear_only_what_matters()
            while True:
                if await self._settle_all():
                    break
                await asyncio.sleep(RETRY_SECONDS)
        except LinkDown:
            log.info("%s: the link was lost during recovery", self.link.server.name)

    async def _hear_only_what_matters(self) -> None:
        """Spare Asterisk and us the events that nothing here waits for; optional (16.3 and later).

        Answers to requests over the socket pass through the same filter.
        """
        application = self.link.server.application
        allowed = {"allowed": [{"type": kind} for kind in WANTED_EVENTS]}
        await self.link.request("PUT", f"applications/{application}/eventFilter", body=allowed)

    async def look_up(self, channel_id: str, event: Mapping[str, Any]) -> None:
        """Broadcast the call of a StasisStart that waited while the link was down, if it lives."""
        try:
            channel = await self._channel(channel_id)
        except LinkDown:
            return
        if channel is None:
            log.info(
                "%s: call %s was over before it could be offered", self.link.server, channel_id
            )
            return
        known = self.broker.call_of(self.link.server.id, channel_id)
        # One that entered before is over, with a winner or without: its channel came back.
        if known is None or known.entered_over is not self.link or self._is_new(known, channel):
            warning = "the call waited while the link was down"
            self.broker.arrivals.begin(Arrival(self.link, event, warning))

    async def look_for(self, call: "Call", winner: str) -> None:
        """Ask whether a winner has its call, until that is so or anything else has become of it.

        No StasisEnd of ours tells of a call that has left us before, for a winner that was lost.
        """
        with contextlib.suppress(LinkDown):
            await asyncio.sleep(LOOK_SECONDS)
            while call.is_moving_elsewhere(winner):
                if await self._is_with(winner, call.row.channel_id):
                    call.handle(WinnerStarted(winner, time.time()))
                else:
                    await asyncio.sleep(LOOK_SECONDS)

    async def _settle_all(self) -> bool:
        """Settle what can be settled; returns whether that was everything."""
        try:
            await self._settle_each()
        except OUTAGE as error:
            name, reason = self.link.server.name, in_a_line(error)
            log.error("%s: recovery waits for the record: %s", name, reason)
            return False
        return True

    async def _settle_each(self) -> None:
        server = self.link.server
        application = await self._get(f"applications/{server.application}")
        held = set(application.get("channel_ids", ())) if application else set()
        in_hand = {call.row.channel_id for call in self.broker.calls_of(server.id)}
        rows = await self._rows(server.id, held)
        for channel_id in held | in_hand | rows.keys():
            try:
                await self._settle(channel_id, rows.get(channel_id), channel_id in held)
            except (LinkDown, *OUTAGE):
                raise
            except Exception:  # Whatever is wrong with one call, the others are not to wait.
                log.exception("%s: call %s cannot be settled", server.name, channel_id)
        if held or rows:
            log.info("%s: settled %d calls after connecting", server.name, len(held | rows.keys()))

    async def _settle(self, channel_id: str, row: Broadcast | None, held: bool) -> None:
        if self._has_arrived(channel_id):
            return
        channel = await self._channel(channel_id)
        if self._has_arrived(channel_id):
            return  # Its StasisStart overtook the answer.
        call = self._known(channel_id, row)
        if call is not None:
            if held and channel and self._is_new(call, channel):
                self._begin(channel)
            else:
                await self._continue(call, channel, held)
        elif row is None or (held and row.ended_at and row.status == Status.CLAIMED):
            # After a winner's session the dialplan has come to us again.
            if channel and self._stands_here(channel):
                self._begin(channel)
        elif row.ended_at is None or (held and channel and self._stands_here(channel)):
            # Settled without a winner, but not sent back yet, if it is not live.
            call = recorded_call(self.broker, self.link, row)
            call.entered_over = None
            self.broker.add(call)
            await self._resume(call, row, channel, held)

    def _has_arrived(self, channel_id: str) -> bool:
        """Whether a call came over this very link, or is just coming."""
        server_id = self.link.server.id
        call = self.broker.call_of(server_id, channel_id)
        came = call is not None and call.link is self.link
        return came or self.broker.arrivals.is_arriving(server_id, channel_id)

    def _known(self, channel_id: str, row: Broadcast | None) -> "Call | None":
        """Return what we know of a channel, unless another process has had it since it was over."""
        call = self.broker.call_of(self.link.server.id, channel_id)
        if call and call.arbiter.phase in OVER and row and call.row.pk and row.pk > call.row.pk:
            return None
        return call

    def _is_new(self, known: "Call", channel: Mapping[str, Any]) -> bool:
        """Whether a channel came to us again after what we know of it was over."""
        return known.arbiter.phase in OVER and self._stands_here(channel)

    def _stands_here(self, channel: Mapping[str, Any]) -> bool:
        """Whether the dialplan of a channel stands at our application, not at another one."""
        return messages.stasis_application(channel) == self.link.server.application

    def _begin(self, channel: Mapping[str, Any]) -> None:
        event = {"args": messages.stasis_arguments(channel), "channel": channel}
        warning = "the call entered while the link was down"
        self.broker.arrivals.begin(Arrival(self.link, event, warning, start_is_due=True))

    async def _resume(
        self, call: "Call", row: Broadcast, channel: Mapping[str, Any] | None, held: bool
    ) -> None:
        """Settle a call that only the record knows."""
        status = Status(row.status)
        if status is Status.CLAIMED:
            await self._resume_claimed(call, row, channel)
        elif status is Status.OPEN and (channel is None or not held):
            call.handle(HungUp(time.time()))
        else:
            call.perform(call.arbiter.resume(status, ""))
            self.broker.announce_offered(call)
            # A claim may have been decided since the row was read.
            self.broker.look(call)

    async def _resume_claimed(
        self, call: "Call", row: Broadcast, channel: Mapping[str, Any] | None
    ) -> None:
        if channel is None:
            call.arbiter.follow(row.winner)
            call.handle(Destroyed(time.time(), 0, "ended while the link was down"))
        elif not self._stands_here(channel):
            call.arbiter.follow(row.winner)
            call.handle(BackInDialplan(time.time()))
        elif row.handed_over_at:
            call.arbiter.follow(row.winner)
            call.expect_winner()
            await self._follow(row.channel_id)
        elif await self._was_passed_on(row):
            # Its StasisStart may have been lost with the process that was to pass it on. Another
            # one is better than a caller whom nobody knows of.
            call.arbiter.follow(row.winner)
            call.perform([NoteHandedOver(time.time())])
            call.move_to_winner()
        else:
            call.perform(call.arbiter.resume(Status.CLAIMED, row.winner))

    async def _was_passed_on(self, row: Broadcast) -> bool:
        """Whether a call has reached its winner, and that is there: if not, its time is limited."""
        is_there = self.broker.candidates.is_connected(row.server_id, row.winner)
        return is_there and await self._is_with(row.winner, row.channel_id)

    async def _continue(self, call: "Call", channel: Mapping[str, Any] | None, held: bool) -> None:
        """Settle a call that this process held before the link was lost."""
        phase, now = call.arbiter.phase, time.time()
        if channel is None:
            gone = Destroyed(now, 0, "ended while the link was down")
            call.handle(gone)
        elif phase is Phase.MOVING and self._stands_here(channel):
            # A winner here that had heard of the call would have it: it is moved again.
            winner = call.arbiter.broadcast.winner
            if not call.winner_is_here and await self._is_with(winner, call.row.channel_id):
                call.handle(WinnerStarted(winner, now))
        elif phase in (Phase.WITH_WINNER, Phase.FOLLOWED):
            await self._follow(call.row.channel_id)
            if not self._stands_here(channel):
                call.handle(BackInDialplan(now))
        elif not held or not self._stands_here(channel):
            call.handle(LeftBroadcast(now))
        call.link_restored(self.link)

    async def _follow(self, channel_id: str) -> None:
        application = self.link.server.application
        await self.link.request(
            "POST",
            f"applications/{application}/subscription",
            {"eventSource": f"channel:{channel_id}"},
        )

    async def _is_with(self, application: str, channel_id: str) -> bool:
        found = await self._get(f"applications/{quote(application, safe='')}")
        return bool(found) and channel_id in found.get("channel_ids", ())

    async def _channel(self, channel_id: str) -> Mapping[str, Any] | None:
        return await self._get(channel_uri(channel_id))

    async def _get(self, uri: str) -> Any:
        """Return what Asterisk tells of something; None when it has no such thing."""
        while (response := await self.link.request("GET", uri)).status not in (200, 404):
            # Not to be taken for gone: a caller may be waiting there.
            log.error("%s: GET %s: HTTP %d", self.link.server.name, uri, response.status)
            await asyncio.sleep(RETRY_SECONDS)
        return orjson.loads(response.body) if response.status == 200 else None

    @beside_pages
    def _rows(self, server_id: int, held: set[str]) -> dict[str, Broadcast]:
        """Return the live rows of a server, and the newest of each channel that is with us."""
        rows = Broadcast.objects.filter(server_id=server_id).prefetch_related("candidates")
        settled = rows.filter(channel_id__in=held).order_by("pk")
        return {row.channel_id: row for found in (settled, rows.live()) for row in found}

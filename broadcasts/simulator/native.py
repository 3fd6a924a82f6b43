"""Asterisk's own StasisBroadcast (20.20, 22.10, 23.4 and later) and the claim, to compare with.

Native's weak points are kept: any name may claim, a bad filter reaches everyone, a broadcast
without candidates waits out its time, and a hang-up reads as TIMEOUT.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from broadcasts.domain.app_filter import FilterRefused, compile_filter
from broadcasts.domain.arguments import Arguments, parse_arguments

from . import events
from .answers import NO_CONTENT, Answer, RefusedError, Request
from .applications import Application
from .channel import Channel, HungUpError
from .expressions import split_arguments
from .pbx import Pbx
from .rest import Resources
from .stasis import session


@dataclass
class Broadcast:
    """A call on offer; `winner` stays until the winner's session has ended."""

    channel: Channel
    arguments: Arguments
    winner: str = ""
    claimed: asyncio.Event = field(default_factory=asyncio.Event)

    def admits(self, application: Application) -> bool:
        try:
            return compile_filter(self.arguments.app_filter).admits(application.name)
        except FilterRefused:
            return True


class NativeBroadcasts:
    """The dialplan application and the resource, which share the calls on offer."""

    def __init__(self) -> None:
        self._open: dict[str, Broadcast] = {}

    async def execute(self, pbx: Pbx, channel: Channel, data: str) -> None:
        """``StasisBroadcast([timeout[,app_filter[,args[,notify_claimed]]]])``"""
        pbx.set_variable(channel, "STASISSTATUS", "")
        broadcast = Broadcast(channel, parse_arguments(split_arguments(data)))
        self._open[channel.id] = broadcast
        try:
            await self._offer(pbx, broadcast)
            if broadcast.winner:
                await _hand_over(pbx, broadcast)
            else:
                pbx.set_variable(channel, "STASISSTATUS", "TIMEOUT")
        finally:
            if self._open.get(channel.id) is broadcast:
                del self._open[channel.id]

    async def _offer(self, pbx: Pbx, broadcast: Broadcast) -> None:
        candidates = _candidates(pbx, broadcast)
        pbx.random.shuffle(candidates)
        for application in candidates:
            application.send(events.call_broadcast(broadcast.channel))
        ends = [broadcast.claimed.wait(), broadcast.channel.hung_up.wait()]
        waits = [asyncio.ensure_future(end) for end in ends]
        await asyncio.wait(
            waits,
            timeout=broadcast.arguments.timeout_ms / 1000,
            return_when=asyncio.FIRST_COMPLETED,
        )
        for wait in waits:
            wait.cancel()

    def claim(self, pbx: Pbx, request: Request) -> Answer:
        """``POST /events/claim``"""
        for name in ("channelId", "application"):
            if not request.value(name):
                raise RefusedError(400, f"{name} parameter is required")
        broadcast = self._open.get(request.value("channelId"))
        if broadcast is None:
            raise RefusedError(404, "Channel not found or not in broadcast state")
        if broadcast.winner:
            raise RefusedError(409, "Channel has already been claimed by another application")
        broadcast.winner = request.value("application")
        broadcast.claimed.set()
        if broadcast.arguments.notify_claimed:
            for application in _candidates(pbx, broadcast):
                application.send(events.call_claimed(broadcast.channel, broadcast.winner))
        return NO_CONTENT


def _candidates(pbx: Pbx, broadcast: Broadcast) -> list[Application]:
    return [application for application in pbx.applications if broadcast.admits(application)]


async def _hand_over(pbx: Pbx, broadcast: Broadcast) -> None:
    channel = broadcast.channel
    winner = pbx.applications.find(broadcast.winner)
    if winner is None or not winner.active:
        pbx.set_variable(channel, "STASISSTATUS", "FAILED")
        return
    try:
        place = await session(pbx, channel, winner, list(broadcast.arguments.args))
    except HungUpError:
        pbx.set_variable(channel, "STASISSTATUS", "SUCCESS")
        raise
    pbx.set_variable(channel, "STASISSTATUS", "SUCCESS")
    channel.jump(place.context, place.exten, place.priority)


def install(pbx: Pbx, resources: Resources) -> None:
    """Give this Asterisk StasisBroadcast."""
    broadcasts = NativeBroadcasts()
    pbx.dialplan_applications["stasisbroadcast"] = broadcasts.execute
    resources.add({"events/claim": {"POST": broadcasts.claim}})

"""Calls that come to us: from their StasisStart, or as recovery finds them, to being broadcast."""

import logging
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from broadcasts.domain import messages
from broadcasts.domain.arbiter import Phase

from .opening import GOSUB_CONTEXT, Arrival, arguments_of, calling_context, new_call
from .ports import Link, LinkDown
from .recovery import Recovery

if TYPE_CHECKING:
    from .broker import Broker

log = logging.getLogger(__name__)

# An event older than this was queued while its link was down: the channel is looked up first.
STALE_SECONDS = 2
# In these a call has not left us since it came.
WAITING = (Phase.OFFERED, Phase.ENDING, Phase.MOVING, Phase.REOPENING)


class Arrivals:
    """Begins the broadcast of each call that comes, once."""

    def __init__(self, broker: "Broker") -> None:
        self._broker = broker
        self._arriving: set[tuple[int, str]] = set()

    def stasis_start(self, link: Link, event: Mapping[str, Any]) -> None:
        """Take a StasisStart of our own application."""
        channel_id = channel_of(event)
        if not channel_id:
            log.error("%s sent a StasisStart without a channel", link.server.name)
        elif self._was_due(link, channel_id):
            log.info("%s: call %s was found before its StasisStart", link.server, channel_id)
        elif is_stale(event):
            self._broker.spawn(Recovery(self._broker, link).look_up(channel_id, event))
        else:
            self.begin(Arrival(link, event))

    def _was_due(self, link: Link, channel_id: str) -> bool:
        """Whether a StasisStart is that of a call which recovery has found; so once for each."""
        call = self._broker.call_of(link.server.id, channel_id)
        if call is None or call.link is not link:
            return False
        was_due, call.start_is_due = call.start_is_due, False
        return was_due and call.arbiter.phase in WAITING

    def is_arriving(self, server_id: int, channel_id: str) -> bool:
        """Whether Asterisk is being asked where a call comes from."""
        return (server_id, channel_id) in self._arriving

    def begin(self, arrival: Arrival) -> None:
        """Broadcast a call."""
        context = messages.context(arrival.event["channel"])
        configuration = self._broker.configuration
        if context == GOSUB_CONTEXT and configuration.needs_context(arguments_of(arrival.event)):
            self._broker.spawn(self._begin_from_gosub(arrival))
        else:
            self._broadcast(arrival, context)

    async def _begin_from_gosub(self, arrival: Arrival) -> None:
        """Ask Asterisk where a call comes from before it is judged."""
        key = (arrival.link.server.id, arrival.event["channel"]["id"])
        if key in self._arriving:
            return  # Recovery has found what was just arriving.
        self._arriving.add(key)
        try:
            context = await calling_context(arrival.link, key[1])
        except LinkDown:
            return  # Recovery finds the channel once the link is back.
        finally:
            self._arriving.discard(key)
        if context is not None:
            self._broadcast(arrival, context or GOSUB_CONTEXT)

    def _broadcast(self, arrival: Arrival, context: str) -> None:
        call, refused = new_call(self._broker, arrival, context)
        self._broker.add(call)
        call.perform(call.arbiter.start(refused))


def channel_of(event: Mapping[str, Any]) -> str:
    """Return the id of an event's channel, or "" for nonsense."""
    channel = event.get("channel")
    channel_id = channel.get("id") if isinstance(channel, Mapping) else None
    return channel_id if isinstance(channel_id, str) and len(channel_id) <= 150 else ""


def is_stale(event: Mapping[str, Any]) -> bool:
    """Whether an event has waited so long that its call may be over."""
    try:
        at = messages.parse_timestamp(str(event.get("timestamp")))
    except ValueError:
        return False
    return time.time() - at.timestamp() > STALE_SECONDS

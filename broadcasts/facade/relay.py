"""A candidate's way to one Asterisk: a socket of its own there, or that Asterisk's outbound one."""

import asyncio
import logging
from collections.abc import Callable
from typing import Protocol, cast
from urllib.parse import quote

import orjson

from broadcasts.broker.broker import Broker
from broadcasts.broker.ports import OutboundLink, Server, Session
from broadcasts.domain.reconnect import backoff

from .shared import Shared
from .upstream import UpstreamError, UpstreamSocket

log = logging.getLogger(__name__)

# A connection that held for so long was no flapping one: the next delay is a short one again.
STEADY_SECONDS = 5.0


class Relay(Protocol):
    """What a candidate's session needs of its way to one Asterisk."""

    server: Server
    attempted: asyncio.Event

    @property
    def is_up(self) -> bool:
        """Whether messages get through at the moment."""

    def sync(self) -> None:
        """Look again at the links: they changed."""

    def supersede(self, application: str) -> bool:
        """Another session takes a name over; returns whether Asterisk will tell so itself."""

    async def forward(self, text: str) -> None:
        """Send a RESTRequest; raises ConnectionError."""

    async def stop(self) -> None:
        """Leave this Asterisk."""


class SocketRelay:
    """Keeps one upstream socket for the applications of one session, for as long as it stays.

    Args:
        replaced: told of each application that another socket took over at this Asterisk.
        query: further query parameters of the candidate, encoded.
    """

    def __init__(
        self,
        server: Server,
        session: Session,
        applications: list[str],
        query: str,
        shared: Shared,
        replaced: Callable[[str], None],
    ) -> None:
        self.server = server
        self.attempted = asyncio.Event()
        self._session = session
        self._applications = applications
        self._query = query
        self._broker = shared.broker
        self._upstreams = shared.upstreams
        self._holders = shared.holders
        self._replaced = replaced
        self._socket: UpstreamSocket | None = None
        self._task = asyncio.create_task(self._run())

    @property
    def is_up(self) -> bool:
        return self._socket is not None

    def sync(self) -> None:
        """Nothing depends on a link here."""

    def supersede(self, application: str) -> bool:
        if self._socket is None:
            self._forget(application)
        return self._socket is not None

    async def forward(self, text: str) -> None:
        if self._socket is None:
            raise ConnectionError
        await self._socket.send(text)

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        delays = backoff()
        while self._applications:
            started = loop.time()
            await self._connection()
            if loop.time() - started > STEADY_SECONDS:
                delays = backoff()
            await asyncio.sleep(next(delays))

    async def _connection(self) -> None:
        """Make one attempt to connect and relay until the connection ends."""
        names = quote(",".join(self._applications))
        try:
            socket = await self._upstreams.open(self.server, f"app={names}{self._query}")
        except UpstreamError:
            return
        finally:
            self.attempted.set()
        try:
            await self._serve(socket)
        finally:
            self._leave()
            await socket.close()

    async def _serve(self, socket: UpstreamSocket) -> None:
        self._socket = socket
        for application in self._applications:
            self._broker.candidates.join(self.server.id, application, self._session)
        send = self._session.send
        async for text in socket.messages():
            # These words may also stand in an argument: the parsed type decides.
            if '"StasisStart"' in text or '"ApplicationReplaced"' in text:
                self._tap(text)
            else:
                send(text)

    def _leave(self) -> None:
        self._socket = None
        for application in self._applications:
            self._broker.candidates.leave(self.server.id, application, self._session)

    def _tap(self, text: str) -> None:
        """Take note of a message that concerns more than the candidate, and relay it."""
        kind, application, channel_id = essence(text)
        self._session.send(text)
        if kind == "StasisStart" and channel_id:
            self._holders.learn(channel_id, self.server.id)
            # In its turn after the session's writer: the record is not to say sooner that the
            # winner has the call than the winner is told.
            asyncio.get_running_loop().call_soon(self._tell_broker, application, channel_id)
        if kind == "ApplicationReplaced":
            self._forget(application)
            self._replaced(application)

    def _tell_broker(self, application: str, channel_id: str) -> None:
        try:
            self._broker.winner_started(self.server.id, application, channel_id)
        except Exception:  # It must not cost the candidate its socket.
            log.exception("The start of %s at %s could not be noted", channel_id, application)

    def _forget(self, application: str) -> None:
        """Do not ask for a name again that somebody else has now."""
        if application in self._applications:
            self._applications.remove(application)
            self._broker.candidates.leave(self.server.id, application, self._session)


def essence(text: str) -> tuple[str, str, str]:
    """Return an event's type, application and channel's id; "" for what it does not tell."""
    try:
        event = orjson.loads(text)
    except orjson.JSONDecodeError:
        return "", "", ""
    if not isinstance(event, dict):
        return "", "", ""
    channel = event.get("channel")
    channel_id = channel.get("id") if isinstance(channel, dict) else ""
    values = event.get("type"), event.get("application"), channel_id
    kind, application, channel_id = (v if isinstance(v, str) else "" for v in values)
    return kind, application, channel_id


class LinkRelay:
    """Speaks for those applications that an Asterisk's own outbound connection registered."""

    def __init__(
        self, server: Server, session: Session, applications: list[str], broker: Broker
    ) -> None:
        self.server = server
        self.attempted = asyncio.Event()
        self.attempted.set()
        self._session = session
        self._applications = applications
        self._broker = broker
        self._joined: set[str] = set()
        self.sync()

    @property
    def is_up(self) -> bool:
        return bool(self._joined)

    def sync(self) -> None:
        link = self._link()
        registered = link.applications if link else set()
        current = registered.intersection(self._applications)
        for application in self._joined - current:
            self._broker.candidates.leave(self.server.id, application, self._session)
        for application in current - self._joined:
            self._broker.candidates.join(self.server.id, application, self._session)
        self._joined = current

    def supersede(self, application: str) -> bool:
        if application in self._applications:
            self._applications.remove(application)
            self.sync()
        return False

    async def forward(self, text: str) -> None:
        link = self._link()
        if link is None:
            raise ConnectionError
        link.forward(orjson.loads(text), self._session.send)

    async def stop(self) -> None:
        self._applications.clear()
        self.sync()

    def _link(self) -> OutboundLink | None:
        # A server is outbound without an address exactly when its link is an OutboundLink.
        return cast("OutboundLink | None", self._broker.links.get(self.server.id))

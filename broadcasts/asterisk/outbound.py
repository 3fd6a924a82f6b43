"""Outbound: an Asterisk that dials us, at /asterisk/<server>/."""

import asyncio
import base64
import binascii
import contextlib
import hmac
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from channels.consumer import AsyncConsumer, get_handler_name
from channels.exceptions import StopConsumer

from broadcasts.broker import Response, Server
from broadcasts.broker.arrivals import channel_of
from broadcasts.broker.broker import Broker

from .link import deliver, read_message
from .rest_over_socket import Requests

if TYPE_CHECKING:
    from .supervisor import Links

log = logging.getLogger(__name__)

SUBPROTOCOL = "ari"
REFUSED_SECONDS = 0.5

Message = Mapping[str, Any]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class OutboundLink:
    """One connection of an Asterisk that has dialled us. Implements `Link`.

    Without an address of its own, the server's candidates share this socket: their events come
    mixed with ours and are dealt out by `application`, and `forward` passes their requests on.

    Args:
        send: ASGI's, of the accepted connection.
        registered: called whenever `applications` has grown.

    Attributes:
        applications: those that the Asterisk has registered through this connection.
    """

    def __init__(
        self, server: Server, broker: Broker, send: Send, registered: Callable[[], None]
    ) -> None:
        self.server = server
        self.applications: set[str] = set()
        self._broker = broker
        self._send = send
        self._registered = registered
        self._closed = False
        self._outbox: asyncio.Queue[str | None] = asyncio.Queue()
        self._requests = Requests(server.name, self._outbox.put_nowait)
        self._writer = asyncio.create_task(self._write())

    def request(
        self, method: str, uri: str, query: dict[str, str] | None = None, body: Any = None
    ) -> asyncio.Future[Response]:
        return self._requests.request(method, uri, query, body)

    def forward(self, message: Message, deliver: Callable[[str], None]) -> None:
        """Pass on a candidate's own RESTRequest; `deliver` gets the text of its answer.

        Only the transaction id is ours on the way, so that no two candidates' can be confused.
        """
        self._requests.forward(message, deliver)

    def receive(self, raw: str | bytes) -> None:
        """Take one message from Asterisk."""
        message = None if self._closed else read_message(self.server, raw)
        if message is None:
            return
        if message["type"] == "RESTResponse":
            self._requests.resolve(message)
        elif message["type"] == "ApplicationRegistered":
            self.applications.add(str(message.get("application")))
            self._registered()
        elif message.get("application") == self.server.application:
            self._own_event(message)
        elif not self.server.url:
            self._candidates_event(message, raw)

    def close(self) -> None:
        """End the connection, and with it every request that waits."""
        self._closed = True
        self._broker.link_down(self)
        self._requests.close()
        self._outbox.put_nowait(None)

    def _own_event(self, event: Message) -> None:
        if event["type"] == "ApplicationReplaced":
            log.warning(
                "Asterisk %s: another connection took %s over; calls go there",
                self.server.name,
                self.server.application,
            )
        else:
            deliver(self._broker, self, event)

    def _candidates_event(self, event: Message, raw: str | bytes) -> None:
        application = str(event.get("application"))
        session = self._broker.candidates.session(self.server.id, application)
        if session and isinstance(raw, str):
            session.send(raw)
        if event["type"] == "StasisStart":
            # In its turn after the session's writer: the record is not to say sooner that the
            # winner has the call than the winner is told.
            asyncio.get_running_loop().call_soon(
                self._broker.winner_started, self.server.id, application, channel_of(event)
            )

    async def _write(self) -> None:
        # A connection that is already gone tells so by its disconnect message, not here.
        with contextlib.suppress(OSError, RuntimeError):
            while (text := await self._outbox.get()) is not None:
                await self._send({"type": "websocket.send", "text": text})
            await self._send({"type": "websocket.close"})


class OutboundConsumer(AsyncConsumer):
    """The door for an Asterisk that dials us.

    Its Basic credentials are judged in the handshake: a wrong one is never accepted. It sends no
    Origin, so none is asked for.

    Args:
        links: where the link is handed in; given through `as_asgi(links=...)`.
    """

    # Nothing reaches a link through the channel layer.
    channel_layer_alias = None

    def __init__(self, links: "Links") -> None:
        self._links = links
        self._link: OutboundLink | None = None

    async def dispatch(self, message: dict[str, Any]) -> None:
        # Channels would switch threads before every message, to close old database connections;
        # there are thousands of messages a second here and none touches the database.
        await getattr(self, get_handler_name(message))(message)

    async def websocket_connect(self, message: dict[str, Any]) -> None:
        name = self.scope["url_route"]["kwargs"]["server"]
        server = self._links.outbound_server(name)
        if server is None:
            await self._refuse(name, 403, "no server of this name is to dial us")
        elif not signed_in(self.scope, server):
            await self._refuse(name, 401, "wrong user name or password")
        else:
            await self._accept(server)

    async def _accept(self, server: Server) -> None:
        offered = self.scope.get("subprotocols", ())
        subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
        await self.send({"type": "websocket.accept", "subprotocol": subprotocol})
        links = self._links
        self._link = OutboundLink(server, links.broker, self.base_send, links.note_change)
        links.accepted(self._link)

    async def _refuse(self, name: str, status: int, reason: str) -> None:
        self._links.refused(name, reason)
        if "websocket.http.response" in self.scope.get("extensions", {}):
            headers = [(b"www-authenticate", b'Basic realm="Asterisk"')] if status == 401 else []
            start = {"type": "websocket.http.response.start", "status": status, "headers": headers}
            await self.send(start)
            await self.send({"type": "websocket.http.response.body", "body": b""})
            # uvicorn logs an error when the application returns before the connection has ended.
            await asyncio.sleep(REFUSED_SECONDS)
        else:
            # Where a server cannot say more, a close before the accept is answered with 403.
            await self.send({"type": "websocket.close"})
        raise StopConsumer

    async def websocket_receive(self, message: dict[str, Any]) -> None:
        text = message.get("text")
        if self._link:
            self._link.receive(message.get("bytes", b"") if text is None else text)

    async def websocket_disconnect(self, message: dict[str, Any]) -> None:
        if self._link:
            self._links.dropped(self._link, "it closed the connection")
        raise StopConsumer


def signed_in(scope: Mapping[str, Any], server: Server) -> bool:
    """Whether a handshake carries the server's credentials; takes the same time either way."""
    expected = f"{server.username}:{server.password}".encode()
    return bool(server.password) and hmac.compare_digest(basic_credentials(scope), expected)


def basic_credentials(scope: Mapping[str, Any]) -> bytes:
    """Return `user:password` of a handshake's Basic authorization, or b"" for none or nonsense."""
    header = dict(scope["headers"]).get(b"authorization", b"")
    scheme, _, encoded = header.partition(b" ")
    if scheme.lower() != b"basic":
        return b""
    try:
        return base64.b64decode(encoded, validate=True)
    except binascii.Error:
        return b""

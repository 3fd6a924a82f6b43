"""Dial-in: we connect to Asterisk's ARI, and connect again for as long as it takes."""

import asyncio
import base64
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from broadcasts.broker import LinkDown, Response, Server
from broadcasts.broker.broker import Broker
from broadcasts.domain.reconnect import backoff
from broadcasts.domain.rest_messages import VERSION_QUERY, VERSION_URI, system_version

from .ari_socket import AriSocket, CannotConnect
from .link import LinkState, Report, connected, deliver, read_message
from .rest import HttpRequests
from .rest_over_socket import Requests

log = logging.getLogger(__name__)

# An Asterisk that answers no RESTRequest for this long is asked over HTTP instead.
PROBE_SECONDS = 1.0
# A connection that lasted this long was a good one: the next attempt follows soon again.
GOOD_SECONDS = 5.0


class DialInLink:
    """One connection to Asterisk, from its handshake to its loss.

    Implements `Link`. Between them, `open` and `until_lost` tell the broker of everything.
    """

    def __init__(self, server: Server, broker: Broker) -> None:
        self.server = server
        self.asterisk_version = ""
        self.replaced = False
        self._lost_request = ""
        self._broker = broker
        self._socket = AriSocket(events_url(server), authorization(server), self._received)
        self._socket_requests = Requests(server.name, self._socket.send)
        self._socket.lost.add_done_callback(lambda _: self._socket_requests.close())
        self._requests: Requests | HttpRequests = self._socket_requests
        # Events are kept until the broker knows the link.
        self._early: list[Mapping[str, Any]] | None = []

    @property
    def rest_over_socket(self) -> bool:
        return self._requests is self._socket_requests

    def request(
        self, method: str, uri: str, query: dict[str, str] | None = None, body: Any = None
    ) -> asyncio.Future[Response]:
        return self._requests.request(method, uri, query, body)

    async def open(self) -> None:
        """Connect, find out how REST is done, and tell the broker.

        Raises:
            CannotConnect, LinkDown: says in a few words why.
        """
        await self._socket.opened
        answer = await self._probe()
        self.asterisk_version = system_version(answer.body)
        self._broker.link_up(self)
        early, self._early = self._early or [], None
        for event in early:
            self._event(event)

    async def until_lost(self) -> str:
        """Wait for the loss of the connection; returns its reason."""
        reason = await self._socket.lost
        if self.replaced:
            return f"another connection took {self.server.application} over"
        return self._lost_request or reason

    def close(self) -> None:
        """Cut the connection, at once and for good."""
        self._socket.close()
        self._socket_requests.close()
        self._requests.close()
        self._broker.link_down(self)

    async def _probe(self) -> Response:
        """Ask for the version over the socket; an Asterisk that does not answer, over HTTP."""
        try:
            async with asyncio.timeout(PROBE_SECONDS):
                return await self.request("GET", VERSION_URI, VERSION_QUERY)
        except TimeoutError:
            self._requests = HttpRequests(self.server, self._request_lost)
            return await self.request("GET", VERSION_URI, VERSION_QUERY)

    def _request_lost(self, reason: str) -> None:
        """Cut the connection, which lives on: recovery looks after what may have been lost."""
        self._lost_request = reason
        self._socket.close()

    def _received(self, raw: bytes) -> None:
        message = read_message(self.server, raw)
        if message is None:
            return
        if message["type"] == "RESTResponse":
            self._socket_requests.resolve(message)
        elif self._early is not None:
            self._early.append(message)
        else:
            self._event(message)

    def _event(self, event: Mapping[str, Any]) -> None:
        if event.get("application") != self.server.application:
            return
        if event["type"] == "ApplicationReplaced":
            self.replaced = True
            self._socket.close()
        else:
            deliver(self._broker, self, event)


class Dialer:
    """Keeps one server's link connected; says once, in one line, what is wrong or that all is well.

    Args:
        report: told how the link is doing whenever that changes.
    """

    def __init__(self, server: Server, broker: Broker, report: Report) -> None:
        self.server = server
        self._broker = broker
        self._report = report
        self._trouble = ""

    async def run(self) -> None:
        """Connect, again and again, until cancelled or until another connection replaces ours."""
        loop = asyncio.get_running_loop()
        delays = backoff()
        while True:
            started = loop.time()
            link = DialInLink(self.server, self._broker)
            reason = await self._hold(link)
            self._complain(reason)
            if link.replaced:
                return
            if loop.time() - started > GOOD_SECONDS:
                delays = backoff()
            await asyncio.sleep(next(delays))

    async def _hold(self, link: DialInLink) -> str:
        """Return why the link could not be made, or why it ended."""
        try:
            await link.open()
            self._trouble = ""
            state = connected(self.server, link.asterisk_version, link.rest_over_socket)
            self._report(self.server, state)
            return await link.until_lost()
        except (CannotConnect, LinkDown) as error:
            return str(error)
        finally:
            link.close()

    def _complain(self, reason: str) -> None:
        if reason != self._trouble:
            self._trouble = reason
            log.warning("Asterisk %s: %s", self.server.name, reason)
            self._report(self.server, LinkState(last_error=reason))


def events_url(server: Server) -> str:
    """Return the address of a server's events for our application, without credentials."""
    address = server.url.rstrip("/").replace("http", "ws", 1)
    return f"{address}/ari/events?{urlencode({'app': server.application})}"


def authorization(server: Server) -> str:
    """Return the Authorization header of a server's ARI user."""
    credentials = f"{server.username}:{server.password}".encode()
    return f"Basic {base64.b64encode(credentials).decode()}"

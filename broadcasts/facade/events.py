"""GET /ari/events: one candidate's socket, and everything that goes over it."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import quote

import orjson

from broadcasts.broker.ports import Principal, Server
from broadcasts.domain.messages import encode, timestamp

from .answers import Receive, Scope, Send
from .outbox import Outbox, Overflow
from .relay import LinkRelay, Relay, SocketRelay
from .shared import Shared
from .socket_requests import SocketRequests

log = logging.getLogger(__name__)

# A handshake waits so long for the first attempts to reach the Asterisks, so that a candidate that
# is connected can be expected to get calls.
ATTEMPT_SECONDS = 2.0
CLOSE_SECONDS = 1.0
MAX_REQUEST_CHARACTERS = 1 << 20

NORMAL, POLICY_VIOLATION, TOO_BIG, SERVICE_RESTART, TRY_AGAIN_LATER = 1000, 1008, 1009, 1012, 1013


class CandidateSession:
    """Speaks for the applications of one socket until it ends.

    Args:
        query: further parameters of its handshake, which every upstream socket gets too.
    """

    def __init__(
        self,
        shared: Shared,
        principal: Principal,
        applications: list[str],
        query: list[tuple[str, str]],
    ) -> None:
        self.principal = principal
        self.applications = applications
        self._shared = shared
        self._query = "".join(f"&{quote(name)}={quote(value)}" for name, value in query)
        self._replaced: set[str] = set()
        self._relays: dict[int, Relay] = {}
        self._outbox = Outbox()
        self._requests = SocketRequests(self, shared.claims, shared.holders)
        self._writer: asyncio.Task[None] | None = None
        self._close_code: int | None = None
        self._latest = ""
        self._stopping: set[asyncio.Task[None]] = set()

    @property
    def application(self) -> str:
        """The first of its applications, in whose name REST answers come."""
        return self.applications[0]

    @property
    def asterisk_id(self) -> str:
        """The entity id that the latest message carried, or ""."""
        try:
            return str(orjson.loads(self._latest)["asterisk_id"])
        except (orjson.JSONDecodeError, KeyError, TypeError):
            return ""

    def relays(self) -> Iterable[Relay]:
        """Its ways to the Asterisks."""
        return self._relays.values()

    def send(self, text: str) -> None:
        """Queue one text message; a candidate that is too slow to take them is cut off."""
        self._latest = text
        try:
            self._outbox.put(text)
        except Overflow:
            log.warning("Candidate %s reads too slowly: cut off", ",".join(self.applications))
            self._close_code = TRY_AGAIN_LATER
            if self._writer:
                self._writer.cancel()

    def end(self, code: int) -> None:
        """Close the socket once everything queued has been written."""
        if self._close_code is None:
            self._close_code = code
            self._outbox.close()

    def supersede(self, application: str) -> None:
        """Another session of this process took over one of the applications."""
        if application in self._replaced:
            return
        told = [relay.supersede(application) for relay in self._relays.values()]
        if not any(told):
            self.send(application_replaced(application, self.asterisk_id))
            self._mark_replaced(application)

    def sync(self) -> None:
        """Have a way to every enabled Asterisk, and to no other; look at their links again."""
        if self._close_code is not None:
            return
        servers = self._shared.broker.servers
        for server_id, relay in list(self._relays.items()):
            if servers.get(server_id) == relay.server:
                relay.sync()
            else:
                stopping = asyncio.create_task(self._relays.pop(server_id).stop())
                self._stopping.add(stopping)
                stopping.add_done_callback(self._stopping.discard)
        for server_id, server in servers.items():
            if server_id not in self._relays:
                self._relays[server_id] = self._relay(server)

    async def run(
        self, scope: Scope, receive: Receive, send: Send, joined: Callable[[], None]
    ) -> None:
        """Serve the socket from its handshake to its end.

        Args:
            joined: called when the applications have been registered, as far as that was possible.
        """
        self.sync()
        try:
            await self._first_attempts()
            joined()
            protocol = "ari" if "ari" in scope.get("subprotocols", ()) else None
            await send({"type": "websocket.accept", "subprotocol": protocol})
            await self._serve(receive, send)
        except OSError:
            pass  # the candidate left
        finally:
            await self.stop()

    async def stop(self) -> None:
        """Leave every Asterisk; a candidate that is still there is told to come back."""
        self.end(SERVICE_RESTART)
        await asyncio.gather(*(relay.stop() for relay in self._relays.values()))

    def _relay(self, server: Server) -> Relay:
        names = [name for name in self.applications if name not in self._replaced]
        if server.outbound and not server.url:
            return LinkRelay(server, self, names, self._shared.broker)
        return SocketRelay(server, self, names, self._query, self._shared, self._mark_replaced)

    def _mark_replaced(self, application: str) -> None:
        self._replaced.add(application)
        if self._replaced.issuperset(self.applications):
            self.end(NORMAL)

    async def _first_attempts(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ATTEMPT_SECONDS):
                for relay in list(self._relays.values()):
                    await relay.attempted.wait()

    async def _serve(self, receive: Receive, send: Send) -> None:
        """Read and write until either ends, then close the socket unless the candidate did."""
        self._writer = asyncio.create_task(self._outbox.write(send))
        tasks = (self._writer, asyncio.create_task(self._read(receive)))
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
        if self._close_code is not None:
            await asyncio.gather(self.stop(), self._close(send, self._close_code))
        for task in tasks:
            if not task.cancelled():
                task.result()

    async def _close(self, send: Send, code: int) -> None:
        """Send the close, unless even that finds no room."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await send({"type": "websocket.close", "code": code})

    async def _read(self, receive: Receive) -> None:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return
            text = message.get("text")
            if text is None:
                continue  # a binary message: Asterisk ignores it too
            if len(text) > MAX_REQUEST_CHARACTERS:
                self.end(TOO_BIG)
                return
            await self._requests.handle(text)


def application_replaced(application: str, asterisk_id: str) -> str:
    """Return the event that tells a socket that another one speaks for its application now."""
    return encode(
        {
            "type": "ApplicationReplaced",
            "timestamp": timestamp(datetime.now(UTC)),
            "application": application,
            "asterisk_id": asterisk_id,
        }
    )

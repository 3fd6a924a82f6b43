"""The HTTP and WebSocket client toward the Asterisks; the only place that knows aiohttp."""

import contextlib
import logging
from collections.abc import AsyncIterator, Iterator, Mapping
from http import HTTPStatus
from typing import NamedTuple

import aiohttp
from yarl import URL

from broadcasts.broker.ports import Server

from .answers import Headers

log = logging.getLogger(__name__)

CONNECT_SECONDS = 5.0
REQUEST_SECONDS = 30.0
# Asterisk closes idle connections after 15 s (session_keep_alive in http.conf); using one that it
# is just closing would lose a request that must not be sent twice.
IDLE_SECONDS = 10.0
# Asterisk takes 100 connections in all unless told otherwise (sessionlimit in http.conf).
REST_CONNECTIONS = 16
# After so much silence a ping asks whether the other side still lives.
HEARTBEAT_SECONDS = 20.0
MAX_MESSAGE_BYTES = 16 << 20

WRONG_PASSWORD = "refuses this service's user name or password"


class UpstreamError(ConnectionError):
    """An Asterisk cannot be asked. `status` is what a gateway answers then: 502, or 504."""

    def __init__(self, server: Server, status: int, reason: str) -> None:
        super().__init__(f"Asterisk {server.name}: {reason}")
        self.status = status


class UpstreamAnswer(NamedTuple):
    """An Asterisk's answer as it came."""

    status: int
    headers: Headers
    body: bytes


class UpstreamSocket:
    """One WebSocket to an Asterisk that speaks for the applications of one candidate."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket

    async def messages(self) -> AsyncIterator[str]:
        """Yield every text message until the connection ends, for whatever reason."""
        receive = self._socket.receive
        while True:
            message = await receive()
            if message.type is aiohttp.WSMsgType.TEXT:
                yield message.data
            elif message.type is not aiohttp.WSMsgType.BINARY:
                return

    async def send(self, text: str) -> None:
        """Send one text message; raises ConnectionError when the connection has ended."""
        try:
            await self._socket.send_str(text)
        except aiohttp.ClientError as error:
            raise ConnectionResetError from error

    async def close(self) -> None:
        """End the connection; the applications are no longer registered then."""
        await self._socket.close()


class Upstreams:
    """Connections to every Asterisk, with the credentials of each. Made on the event loop."""

    def __init__(self) -> None:
        self._troubles: dict[int, str] = {}
        # Nothing is interpreted that belongs to the candidate: no cookies, no decompression.
        self._sockets = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )
        self._rest = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(
                limit=0, limit_per_host=REST_CONNECTIONS, keepalive_timeout=IDLE_SECONDS
            ),
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            skip_auto_headers=("Accept", "Accept-Encoding", "User-Agent", "Content-Type"),
            timeout=aiohttp.ClientTimeout(total=REQUEST_SECONDS, sock_connect=CONNECT_SECONDS),
        )

    async def open(self, server: Server, query: str) -> UpstreamSocket:
        """Open an event socket; raises UpstreamError.

        Args:
            query: the encoded query string, which names the applications.
        """
        with self._watched(server):
            socket = await self._sockets.ws_connect(
                URL(f"{server.url}/ari/events?{query}", encoded=True),
                protocols=("ari",),
                headers={"Authorization": authorization(server)},
                heartbeat=HEARTBEAT_SECONDS,
                max_msg_size=MAX_MESSAGE_BYTES,
                timeout=aiohttp.ClientWSTimeout(ws_close=1.0),
            )
        return UpstreamSocket(socket)

    async def request(
        self, server: Server, method: str, target: str, headers: Mapping[str, str], body: bytes
    ) -> UpstreamAnswer:
        """Carry out a REST request; raises UpstreamError.

        Args:
            target: path and query after ``/ari/``, encoded.
        """
        with self._watched(server):
            async with self._rest.request(
                method,
                URL(f"{server.url}/ari/{target}", encoded=True),
                headers={**headers, "Authorization": authorization(server)},
                data=body or None,
                allow_redirects=False,
            ) as response:
                body = await response.read()
            if response.status == HTTPStatus.UNAUTHORIZED:
                raise UpstreamError(server, 502, WRONG_PASSWORD)
        return UpstreamAnswer(response.status, response.raw_headers, body)

    @contextlib.contextmanager
    def _watched(self, server: Server) -> Iterator[None]:
        """Raise what goes wrong as UpstreamError, and say it in one log line, not in many."""
        try:
            yield
        except (aiohttp.ClientError, OSError, ValueError) as error:
            trouble = upstream_error(server, error)
            if self._troubles.get(server.id) != str(trouble):
                self._troubles[server.id] = str(trouble)
                log.warning("%s", trouble)
            raise trouble from error
        if self._troubles.pop(server.id, None):
            log.info("Asterisk %s can be reached again", server.name)

    async def close(self) -> None:
        """End every connection."""
        await self._sockets.close()
        await self._rest.close()


def authorization(server: Server) -> str:
    """Return the header that signs us in."""
    return aiohttp.encode_basic_auth(server.username, server.password)


def upstream_error(server: Server, error: Exception) -> UpstreamError:
    """Say in a few words what is wrong, and which gateway error it is."""
    if isinstance(error, UpstreamError):
        return error
    if isinstance(error, aiohttp.WSServerHandshakeError):
        known = {401: WRONG_PASSWORD, 404: "has no ARI at this address"}
        return UpstreamError(server, 502, known.get(error.status, f"answers {error.status}"))
    if isinstance(error, TimeoutError):
        return UpstreamError(server, 504, "no answer in time")
    return UpstreamError(server, 502, f"cannot be reached ({type(error).__name__})")

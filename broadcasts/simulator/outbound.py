"""The outbound WebSocket: this Asterisk dials the other side, and keeps dialling."""

from __future__ import annotations

import asyncio
from socket import SHUT_RDWR

from aiohttp import ClientError, ClientSession, WSServerHandshakeError, encode_basic_auth

from . import events
from .event_socket import EventSocket
from .pbx import Pbx


class OutboundSocket:
    """A persistent outbound connection.

    Its applications stay registered while it is down: their messages queue without bound and are
    written on the next connection, before its ApplicationRegistered.

    Attributes:
        connections: how many times the connection came up.
        refusals: HTTP statuses of handshakes that were refused.
    """

    def __init__(
        self,
        pbx: Pbx,
        socket: EventSocket,
        uri: str,
        username: str,
        password: str,
        reconnect_interval: float,
    ) -> None:
        self._pbx = pbx
        self._socket = socket
        self._uri = uri
        self._headers = {"Authorization": encode_basic_auth(username, password)}
        self._reconnect_interval = reconnect_interval
        self._task: asyncio.Task[None] | None = None
        self._connected = asyncio.Event()
        self.connections = 0
        self.refusals: list[int] = []

    def start(self) -> None:
        for name in self._socket.names:
            self._pbx.applications.register(name, self._socket)
        self._announce()
        self._task = asyncio.get_running_loop().create_task(self._keep_connected())

    async def connected(self) -> None:
        """Wait until the connection is up."""
        await self._connected.wait()

    def drop(self) -> None:
        """Cut the connection; it is dialled again after the reconnect interval."""
        self._socket.drop()

    async def close(self) -> None:
        """Stop dialling and unregister the applications."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._pbx.applications.unregister(self._socket)

    async def _keep_connected(self) -> None:
        # Asterisk's handshake has neither Origin nor User-Agent.
        quiet = ("User-Agent", "Accept", "Accept-Encoding")
        async with ClientSession(skip_auto_headers=quiet) as session:
            while True:
                try:
                    await self._connect(session)
                except WSServerHandshakeError as refused:
                    self.refusals.append(refused.status)
                except (ClientError, OSError):
                    pass  # not there yet, or gone: the next attempt will tell
                await asyncio.sleep(self._reconnect_interval)

    async def _connect(self, session: ClientSession) -> None:
        async with session.ws_connect(
            self._uri, protocols=("ari",), headers=self._headers, autoping=False
        ) as transport:
            raw = transport.get_extra_info("socket")
            self.connections += 1
            if self.connections > 1:
                self._announce()
            self._connected.set()
            try:
                await self._socket.run(transport, lambda: raw.shutdown(SHUT_RDWR))
            finally:
                self._connected.clear()

    def _announce(self) -> None:
        """Announced when registered, and again after every reconnection."""
        for name in self._socket.names:
            message = events.application_registered()
            asterisk_id = {"application": name, "asterisk_id": self._pbx.asterisk_id}
            self._socket.send(name, message | asterisk_id)

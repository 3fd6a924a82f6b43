"""One ARI WebSocket: its applications, the messages that wait to be written, REST asked over it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Protocol

import orjson
from aiohttp import WSMessage, WSMsgType

from .events import Message

# Answers one text message of the client; None when there is nothing to answer.
Responder = Callable[[str], Awaitable[Message | None]]


class Transport(Protocol):
    """What the two kinds of aiohttp WebSocket have in common."""

    def __aiter__(self) -> Any: ...

    async def send_str(self, data: str) -> None: ...

    async def send_bytes(self, data: bytes) -> None: ...

    async def pong(self, message: bytes = b"") -> None: ...


class EventSocket:
    """Writes messages in order, one at a time, and never makes a channel wait for a slow reader.

    Args:
        names: the applications registered through this socket, the first answers for REST.
        respond: what to do with a text message from the client.
        write_timeout: seconds after which a reader that does not read is dropped; Asterisk's
            default is 0.1.
    """

    def __init__(self, names: list[str], respond: Responder, write_timeout: float = 0.1) -> None:
        self.names = names
        self.unsolicited_pongs = 0
        self._respond = respond
        self._write_timeout = write_timeout
        self._outbox: deque[bytes | str] = deque()
        self._waiting = asyncio.Event()
        self._abort: Callable[[], None] = lambda: None

    # What the applications call

    def send(self, application: str, message: Message) -> None:
        self.send_raw(orjson.dumps(message | {"application": application}).decode())

    def send_raw(self, data: str | bytes) -> None:
        """Queue any text or binary message, sense or nonsense."""
        self._outbox.append(data)
        self._waiting.set()

    def replaced(self, application: str) -> None:
        """Another socket took this name. Asterisk leaves this one open, and silent."""
        self.names = [name for name in self.names if name != application]

    def drop(self) -> None:
        """Cut the connection without a closing handshake."""
        self._abort()

    # What the connection runs

    async def run(self, transport: Transport, abort: Callable[[], None]) -> None:
        """Serve this connection until it ends; what could not be written stays queued."""
        self._abort = abort
        writer = asyncio.create_task(self._write(transport))
        try:
            async for message in transport:
                await self._receive(transport, message)
        finally:
            writer.cancel()
            await asyncio.gather(writer, return_exceptions=True)

    async def _receive(self, transport: Transport, message: WSMessage) -> None:
        if message.type is WSMsgType.PING:
            await transport.pong(message.data)
        elif message.type is WSMsgType.PONG:
            self.unsolicited_pongs += 1
        elif message.type is WSMsgType.TEXT and (answer := await self._respond(message.data)):
            self.send_raw(orjson.dumps(answer).decode())

    async def _write(self, transport: Transport) -> None:
        try:
            while True:
                await self._waiting.wait()
                await self._flush(transport)
        except (TimeoutError, ConnectionError):
            self._abort()

    async def _flush(self, transport: Transport) -> None:
        while self._outbox:
            data = self._outbox[0]
            async with asyncio.timeout(self._write_timeout):
                if isinstance(data, str):
                    await transport.send_str(data)
                else:
                    await transport.send_bytes(data)
            self._outbox.popleft()
        self._waiting.clear()

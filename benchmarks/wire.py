"""HTTP and WebSocket clients for the load generators, as light as Python allows.

On one machine the generator takes its CPU from the server that it measures, so a client library's
comforts would be measured too. A frame costs about 10 µs of CPU here, most of it system calls,
against 25 µs with the `websockets` package.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from urllib.parse import quote, urlsplit

from httptools import HttpResponseParser

Answered = Callable[[int, bytes], None]

TEXT, CLOSE, PING = 1, 8, 9


class Server:
    """An ARI server: where its requests go and who asks.

    `url` is its base URL (`http://HOST:PORT`, without `/ari`), `user` is `name:password`.
    """

    def __init__(self, url: str, user: str) -> None:
        parts = urlsplit(url)
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError(f"not an http:// URL: {url}")
        self.url, self.user = url, user
        self.host, self.port = parts.hostname, parts.port or 80
        self.prefix = parts.path.rstrip("/") + "/ari"
        credentials = base64.b64encode(user.encode()).decode()
        self.headers = f"Host: {parts.netloc}\r\nAuthorization: Basic {credentials}\r\n"

    def request(self, method: str, path: str) -> bytes:
        """Return a request without a body; `path` is below `/ari`."""
        line = f"{method} {self.prefix}{path} HTTP/1.1\r\n"
        return f"{line}{self.headers}Content-Length: 0\r\n\r\n".encode()

    def upgrade(self, app: str) -> bytes:
        """Return the handshake that registers `app` and asks for its events."""
        return (
            f"GET {self.prefix}/events?app={quote(app)} HTTP/1.1\r\n{self.headers}"
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
        ).encode()


class HttpConnection(asyncio.Protocol):
    """A keep-alive connection with one request in flight."""

    def __init__(self, released: Callable[[HttpConnection], None]) -> None:
        self.released = released
        self.parser = HttpResponseParser(self)
        self.answered: Answered | None = None
        self.body = b""

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport

    def send(self, request: bytes, answered: Answered) -> None:
        """Send one request; `answered` gets its status and body, or 0 when the line broke."""
        self.answered = answered
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, body: bytes) -> None:
        self.body += body

    def on_message_complete(self) -> None:
        status, body = self.parser.get_status_code(), self.body
        answered, self.answered, self.body = self.answered, None, b""
        if self.parser.should_keep_alive():
            self.released(self)
        else:
            self.transport.close()
        if answered:
            answered(status, body)

    def connection_lost(self, exc: Exception | None) -> None:
        answered, self.answered = self.answered, None
        if answered:
            answered(0, str(exc or "connection closed").encode())


class HttpPool:
    """The keep-alive connections of one client: as many as it ever has requests in flight."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.idle: list[HttpConnection] = []
        self.connecting: set[asyncio.Task[None]] = set()

    def send(self, method: str, path: str, answered: Answered) -> None:
        """Send a request on an idle connection, or on a new one."""
        request = self.server.request(method, path)
        # The latest one used first, so a server's idle time-out meets only the spare ones.
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                connection.send(request, answered)
                return
        task = asyncio.create_task(self._connect_and_send(request, answered))
        self.connecting.add(task)
        task.add_done_callback(self.connecting.discard)

    async def _connect_and_send(self, request: bytes, answered: Answered) -> None:
        loop = asyncio.get_running_loop()
        try:
            _, connection = await loop.create_connection(
                lambda: HttpConnection(self.idle.append), self.server.host, self.server.port
            )
        except OSError as error:
            answered(0, str(error).encode())
        else:
            connection.send(request, answered)

    async def ask(self, method: str, path: str) -> tuple[int, bytes]:
        """Send a request and return its status and body."""
        future: asyncio.Future[tuple[int, bytes]] = asyncio.get_running_loop().create_future()
        self.send(method, path, lambda status, body: future.set_result((status, body)))
        return await future

    def close(self) -> None:
        for connection in self.idle:
            connection.transport.close()


class EventSocket(asyncio.Protocol):
    """The events of one application.

    `on_text` gets each message's payload. With `pause` seconds the socket is read at most once in
    that time: for applications that only have to be there, one read then takes many frames, and
    the socket buffers hold back so little that no server sees a slow reader.
    """

    def __init__(self, request: bytes, on_text: Callable[[bytes], None], pause: float = 0) -> None:
        self.request, self.on_text, self.pause = request, on_text, pause
        self.loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self.loop.create_future()
        self.buffer = b""

    @classmethod
    async def open(
        cls, server: Server, app: str, on_text: Callable[[bytes], None], pause: float = 0
    ) -> EventSocket:
        """Connect `app`; raises ConnectionError when the server refuses."""
        loop = asyncio.get_running_loop()
        _, socket = await loop.create_connection(
            lambda: cls(server.upgrade(app), on_text, pause), server.host, server.port
        )
        await socket.opened
        return socket

    def connection_made(self, transport: asyncio.Transport) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer = self.buffer + data if self.buffer else data
        if not self.opened.done() and not self._read_handshake():
            return
        self._read_frames()
        if self.pause:
            self.transport.pause_reading()
            self.loop.call_later(self.pause, self._resume)

    def _resume(self) -> None:
        if not self.closed:
            self.transport.resume_reading()

    def _read_handshake(self) -> bool:
        head, end, rest = self.buffer.partition(b"\r\n\r\n")
        if not end:
            return False
        status = head.partition(b"\r\n")[0]
        if b" 101 " not in status + b" ":
            self.opened.set_exception(ConnectionError(status.decode(errors="replace")))
            self.transport.close()
            return False
        self.opened.set_result(None)
        self.buffer = rest
        return True

    def _read_frames(self) -> None:
        """Walk through the whole frames in the buffer; a server's frames are not masked."""
        buffer, start = self.buffer, 0
        while len(buffer) - start >= 2:
            length, payload = buffer[start + 1], start + 2
            if length >= 126:
                payload += 2 if length == 126 else 8
                if len(buffer) < payload:
                    break
                length = int.from_bytes(buffer[start + 2 : payload])
            if len(buffer) < payload + length:
                break
            self._frame(buffer[start], buffer[payload : payload + length])
            start = payload + length
        self.buffer = buffer[start:]

    def _frame(self, head: int, payload: bytes) -> None:
        if head == 0x80 | TEXT:
            self.on_text(payload)
        elif head == 0x80 | PING:
            self.transport.write(bytes((0x8A, 0x80 | len(payload), 0, 0, 0, 0)) + payload)
        elif head == 0x80 | CLOSE:
            self.transport.close()
        else:
            raise ValueError(f"neither a whole text nor a control frame: {head:#x}")

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(exc or ConnectionError("closed in the handshake"))

    @property
    def closed(self) -> bool:
        return self.transport.is_closing()

    def close(self) -> None:
        if not self.closed:
            self.transport.write(bytes((0x80 | CLOSE, 0x80, 0, 0, 0, 0)))
        self.transport.close()

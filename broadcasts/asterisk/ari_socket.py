"""The client's end of an ARI WebSocket; the only place that knows websocket-client.

Two daemon threads do what can block, so that Asterisk, which drops a reader slower than its write
time-out (100 ms by default), never waits for the event loop, and the event loop never waits at all.
"""

import asyncio
import contextlib
import ssl
import threading
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue

import websocket
from websocket import ABNF

CONNECT_SECONDS = 5.0
# Silence after which a ping asks whether the other side still lives, and how long it may take.
SILENCE_SECONDS = 10.0
READ_BYTES = 1 << 18

Receive = Callable[[bytes], None]


class CannotConnect(ConnectionError):
    """The handshake failed; says in a few words why."""


class AriSocket:
    """One connection, from its handshake to its loss.

    Args:
        url: ws:// or wss:// address.
        authorization: the Authorization header, so that no secret is part of an address.
        receive: called on the event loop with the bytes of each message, in order.

    Attributes:
        opened: done when the handshake is; fails with CannotConnect.
        lost: done with the reason, in a few words, when the connection is.
    """

    def __init__(self, url: str, authorization: str, receive: Receive) -> None:
        self._loop = asyncio.get_running_loop()
        self.opened: asyncio.Future[None] = self._loop.create_future()
        self.lost: asyncio.Future[str] = self._loop.create_future()
        self._url = url
        self._authorization = authorization
        self._receive = receive
        self._socket = BufferedWebSocket(skip_utf8_validation=True)
        self._closing = False
        self._received: deque[bytes] = deque()
        self._drain_is_due = False
        self._outbox: SimpleQueue[str | None] = SimpleQueue()
        threading.Thread(target=self._run, name="ari-reader", daemon=True).start()

    def send(self, text: str) -> None:
        """Queue one text message."""
        self._outbox.put(text)

    def close(self) -> None:
        """Cut the connection; nothing is received afterwards."""
        self._closing = True
        self._outbox.put(None)
        self._socket.abort()

    # The reader's thread

    def _run(self) -> None:
        try:
            self._connect()
        except Exception as error:
            self._on_loop(self._refused, explain(error))
        else:
            self._on_loop(self._accepted)
            threading.Thread(target=self._write, name="ari-writer", daemon=True).start()
            reason = self._read()
            self._outbox.put(None)
            self._on_loop(self._ended, reason)
        finally:
            self._socket.shutdown()

    def _connect(self) -> None:
        self._socket.connect(
            self._url,
            timeout=CONNECT_SECONDS,
            header=[f"Authorization: {self._authorization}"],
            suppress_origin=True,
            redirect_limit=0,
        )
        self._socket.settimeout(SILENCE_SECONDS)

    def _read(self) -> str:
        """Queue what comes in until the connection is lost; return why it was."""
        try:
            while not self._closing:
                opcode, frame = self._socket.recv_data_frame()
                if opcode == ABNF.OPCODE_CLOSE:
                    return "Asterisk closed the connection"
                self._queue(frame.data)
        except Exception as error:
            return explain(error)
        return "closed"

    def _queue(self, message: bytes) -> None:
        self._received.append(message)
        if not self._drain_is_due:
            # One wake-up serves everything that arrives until the loop gets to it.
            self._drain_is_due = True
            self._on_loop(self._drain)

    def _on_loop(self, function: Callable[..., None], *arguments: object) -> None:
        # The loop may have been closed meanwhile: then nobody is left to be told.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function, *arguments)

    # The writer's thread

    def _write(self) -> None:
        with contextlib.suppress(websocket.WebSocketException, OSError):
            while (text := self._outbox.get()) is not None:
                self._socket.send_text(text)
            return
        # The reader notices the loss and tells it.
        self._socket.abort()

    # The event loop's thread

    def _accepted(self) -> None:
        if not self.opened.done():
            self.opened.set_result(None)

    def _refused(self, reason: str) -> None:
        if not self.opened.done():
            self.opened.set_exception(CannotConnect(reason))

    def _ended(self, reason: str) -> None:
        if not self.lost.done():
            self.lost.set_result(reason)

    def _drain(self) -> None:
        self._drain_is_due = False
        for _ in range(len(self._received)):
            message = self._received.popleft()
            if not self._closing:
                self._receive(message)


class BufferedWebSocket(websocket.WebSocket):
    """Reads as much as there is at once: frames are small, and every read costs a thread switch.

    It also asks with a ping whether a silent peer still lives.
    """

    _buffer = b""
    _position = 0

    def _recv(self, size: int) -> bytes:
        if self._position == len(self._buffer):
            self._buffer = self._read_some()
            self._position = 0
        taken = self._buffer[self._position : self._position + size]
        self._position += len(taken)
        return taken

    def _read_some(self) -> bytes:
        try:
            return super()._recv(READ_BYTES)
        except websocket.WebSocketTimeoutException:
            self.ping()
            return super()._recv(READ_BYTES)


def explain(error: Exception) -> str:
    """Say in a few words what is wrong with a connection."""
    if isinstance(error, websocket.WebSocketBadStatusException):
        return explain_status(error.status_code)
    if isinstance(error, websocket.WebSocketConnectionClosedException | ConnectionResetError):
        return "the connection was lost"
    if isinstance(error, websocket.WebSocketTimeoutException | TimeoutError):
        return "no answer in time"
    if isinstance(error, websocket.WebSocketAddressException):
        return "its host name is not known"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused: is Asterisk running, and http.conf enabled at this address?"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason or error}"
    return f"{type(error).__name__}: {error}"[:200]


def explain_status(status: int) -> str:
    """Say what an HTTP status in the handshake means for who has to mend it."""
    meanings = {
        401: "wrong user name or password (ari.conf)",
        403: "access denied",
        404: "no ARI at this address (is ari.conf enabled? does http.conf set a prefix?)",
        503: "ARI is not ready",
    }
    return f"HTTP {status}: {meanings.get(status, 'not an ARI WebSocket')}"

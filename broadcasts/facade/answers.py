"""The fixed answers, made once: status, JSON body and headers as a real Asterisk gives them."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterable
from http import HTTPStatus
from typing import Any

import orjson

from broadcasts.domain.verdict import Verdict

Scope = dict[str, Any]
Message = dict[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
# How long a refused connection may take to end.
REFUSED_SECONDS = 1.0

Headers = Iterable[tuple[bytes, bytes]]

NO_CACHE = (b"cache-control", b"no-cache, no-store")
JSON = (b"content-type", b"application/json")


class Answer:
    """An HTTP answer as the ASGI messages that carry it; "" as `message` means no body."""

    __slots__ = ("body", "messages", "status")

    def __init__(self, status: int, message: str = "", headers: Headers = ()) -> None:
        self.status = status
        self.body = orjson.dumps({"message": message}) if message else b""
        self.messages = http_messages(
            status, [NO_CACHE, *([JSON] if message else []), *headers], self.body
        )

    @property
    def reason(self) -> str:
        """The status in words, such as "Not Found"."""
        return HTTPStatus(self.status).phrase

    async def send(self, send: Send) -> None:
        """Send it as the response to an HTTP request."""
        start, body = self.messages
        await send(start)
        await send(body)

    async def refuse_handshake(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it instead of a WebSocket handshake; a server that cannot do that answers 403."""
        if "websocket.http.response" not in scope.get("extensions", ()):
            await send({"type": "websocket.close"})
            return
        for message in self.messages:
            await send(message | {"type": f"websocket.{message['type']}"})
        # uvicorn logs an error when the application returns before the connection has ended, which
        # it tells a second time then.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(REFUSED_SECONDS):
                await receive()
                await receive()


def http_messages(status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> list[Message]:
    """Return the ASGI messages of a whole response. 204 has no body, so no length either."""
    if status != HTTPStatus.NO_CONTENT:
        headers = [*headers, (b"content-length", b"%d" % len(body))]
    return [
        {"type": "http.response.start", "status": status, "headers": headers},
        {"type": "http.response.body", "body": body},
    ]


_ALLOW = [(b"allow", b"OPTIONS,POST")]
_CHALLENGE = [(b"www-authenticate", b'Basic realm="Asterisk REST Interface"')]

UNAUTHORIZED = Answer(401, "Authentication required", _CHALLENGE)
BUSY = Answer(503, "Too many sign-ins at once", [(b"retry-after", b"1")])
WRITE_DENIED = Answer(403, "Write access denied")
TOO_LONG = Answer(414, "Request address too long")
TOO_LARGE = Answer(413, "Request body too large")
BAD_BODY = Answer(400, "Error parsing request body")
BAD_ENCODING = Answer(400, "Request parameters must be UTF-8")
NOT_FOUND = Answer(404, "Resource not found")

CLAIM_OPTIONS = Answer(204, headers=_ALLOW)
INVALID_METHOD = Answer(405, "Invalid method", _ALLOW)
NO_CHANNEL = Answer(400, "channelId parameter is required")
NO_APPLICATION = Answer(400, "application parameter is required")
BAD_CHANNEL = Answer(400, "channelId parameter is not a channel's id")
BAD_APPLICATION = Answer(400, "application parameter is not an application's name")

_BY_STATUS = {
    204: Answer(204),
    404: Answer(404, "Channel not found or not in broadcast state"),
    409: Answer(409, "Channel has already been claimed by another application"),
    500: Answer(500, "Failed to claim channel"),
}
CLAIM: dict[Verdict, Answer] = {verdict: _BY_STATUS[verdict.http_status] for verdict in Verdict}

NO_APP = Answer(400, "HTTP request is missing param: [app]")
BAD_APP = Answer(400, "An application's name has 1 to 255 printable characters")

"""An ARI client that writes down everything it asked, was answered and heard."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any, Self

from aiohttp import (
    ClientSession,
    ClientWebSocketResponse,
    WSMsgType,
    WSServerHandshakeError,
    encode_basic_auth,
)
from aiohttp.web import WebSocketResponse

Json = Any
PATIENCE = 5.0  # seconds for a message that is sure to come


class Ears:
    """One application's socket and everything it heard."""

    def __init__(self, socket: ClientWebSocketResponse | WebSocketResponse) -> None:
        self.socket = socket
        self.heard: list[Json] = []
        self.closed = asyncio.Event()
        self._news = asyncio.Event()
        self._task = asyncio.create_task(self._listen())

    async def _listen(self) -> None:
        async for message in self.socket:
            if message.type is WSMsgType.TEXT:
                self.heard.append(json.loads(message.data))
                self._news.set()
        self.closed.set()

    async def when(self, reached: Callable[[], bool]) -> None:
        """Wait until what was heard makes this true."""
        async with asyncio.timeout(PATIENCE):
            while not reached():
                self._news.clear()
                await self._news.wait()

    async def has(self, count: int) -> None:
        """Wait until this many messages have come."""
        await self.when(lambda: len(self.heard) >= count)

    def of(self, kind: str) -> list[Json]:
        """Every message of this type so far."""
        return [message for message in self.heard if message["type"] == kind]

    async def until(self, kind: str, count: int = 1) -> Json:
        """The `count`-th message of this type."""
        await self.when(lambda: len(self.of(kind)) >= count)
        return self.of(kind)[count - 1]

    async def ask(self, text: str) -> Json:
        """Send a text and wait for the answer to it."""
        answered = len(self.of("RESTResponse"))
        await self.socket.send_str(text)
        return await self.until("RESTResponse", answered + 1)


class Asterisk:
    """The Asterisk under test, and the log of what it answered."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self.url = url
        self._authorization = {"Authorization": encode_basic_auth(user, password)}
        self.log: list[str] = []
        self._session: ClientSession
        self.everyone: list[Ears] = []

    async def __aenter__(self) -> Self:
        self._session = ClientSession()
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._session.close()

    def note(self, *what: Json) -> None:
        self.log.append(" ".join(w if isinstance(w, str) else json.dumps(w) for w in what))

    async def rest(
        self, method: str, path: str, *, json: Json = None, anonymous: bool = False, **params: str
    ) -> Json:
        headers = {} if anonymous else self._authorization
        url = f"{self.url}/ari/{path}"
        async with self._session.request(
            method, url, params=params, headers=headers, json=json
        ) as answer:
            body = await answer.text()
            shown = {name: answer.headers.get(name) for name in ("Allow", "WWW-Authenticate")}
            self.note(method, path, params, answer.status, answer.reason or "", shown, body)
            return _parsed(body)

    async def ears(self, *apps: str) -> Ears:
        socket = await self._session.ws_connect(
            f"{self.url}/ari/events?app={','.join(apps)}", headers=self._authorization
        )
        self.everyone.append(Ears(socket))
        return self.everyone[-1]

    async def refused(self, query: str, **headers: str) -> None:
        try:
            await self._session.ws_connect(f"{self.url}/ari/events?{query}", headers=headers)
        except WSServerHandshakeError as refusal:
            self.note("handshake", query, refusal.status)
        else:
            self.note("handshake", query, "accepted")

    async def authorised_refusal(self, query: str) -> None:
        await self.refused(query, **self._authorization)

    async def note_closing(self, what: str, ears: Ears) -> None:
        """Whether this socket is closed now, from the other side."""
        try:
            await asyncio.wait_for(ears.closed.wait(), 1)
        except TimeoutError:
            self.note(what, "stays open")
        else:
            self.note(what, "closed", ears.socket.close_code)

    async def place_call(self, exten: str, caller: str = "") -> str:
        """The id of leg ;1; leg ;2 runs the dialplan at this extension."""
        place = {"extension": "sink", "context": "default", "priority": "1", "callerId": caller}
        call = await self.rest("POST", "channels", endpoint=f"Local/{exten}@default", **place)
        return str(call["id"])

    async def hang_up_all(self) -> None:
        """Close what the scenario opened, and log what was heard."""
        for ears in self.everyone:
            await ears.socket.close()
            # CallClaimed and the winner's StasisStart race each other in Asterisk.
            for message in sorted(ears.heard, key=lambda heard: heard["type"] == "CallClaimed"):
                self.note("heard", message)
        self.everyone.clear()


def _parsed(body: str) -> Json:
    try:
        return json.loads(body)
    except json.JSONDecodeError:
        return None

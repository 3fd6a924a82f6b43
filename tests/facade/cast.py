"""Who plays in the tests of the facade: a broker that takes notes, and rows with defaults."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlencode

import aiohttp
import uvicorn
from django.contrib.auth.hashers import make_password
from yarl import URL

from broadcasts.broker import Principal, Server
from broadcasts.broker.candidates import Candidates
from broadcasts.domain.verdict import Verdict
from broadcasts.models import AriUser

UPGRADE = {
    "Connection": "Upgrade",
    "Upgrade": "websocket",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}


class NotingBroker:
    """Takes note of what the facade tells a broker, and answers every claim with `verdict`."""

    def __init__(self) -> None:
        self.servers: dict[int, Server] = {}
        self.links: dict[int, Any] = {}
        self.candidates = Candidates(self._note, self._note)
        self.verdict = Verdict.WON
        self.claims: list[tuple[str, str, str]] = []
        self.started: asyncio.Queue[tuple[int, str, str]] = asyncio.Queue()
        self._changed = asyncio.Event()

    async def claim(self, channel_id: str, application: str, principal: Principal) -> Verdict:
        self.claims.append((channel_id, application, principal.name))
        return self.verdict

    def winner_started(self, server_id: int, application: str, channel_id: str) -> None:
        self.started.put_nowait((server_id, application, channel_id))

    def call_of(self, server_id: int, channel_id: str) -> None:
        """No channel is in its hands."""

    async def until(self, holds: Callable[[Candidates], bool]) -> None:
        """Wait until something holds of the candidates."""
        while not holds(self.candidates):
            self._changed.clear()
            await self._changed.wait()

    async def connected(self, server_id: int, *applications: str) -> None:
        """Wait until exactly these applications are connected to a server."""
        await self.until(lambda them: them.connected(server_id) == sorted(applications))

    def _note(self, server_id: int, application: str) -> None:
        self._changed.set()


def user(name: str = "ivr", password: str = "secret", **differing: Any) -> AriUser:
    """An enabled user as its row is read."""
    return AriUser(name=name, password_hash=make_password(password), **differing)


@asynccontextmanager
async def served(application: Any) -> AsyncIterator[str]:
    """Serve an ASGI application as production does; yields its address without a scheme."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        application,
        ws="websockets-sansio",
        ws_per_message_deflate=False,
        lifespan="off",
        log_config=None,
        access_log=False,
    )
    web = uvicorn.Server(config)
    serving = asyncio.create_task(web.serve(sockets=[listener]))
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        web.should_exit = True
        await serving


class Candidate:
    """One open socket of a candidate application."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket

    async def text(self) -> str:
        """Return the next message as it came."""
        return await self.socket.receive_str()

    async def event(self) -> dict[str, Any]:
        return json.loads(await self.text())

    async def event_of_type(self, kind: str) -> dict[str, Any]:
        """Return the next event of a type."""
        while (event := await self.event())["type"] != kind:
            pass
        return event

    async def ask(self, **request: Any) -> dict[str, Any]:
        """Send a RESTRequest and return its RESTResponse."""
        await self.socket.send_json({"type": "RESTRequest", **request})
        return await self.event_of_type("RESTResponse")

    async def closed(self) -> int | None:
        """Wait for the end of the connection; returns the code of the close."""
        while not self.socket.closed:
            await self.socket.receive()
        return self.socket.close_code


class Client:
    """A candidate's program: HTTP requests and sockets, with one set of credentials."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.address = address
        self.session = session
        self.candidates: list[Candidate] = []  # a socket that nobody refers to closes

    async def connect(self, app: str, api_key: str = "ivr:secret", **query: str) -> Candidate:
        """Open an event socket, or fail with WSServerHandshakeError."""
        parameters = {"app": app, "api_key": api_key, **query}
        url = f"ws://{self.address}/ari/events"
        candidate = Candidate(await self.session.ws_connect(url, params=parameters))
        self.candidates.append(candidate)
        return candidate

    async def refused(self, app: str, api_key: str = "ivr:secret", **query: str) -> tuple[int, str]:
        """Return status and body of a refused handshake."""
        return await self.refused_with(urlencode({"app": app, **query}), api_key=api_key)

    async def refused_with(
        self, query: str, path: str = "events", api_key: str = "ivr:secret"
    ) -> tuple[int, str]:
        """The same for an encoded query string."""
        path = f"{path}?{query}&api_key={api_key}"
        status, body, _ = await self.request("GET", path, api_key="", headers=UPGRADE)
        return status, body

    async def request(
        self, method: str, path: str, api_key: str = "ivr:secret", **options: Any
    ) -> tuple[int, str, Any]:
        """Return status, body and headers of the answer to a request below /ari/, as encoded."""
        headers = options.pop("headers", {})
        if api_key:
            headers = headers | {"Authorization": aiohttp.encode_basic_auth(*api_key.split(":", 1))}
        url = URL(f"http://{self.address}/ari/{path}", encoded=True)
        async with self.session.request(method, url, headers=headers, **options) as response:
            return response.status, await response.text(errors="replace"), response.headers

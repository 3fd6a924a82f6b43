"""The simulated Asterisk: real HTTP and WebSocket on a real port."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Mapping
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from . import native, rest_over_socket
from .answers import Answer, RefusedError
from .channel import Channel, Party
from .dialplan import Dialplan
from .event_socket import EventSocket, Responder
from .events import Message
from .outbound import OutboundSocket
from .pbx import Pbx
from .rest import Resources
from .rest_over_socket import RestRequest

SHIPPED_DIALPLAN = Path(__file__).parents[2] / "dialplan" / "stasis-broadcast.conf"
SAMPLE_DIALPLAN = Path(__file__).with_name("extensions.conf")
UNAUTHORIZED = Answer(
    401,
    {"message": "Authentication required"},
    headers={"WWW-Authenticate": 'Basic realm="Asterisk REST Interface"'},
)
READ_ONLY = Answer(403, {"message": "Write access denied"})


class SimulatedAsterisk:
    """An Asterisk for tests, load and a first run; ``async with`` starts and ends it.

    Args:
        host: address to listen on.
        port: 0 takes a free one; see `url`.
        users: password by name of the ARI users that may write.
        read_only_users: password by name of those that may only read.
        dialplan: ``extensions.conf`` text, added to the shipped subroutine and the samples.
        version: as ``GET /asterisk/info`` and the Server header tell it.
        rest_over_websocket: False behaves as versions before 20.14 and 22.4, which ignore text.
        native_broadcast: whether this Asterisk has StasisBroadcast and the claim itself.
        asterisk_id: entity id in every event.
        write_timeout: seconds a socket may refuse to take a message before it is dropped.
        seed: of what is left to chance, such as the order of the two events of a move.

    Faults to inject: the attribute `rest_delay` (seconds before every REST answer), the set
    `failing_moves` (names that no channel can be moved to), and the methods `drop_socket`,
    `send_raw`, `refuse_connections` and `accept_connections`.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        users: Mapping[str, str] | None = None,
        read_only_users: Mapping[str, str] | None = None,
        dialplan: str = "",
        version: str = "23.9.0-sim",
        rest_over_websocket: bool = True,
        native_broadcast: bool = False,
        asterisk_id: str = "02:00:00:00:00:01",
        write_timeout: float = 0.1,
        seed: int | None = None,
    ) -> None:
        self.host, self.port = host, port
        self.users = {"ari": "ari"} if users is None else dict(users)
        self.read_only_users = dict(read_only_users or {})
        self.version = version
        self.rest_over_websocket = rest_over_websocket
        self.rest_delay = 0.0
        self.write_timeout = write_timeout
        plan = Dialplan(SHIPPED_DIALPLAN.read_text() + SAMPLE_DIALPLAN.read_text() + dialplan)
        self.pbx = Pbx(plan, asterisk_id=asterisk_id, seed=seed)
        self.resources = Resources(self.pbx, version)
        if native_broadcast:
            native.install(self.pbx, self.resources)
        self.sockets: list[EventSocket] = []
        self._outbound: list[OutboundSocket] = []
        self._runner: web.ServerRunner | None = None

    # Life

    async def __aenter__(self) -> Self:
        await self.accept_connections()
        return self

    async def __aexit__(self, *exception: object) -> None:
        for outbound in self._outbound:
            await outbound.close()
        await self.pbx.stop()
        await self.refuse_connections()

    @property
    def url(self) -> str:
        """Such as ``http://127.0.0.1:8088``, without ``/ari``."""
        return f"http://{self.host}:{self.port}"

    async def accept_connections(self) -> None:
        """Listen, on the same port as before if there was one."""
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), shutdown_timeout=0.1
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def refuse_connections(self) -> None:
        """Drop every socket and refuse new ones, as an Asterisk that went down; calls live on."""
        for socket in list(self.sockets):
            socket.drop()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    # Applications and calls

    async def connected(self, application: str) -> None:
        """Wait until a socket has registered this application."""
        await self.pbx.applications.becomes(application, active=True)

    async def disconnected(self, application: str) -> None:
        """Wait until no socket holds this application, listed or not."""
        await self.pbx.applications.becomes(application, active=False)

    async def call(
        self,
        exten: str,
        *,
        context: str = "default",
        caller_number: str = "",
        caller_name: str = "",
    ) -> Channel:
        """A call comes in at this extension."""
        caller = Party(caller_name, caller_number)
        return self.pbx.call(exten, context=context, caller=caller)

    async def generate(self, exten: str, per_second: float, count: int | None = None) -> None:
        """Calls come in at a steady rate: `count` of them, or until cancelled."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        placed = 0
        while count is None or placed < count:
            await self.call(exten, caller_number=f"+1555{placed % 10_000_000:07d}")
            placed += 1
            await asyncio.sleep(max(0.0, started + placed / per_second - loop.time()))

    async def dial_out(
        self,
        uri: str,
        username: str,
        password: str,
        apps: list[str],
        *,
        local_user: str = "ari",
        reconnect_interval: float = 0.5,
    ) -> OutboundSocket:
        """Keep a persistent outbound WebSocket to `uri` (``outbound_websocket`` in ``ari.conf``).

        Args:
            uri: such as ``ws://127.0.0.1:8000/asterisk/pbx1/``.
            username: of this Asterisk there, sent as Basic credentials with `password`.
            apps: registered at once, whether the other side can be reached or not.
            local_user: whose rights the RESTRequests of that socket have.
            reconnect_interval: seconds between two attempts.
        """
        socket = EventSocket(apps, self._responder(apps[0], local_user), self.write_timeout)
        outbound = OutboundSocket(self.pbx, socket, uri, username, password, reconnect_interval)
        outbound.start()
        self._outbound.append(outbound)
        return outbound

    # Faults

    @property
    def failing_moves(self) -> set[str]:
        """Names that no channel can be moved to, though they are registered."""
        return self.pbx.failing_moves

    def drop_socket(self, application: str) -> None:
        """Cut the connection of this application without a closing handshake."""
        self._socket(application).drop()

    def send_raw(self, application: str, data: str | bytes) -> None:
        """Send this text or binary message, whatever it is, to the application's socket."""
        self._socket(application).send_raw(data)

    def _socket(self, application: str) -> EventSocket:
        registered = self.pbx.applications.find(application)
        if registered is None or not isinstance(registered.socket, EventSocket):
            raise LookupError(f"{application} has no socket")
        return registered.socket

    # HTTP

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        prefix, _, path = request.path.lstrip("/").partition("/")
        if prefix != "ari":
            return self._page(404, "Not Found", "The requested URL was not found on this server.")
        params = dict(request.query)
        user = self._authenticate(params, request.headers.get("Authorization", ""))
        if user is None:
            return self._http(UNAUTHORIZED)
        if path == "events" and request.method == "GET":
            return await self._events(request, params, user)
        if self.rest_delay:
            await asyncio.sleep(self.rest_delay)
        try:
            body = await _body(request, params)
        except RefusedError as refused:
            return self._http(refused.answer)
        return self._http(self._rest(user, request.method, path, params, body))

    def _rest(
        self, user: str, method: str, path: str, params: Mapping[str, str], body: Any
    ) -> Answer:
        if user in self.read_only_users and method not in ("GET", "OPTIONS"):
            return READ_ONLY
        return self.resources.handle(method, path, params, body)

    def _authenticate(self, params: Mapping[str, str], authorization: str) -> str | None:
        name, _, password = params.get("api_key", "").partition(":")
        scheme, _, encoded = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                name, _, password = base64.b64decode(encoded).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                return None
        known = {**self.users, **self.read_only_users}
        return name if name in known and known[name] == password else None

    def _http(self, answer: Answer) -> web.Response:
        headers = self._headers() | dict(answer.headers)
        if answer.content is not None:
            headers["Content-Type"] = "application/json"
        return web.Response(
            status=answer.status, reason=answer.reason or None, body=answer.body, headers=headers
        )

    def _headers(self) -> dict[str, str]:
        return {"Server": f"Asterisk/{self.version}", "Cache-Control": "no-cache, no-store"}

    def _page(self, status: int, title: str, text: str = "") -> web.Response:
        """Asterisk's own pages, for what is not ARI's to answer."""
        page = (
            '<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">\r\n<html><head>\r\n'
            f"<title>{status} {title}</title>\r\n</head><body>\r\n<h1>{title}</h1>\r\n"
            f"<p>{escape(text)}</p>\r\n<hr />\r\n<address>Asterisk/{self.version}</address>\r\n"
            "</body></html>\r\n"
        )
        return web.Response(
            status=status, body=page.encode(), headers=self._headers(), content_type="text/html"
        )

    # WebSocket

    async def _events(
        self, request: web.BaseRequest, params: Mapping[str, str], user: str
    ) -> web.StreamResponse:
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return self._page(426, "Upgrade Required")
        names = [name for name in params.get("app", "").split(",") if name]
        if not names:
            return self._page(400, "Bad Request", "HTTP request is missing param: [app]")
        transport = web.WebSocketResponse(protocols=("ari",), autoping=False, compress=False)
        await transport.prepare(request)
        await self._serve(request, transport, names, params, user)
        return transport

    async def _serve(
        self,
        request: web.BaseRequest,
        transport: web.WebSocketResponse,
        names: list[str],
        params: Mapping[str, str],
        user: str,
    ) -> None:
        socket = EventSocket(names, self._responder(names[0], user), self.write_timeout)
        self.sockets.append(socket)
        subscribe_all = params.get("subscribeAll", "").lower() in ("yes", "true", "y", "t", "1")
        for name in names:
            self.pbx.applications.register(name, socket, subscribe_all=subscribe_all)
        try:
            await socket.run(transport, partial(_abort, request))
        finally:
            self.sockets.remove(socket)
            self.pbx.applications.unregister(socket)

    def _responder(self, application: str, user: str) -> Responder:
        async def respond(text: str) -> Message | None:
            if not self.rest_over_websocket:
                return None
            if self.rest_delay:
                await asyncio.sleep(self.rest_delay)
            answer = self._respond(user, text)
            return rest_over_socket.stamped(answer, application, self.pbx.asterisk_id)

        return respond

    def _respond(self, user: str, text: str) -> Message:
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            return rest_over_socket.unreadable()
        message = message if isinstance(message, dict) else {}
        try:
            asked = RestRequest(message)
        except RefusedError as refused:
            return rest_over_socket.response(message, refused.answer)
        answer = self._rest(user, asked.method, asked.path, asked.params, asked.body)
        return rest_over_socket.response(message, answer)


def _abort(request: web.BaseRequest) -> None:
    if request.transport is not None:
        request.transport.abort()


async def _body(request: web.BaseRequest, params: dict[str, str]) -> Any:
    """The JSON body; the fields of a form join `params`. Other kinds of body are not read."""
    if request.content_type == "application/x-www-form-urlencoded":
        params |= dict(parse_qsl(await request.text(), keep_blank_values=True))
    if request.content_type != "application/json" or not request.body_exists:
        return None
    try:
        return orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise RefusedError(400, "Error parsing request body") from None

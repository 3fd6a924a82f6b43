"""The ASGI application at /ari/: authenticates, then routes.

It stands beside Django's request handler, not behind it: an answer through that costs forty times
as much, and claims come in storms.
"""

import asyncio
import logging

from django.db import DatabaseError

from broadcasts.broker.broker import Broker
from broadcasts.broker.ports import Principal

from . import answers, claim_door
from .answers import Receive, Scope, Send
from .claim_door import ClaimDoor
from .credentials import Credentials, Refusal
from .event_door import EventDoor
from .holders import Holders
from .pass_through import PassThrough
from .requests import ClientGone, presented
from .shared import Shared
from .upstream import Upstreams

log = logging.getLogger(__name__)

EVENTS_PATH = "/ari/events"
CLAIM_PATH = f"/ari/{claim_door.PATH}"
SAVE_USE_SECONDS = 60.0

REFUSALS = {Refusal.WRONG: answers.UNAUTHORIZED, Refusal.BUSY: answers.BUSY}


class Facade:
    """ARI for candidate applications: claims, event sockets, everything else passed through.

    `async with` opens and closes its connections, on the event loop that serves it.
    """

    def __init__(self, broker: Broker, credentials: Credentials) -> None:
        self.credentials = credentials
        self._broker = broker
        self._claims = ClaimDoor(broker)

    async def __aenter__(self) -> "Facade":
        self._shared = Shared(
            self._broker, self.credentials, Upstreams(), Holders(self._broker), self._claims
        )
        self._events = EventDoor(self._shared)
        self._pass_through = PassThrough(self._shared)
        self._saving = asyncio.create_task(self._save_use())
        return self

    async def __aexit__(self, *exception: object) -> None:
        self._saving.cancel()
        await self._shared.upstreams.close()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or WebSocket whose path starts with /ari/."""
        credential = presented(scope)
        if credential is None:
            principal: Principal | Refusal = Refusal.WRONG
        else:
            # Nearly always known: then not even a coroutine is made.
            known = self.credentials.known(credential)
            principal = known or await self.credentials.check(credential)
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send, principal)
        else:
            await self._http(scope, receive, send, principal)

    def sync(self) -> None:
        """Adapt every candidate's session: the servers, their links or the credentials changed."""
        self._events.sync()

    async def _http(
        self, scope: Scope, receive: Receive, send: Send, principal: Principal | Refusal
    ) -> None:
        if isinstance(principal, Refusal):
            await REFUSALS[principal].send(send)
            return
        try:
            if scope["path"] == CLAIM_PATH:
                answer = await self._claims.answer(scope, receive, principal)
                messages = answer.messages
            else:
                messages = await self._pass_through.answer(scope, receive, principal)
        except ClientGone:
            return
        for message in messages:
            await send(message)

    async def _websocket(
        self, scope: Scope, receive: Receive, send: Send, principal: Principal | Refusal
    ) -> None:
        await receive()  # websocket.connect
        if isinstance(principal, Refusal):
            await REFUSALS[principal].refuse_handshake(scope, send)
        elif scope["path"] != EVENTS_PATH:
            await answers.NOT_FOUND.refuse_handshake(scope, send)
        else:
            await self._events(scope, receive, send, principal)

    async def _save_use(self) -> None:
        while True:
            await asyncio.sleep(SAVE_USE_SECONDS)
            try:
                await self.credentials.save_use()
            except DatabaseError:
                log.exception("When the ARI users were last seen could not be saved")

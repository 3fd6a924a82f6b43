"""The ASGI application at /ari/: authenticates, then routes.

It stands beside Django's request handler, not behind it: an answer through that costs forty times
as much, and claims come in storms.
"""

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

EVENTS_PATH = "/ari/events"
CLAIM_PATH = f"/ari/{claim_door.PATH}"

REFUSALS = {Refusal.WRONG: answers.UNAUTHORIZED, Refusal.BUSY: answers.BUSY}


class Facade:
    """ARI for candidate applications: claims, event sockets, everything else passed through.

    Made and used on the event loop that serves it.
    """

    def __init__(self, broker: Broker, credentials: Credentials) -> None:
        self._credentials = credentials
        self._claims = ClaimDoor(broker)
        self._upstreams = Upstreams()
        shared = Shared(broker, credentials, self._upstreams, Holders(broker), self._claims)
        self._events = EventDoor(shared)
        self._pass_through = PassThrough(shared)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one HTTP request or WebSocket whose path starts with /ari/."""
        credential = presented(scope)
        if credential is None:
            principal: Principal | Refusal = Refusal.WRONG
        else:
            # Nearly always known: then not even a coroutine is made.
            known = self._credentials.known(credential)
            principal = known or await self._credentials.check(credential)
        if scope["type"] == "websocket":
            await self._websocket(scope, receive, send, principal)
        else:
            await self._http(scope, receive, send, principal)

    def sync(self) -> None:
        """Adapt every candidate's session: the servers, their links or the credentials changed."""
        self._events.sync()

    async def close(self) -> None:
        """Take leave of every candidate and end every connection to the Asterisks."""
        await self._events.close()
        await self._upstreams.close()

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
            await REFUSALS[principal].refuse_handshake(scope, receive, send)
        elif scope["path"] != EVENTS_PATH:
            await answers.NOT_FOUND.refuse_handshake(scope, receive, send)
        else:
            await self._events(scope, receive, send, principal)

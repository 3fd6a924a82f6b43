"""Where connections come in: one door for candidates, one for Asterisk, one for people."""

import logging
from typing import Any

from channels.auth import AuthMiddlewareStack
from channels.routing import URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from broadcasts.asterisk.outbound import OutboundConsumer
from broadcasts.domain.errors import in_a_line
from broadcasts.facade import answers
from broadcasts.service import Service
from broadcasts.web.routing import websocket_urlpatterns

log = logging.getLogger(__name__)

NOT_RUNNING = answers.Answer(503, "The service does not run", [(b"retry-after", b"1")])


async def nowhere(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Refuse a handshake at an address that nothing listens at."""
    await answers.NOT_FOUND.refuse_handshake(scope, receive, send)


NOWHERE = [path("<path:anything>", nowhere), path("", nowhere)]


class Entrance:
    """Sends every connection to its door.

    The candidates' door comes first and is bare ASGI: claims must not pay for Django's request
    handler. Asterisk's has no origin check, as an Asterisk that dials us sends no Origin.
    """

    def __init__(self, django: Any, service: Service) -> None:
        self.service = service
        self._django = django
        self._boards = AllowedHostsOriginValidator(
            AuthMiddlewareStack(URLRouter([*websocket_urlpatterns, *NOWHERE]))
        )
        self._outbound: Any = None

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        address, service = scope["path"], self.service
        if address.startswith("/ari/"):
            if service.running:
                await service.facade(scope, receive, send)
            else:
                await self._not_running(scope, receive, send)
            return
        scope["service"] = service
        if scope["type"] == "http":
            await self._django(scope, receive, send)
        elif address.startswith("/asterisk/"):
            await self._asterisk(scope, receive, send)
        else:
            await self._boards(scope, receive, send)

    async def _asterisk(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if not self.service.running:
            await self._not_running(scope, receive, send)
            return
        if self._outbound is None:
            consumer = OutboundConsumer.as_asgi(links=self.service.links)
            self._outbound = URLRouter([path("asterisk/<str:server>/", consumer), *NOWHERE])
        await self._outbound(scope, receive, send)

    @staticmethod
    async def _not_running(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "http":
            await NOT_RUNNING.send(send)
        else:
            await NOT_RUNNING.refuse_handshake(scope, receive, send)

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        try:
            await self.service.start()
        except Exception as error:
            log.error("The service cannot start: %s", in_a_line(error))
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.service.stop()
        await send({"type": "lifespan.shutdown.complete"})

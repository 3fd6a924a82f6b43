"""The sockets that people's pages open: from our own origin and with a session only."""

from channels.auth import AuthMiddlewareStack
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path

from broadcasts.web.consumers import BoardConsumer

websocket_urlpatterns = [
    path(
        "ws/board/",
        AllowedHostsOriginValidator(AuthMiddlewareStack(BoardConsumer.as_asgi())),
    ),
]

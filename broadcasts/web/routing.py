"""The sockets that people's pages open; the entrance checks their origin and session first."""

from django.urls import path

from broadcasts.web.consumers import BoardConsumer

websocket_urlpatterns = [path("ws/board/", BoardConsumer.as_asgi())]

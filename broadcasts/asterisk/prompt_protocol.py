"""uvicorn's WebSocket connection, acknowledging an Asterisk's messages at once.

An Asterisk that dials us leaves Nagle's algorithm on (one that we dial switches it off), so it
holds every small message back until the one before is acknowledged, which Linux puts off for 40 ms
once both sides talk.
"""

import socket

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

# Other systems have no such option.
QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class PromptProtocol(WebSocketsSansIOProtocol):
    """Given to uvicorn as `ws`."""

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # Linux forgets the option whenever we send: it is set after every read.
        if QUICKACK is not None and self._is_asterisk() and not self.transport.is_closing():
            connection = self.transport.get_extra_info("socket")
            connection.setsockopt(socket.IPPROTO_TCP, QUICKACK, 1)

    def _is_asterisk(self) -> bool:
        # There is no scope before the handshake has been read.
        scope = getattr(self, "scope", None)
        return scope is not None and scope["path"].startswith("/asterisk/")

"""What the broker needs from its doors. They implement these; they never import each other."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote


def channel_uri(channel_id: str) -> str:
    """Return the address of a channel; Asterisk decodes each segment of it."""
    return f"channels/{quote(channel_id, safe='')}"


class Response(NamedTuple):
    """An Asterisk's answer to a REST request; `body` as it came, "" for none."""

    status: int
    body: str = ""


class LinkDown(ConnectionError):
    """The link was lost, or is not up: whether a request was carried out is not known."""


@dataclass(frozen=True, slots=True)
class Server:
    """An Asterisk server as configured; taken from its row, so that no call needs a query."""

    id: int
    name: str
    application: str
    url: str
    username: str
    password: str
    outbound: bool

    def __repr__(self) -> str:
        return f"<Server {self.name}>"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who a candidate is signed in as. `applications` is a pattern; "" allows any name."""

    name: str
    applications: str = ""
    read_only: bool = False


class Link(Protocol):
    """A connected link to one Asterisk: REST in, events out."""

    server: Server

    def request(
        self, method: str, uri: str, query: dict[str, str] | None = None, body: Any = None
    ) -> "asyncio.Future[Response]":
        """Send a REST request; `uri` without "/ari/", such as `channels/ID/move`.

        Requests are sent at once and carried out in the order in which they were made. The future
        fails with LinkDown when the link is lost before the answer.
        """


class OutboundLink(Link, Protocol):
    """A link that Asterisk opened: its one socket may serve the candidates as well.

    `applications` are the names that the connection registered: events of any but our own are sent
    on, unchanged, to `candidates.session(server.id, name)`.
    """

    applications: set[str]

    def forward(self, message: Mapping[str, Any], deliver: Callable[[str], None]) -> None:
        """Send a candidate's RESTRequest; `deliver` gets the text of its answer."""


class Session(Protocol):
    """One candidate's socket on our side, which may speak for several applications."""

    principal: Principal

    def send(self, text: str) -> None:
        """Queue one text message; never blocks. A socket that is too slow is cut off."""

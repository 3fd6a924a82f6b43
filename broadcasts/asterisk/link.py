"""What both kinds of link have in common: reading messages, and telling how they are doing."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import orjson
from django.utils import timezone

from broadcasts.broker import Link, Server
from broadcasts.broker.broker import Broker

log = logging.getLogger(__name__)


class LinkState(NamedTuple):
    """How the link to a server is doing, for the operators."""

    connected_since: datetime | None = None
    asterisk_version: str = ""
    rest_over_socket: bool | None = None
    last_error: str = ""


def connected(server: Server, version: str, rest_over_socket: bool) -> LinkState:
    """Say in one line that a link is up; returns its state."""
    log.info(
        "Asterisk %s: connected (version %s, REST over %s)",
        server.name,
        version or "unknown",
        "the socket" if rest_over_socket else "HTTP",
    )
    return LinkState(timezone.now(), version, rest_over_socket)


Report = Callable[[Server, LinkState], None]


def read_message(server: Server, raw: bytes | str) -> Mapping[str, Any] | None:
    """Return the message that an Asterisk sent; nonsense is logged and None returned."""
    try:
        message = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        log.error("Asterisk %s sent something else than JSON: %s", server.name, error)
        return None
    if not isinstance(message, dict) or not isinstance(message.get("type"), str):
        log.error("Asterisk %s sent something else than a message", server.name)
        return None
    return message


def deliver(broker: Broker, link: Link, event: Mapping[str, Any]) -> None:
    """Hand an event of our application to the broker; one that breaks it costs that event only."""
    try:
        broker.event(link, event)
    except Exception:
        # Of the event its kind alone: what else is in it may be a caller's number.
        log.exception("Asterisk %s sent an event that failed: %s", link.server.name, event["type"])

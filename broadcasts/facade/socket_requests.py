"""REST over a candidate's socket: claims are answered here, the rest goes to Asterisk as it is.

Shapes and reasons: RESTRequest and RESTResponse of a real Asterisk 23
(res/ari/ari_websocket_requests.c).
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

import orjson

from broadcasts.broker.ports import Principal
from broadcasts.domain.messages import encode, timestamp

from . import answers, claim_door
from .answers import Answer
from .claim_door import ClaimDoor
from .holders import Holders
from .parameters import parse_body, parse_pairs
from .relay import Relay

NOT_JSON = "Failed to parse request message JSON"
NO_ASTERISK = Answer(503, "No Asterisk is connected")
METHODS = frozenset({"GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"})


class Asker(Protocol):
    """The session whose requests are handled."""

    principal: Principal

    @property
    def asterisk_id(self) -> str:
        """The entity id of the Asterisk that it last heard of, or ""."""

    @property
    def application(self) -> str:
        """The first of its applications, in whose name REST answers come."""

    def relays(self) -> Iterable[Relay]:
        """Its ways to the Asterisks."""

    def send(self, text: str) -> None:
        """Queue one message to it."""


class SocketRequests:
    """Handles the text messages of one candidate, one after another, as Asterisk does."""

    def __init__(self, asker: Asker, claims: ClaimDoor, holders: Holders) -> None:
        self._asker = asker
        self._claims = claims
        self._holders = holders

    async def handle(self, text: str) -> None:
        """Answer one message or pass it on."""
        try:
            message = orjson.loads(text)
        except orjson.JSONDecodeError:
            self._respond({}, 400, NOT_JSON)
            return
        request = message if isinstance(message, dict) else {}
        answer = complaint(request) or await self._dispatch(request, text)
        if answer:
            self._respond(request, answer.status, answer.reason, answer.body)

    async def _dispatch(self, request: Mapping[str, Any], text: str) -> Answer | None:
        path = request["uri"].partition("?")[0]
        principal = self._asker.principal
        if path == claim_door.PATH:
            refused = claim_door.refusal(principal, request["method"])
            return refused or await self._claim(request)
        if principal.read_only and request["method"] not in ("GET", "OPTIONS"):
            return answers.WRITE_DENIED
        return await self._forward(path, text)

    async def _claim(self, request: Mapping[str, Any]) -> Answer:
        try:
            parameters = claim_parameters(request)
        except (ValueError, KeyError, TypeError, AttributeError):
            return answers.BAD_BODY
        return await self._claims.claim(self._asker.principal, parameters)

    async def _forward(self, path: str, text: str) -> Answer | None:
        relays = [relay for relay in self._asker.relays() if relay.is_up]
        holder = self._holders.holder(path) if len(relays) > 1 else None
        relays.sort(key=lambda relay: relay.server is not holder)
        try:
            if relays:
                await relays[0].forward(text)
                return None
        except ConnectionError:
            pass
        return NO_ASTERISK

    def _respond(
        self, request: Mapping[str, Any], status: int, reason: str, body: bytes = b""
    ) -> None:
        content = {"content_type": "application/json", "message_body": body.decode()}
        response = {
            "type": "RESTResponse",
            "transaction_id": string(request, "transaction_id"),
            "request_id": string(request, "request_id"),
            "status_code": status,
            "reason_phrase": reason,
            "uri": string(request, "uri").partition("?")[0],
            **(content if body else {}),
            "application": self._asker.application,
            "timestamp": timestamp(datetime.now(UTC)),
            "asterisk_id": self._asker.asterisk_id,
        }
        self._asker.send(encode(response))


def complaint(request: Mapping[str, Any]) -> Answer | None:
    """Return the answer to what is no RESTRequest, or None."""
    if not string(request, "type"):
        return Answer(400, "No 'type' property.")
    if request["type"] != "RESTRequest":
        return Answer(400, "Unknown request type.")
    if not string(request, "uri"):
        return Answer(400, "Empty or missing 'uri' property.")
    if string(request, "method") not in METHODS:
        return Answer(400, "Unknown or missing 'method' property.")
    return None


def claim_parameters(request: Mapping[str, Any]) -> dict[str, str]:
    """Return a request's parameters: of the uri, `query_strings`, then the body; the last wins."""
    parameters = dict(parse_pairs(request["uri"].partition("?")[2].encode()))
    for pair in request.get("query_strings") or ():
        parameters[str(pair["name"])] = str(pair["value"])
    body = string(request, "message_body").encode()
    return parameters | parse_body(string(request, "content_type"), body)


def string(message: Mapping[str, Any], name: str) -> str:
    """Return a text field, or "" for anything else."""
    value = message.get(name)
    return value if isinstance(value, str) else ""

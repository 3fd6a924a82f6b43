"""Every other resource of ARI: carried out by the Asterisk that it is meant for."""

from typing import Any

import orjson

from broadcasts.broker.ports import LinkDown, Principal, Server

from . import answers
from .answers import JSON, Answer, Headers, Message, Receive, Scope, http_messages
from .parameters import parse_body, parse_pairs
from .requests import BodyTooLarge, read_body
from .shared import Shared
from .upstream import UpstreamError

PREFIX = b"/ari/"
MAX_BODY = 8 << 20

# No resource of ARI has HEAD, and Asterisk sends its refusal with a body, which breaks HTTP.
NO_HEAD = Answer(405, "Invalid method", [(b"allow", b"OPTIONS,GET,POST,PUT,DELETE")])
NO_SERVER = Answer(503, "No Asterisk server is configured")
LINK_DOWN = Answer(502, "The Asterisk server is not connected")

_HOP_BY_HOP = {
    b"connection",
    b"keep-alive",
    b"proxy-authenticate",
    b"proxy-authorization",
    b"proxy-connection",
    b"te",
    b"trailer",
    b"transfer-encoding",
    b"upgrade",
}
# The client makes its own of these, or they are for us. Host is passed on: Asterisk builds the
# addresses in /ari/api-docs from it, which ARI libraries follow, so they must name us.
_NOT_PASSED_ON = _HOP_BY_HOP | {b"authorization", b"content-length", b"cookie", b"expect"}
# The server adds its own of these.
_NOT_PASSED_BACK = _HOP_BY_HOP | {b"content-length", b"date", b"server"}


class PassThrough:
    """Passes requests on with the Asterisk server's credentials in place of the candidate's."""

    def __init__(self, shared: Shared) -> None:
        self._shared = shared

    async def answer(self, scope: Scope, receive: Receive, principal: Principal) -> list[Message]:
        """Return the messages that answer an authenticated request."""
        path = scope["path"].removeprefix(PREFIX.decode())
        if principal.read_only and scope["method"] not in ("GET", "OPTIONS"):
            return answers.WRITE_DENIED.messages
        if scope["method"] == "HEAD":
            return NO_HEAD.messages
        if ".." in path.split("/"):
            return answers.NOT_FOUND.messages
        server = self._shared.holders.server_for(path)
        if server is None:
            return NO_SERVER.messages
        try:
            body = await read_body(receive, MAX_BODY)
        except BodyTooLarge:
            return answers.TOO_LARGE.messages
        if server.outbound and not server.url:
            return await self._over_link(server, scope, body)
        return await self._over_http(server, scope, body)

    async def _over_http(self, server: Server, scope: Scope, body: bytes) -> list[Message]:
        target = scope["raw_path"].removeprefix(PREFIX)
        if scope["query_string"]:
            target += b"?" + scope["query_string"]
        try:
            answer = await self._shared.upstreams.request(
                server, scope["method"], target.decode("latin-1"), passed_on(scope["headers"]), body
            )
        except UpstreamError as error:
            return Answer(error.status, str(error)).messages
        return http_messages(answer.status, passed_back(answer.headers), answer.body)

    async def _over_link(self, server: Server, scope: Scope, body: bytes) -> list[Message]:
        link = self._shared.broker.links.get(server.id)
        if link is None:
            return LINK_DOWN.messages
        try:
            query = dict(parse_pairs(scope["query_string"])) if scope["query_string"] else {}
            content = link_body(scope["headers"], body, query)
        except ValueError:
            return answers.BAD_BODY.messages
        uri = scope["raw_path"].removeprefix(PREFIX).decode("latin-1")
        try:
            response = await link.request(scope["method"], uri, query, content)
        except LinkDown:
            return LINK_DOWN.messages
        headers = [answers.NO_CACHE, *([JSON] if response.body else [])]
        return http_messages(response.status, headers, response.body.encode())


def passed_on(headers: Headers) -> dict[str, str]:
    """Return those headers of a request that Asterisk is to see."""
    return {
        name.decode("latin-1"): value.decode("latin-1")
        for name, value in headers
        if name not in _NOT_PASSED_ON
    }


def passed_back(headers: Headers) -> list[tuple[bytes, bytes]]:
    """Return those headers of an answer that the candidate is to see."""
    return [
        (lowered, value)
        for name, value in headers
        if (lowered := name.lower()) not in _NOT_PASSED_BACK
    ]


def link_body(headers: Headers, body: bytes, query: dict[str, str]) -> Any:
    """Return the JSON content of a body, or None; a form's fields join the query instead."""
    content_type = next((value for name, value in headers if name == b"content-type"), b"")
    kind = content_type.decode("latin-1")
    if body and kind.startswith("application/json"):
        return orjson.loads(body)
    query.update(parse_body(kind, body))
    return None

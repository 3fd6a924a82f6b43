"""POST /ari/events/claim: one table of answers, for HTTP and for RESTRequests alike."""

from collections.abc import Mapping

from broadcasts.broker.broker import Broker
from broadcasts.broker.ports import Principal

from . import answers
from .answers import Answer, Receive, Scope
from .parameters import parse_body, parse_pairs
from .requests import BodyTooLarge, read_body

PATH = "events/claim"

# Asterisk's own limit for the body of a request (MAX_CONTENT_LENGTH in main/http.c).
MAX_BODY = 40960
MAX_QUERY = 8192
# As long as the record keeps them; a channel's id is shorter in Asterisk.
MAX_CHANNEL_ID = 150
MAX_APPLICATION = 255


class ClaimDoor:
    """Judges claims by asking the broker, which alone decides."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker

    async def answer(self, scope: Scope, receive: Receive, principal: Principal) -> Answer:
        """Return the answer to an authenticated HTTP request for the claim resource."""
        refused = refusal(principal, scope["method"])
        if refused:
            return refused
        if len(scope["query_string"]) > MAX_QUERY:
            return answers.TOO_LONG
        try:
            parameters = await _parameters(scope, receive)
        except BodyTooLarge:
            return answers.TOO_LARGE
        except UnicodeDecodeError:
            return answers.BAD_ENCODING
        except ValueError:
            return answers.BAD_BODY
        return await self.claim(principal, parameters)

    async def claim(self, principal: Principal, parameters: Mapping[str, str]) -> Answer:
        """Return the answer to a claim with these parameters."""
        channel_id = parameters.get("channelId")
        if not channel_id:
            return answers.NO_CHANNEL
        application = parameters.get("application")
        if not application:
            return answers.NO_APPLICATION
        if len(channel_id) > MAX_CHANNEL_ID or "\0" in channel_id:
            return answers.BAD_CHANNEL
        if len(application) > MAX_APPLICATION or "\0" in application:
            return answers.BAD_APPLICATION
        return answers.CLAIM[await self._broker.claim(channel_id, application, principal)]


def refusal(principal: Principal, method: str) -> Answer | None:
    """Return the answer to what is not a claim, or None: in Asterisk's order of checks."""
    if method == "POST" and not principal.read_only:
        return None
    if method == "OPTIONS":
        return answers.CLAIM_OPTIONS
    if principal.read_only and method != "GET":
        return answers.WRITE_DENIED
    return answers.INVALID_METHOD


async def _parameters(scope: Scope, receive: Receive) -> dict[str, str]:
    """Return the parameters of query and body.

    A JSON body's win over the query's, which win over a form's (res_ari.c, res_ari_events.c).
    """
    parameters = dict(parse_pairs(scope["query_string"]))
    for name, value in scope["headers"]:
        if name == b"content-type":
            content_type = value.decode("latin-1")
            body = parse_body(content_type, await read_body(receive, MAX_BODY))
            if content_type.lower().startswith("application/json"):
                return parameters | body
            return body | parameters
    return parameters

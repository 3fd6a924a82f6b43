"""What every HTTP request and handshake has: a body, and credentials."""

import binascii

from .answers import Receive, Scope
from .parameters import decode, without


class BodyTooLarge(ValueError):
    """A request is longer than what is taken."""


class ClientGone(ConnectionError):
    """The client left before its request was complete."""


async def read_body(receive: Receive, limit: int) -> bytes:
    """Return the body of a request; raises BodyTooLarge above `limit` bytes, or ClientGone."""
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return b"".join(chunks)


def presented(scope: Scope) -> bytes | None:
    """Return the credentials of a request as ``user:password``, or None.

    A Basic header counts first, then `api_key` in the query (res_ari.c). What is not well formed
    counts as absent. An api_key is taken out of the scope, because servers log the query string.
    """
    query: bytes = scope["query_string"]
    if b"api_key=" in query:
        scope["query_string"] = without(query, b"api_key")
    for name, value in scope["headers"]:
        if name == b"authorization" and value[:6].lower() == b"basic ":
            credential = _basic(value[6:])
            if credential:
                return credential
    return _api_key(query) if b"api_key=" in query else None


def _basic(encoded: bytes) -> bytes | None:
    try:
        credential = binascii.a2b_base64(encoded)
    except binascii.Error:
        return None
    return credential if b":" in credential else None


def _api_key(query: bytes) -> bytes | None:
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        if name == b"api_key":
            try:
                credential = decode(value).encode()
            except UnicodeDecodeError:
                return None
            user, _, password = credential.partition(b":")
            return credential if user and password else None
    return None

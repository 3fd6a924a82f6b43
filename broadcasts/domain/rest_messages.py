"""REST over an ARI WebSocket: the text of a request, and what is read from the answers.

Field names, and that a body is a string: ARI's RESTRequest and RESTResponse models
(`events.json` of Asterisk's own API description). Values in `query_strings` are taken as they are,
whereas a path segment of `uri` has to be percent-encoded, as over HTTP.
"""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import orjson

from .messages import encode

VERSION_URI = "asterisk/info"
VERSION_QUERY = {"only": "system"}


def rest_request(
    transaction_id: str,
    method: str,
    uri: str,
    query: Mapping[str, str] | None = None,
    body: Any = None,
) -> str:
    """Return the text of a RESTRequest; `uri` such as `channels/ID/move`."""
    message: dict[str, Any] = {
        "type": "RESTRequest",
        "transaction_id": transaction_id,
        "request_id": transaction_id,
        "method": method,
        "uri": uri,
    }
    if query:
        message["query_strings"] = [{"name": name, "value": value} for name, value in query.items()]
    if body is not None:
        message["content_type"] = "application/json"
        message["message_body"] = encode(body)
    return encode(message)


def ordering_key(uri: str, query: Mapping[str, str] | None = None) -> str:
    """Return what requests must share to be carried out one after another: their channel.

    Requests that concern no channel share their `uri`.
    """
    for source in ("eventSource", "source"):
        kind, _, channel_id = (query or {}).get(source, "").partition(":")
        if kind == "channel":
            return quote(channel_id, safe="")
    resource, _, rest = uri.partition("/")
    return rest.partition("/")[0] if resource == "channels" and rest else uri


def system_version(body: str) -> str:
    """Return the version that an answer to `asterisk/info` tells, or "" for nonsense."""
    try:
        version = orjson.loads(body)["system"]["version"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return ""
    return version if isinstance(version, str) else ""

"""REST over an ARI WebSocket: a ``RESTRequest`` in, a ``RESTResponse`` out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson

from .answers import Answer, RefusedError
from .events import Message, timestamp
from .rest import METHODS

Fields = Mapping[str, Any]


class RestRequest:
    """One text message, read; `RefusedError` carries the answer to one that cannot be read."""

    def __init__(self, message: Fields) -> None:
        if message.get("type") != "RESTRequest":
            missing = "Unknown request type." if message.get("type") else "No 'type' property."
            raise RefusedError(400, missing, "Bad request")
        self.path, _, query = str(message.get("uri") or "").partition("?")
        if not self.path:
            raise RefusedError(400, "Empty or missing 'uri' property.", "Bad request")
        self.method = str(message.get("method")).upper()
        if self.method not in METHODS:
            raise RefusedError(400, "Unknown or missing 'method' property.", "Bad request")
        self.params = dict(parse_qsl(query, keep_blank_values=True)) | _query_strings(message)
        self.body = self._body(message)

    def _body(self, message: Fields) -> Any:
        text = message.get("message_body")
        if not text:
            return None
        content_type = message.get("content_type")
        if not content_type:
            raise RefusedError(400, "No 'content_type' for 'message_body'.", "Bad request")
        if content_type == "application/x-www-form-urlencoded":
            self.params |= dict(parse_qsl(text, keep_blank_values=True))
            return None
        if content_type != "application/json":
            raise RefusedError(400, "Unknown content type.", "Bad request")
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            unreadable = "Unable to parse 'message_body' as 'application/json'."
            raise RefusedError(400, unreadable, "Bad request") from None


def _query_strings(message: Fields) -> dict[str, str]:
    pairs = message.get("query_strings")
    if not isinstance(pairs, list):
        return {}
    try:
        return {str(pair["name"]): str(pair["value"]) for pair in pairs}
    except (KeyError, TypeError):
        raise RefusedError(400, "Unable to parse 'query_strings' array.", "Bad request") from None


def unreadable() -> Message:
    """What text that is no JSON is answered with."""
    return response({}, Answer(400, reason="Failed to parse request message JSON"))


def response(message: Fields, answer: Answer) -> Message:
    body: Message = {}
    if answer.content is not None:
        body = {"content_type": "application/json", "message_body": answer.body.decode()}
    # Asterisk looks at the uri only once it knows that this is a RESTRequest.
    uri = message.get("uri") if message.get("type") == "RESTRequest" else None
    return {
        "type": "RESTResponse",
        "transaction_id": str(message.get("transaction_id") or ""),
        "request_id": str(message.get("request_id") or ""),
        "status_code": answer.status,
        "reason_phrase": answer.reason_phrase,
        "uri": str(uri or "").partition("?")[0],
        **body,
    }


def stamped(message: Message, application: str, asterisk_id: str) -> Message:
    """The three fields that every message of the socket ends with."""
    return {
        **message,
        "application": application,
        "timestamp": timestamp(),
        "asterisk_id": asterisk_id,
    }

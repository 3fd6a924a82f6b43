"""Request parameters, read as Asterisk reads them."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson

FORM = "application/x-www-form-urlencoded"
JSON = "application/json"


def decode(raw: bytes) -> str:
    """Return the text of one name or value; raises UnicodeDecodeError."""
    if b"%" in raw or b"+" in raw:
        raw = unquote_to_bytes(raw.replace(b"+", b" "))
    return raw.decode()


def parse_pairs(query: bytes) -> list[tuple[str, str]]:
    """Return the parameters of a query string or form in order; raises UnicodeDecodeError."""
    pairs = []
    for part in query.split(b"&"):
        name, _, value = part.partition(b"=")
        pairs.append((decode(name), decode(value)))
    return pairs


def parse_body(content_type: str, body: bytes) -> dict[str, str]:
    """Return the parameters that a body holds: those of a form, or the texts of a JSON object.

    Other types hold none (main/http.c). Raises ValueError.
    """
    kind = content_type.partition(";")[0].strip().lower()
    if kind == FORM:
        return dict(parse_pairs(body))
    if kind == JSON and body:
        fields: Any = orjson.loads(body)
        if isinstance(fields, Mapping):
            return {name: value if isinstance(value, str) else "" for name, value in fields.items()}
    return {}


def without(query: bytes, name: bytes) -> bytes:
    """Return a query string less one parameter, the rest unchanged."""
    return b"&".join(part for part in query.split(b"&") if part.partition(b"=")[0] != name)

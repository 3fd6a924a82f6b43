"""What goes in and out of an ARI resource, whichever way it was asked: HTTP or the socket."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import orjson


@dataclass(frozen=True)
class Answer:
    """A status and, unless None, what its JSON body holds."""

    status: int
    content: Any = None
    reason: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def body(self) -> bytes:
        return b"" if self.content is None else orjson.dumps(self.content)

    @property
    def reason_phrase(self) -> str:
        return self.reason or HTTPStatus(self.status).phrase


NO_CONTENT = Answer(204)


def ok(content: Any) -> Answer:
    return Answer(200, content)


class RefusedError(Exception):
    """The request cannot be done, for this reason."""

    def __init__(self, status: int, message: str, reason: str = "") -> None:
        super().__init__(message)
        self.answer = Answer(status, {"message": message}, reason)


@dataclass(frozen=True)
class Request:
    """A request for one resource: variables of its path, query parameters, JSON body."""

    path: Mapping[str, str]
    params: Mapping[str, str]
    body: Mapping[str, Any]

    def value(self, name: str, default: str = "") -> str:
        """A parameter; ARI takes it from the query string or else from the body."""
        return str(self.params.get(name) or self.body.get(name) or default)

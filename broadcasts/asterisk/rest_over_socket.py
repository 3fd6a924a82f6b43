"""The REST requests of one socket that wait for their answers."""

import asyncio
import itertools
import logging
from collections.abc import Callable, Mapping
from typing import Any

from broadcasts.broker.ports import LinkDown, Response
from broadcasts.domain.messages import encode
from broadcasts.domain.rest_messages import rest_request

log = logging.getLogger(__name__)

Answered = Callable[[Mapping[str, Any]], None]


class Requests:
    """Sends RESTRequests and finds the request that a RESTResponse answers.

    Every request gets a transaction id of ours, so those of candidates that share the socket can
    never be mistaken for each other's. Used on the event loop's thread only.

    Args:
        name: of the server, for the log.
        send: queues one text message on the socket; never blocks.
    """

    def __init__(self, name: str, send: Callable[[str], None]) -> None:
        self._name = name
        self._send = send
        self._numbers = itertools.count(1)
        self._futures: dict[str, asyncio.Future[Response]] = {}
        self._forwarded: dict[str, Answered] = {}
        self._closed = False

    def request(
        self, method: str, uri: str, query: Mapping[str, str] | None = None, body: Any = None
    ) -> asyncio.Future[Response]:
        """See `Link.request`."""
        transaction_id = str(next(self._numbers))
        future = asyncio.get_running_loop().create_future()
        if self._closed:
            settle(future, LinkDown("not connected"))
            return future
        self._futures[transaction_id] = future
        self._send(rest_request(transaction_id, method, uri, query, body))
        return future

    def forward(self, message: Mapping[str, Any], deliver: Callable[[str], None]) -> None:
        """Pass on a RESTRequest as a candidate wrote it.

        `deliver` gets the text of its answer, with the candidate's own transaction id; nothing when
        the link is lost before.
        """
        given = message.get("transaction_id", "")
        transaction_id = f"forwarded-{next(self._numbers)}"

        def answered(response: Mapping[str, Any]) -> None:
            deliver(encode({**response, "transaction_id": given}))

        self._forwarded[transaction_id] = answered
        self._send(encode({**message, "transaction_id": transaction_id}))

    def resolve(self, message: Mapping[str, Any]) -> None:
        """Take a RESTResponse to whoever waits for it."""
        transaction_id = str(message.get("transaction_id"))
        if future := self._futures.pop(transaction_id, None):
            settle(future, read_response(message))
        elif answered := self._forwarded.pop(transaction_id, None):
            answered(message)
        else:
            log.warning(
                "Asterisk %s answered what nobody asked: %s %s",
                self._name,
                message.get("status_code"),
                message.get("reason_phrase"),
            )

    def close(self) -> None:
        """Fail everything that still waits, and whatever is asked later."""
        self._closed = True
        self._forwarded.clear()
        for future in self._futures.values():
            settle(future, LinkDown("the connection was lost before the answer"))


def read_response(message: Mapping[str, Any]) -> Response:
    """Return the answer in a RESTResponse; one without a status counts as a server error."""
    status = message.get("status_code")
    body = message.get("message_body")
    return Response(
        status if isinstance(status, int) else 500, body if isinstance(body, str) else ""
    )


def settle(future: asyncio.Future[Response], result: Response | LinkDown) -> None:
    """Give a future its result, unless whoever asked has lost interest."""
    if future.done():
        return
    if isinstance(result, LinkDown):
        future.set_exception(result)
        # Nobody may look at it any more, which is no error worth a traceback.
        future.exception()
    else:
        future.set_result(result)

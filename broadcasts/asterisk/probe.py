"""Trying a connection to an Asterisk, as a link would make it, and telling what is wrong."""

import asyncio
import dataclasses
from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from broadcasts.broker import LinkDown, Response, Server
from broadcasts.domain.rest_messages import VERSION_QUERY, VERSION_URI, system_version

from .ari_socket import AriSocket, CannotConnect, explain_status
from .dial_in import PROBE_SECONDS, authorization, events_url
from .rest import HttpRequests
from .rest_over_socket import Requests

TOTAL_SECONDS = 5.0
# Asterisk takes an application away from whoever has it, so the service's own is left alone. One
# name for all tries, as every name leaves a dialplan context behind.
APPLICATION = "broadcast-connection-test"
# Whatever is no GET a read-only user is refused, before anybody looks whether the channel is there.
WRITE = ("DELETE", f"channels/{APPLICATION}")


class Finding(NamedTuple):
    """What a try has shown. `trouble` says what is wrong; empty: all is well."""

    trouble: str = ""
    asterisk_version: str = ""
    rest_over_socket: bool = False


async def probe(server: Server) -> Finding:
    """Connect to a server's address within 5 seconds, ask for its version, and hang up."""
    trial = dataclasses.replace(server, application=APPLICATION)
    try:
        async with asyncio.timeout(TOTAL_SECONDS):
            return await _connect(trial)
    except TimeoutError:
        return Finding("no answer in time")
    except (CannotConnect, LinkDown) as error:
        return Finding(str(error))


async def _connect(server: Server) -> Finding:
    def received(raw: bytes) -> None:
        message: Mapping[str, Any] = orjson.loads(raw)
        if message.get("type") == "RESTResponse":
            over_socket.resolve(message)

    socket = AriSocket(events_url(server), authorization(server), received)
    over_socket = Requests(server.name, socket.send)
    over_http = HttpRequests(server)
    socket.lost.add_done_callback(lambda _: over_socket.close())
    try:
        await socket.opened
        return await _ask(over_socket, over_http)
    finally:
        socket.close()
        over_socket.close()
        over_http.close()


async def _ask(over_socket: Requests, over_http: HttpRequests) -> Finding:
    requests: Requests | HttpRequests = over_socket
    try:
        async with asyncio.timeout(PROBE_SECONDS):
            answer = await requests.request("GET", VERSION_URI, VERSION_QUERY)
    except TimeoutError:
        requests = over_http
        answer = await requests.request("GET", VERSION_URI, VERSION_QUERY)
    return Finding(
        _trouble(answer, await requests.request(*WRITE)),
        system_version(answer.body),
        requests is over_socket,
    )


def _trouble(read: Response, write: Response) -> str:
    if read.status != 200:
        return explain_status(read.status)
    if write.status == 403:
        return "its user is read-only (ari.conf): calls could not be handed over"
    return ""

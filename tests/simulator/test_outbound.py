"""An Asterisk that dials out (outbound_websocket)."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Self

import pytest
from aiohttp import encode_basic_auth, web

from broadcasts.simulator import OutboundSocket, SimulatedAsterisk
from tests.conformance.ari_observer import Ears


class OtherSide:
    """What Asterisk dials: takes connections, or refuses them."""

    def __init__(self) -> None:
        self.refuse_with: int | None = None
        self.handshakes: list[web.BaseRequest] = []
        self._connections: asyncio.Queue[Ears] = asyncio.Queue()
        self._refused = asyncio.Event()

    async def __aenter__(self) -> Self:
        self._runner = web.ServerRunner(web.Server(self._accept), shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.uri = f"ws://127.0.0.1:{self._runner.addresses[0][1]}/asterisk/pbx1/"
        return self

    async def __aexit__(self, *exception: object) -> None:
        await self._runner.cleanup()

    async def _accept(self, request: web.BaseRequest) -> web.StreamResponse:
        self.handshakes.append(request)
        if self.refuse_with:
            self._refused.set()
            return web.Response(status=self.refuse_with)
        socket = web.WebSocketResponse(protocols=("ari",))
        await socket.prepare(request)
        ears = Ears(socket)
        self._connections.put_nowait(ears)
        await ears.closed.wait()
        return socket

    async def refused(self) -> None:
        await self._refused.wait()

    async def connection(self) -> Ears:
        """The next connection that comes in."""
        return await asyncio.wait_for(self._connections.get(), 5)


@pytest.fixture
async def other_side() -> AsyncIterator[OtherSide]:
    async with OtherSide() as server:
        yield server


async def dial(asterisk: SimulatedAsterisk, server: OtherSide, *apps: str) -> OutboundSocket:
    return await asterisk.dial_out(
        server.uri, "pbx1", "s3cret", list(apps), reconnect_interval=0.01
    )


async def test_the_handshake_is_asterisks(
    asterisk: SimulatedAsterisk, other_side: OtherSide
) -> None:
    await dial(asterisk, other_side, "broadcast")
    await other_side.connection()
    [handshake] = other_side.handshakes
    assert handshake.path == "/asterisk/pbx1/"
    assert handshake.headers["Sec-WebSocket-Protocol"] == "ari"
    assert handshake.headers["Authorization"] == encode_basic_auth("pbx1", "s3cret")
    assert "Origin" not in handshake.headers


async def test_every_application_is_announced_first(
    asterisk: SimulatedAsterisk, other_side: OtherSide
) -> None:
    await dial(asterisk, other_side, "broadcast", "ivr")
    ears = await other_side.connection()
    await ears.has(2)
    assert [(m["type"], m["application"]) for m in ears.heard] == [
        ("ApplicationRegistered", "broadcast"),
        ("ApplicationRegistered", "ivr"),
    ]


async def test_events_queue_while_the_socket_is_down(
    asterisk: SimulatedAsterisk, other_side: OtherSide
) -> None:
    outbound = await dial(asterisk, other_side, "broadcast")
    first = await other_side.connection()
    await first.has(1)
    other_side.refuse_with = 503
    outbound.drop()
    await other_side.refused()
    calls = [await asterisk.call("broker") for _ in range(3)]
    other_side.refuse_with = None
    again = await other_side.connection()
    await again.has(4)
    assert [m["type"] for m in again.heard] == ["StasisStart"] * 3 + ["ApplicationRegistered"]
    assert [m["channel"]["id"] for m in again.heard[:3]] == [call.id for call in calls]
    assert [call.where for call in calls] == ["stasis:broadcast"] * 3
    assert 503 in outbound.refusals
    assert outbound.connections == 2


async def test_rest_goes_over_the_outbound_socket(
    asterisk: SimulatedAsterisk, other_side: OtherSide
) -> None:
    await dial(asterisk, other_side, "broadcast")
    ears = await other_side.connection()
    channel = await asterisk.call("broker")
    await ears.until("StasisStart")
    request = {"type": "RESTRequest", "transaction_id": "t1", "request_id": "r1"}
    uri = f"channels/{channel.id}/continue"
    answer = await ears.ask(json.dumps(request | {"method": "POST", "uri": uri}))
    assert answer["status_code"] == 204
    assert (answer["transaction_id"], answer["request_id"]) == ("t1", "r1")
    await channel.ended()


async def test_closing_unregisters_the_applications(
    asterisk: SimulatedAsterisk, other_side: OtherSide
) -> None:
    outbound = await dial(asterisk, other_side, "broadcast")
    await outbound.connected()
    assert asterisk.pbx.applications.find("broadcast")
    await outbound.close()
    assert asterisk.pbx.applications.find("broadcast") is None

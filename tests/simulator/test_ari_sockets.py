"""The ARI socket, who may use it, and the faults that can be injected into it."""

import asyncio
import json

import pytest
from aiohttp import ClientConnectionError, ClientSession, WSMsgType, encode_basic_auth

from broadcasts.simulator import SimulatedAsterisk
from tests.conformance.ari_observer import Asterisk

REQUEST = {"type": "RESTRequest", "transaction_id": "t", "request_id": "r"}


async def test_a_read_only_user_may_read_and_no_more(asterisk: SimulatedAsterisk) -> None:
    async with Asterisk(asterisk.url, "ro", "ro") as client:
        assert await client.rest("GET", "applications") == []
        await client.rest("POST", "channels", endpoint="Local/sink@default", extension="sink")
        assert client.log[-1].endswith('{"message":"Write access denied"}')
        assert " 403 Forbidden " in client.log[-1]
        ears = await client.ears("any")
        answer = await ears.ask(json.dumps(REQUEST | {"method": "POST", "uri": "channels"}))
        assert answer["status_code"] == 403


@pytest.mark.parametrize(
    "authorization", ["", "Basic !!!", encode_basic_auth("ari", "no"), "Bearer ari:ari"]
)
async def test_bad_credentials_are_refused(asterisk: SimulatedAsterisk, authorization: str) -> None:
    async with (
        ClientSession(headers={"Authorization": authorization}) as session,
        session.get(f"{asterisk.url}/ari/applications") as answer,
    ):
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Basic realm="Asterisk REST Interface"'
        assert await answer.json() == {"message": "Authentication required"}


async def test_pages_outside_ari_are_not_found(asterisk: SimulatedAsterisk) -> None:
    async with ClientSession() as session, session.get(f"{asterisk.url}/else") as answer:
        assert answer.status == 404
        assert answer.headers["Server"] == "Asterisk/23.9.0-sim"


async def test_a_body_that_is_no_json_is_refused(asterisk: SimulatedAsterisk) -> None:
    url = f"{asterisk.url}/ari/channels?api_key=ari:ari"
    headers = {"Content-Type": "application/json"}
    async with (
        ClientSession(headers=headers) as session,
        session.post(url, data=b"{broken") as answer,
    ):
        assert answer.status == 400
        assert await answer.json() == {"message": "Error parsing request body"}


async def test_parameters_may_come_as_json_or_as_a_form(asterisk: SimulatedAsterisk) -> None:
    url = f"{asterisk.url}/ari/channels?api_key=ari:ari"
    place = {"endpoint": "Local/sink@default", "extension": "sink"}
    async with ClientSession() as session:
        for body in ({"json": place}, {"data": place}, {"params": place}):
            async with session.post(url, **body) as answer:
                assert answer.status == 200


async def test_an_application_without_socket_is_listed_while_it_holds_a_call(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("broadcast")
    held = await asterisk.call("broker")
    await ears.until("StasisStart")
    asterisk.drop_socket("broadcast")
    await ears.closed.wait()
    [listed] = await client.rest("GET", "applications")
    assert listed["channel_ids"] == [held.id]

    next_one = await asterisk.call("broker")
    await next_one.ended()
    assert next_one.variables["STASISSTATUS"] == "FAILED"

    await held.hangup()
    assert await client.rest("GET", "applications") == []


async def test_an_application_comes_back_to_the_calls_it_held(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("broadcast")
    held = await asterisk.call("broker")
    await ears.until("StasisStart")
    asterisk.drop_socket("broadcast")
    await ears.closed.wait()
    again = await client.ears("broadcast")
    await held.hangup()
    assert (await again.until("StasisEnd"))["channel"]["id"] == held.id


async def test_a_slow_reader_is_dropped_and_others_are_not(asterisk: SimulatedAsterisk) -> None:
    async with Asterisk(asterisk.url, "ari", "ari") as client, ClientSession() as session:
        ears = await client.ears("quick")
        slow = await session.ws_connect(f"{asterisk.url}/ari/events?app=slow&api_key=ari:ari")
        while asterisk.pbx.applications.find("slow"):
            asterisk.send_raw("slow", b"x" * 1_000_000)
            asterisk.send_raw("quick", '{"type":"Tick"}')
            await asyncio.sleep(0)
        await ears.until("Tick")
        assert not ears.closed.is_set()
        await slow.close()


async def test_an_asterisk_without_rest_over_the_socket_says_nothing_to_text() -> None:
    async with (
        SimulatedAsterisk(rest_over_websocket=False) as asterisk,
        Asterisk(asterisk.url, "ari", "ari") as client,
    ):
        ears = await client.ears("broadcast")
        await ears.socket.send_str(json.dumps(REQUEST | {"method": "GET", "uri": "applications"}))
        await ears.socket.send_str("garbage")
        await asterisk.call("broker")
        assert (await ears.until("StasisStart")) is ears.heard[0]


async def test_nonsense_can_be_sent_to_an_application(asterisk: SimulatedAsterisk) -> None:
    async with ClientSession() as session:
        url = f"{asterisk.url}/ari/events?app=broadcast&api_key=ari:ari"
        async with session.ws_connect(url) as socket:
            for data in ("{nonsense", b"\x00\xff"):
                asterisk.send_raw("broadcast", data)
                message = await socket.receive()
                assert message.data == data
    with pytest.raises(LookupError, match="nobody"):
        asterisk.send_raw("nobody", "")


async def test_connections_are_refused_for_a_while_and_calls_live_on(
    asterisk: SimulatedAsterisk, client: Asterisk
) -> None:
    ears = await client.ears("broadcast")
    held = await asterisk.call("broker")
    await ears.until("StasisStart")
    await asterisk.refuse_connections()
    await ears.closed.wait()
    with pytest.raises(ClientConnectionError):
        await client.ears("broadcast")
    await asterisk.accept_connections()
    await client.ears("broadcast")
    assert held.where == "stasis:broadcast"


async def test_rest_answers_can_be_delayed(asterisk: SimulatedAsterisk, client: Asterisk) -> None:
    asterisk.rest_delay = 60
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(client.rest("GET", "applications"), 0.05)
    asterisk.rest_delay = 0
    assert await client.rest("GET", "applications") == []


async def test_pings_are_answered_and_unasked_pongs_counted(asterisk: SimulatedAsterisk) -> None:
    async with ClientSession() as session:
        url = f"{asterisk.url}/ari/events?app=broadcast&api_key=ari:ari"
        async with session.ws_connect(url, autoping=False) as socket:
            await socket.ping(b"hello")
            pong = await socket.receive()
            assert (pong.type, pong.data) == (WSMsgType.PONG, b"hello")
            await socket.pong()
            await socket.ping()
            await socket.receive()
            assert asterisk.sockets[0].unsolicited_pongs == 1

"""Nonsense from every side: clear answers, no traceback, and the next call works."""

import asyncio
import json
import socket

import aiohttp
import pytest

from .cast import CANDIDATE, Ari
from .stages import ASTERISK_URL

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(bool(ASTERISK_URL), reason="a real Asterisk does not send nonsense"),
]

dial_in = pytest.mark.parametrize("linked_stage", ["dial-in"], indirect=True)
every_link = pytest.mark.parametrize("linked_stage", ["dial-in", "outbound-alone"], indirect=True)

CHANNEL = {
    "id": "nonsense.1",
    "name": "Local/nonsense",
    "state": "Ring",
    "caller": {"name": "", "number": ""},
    "dialplan": {"context": "default", "exten": "s", "app_name": "Stasis", "app_data": "broadcast"},
}


def start(**differing):
    """Return a StasisStart that differs from a good one."""
    event = {"type": "StasisStart", "timestamp": "now", "args": ["300"], "channel": CHANNEL}
    return json.dumps(event | {"application": "broadcast"} | differing)


NONSENSE = [
    "",
    "no JSON",
    '{"type":"StasisStart"',
    "[]",
    "7",
    "null",
    '"StasisStart"',
    "{}",
    '{"type":5}',
    '{"type":["StasisStart"],"application":"broadcast"}',
    '{"type":"StasisStart","application":{"a":1}}',
    '{"type":"NoSuchEvent","application":"broadcast","channel":{"id":"nonsense.1"}}',
    '{"type":"RESTResponse"}',
    '{"type":"RESTResponse","transaction_id":"1","status_code":"many","message_body":[]}',
    '{"type":"RESTResponse","transaction_id":{"a":1},"status_code":200}',
    '{"type":"ApplicationMoveFailed","application":"broadcast","channel":{"id":"nonsense.1"}}',
    '{"type":"ChannelDestroyed","application":"broadcast","channel":{},"cause":"gone"}',
    '{"type":"StasisEnd","application":"broadcast","channel":"nonsense.1"}',
    '{"type":"ApplicationRegistered"}',
    start(channel=None),
    start(channel=[]),
    start(channel="nonsense.1"),
    start(channel={}),
    start(channel={"id": 7}),
    start(channel={"id": ""}),
    start(channel={"id": "x" * 5000}),
    start(channel={"id": "nonsense.2"}),
    start(channel={"id": "nonsense.3", "name": 7, "caller": "me", "dialplan": ["s"]}),
    start(channel=CHANNEL | {"id": "a/b?c#d%20e f", "name": "x" * 5000}),
    start(channel=CHANNEL | {"id": "nonsense.4", "caller": {"number": "9" * 5000, "name": None}}),
    start(channel=CHANNEL | {"id": "nonsense.5"}, args=None),
    start(channel=CHANNEL | {"id": "nonsense.6"}, args=7),
    start(channel=CHANNEL | {"id": "nonsense.7"}, args={"timeout": 1}),
    start(channel=CHANNEL | {"id": "nonsense.8"}, args=[None, {"a": 1}, ["b"], 7.5]),
    start(channel=CHANNEL | {"id": "nonsense.9"}, args=["9" * 5000, "(" * 5000, ":" * 5000]),
    start(channel=CHANNEL | {"id": "nonsense.10"}, timestamp={"at": 1}),
    start(channel=CHANNEL | {"id": "nonsense.11"}, timestamp="1999-12-31T23:59:59.999+0000"),
    start(channel=CHANNEL | {"id": "nonsense.12"}, asterisk_id=["x"] * 100),
    start(channel=CHANNEL | {"id": "nonsense.\0", "name": "\0"}, args=["\0", "\0", "\0"]),
    start(),
    start(),
]


async def a_call_works(stage):
    """A call is offered, claimed, handed over and comes back."""
    candidate = await stage.candidate("support")
    call = await stage.call("patient")
    await candidate.offer(call.id)
    assert (await candidate.claim(call.id)).status == 204
    await candidate.gets(call.id)
    await candidate.goes_on(call.id)
    assert await call.status() == "SUCCESS"
    await stage.recorded(call.id, status="claimed", winner="support", stasis_status="SUCCESS")
    assert stage.service.tracebacks == [], stage.service.log


@every_link
async def test_an_asterisk_that_sends_nonsense(stage):
    stage.may_complain = True
    waiting = await stage.candidate("ivr-main")
    call = await stage.call("patient")
    await waiting.offer(call.id)
    for text in NONSENSE:
        stage.asterisk.send_raw("broadcast", text)
        stage.asterisk.send_raw("broadcast", text.encode())
    stage.asterisk.send_raw("broadcast", b"\x00\xff\xfe binary")
    await a_call_works(stage)
    assert (await waiting.claim(call.id)).status == 204
    await waiting.gets(call.id)
    await call.hang_up()


@dial_in
async def test_an_asterisk_that_sends_nonsense_to_a_candidate(stage):
    """It is the candidate's to judge, so it gets it as it came."""
    candidate = await stage.candidate("ivr-main")
    odd = '{"type":"StasisStart","channel":["odd"],"application":"ivr-main"}'
    for text in [odd, '{"type":"ApplicationReplaced"}', '{"odd":  1.10}']:
        stage.asterisk.send_raw("ivr-main", text)
    await candidate.inbox.take(lambda event: event == {"odd": 1.1})
    assert await candidate.inbox.take(lambda event: event == json.loads(odd))
    await a_call_works(stage)


@every_link
async def test_a_flood_of_claims_for_unknown_channels(stage):
    flooding = [await stage.candidate("ivr-main"), await stage.candidate("ivr-2")]
    for candidate in flooding:
        claims = [candidate.claim(f"unknown.{number % 50}") for number in range(500)]
        assert {answer.status for answer in await asyncio.gather(*claims)} == {404}
    await a_call_works(stage)


@every_link
async def test_a_flood_of_claims_from_a_socket_that_is_cut(stage):
    flooding = await stage.candidate("ivr-main")
    for number in range(500):
        await flooding.inbox.connection.send_json(
            {
                "type": "RESTRequest",
                "method": "POST",
                "uri": f"events/claim?channelId=unknown.{number}&application=ivr-main",
            }
        )
    flooding.inbox.connection.get_extra_info("socket").shutdown(socket.SHUT_RDWR)
    await flooding.inbox.closed.wait()
    await a_call_works(stage)


@dial_in
@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("channelId=" + "x" * 7000 + "&application=ivr-main", 400),
        ("channelId=a&application=" + "x" * 7000, 400),
        ("channelId=a&application=b&more=" + "x" * 60_000, 414),
        ("channelId=%00&application=ivr-main", 400),
        ("channelId=%ff&application=ivr-main", 400),
        ("channelId=a&application=%00", 400),
        ("channelId=" + "a=b&" * 200 + "application=ivr-main", 404),
        ("channelid=a&Application=b", 400),
        ("&&&===&", 400),
    ],
)
async def test_parameters_that_cannot_be_meant(stage, query, status):
    await stage.candidate("ivr-main")
    assert (await raw(stage, "POST", f"/ari/events/claim?{query}"))[0] == status


@dial_in
@pytest.mark.parametrize(
    ("content_type", "body", "status"),
    [
        ("application/json", b"{", 400),
        ("application/json", b"\xff\xfe", 400),
        ("application/json", b"[1, 2]", 400),
        ("application/json", b'{"channelId": {"a": 1}, "application": 7}', 400),
        ("application/json", b"[" * 10_000, 400),
        ("application/json", b'{"channelId": "' + b"x" * 60_000 + b'"}', 413),
        ("application/x-www-form-urlencoded", b"channelId=%ff", 400),
        ("text/plain", b"channelId=a&application=b", 400),
        ("application/octet-stream", bytes(range(256)), 400),
    ],
)
async def test_bodies_that_cannot_be_read(stage, content_type, body, status):
    answer = await raw(
        stage, "POST", "/ari/events/claim", data=body, headers={"Content-Type": content_type}
    )
    assert answer[0] == status
    assert json.loads(answer[1])["message"]


@dial_in
@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/ari/nothing", 404),
        ("GET", "/ari/", 404),
        ("POST", "/ari/events/claim/more", 404),
        ("GET", "/ari/../../etc/passwd", 404),
        ("GET", "/asterisk/pbx1/", 404),
        ("GET", "/%00%ff", 404),
        ("PATCH", "/ari/events/claim", 405),
    ],
)
async def test_addresses_and_methods_that_are_not_there(stage, method, path, status):
    assert (await raw(stage, method, path))[0] == status


@every_link
@pytest.mark.parametrize(
    "text",
    [
        "no JSON",
        "[]",
        "{}",
        '{"type":"Other"}',
        '{"type":"RESTRequest"}',
        '{"type":"RESTRequest","method":"POST"}',
        '{"type":"RESTRequest","method":7,"uri":["events/claim"]}',
        '{"type":"RESTRequest","method":"POST","uri":"events/claim","query_strings":7}',
        '{"type":"RESTRequest","method":"POST","uri":"events/claim","query_strings":[{"name":1}]}',
        '{"type":"RESTRequest","method":"POST","uri":"events/claim",'
        '"content_type":"application/json","message_body":"{"}',
        '{"type":"RESTRequest","method":"POST","uri":"events/claim?channelId=%ff"}',
    ],
)
async def test_requests_over_the_socket_that_cannot_be_read(stage, text):
    candidate = await stage.candidate("ivr-main")
    await candidate.inbox.connection.send_str(text)
    answer = await candidate.inbox.take(lambda event: event["type"] == "RESTResponse")
    assert answer["status_code"] == 400


@every_link
async def test_binary_messages_are_not_for_us(stage):
    candidate = await stage.candidate("ivr-main")
    await candidate.inbox.connection.send_bytes(b'{"type":"RESTRequest"}')
    await candidate.inbox.connection.send_bytes(bytes(range(256)))
    assert (await candidate.ask(method="POST", uri="events/claim"))["status_code"] == 400
    await a_call_works(stage)


@every_link
async def test_a_message_that_is_far_too_long_costs_its_sender_the_socket(stage):
    candidate = await stage.candidate("ivr-main")
    await candidate.inbox.connection.send_str("x" * (2 << 20))
    await candidate.inbox.closed.wait()
    assert candidate.inbox.connection.close_code == 1009
    await a_call_works(stage)


@dial_in
async def test_bytes_that_are_no_http_at_all(stage):
    host, _, port = stage.service.bind.partition(":")
    for garbage in (b"\x16\x03\x01\x02\x00\x01", b"\r\n" * 5, b"GET /\xff\xfe HTTP/9.9\r\n\r\n"):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(garbage)
        writer.write_eof()
        await reader.read()
        writer.close()
    await a_call_works(stage)


@dial_in
@pytest.mark.parametrize("path", ["/ari/events/claim", "/ari/", "/asterisk/nobody/", "/ws", "/"])
async def test_a_handshake_where_no_socket_is(stage, path):
    async with aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect(f"{stage.service.url}{path}?api_key={CANDIDATE}&app=a")
    assert refused.value.status in (403, 404)
    assert stage.service.tracebacks == []


async def raw(stage, method: str, target: str, **options) -> tuple[int, str]:
    """Return status and body of the answer to a request whose target is sent as it is."""
    headers = options.pop("headers", {})
    ari = Ari(stage.service.url, CANDIDATE)
    try:
        answer = await ari.raw(method, target, headers=headers, **options)
    finally:
        await ari.close()
    assert stage.service.tracebacks == [], stage.service.log
    return answer.status, answer.body

"""Everything else of ARI is carried out by the Asterisk that it is meant for."""

import asyncio
import json

import aiohttp
import pytest
from aiohttp import web

from broadcasts.broker import LinkDown, Response
from broadcasts.simulator import SimulatedAsterisk
from tests.links import server


@pytest.fixture
async def echo(broker):
    """A server 1 that takes down what it is asked and answers oddly."""
    asked = []

    async def handle(request):
        body = await request.content.read()
        asked.append((request.method, request.raw_path, request.headers, body))
        headers = {"X-Own": "1", "Keep-Alive": "timeout=5", "Content-Type": "text/odd; a=b"}
        return web.Response(status=218, body=b"\x00\xff odd", headers=headers)

    runner = web.ServerRunner(web.Server(handle))
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    broker.servers[1] = server(f"http://127.0.0.1:{port}/prefix", username="own", password="o:wn")
    yield asked
    await runner.cleanup()


async def test_an_answer_comes_back_unchanged(echo, client):
    url = f"http://ivr:secret@{client.address}/ari/odd"
    async with client.session.get(url) as response:
        assert response.status == 218
        assert await response.read() == b"\x00\xff odd"
        assert response.headers["Content-Type"] == "text/odd; a=b"
        assert response.headers["X-Own"] == "1"
        assert "Keep-Alive" not in response.headers
        assert len(response.headers.getall("Date")) == 1


async def test_a_request_arrives_unchanged_but_with_the_servers_own_credentials(echo, client):
    body = b'{"variables": {"a": "\xc3\xa9"}}'
    await client.request(
        "PUT",
        "a%2Fb/c+d/%C3%BC?x=1&api_key=ivr:secret&y=a%26b&y=&z",
        data=body,
        headers={"Content-Type": "application/json", "X-Own": "2", "Cookie": "a=b", "TE": "gzip"},
    )
    (method, path, headers, received) = echo[0]
    assert (method, path) == ("PUT", "/prefix/ari/a%2Fb/c+d/%C3%BC?x=1&y=a%26b&y=&z")
    assert received == body
    assert headers["Authorization"] == aiohttp.encode_basic_auth("own", "o:wn")
    assert (headers["Content-Type"], headers["X-Own"]) == ("application/json", "2")
    assert "Cookie" not in headers
    assert "TE" not in headers


async def test_the_addresses_that_an_ari_library_follows_name_us(echo, client):
    """Asterisk builds those in /ari/api-docs from the Host header (res/res_ari.c)."""
    await client.request("GET", "api-docs/resources.json")
    (_, _, headers, _) = echo[0]
    assert headers.getall("Host") == [client.address]


async def test_a_request_without_a_body_gets_none(echo, client):
    await client.request("POST", "channels/1.2/answer", skip_auto_headers=["Content-Type"])
    (_, _, headers, body) = echo[0]
    assert body == b""
    assert "Content-Type" not in headers


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
async def test_every_method_passes(echo, client, method):
    assert (await client.request(method, "odd"))[0] == 218
    assert echo[0][0] == method


async def test_no_resource_has_head(echo, client):
    status, _, headers = await client.request("HEAD", "channels")
    assert (status, headers["Allow"]) == (405, "OPTIONS,GET,POST,PUT,DELETE")
    assert echo == []


async def test_who_may_only_read_only_reads(echo, client):
    for method in ("POST", "PUT", "DELETE", "HEAD"):
        assert (await client.request(method, "channels/1", "reader:secret"))[0] == 403
    for method in ("GET", "OPTIONS"):
        assert (await client.request(method, "channels/1", "reader:secret"))[0] == 218
    assert [asked[0] for asked in echo] == ["GET", "OPTIONS"]


async def test_a_body_is_limited(echo, client):
    assert (await client.request("POST", "channels", data=b"x" * (8 << 20)))[0] == 218
    status, text, _ = await client.request("POST", "channels", data=b"x" * ((8 << 20) + 1))
    assert (status, text) == (413, '{"message":"Request body too large"}')


@pytest.mark.parametrize("path", ["../httpstatus", "%2E%2E/httpstatus", "channels/../../x"])
async def test_nobody_gets_out_of_ari(echo, client, path):
    host, port = client.address.split(":")
    reader, writer = await asyncio.open_connection(host, port)
    basic = aiohttp.encode_basic_auth("ivr", "secret")
    writer.write(f"GET /ari/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: {basic}\r\n\r\n".encode())
    assert b" 404 " in await reader.readline()
    writer.close()
    assert echo == []


async def test_asterisks_own_errors_come_back_too(asterisk, client):
    status, text, _ = await client.request("GET", "channels/none")
    assert (status, text) == (404, '{"message":"Channel not found"}')
    status, text, headers = await client.request("POST", "asterisk/info")
    assert (status, headers["Allow"]) == (405, "OPTIONS,GET")
    assert (await client.request("GET", "events?app=x"))[0] == 426


async def test_an_asterisk_that_is_away_is_a_bad_gateway(asterisk, client):
    await asterisk.refuse_connections()
    status, text, headers = await client.request("GET", "channels")
    assert status == 502
    assert json.loads(text)["message"].startswith("Asterisk pbx1: cannot be reached")
    assert headers["Content-Type"] == "application/json"


async def test_an_asterisk_that_does_not_answer_is_a_gateway_time_out(
    asterisk, client, facade, monkeypatch
):
    asterisk.rest_delay = 60
    timeout = aiohttp.ClientTimeout(total=0.05)
    monkeypatch.setattr(facade._upstreams._rest, "_timeout", timeout)
    status, text, _ = await client.request("GET", "channels")
    assert (status, text) == (504, '{"message":"Asterisk pbx1: no answer in time"}')


async def test_our_own_credentials_being_wrong_is_not_the_candidates_fault(
    asterisk, client, broker
):
    broker.servers[1] = server(asterisk.url, password="wrong")
    status, text, _ = await client.request("GET", "channels")
    assert status == 502
    assert "refuses this service's user name" in text


async def test_without_any_server_there_is_nobody_to_ask(client):
    assert (await client.request("GET", "channels"))[0] == 503


@pytest.fixture
async def second_asterisk(broker):
    """Another Asterisk, the broker's server 2, whose extension `second` enters ivr-main."""
    dialplan = "\n[default]\nexten => second,1,Stasis(ivr-main)\n"
    async with SimulatedAsterisk(dialplan=dialplan) as simulated:
        broker.servers[2] = server(simulated.url, id=2, name="pbx2")
        yield simulated


async def test_a_request_for_a_channel_goes_to_the_asterisk_that_holds_it(
    asterisk, second_asterisk, client
):
    candidate = await client.connect("ivr-main")
    channel = await second_asterisk.call("second")
    await candidate.event_of_type("StasisStart")
    status, text, _ = await client.request("GET", f"channels/{channel.id}")
    assert (status, json.loads(text)["id"]) == (200, channel.id)
    answer = await candidate.ask(method="GET", uri=f"channels/{channel.id}")
    assert answer["status_code"] == 200


async def test_a_request_for_a_channel_in_the_brokers_hands_goes_to_its_asterisk(
    asterisk, second_asterisk, client, broker, monkeypatch
):
    channel = await second_asterisk.call("sink")
    monkeypatch.setattr(broker, "call_of", lambda server_id, channel_id: server_id == 2)
    assert (await client.request("GET", f"channels/{channel.id}"))[0] == 200


async def test_any_other_request_goes_to_the_first_asterisk(asterisk, second_asterisk, client):
    await second_asterisk.call("second")
    for path in ("channels", "channels/unknown", "bridges"):
        await client.request("GET", path)
    assert (await client.request("GET", "channels"))[1] == "[]"


class Link:
    """An Asterisk's outbound socket that answers with what it was asked."""

    def __init__(self) -> None:
        self.asked = []
        self.response = Response(200, "[]")

    def request(self, *asked):
        self.asked.append(asked)
        future = asyncio.get_running_loop().create_future()
        if isinstance(self.response, Exception):
            future.set_exception(self.response)
        else:
            future.set_result(self.response)
        return future


@pytest.fixture
def link(broker) -> Link:
    """Of the broker's server 1, which has no address."""
    broker.servers[1] = server(outbound=True)
    broker.links[1] = Link()
    return broker.links[1]


async def test_without_an_address_requests_go_over_the_outbound_socket(link, client):
    status, text, headers = await client.request(
        "POST", "channels/1.2%2F/play?media=a%20b", json={"lang": "en"}
    )
    assert (status, text, headers["Content-Type"]) == (200, "[]", "application/json")
    assert link.asked == [("POST", "channels/1.2%2F/play", {"media": "a b"}, {"lang": "en"})]


async def test_a_forms_fields_become_parameters_there(link, client):
    await client.request("POST", "channels?a=1", data={"endpoint": "PJSIP/x"})
    assert link.asked == [("POST", "channels", {"a": "1", "endpoint": "PJSIP/x"}, None)]


async def test_an_empty_answer_over_the_outbound_socket_has_no_body(link, client):
    link.response = Response(204)
    status, text, headers = await client.request("DELETE", "channels/1.2")
    assert (status, text) == (204, "")
    assert "Content-Type" not in headers


async def test_bad_input_for_the_outbound_socket_is_refused(link, client):
    for options in (
        {"data": b"{", "headers": {"Content-Type": "application/json"}},
        {"data": b"a=%ff", "headers": {"Content-Type": "application/x-www-form-urlencoded"}},
    ):
        assert (await client.request("POST", "channels", **options))[0] == 400
    assert link.asked == []


async def test_an_outbound_socket_that_is_lost_is_a_bad_gateway(link, client, broker):
    link.response = LinkDown()
    assert (await client.request("GET", "channels"))[0] == 502
    broker.links.clear()
    assert (await client.request("GET", "channels"))[0] == 502

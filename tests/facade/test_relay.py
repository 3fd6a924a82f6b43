"""A candidate's socket carries what the Asterisks send to its applications, in order, unchanged."""

import asyncio
import json

import pytest

from broadcasts.facade.relay import LinkRelay
from broadcasts.simulator import SimulatedAsterisk
from tests.links import server

DIALPLAN = """
[default]
exten => first,1,Stasis(ivr-main,a,b)
 same => n,Hangup()
"""


@pytest.fixture
async def second_asterisk(broker):
    """Another Asterisk, the broker's server 2."""
    async with SimulatedAsterisk(asterisk_id="02:00:00:00:00:02") as simulated:
        broker.servers[2] = server(simulated.url, id=2, name="pbx2")
        yield simulated


@pytest.fixture
async def asterisk(broker):
    """An Asterisk that is the broker's server 1; its extension `first` enters ivr-main."""
    async with SimulatedAsterisk(dialplan=DIALPLAN) as simulated:
        broker.servers[1] = server(simulated.url)
        yield simulated


async def no_longer_registered(asterisk: SimulatedAsterisk) -> None:
    """Wait until an Asterisk has no application's socket."""
    while asterisk.sockets:  # noqa: ASYNC110 - it tells nobody
        await asyncio.sleep(0.001)


async def test_a_candidate_is_connected_at_asterisk_once_its_handshake_has_ended(
    asterisk, client, broker
):
    await client.connect("ivr-main,ivr-2")
    assert broker.candidates.connected(1) == ["ivr-2", "ivr-main"]
    assert {application.name for application in asterisk.pbx.applications} == {"ivr-main", "ivr-2"}
    assert len(asterisk.sockets) == 1


async def test_further_parameters_reach_asterisk(asterisk, client):
    await client.connect("ivr-main", subscribeAll="true")
    assert asterisk.pbx.applications.find("ivr-main").subscribe_all


async def test_messages_are_relayed_unchanged_and_in_order(asterisk, client):
    candidate = await client.connect("ivr-main")
    sent = [f'{{"type" : "Odd",   "n":{n}, "text":"\\u00e9 é 💥"}}' for n in range(500)]
    sent[250] = 'no JSON at all, but "StasisStart" and "ApplicationReplaced"'
    sent[251] = '{"type":"StasisStart","application":"ivr-main","channel":"no channel"}'
    sent[252] = '["StasisStart"]'
    sent[253] = '{"type":"StasisStart","application":{},"channel":{"id":["a"]}}'
    sent[254] = '{"type":"ApplicationReplaced","application":["ivr-main"]}'
    for text in sent:
        asterisk.send_raw("ivr-main", text)
    assert [await candidate.text() for _ in sent] == sent


async def test_the_start_of_a_won_call_is_told_to_the_broker_and_relayed(asterisk, client, broker):
    candidate = await client.connect("ivr-main")
    channel = await asterisk.call("first")
    started = await candidate.event_of_type("StasisStart")
    assert started["args"] == ["a", "b"]
    assert broker.started.get_nowait() == (1, "ivr-main", channel.id)
    assert broker.started.empty()


async def test_a_broker_that_fails_costs_the_candidate_nothing(
    asterisk, client, broker, monkeypatch
):
    monkeypatch.setattr(broker, "winner_started", None)
    candidate = await client.connect("ivr-main")
    await asterisk.call("first")
    assert await candidate.event_of_type("StasisStart")
    assert broker.candidates.connected(1) == ["ivr-main"]


async def test_what_the_broker_sends_comes_in_between(asterisk, client, broker):
    candidate = await client.connect("ivr-main,ivr-2")
    broker.candidates.session(1, "ivr-2").send('{"type":"CallBroadcast"}')
    assert await candidate.event() == {"type": "CallBroadcast"}


async def test_a_candidate_that_leaves_is_no_longer_connected(asterisk, client, broker):
    candidate = await client.connect("ivr-main")
    await candidate.socket.close()
    await broker.connected(1)
    await no_longer_registered(asterisk)


async def test_a_lost_upstream_is_connected_again_and_the_candidate_stays(asterisk, client, broker):
    candidate = await client.connect("ivr-main")
    await asterisk.refuse_connections()
    await broker.connected(1)
    await asterisk.accept_connections()
    await broker.connected(1, "ivr-main")
    asterisk.send_raw("ivr-main", "back")
    assert await candidate.text() == "back"


async def test_a_candidate_may_come_before_its_asterisk(asterisk, client, broker):
    await asterisk.refuse_connections()
    await client.connect("ivr-main")
    assert broker.candidates.connected(1) == []
    await asterisk.accept_connections()
    await broker.connected(1, "ivr-main")


async def test_an_asterisk_that_refuses_us_is_named_in_one_log_line_without_its_password(
    asterisk, client, broker, caplog
):
    broker.servers[1] = server(asterisk.url, password="hunter2")
    await client.connect("ivr-main")
    await client.connect("ivr-2")
    assert caplog.text.count("Asterisk pbx1: refuses this service's user name or password") == 1
    assert "hunter2" not in caplog.text


async def test_the_log_tells_once_that_an_asterisk_is_away_and_once_that_it_is_back(
    asterisk, client, broker, caplog
):
    caplog.set_level("INFO")
    await asterisk.refuse_connections()
    for application in ("a", "b", "c"):
        await client.connect(application)
    await asterisk.accept_connections()
    await broker.connected(1, "a", "b", "c")
    assert caplog.text.count("Asterisk pbx1: cannot be reached") == 1
    assert caplog.text.count("Asterisk pbx1 can be reached again") == 1


async def test_a_second_socket_takes_a_name_over(asterisk, client, broker):
    first = await client.connect("ivr-main")
    second = await client.connect("ivr-main")
    replaced = await first.event()
    assert (replaced["type"], replaced["application"]) == ("ApplicationReplaced", "ivr-main")
    assert await first.closed() == 1000
    asterisk.send_raw("ivr-main", "for the second")
    assert await second.text() == "for the second"
    assert broker.candidates.connected(1) == ["ivr-main"]


async def test_a_socket_stays_for_the_names_that_it_still_has(asterisk, client, broker):
    both = await client.connect("ivr-main,ivr-2")
    other = await client.connect("ivr-main")
    assert (await both.event())["application"] == "ivr-main"
    asterisk.send_raw("ivr-2", "still here")
    assert await both.text() == "still here"
    await client.connect("ivr-2")
    assert (await both.event())["application"] == "ivr-2"
    assert await both.closed() == 1000
    assert not other.socket.closed


async def test_a_name_that_was_taken_over_is_not_taken_back_after_a_loss(asterisk, client, broker):
    both = await client.connect("ivr-main,ivr-2")
    other = await client.connect("ivr-main")
    await both.event()
    await asterisk.refuse_connections()
    await broker.connected(1)
    await asterisk.accept_connections()
    await broker.connected(1, "ivr-main", "ivr-2")
    asterisk.send_raw("ivr-main", "to the other")
    assert await other.text() == "to the other"


async def test_a_name_is_taken_over_while_asterisk_is_away_too(asterisk, client, broker):
    first = await client.connect("ivr-main")
    await asterisk.refuse_connections()
    await broker.connected(1)
    second = await client.connect("ivr-main")
    replaced = await first.event()
    assert list(replaced) == ["type", "timestamp", "application", "asterisk_id"]
    assert (replaced["type"], replaced["application"]) == ("ApplicationReplaced", "ivr-main")
    assert await first.closed() == 1000
    await asterisk.accept_connections()
    await broker.connected(1, "ivr-main")
    assert not second.socket.closed


async def test_every_server_has_a_socket_of_its_own(asterisk, second_asterisk, client, broker):
    candidate = await client.connect("ivr-main")
    assert broker.candidates.connected(1) == broker.candidates.connected(2) == ["ivr-main"]
    second_asterisk.send_raw("ivr-main", "from the second")
    assert await candidate.text() == "from the second"


async def test_one_server_may_be_away(asterisk, second_asterisk, client, broker):
    await asterisk.refuse_connections()
    candidate = await client.connect("ivr-main")
    assert broker.candidates.connected(1) == []
    second_asterisk.send_raw("ivr-main", "from the second")
    assert await candidate.text() == "from the second"


async def test_sessions_follow_the_servers_that_are_configured(asterisk, client, broker, facade):
    candidate = await client.connect("ivr-main")
    async with SimulatedAsterisk() as another:
        broker.servers[2] = server(another.url, id=2, name="pbx2")
        facade.sync()
        await broker.connected(2, "ivr-main")
        del broker.servers[1]
        facade.sync()
        await broker.connected(1)
        await no_longer_registered(asterisk)
        another.send_raw("ivr-main", "still served")
        assert await candidate.text() == "still served"


async def test_a_candidate_is_told_to_come_back_when_the_service_ends(asterisk, client, facade):
    candidate = await client.connect("ivr-main")
    await facade.close()
    assert await candidate.closed() == 1012


class Link:
    """An Asterisk's outbound socket, as a candidate's session sees it."""

    def __init__(self, *applications: str) -> None:
        self.applications = set(applications)
        self.forwarded = []

    def forward(self, message, deliver) -> None:
        self.forwarded.append(message)
        deliver(json.dumps({"type": "RESTResponse", "status_code": 200}))


@pytest.fixture
def link(broker) -> Link:
    """Of the broker's server 1, which has no address and registered ivr-main and ivr-2."""
    broker.servers[1] = server(outbound=True)
    broker.links[1] = Link("broadcast", "ivr-main", "ivr-2")
    return broker.links[1]


async def test_an_outbound_socket_serves_the_names_that_it_registered(link, client, broker):
    candidate = await client.connect("ivr-main,sales")
    assert broker.candidates.connected(1) == ["ivr-main"]
    broker.candidates.session(1, "ivr-main").send("dealt out")
    assert await candidate.text() == "dealt out"


async def test_sessions_follow_an_outbound_socket(link, client, broker, facade):
    await client.connect("ivr-main,sales")
    del broker.links[1]
    facade.sync()
    assert broker.candidates.connected(1) == []
    broker.links[1] = link
    link.applications.add("sales")
    facade.sync()
    assert broker.candidates.connected(1) == ["ivr-main", "sales"]


async def test_a_name_is_taken_over_on_an_outbound_socket_too(link, client, broker):
    first = await client.connect("ivr-main")
    second = await client.connect("ivr-main")
    replaced = await first.event()
    assert (replaced["type"], replaced["application"]) == ("ApplicationReplaced", "ivr-main")
    assert await first.closed() == 1000
    broker.candidates.session(1, "ivr-main").send("for the second")
    assert await second.text() == "for the second"


async def test_a_name_is_taken_over_from_who_is_just_leaving(link, broker):
    """It may take a moment to leave the other Asterisks, or to be told why it was cut off."""
    leaving = LinkRelay(broker.servers[1], None, ["ivr-main"], broker)
    await leaving.stop()
    assert not leaving.supersede("ivr-main")


async def test_requests_go_over_an_outbound_socket(link, client):
    candidate = await client.connect("ivr-main")
    answer = await candidate.ask(transaction_id="t", method="GET", uri="applications")
    assert answer["status_code"] == 200
    assert link.forwarded == [
        {"type": "RESTRequest", "transaction_id": "t", "method": "GET", "uri": "applications"}
    ]

import asyncio
import base64
import logging
import socket
from collections.abc import AsyncIterator
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from asgiref.sync import sync_to_async
from channels.routing import URLRouter
from channels.testing import WebsocketCommunicator
from django.urls import path
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from broadcasts.asterisk import supervisor
from broadcasts.asterisk.leases import Leases
from broadcasts.asterisk.outbound import OutboundConsumer
from broadcasts.asterisk.prompt_protocol import PromptProtocol
from broadcasts.asterisk.supervisor import Links
from broadcasts.broker import LinkDown, Principal
from broadcasts.models import AsteriskServer, LinkLease
from broadcasts.simulator import SimulatedAsterisk
from tests.links import server

from .cast import AttentiveBroker, eventually

pytestmark = pytest.mark.django_db(transaction=True)

REGISTERED = '{"type":"ApplicationRegistered","application":"broadcast"}'


class Candidate:
    """A candidate's session that keeps what it is sent."""

    principal = Principal("candidate")

    def __init__(self) -> None:
        self.texts: asyncio.Queue[str] = asyncio.Queue()

    def send(self, text: str) -> None:
        self.texts.put_nowait(text)


@pytest.fixture
async def links(broker: AttentiveBroker) -> AsyncIterator[Links]:
    links = Links(broker, uuid4())  # type: ignore[arg-type]
    await links.start()
    yield links
    await links.stop()


@pytest.fixture
async def row() -> AsteriskServer:
    return await AsteriskServer.objects.acreate(
        name="pbx1", kind=AsteriskServer.Kind.OUTBOUND, username="pbx1", password="s3cret"
    )


@pytest.fixture
def configured(links: Links, row: AsteriskServer) -> Any:
    """The server as the links know it."""
    known = server(id=row.pk, username="pbx1", password="s3cret", outbound=True)
    links.configure({row.pk: known})
    return known


@pytest.fixture
def application(links: Links) -> Any:
    return URLRouter([path("asterisk/<str:server>/", OutboundConsumer.as_asgi(links=links))])


@pytest.fixture
def ended() -> asyncio.Queue[None]:
    """Gets an item whenever a connection has been dealt with."""
    return asyncio.Queue()


@pytest.fixture
async def address(
    application: Any, configured: Any, ended: asyncio.Queue[None]
) -> AsyncIterator[str]:
    """Where an Asterisk of the name pbx1 dials."""

    async def telling(scope: Any, receive: Any, send: Any) -> None:
        await application(scope, receive, send)
        ended.put_nowait(None)

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(telling, lifespan="off", log_config=None, ws=PromptProtocol)
    served = uvicorn.Server(config)
    task = asyncio.create_task(served.serve(sockets=[listener]))
    yield f"ws://127.0.0.1:{listener.getsockname()[1]}/asterisk/pbx1/"
    served.should_exit = served.force_exit = True
    await task


def dial(address: str, credentials: str = "pbx1:s3cret", **options: Any) -> connect:
    """Dial as an Asterisk does: no Origin, Basic credentials."""
    basic = base64.b64encode(credentials.encode()).decode()
    return connect(address, additional_headers={"Authorization": f"Basic {basic}"}, **options)


async def test_an_asterisk_that_dials_us_is_a_link(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, address: str
) -> None:
    await asterisk.dial_out(address, "pbx1", "s3cret", ["broadcast"])
    link = await broker.ups.get()
    channel = await asterisk.call("broker")
    event = await broker.event_of_type("StasisStart")
    answer = await link.request("POST", f"channels/{channel.id}/continue")
    assert event["channel"]["id"] == channel.id
    assert answer.status == 204
    assert link.applications == {"broadcast"}


@pytest.mark.parametrize(
    ("offered", "selected"),
    [(["ari"], "ari"), (["other", "ari"], "ari"), (["other"], None), (None, None)],
)
async def test_the_subprotocol_is_selected_only_if_it_is_offered(
    address: str, offered: Any, selected: str | None
) -> None:
    async with dial(address, subprotocols=offered) as connection:
        assert connection.subprotocol == selected


@pytest.mark.parametrize(
    "credentials", ["pbx1:wrong", "pbx2:s3cret", ":", "pbx1:", "pbx1:s3cret:", "pbx1"]
)
async def test_wrong_credentials_are_refused_in_the_handshake(
    address: str, broker: AttentiveBroker, credentials: str
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(address, credentials)
    assert refused.value.response.status_code == 401
    assert broker.ups.empty()


@pytest.mark.parametrize("authorization", [None, "Bearer x", "Basic", "Basic ***", "Basic /w=="])
async def test_a_handshake_without_credentials_is_refused(
    address: str, authorization: str | None
) -> None:
    headers = {"Authorization": authorization} if authorization else {}
    with pytest.raises(InvalidStatus) as refused:
        await connect(address, additional_headers=headers)
    assert refused.value.response.status_code == 401


async def test_an_unknown_or_dial_in_server_is_refused(
    address: str, links: Links, row: AsteriskServer
) -> None:
    with pytest.raises(InvalidStatus) as refused:
        await dial(address.replace("pbx1", "pbx2"))
    assert refused.value.response.status_code == 403
    links.configure(
        {row.pk: server("http://127.0.0.1:9", id=row.pk, username="pbx1", password="s3cret")}
    )
    with pytest.raises(InvalidStatus) as refused:
        await dial(address)
    assert refused.value.response.status_code == 403


async def test_a_server_that_cannot_answer_401_refuses_all_the_same(
    application: Any, configured: Any
) -> None:
    communicator = WebsocketCommunicator(application, "/asterisk/pbx1/")
    assert await communicator.connect() == (False, 1000)


async def test_a_refusal_is_said_once_and_shown_to_operators(
    address: str,
    row: AsteriskServer,
    ended: asyncio.Queue[None],
    caplog: pytest.LogCaptureFixture,
) -> None:
    for _ in range(3):
        with pytest.raises(InvalidStatus):
            await dial(address, "pbx1:wrong")
        await ended.get()
    lines = [record.message for record in caplog.records if record.levelno >= logging.WARNING]
    assert lines == ["Asterisk pbx1 was refused: wrong user name or password"]
    await eventually(
        LinkLease.objects.filter(
            server=row, last_error="refused: wrong user name or password"
        ).aexists
    )


async def test_events_that_waited_for_the_connection_come_in(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, address: str
) -> None:
    outbound = await asterisk.dial_out(
        address, "pbx1", "s3cret", ["broadcast"], reconnect_interval=0.01
    )
    first = await broker.ups.get()
    await outbound.connected()
    outbound.drop()
    assert await broker.downs.get() is first
    await asterisk.call("broker")
    second = await broker.ups.get()
    await broker.event_of_type("StasisStart")
    assert second is not first


async def test_a_newer_connection_replaces_the_older_one(
    address: str, broker: AttentiveBroker
) -> None:
    async with dial(address) as older:
        first = await broker.ups.get()
        waiting = first.request("GET", "applications")
        async with dial(address) as newer:
            second = await broker.ups.get()
            await older.wait_closed()
            with pytest.raises(LinkDown):
                await waiting
            assert broker.links == {second.server.id: second}
            await newer.send('{"type":"StasisStart","application":"broadcast"}')
            await broker.event_of_type("StasisStart")


async def test_what_an_older_connection_served_is_let_go_of_before_the_newer_one_is_a_link(
    address: str, links: Links, broker: AttentiveBroker, row: AsteriskServer
) -> None:
    """Its candidates do not count as lost then, as without a link it is the link that is."""
    served: list[bool] = []
    async with dial(address):
        await broker.ups.get()
        links.on_change.append(lambda: served.append(row.pk in broker.links))
        async with dial(address):
            await broker.ups.get()
            assert served == [False, True]


async def test_candidates_share_the_socket_of_an_asterisk_that_can_only_dial(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, address: str
) -> None:
    await asterisk.dial_out(address, "pbx1", "s3cret", ["broadcast", "ivr-main"])
    link = await broker.ups.get()
    candidate = Candidate()
    broker.candidates.join(link.server.id, "ivr-main", candidate)
    channel = await asterisk.call("broker")
    await broker.event_of_type("StasisStart")
    await link.request("POST", f"channels/{channel.id}/move", {"app": "ivr-main"})
    assert '"type":"StasisStart"' in await candidate.texts.get()
    await asyncio.sleep(0)  # The broker is told in its turn after the candidate.
    assert broker.winners == [(link.server.id, "ivr-main", channel.id)]
    assert link.applications == {"broadcast", "ivr-main"}


async def test_candidates_events_arrive_unchanged(address: str, broker: AttentiveBroker) -> None:
    odd = '{"application": "ivr-main",  "type":"Odd", "price":1.10, "text":"\\u00e9"}'
    async with dial(address) as connection:
        link = await broker.ups.get()
        candidate = Candidate()
        broker.candidates.join(link.server.id, "ivr-main", candidate)
        await connection.send('{"type":"Other","application":"nobody"}')
        await connection.send(odd)
        assert await candidate.texts.get() == odd
    assert broker.events.empty()


async def test_candidates_of_a_server_with_an_address_have_their_own_sockets(
    address: str, links: Links, broker: AttentiveBroker, row: AsteriskServer
) -> None:
    with_address = server(
        "http://127.0.0.1:9", id=row.pk, username="pbx1", password="s3cret", outbound=True
    )
    links.configure({row.pk: with_address})
    async with dial(address) as connection:
        await broker.ups.get()
        candidate = Candidate()
        broker.candidates.join(row.pk, "ivr-main", candidate)
        await connection.send('{"type":"StasisStart","application":"ivr-main"}')
        await connection.send('{"type":"StasisEnd","application":"broadcast"}')
        await broker.event_of_type("StasisEnd")
    assert candidate.texts.empty()
    assert not broker.winners


async def test_a_candidates_request_is_answered_under_its_own_transaction(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, address: str
) -> None:
    await asterisk.dial_out(address, "pbx1", "s3cret", ["broadcast", "ivr-main", "ivr-two"])
    link = await broker.ups.get()
    one, two = Candidate(), Candidate()
    for candidate in (one, two):
        request = {"type": "RESTRequest", "transaction_id": "1", "request_id": "r", "method": "GET"}
        link.forward({**request, "uri": "asterisk/info"}, candidate.send)
        answer = await candidate.texts.get()
        assert '"transaction_id":"1"' in answer
        assert '"request_id":"r"' in answer
        assert '"status_code":200' in answer


async def test_nonsense_is_logged_and_survived(
    address: str, broker: AttentiveBroker, caplog: pytest.LogCaptureFixture
) -> None:
    async with dial(address) as connection:
        await broker.ups.get()
        for nonsense in ("{broken", b"\xff\x00", "[]", '{"type":7}', "", b""):
            await connection.send(nonsense)
        await connection.send('{"type":"StasisEnd","application":"broadcast"}')
        await broker.event_of_type("StasisEnd")
    complaints = [record for record in caplog.records if "sent something else" in record.message]
    assert len(complaints) == 6


async def test_an_asterisk_that_does_not_name_our_application_is_told_of(
    address: str,
    row: AsteriskServer,
    asterisk: SimulatedAsterisk,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(supervisor, "REGISTER_SECONDS", 0)
    await asterisk.dial_out(address, "pbx1", "s3cret", ["something-else"])
    lease = LinkLease.objects.filter(server=row, asterisk_version="23.9.0-sim")
    await eventually(lease.filter(last_error__contains="do not name broadcast").aexists)


async def test_an_asterisk_that_answers_nothing_is_told_of(
    address: str, row: AsteriskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "ANSWER_SECONDS", 0.01)
    async with dial(address):
        lease = LinkLease.objects.filter(server=row)
        await eventually(lease.filter(last_error__contains="answers nothing").aexists)


async def test_a_link_takes_the_lease_and_tells_how_it_is(
    address: str, row: AsteriskServer, asterisk: SimulatedAsterisk, broker: AttentiveBroker
) -> None:
    outbound = await asterisk.dial_out(address, "pbx1", "s3cret", ["broadcast"])
    leases = LinkLease.objects.filter(server=row)
    up = leases.filter(rest_over_socket=True, connected_since__isnull=False)
    await eventually(up.exclude(holder=None).aexists)
    await outbound.close()
    await eventually(leases.filter(holder=None, connected_since=None).aexists)


async def test_a_server_that_is_switched_off_is_hung_up_on(
    address: str, links: Links, broker: AttentiveBroker
) -> None:
    async with dial(address) as connection:
        link = await broker.ups.get()
        links.configure({})
        await connection.wait_closed()
        assert await broker.downs.get() is link
    with pytest.raises(InvalidStatus):
        await dial(address)


async def test_the_calls_of_a_server_that_has_gone_to_another_process_are_forgotten(
    address: str, broker: AttentiveBroker, row: AsteriskServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "RENEW_SECONDS", 0.02)
    async with dial(address):
        await broker.ups.get()
    await broker.downs.get()
    await eventually(LinkLease.objects.filter(server=row, holder=None).aexists)
    await asyncio.sleep(0.1)
    assert broker.forgotten == [], "it may come back"
    other = Leases(uuid4())
    await other.take(row.pk)
    await eventually(sync_to_async(lambda: row.pk in broker.forgotten))
    await other.close()

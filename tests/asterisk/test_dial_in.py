import asyncio
import base64
import hashlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from websockets.asyncio.server import ServerConnection, serve

from broadcasts.asterisk import ari_socket, dial_in, rest
from broadcasts.asterisk.dial_in import Dialer, DialInLink
from broadcasts.asterisk.link import LinkState
from broadcasts.broker import LinkDown, Server
from broadcasts.simulator import SimulatedAsterisk
from tests.links import server

from .cast import AttentiveBroker

Handler = Callable[[Any], Awaitable[None]]


class Reports:
    """What a dialer reports of its link, to be awaited."""

    def __init__(self) -> None:
        self._states: asyncio.Queue[LinkState] = asyncio.Queue()

    def __call__(self, server: Server, state: LinkState) -> None:
        self._states.put_nowait(state)

    async def trouble(self) -> str:
        """Return the next trouble that is reported."""
        while not (state := await self._states.get()).last_error:
            pass
        return state.last_error

    async def connection(self) -> LinkState:
        """Return the state of the next connection."""
        while not (state := await self._states.get()).connected_since:
            pass
        return state


@pytest.fixture
def reports() -> Reports:
    return Reports()


@asynccontextmanager
async def dialling(to: Server, broker: Any, reports: Reports) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(Dialer(to, broker, reports).run())
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def listening(handler: Handler) -> AsyncIterator[str]:
    """A WebSocket server that is no Asterisk; yields its address."""
    async with serve(handler, "127.0.0.1", 0) as listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def listening_raw(
    handler: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    listener = await asyncio.start_server(handler, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"
    finally:
        listener.close()


async def test_a_call_arrives_as_an_event(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(asterisk.url), broker, reports):
        await broker.ups.get()
        channel = await asterisk.call("broker", caller_number="+15550100")
        event = await broker.event_of_type("StasisStart")
    assert event["channel"]["id"] == channel.id
    assert event["args"] == ["5000"]


async def test_requests_are_answered_over_the_socket(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(asterisk.url), broker, reports):
        link = await broker.ups.get()
        state = await reports.connection()
        found = await link.request("GET", "applications/broadcast")
        missing = await link.request("POST", "channels/none/continue")
    assert state.rest_over_socket is True
    assert state.asterisk_version == "23.9.0-sim"
    assert (found.status, missing.status) == (200, 404)
    assert missing.body == '{"message":"Channel not found"}'


async def test_an_asterisk_without_rest_over_its_socket_is_asked_over_http(
    broker: AttentiveBroker, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dial_in, "PROBE_SECONDS", 0.05)
    async with (
        SimulatedAsterisk(rest_over_websocket=False, version="18.26.4") as old,
        dialling(server(old.url), broker, reports),
    ):
        link = await broker.ups.get()
        state = await reports.connection()
        channel = await old.call("broker")
        await broker.event_of_type("StasisStart")
        variable = {"variable": "STATUS", "value": "TIMEOUT, 100% é"}
        answers = [
            link.request("POST", f"channels/{channel.id}/variable", variable),
            link.request("GET", f"channels/{channel.id}/variable", {"variable": "STATUS"}),
            link.request("POST", f"channels/{channel.id}/continue"),
            link.request("POST", f"channels/{channel.id}/variable", variable),
        ]
        answers = [await answer for answer in answers]
    assert (state.rest_over_socket, state.asterisk_version) == (False, "18.26.4")
    assert [answer.status for answer in answers] == [204, 200, 204, 404]
    assert answers[1].body == '{"value":"TIMEOUT, 100% é"}'


async def test_a_request_that_is_lost_over_http_makes_the_link_anew(
    broker: AttentiveBroker, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So that recovery finds out whether it was carried out: the socket alone would stay up."""
    monkeypatch.setattr(dial_in, "PROBE_SECONDS", 0.05)
    monkeypatch.setattr(rest, "TIMEOUT", (5.0, 0.2))
    async with (
        SimulatedAsterisk(rest_over_websocket=False) as old,
        dialling(server(old.url), broker, reports),
    ):
        first = await broker.ups.get()
        old.rest_delay = 60
        with pytest.raises(LinkDown):
            await first.request("POST", "channels/1.1/continue")
        old.rest_delay = 0
        assert await broker.downs.get() is first
        assert await broker.ups.get() is not first
        assert await reports.trouble() == "POST channels/1.1/continue: ReadTimeout"


async def test_events_of_the_first_moment_come_after_the_link_is_up(
    broker: AttentiveBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def eager(socket: ServerConnection) -> None:
        await socket.send('{"type":"StasisStart","application":"broadcast"}')
        await socket.recv()
        assert broker.events.empty()
        await socket.send(
            '{"type":"RESTResponse","transaction_id":"1","status_code":200,"message_body":"{}"}'
        )
        await socket.wait_closed()

    async with listening(eager) as url:
        link = DialInLink(server(url), broker)
        await link.open()
        assert broker.ups.get_nowait() is link
        assert broker.events.get_nowait()["type"] == "StasisStart"
        link.close()


async def test_events_of_other_applications_are_not_ours(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(asterisk.url), broker, reports):
        await broker.ups.get()
        asterisk.send_raw("broadcast", '{"type":"StasisStart","application":"another"}')
        asterisk.send_raw("broadcast", '{"type":"StasisEnd","application":"broadcast"}')
        assert (await broker.events.get())["type"] == "StasisEnd"


async def test_nonsense_is_logged_and_survived(
    asterisk: SimulatedAsterisk,
    broker: AttentiveBroker,
    reports: Reports,
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with dialling(server(asterisk.url), broker, reports):
        link = await broker.ups.get()
        for nonsense in ("{broken", b"\xff\x00\xfe", "[]", "null", '{"type":7}', "\ufeff", "{}"):
            asterisk.send_raw("broadcast", nonsense)
        asterisk.send_raw("broadcast", '{"type":"RESTResponse","transaction_id":["x"]}')
        answer = await link.request("GET", "applications/broadcast")
    assert answer.status == 200
    complaints = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert len(complaints) == 8
    assert not any(record.exc_info for record in complaints)


async def test_an_event_that_fails_costs_itself_only(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    take_note = broker.event

    def touchy(link: Any, event: dict[str, Any]) -> None:
        if event["type"] == "Bad":
            raise KeyError("channel")
        take_note(link, event)

    broker.event = touchy  # type: ignore[method-assign]
    async with dialling(server(asterisk.url), broker, reports):
        await broker.ups.get()
        asterisk.send_raw("broadcast", '{"type":"Bad","application":"broadcast"}')
        asterisk.send_raw("broadcast", '{"type":"Good","application":"broadcast"}')
        assert (await broker.events.get())["type"] == "Good"


async def test_a_lost_link_is_made_again_and_fails_what_waits(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(asterisk.url), broker, reports):
        first = await broker.ups.get()
        asterisk.rest_delay = 60
        waiting = first.request("GET", "applications")
        asterisk.drop_socket("broadcast")
        with pytest.raises(LinkDown):
            await waiting
        assert await broker.downs.get() is first
        asterisk.rest_delay = 0
        second = await broker.ups.get()
        assert second is not first
        assert (await second.request("GET", "applications")).status == 200
        with pytest.raises(LinkDown):
            await first.request("GET", "applications")


async def test_it_keeps_trying_until_asterisk_is_there_and_says_once_what_is_wrong(
    asterisk: SimulatedAsterisk,
    broker: AttentiveBroker,
    reports: Reports,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tries: asyncio.Queue[None] = asyncio.Queue()

    class CountedLink(DialInLink):
        async def open(self) -> None:
            tries.put_nowait(None)
            await super().open()

    monkeypatch.setattr(dial_in, "DialInLink", CountedLink)
    monkeypatch.setattr(dial_in, "backoff", lambda: iter([0.0] * 1000))
    await asterisk.refuse_connections()
    with caplog.at_level(logging.INFO):
        async with dialling(server(asterisk.url), broker, reports):
            for _ in range(5):
                await tries.get()
            await asterisk.accept_connections()
            await broker.ups.get()
    lines = [record.message for record in caplog.records if "broadcasts" in record.name]
    assert lines == [
        "Asterisk pbx1: connection refused: is Asterisk running, and http.conf enabled "
        "at this address?",
        "Asterisk pbx1: connected (version 23.9.0-sim, REST over the socket)",
    ]


async def test_wrong_credentials_are_named_and_never_shown(
    asterisk: SimulatedAsterisk,
    broker: AttentiveBroker,
    reports: Reports,
    caplog: pytest.LogCaptureFixture,
) -> None:
    wrong = server(asterisk.url, password="s3cret")
    with caplog.at_level(logging.DEBUG):
        async with dialling(wrong, broker, reports):
            trouble = await reports.trouble()
    assert trouble == "HTTP 401: wrong user name or password (ari.conf)"
    assert "s3cret" not in caplog.text + repr(wrong)


async def test_an_address_without_ari_is_named(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(f"{asterisk.url}/prefix"), broker, reports):
        assert (await reports.trouble()).startswith("HTTP 404: no ARI at this address")


async def test_an_unknown_host_is_named(broker: AttentiveBroker, reports: Reports) -> None:
    async with dialling(server("http://asterisk.invalid:8088"), broker, reports):
        assert await reports.trouble() == "its host name is not known"


async def test_a_server_that_does_not_speak_tls_is_named(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(asterisk.url.replace("http", "https")), broker, reports):
        assert (await reports.trouble()).startswith("TLS: ")


async def test_a_handshake_without_an_answer_is_given_up(
    broker: AttentiveBroker, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def mute(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    monkeypatch.setattr(ari_socket, "CONNECT_SECONDS", 0.05)
    async with listening_raw(mute) as url, dialling(server(url), broker, reports):
        assert await reports.trouble() == "no answer in time"


async def test_a_peer_that_has_fallen_silent_is_given_up(
    broker: AttentiveBroker, reports: Reports, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def accept_then_fall_silent(
        reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        request = (await reader.readuntil(b"\r\n\r\n")).decode()
        key = request.partition("Sec-WebSocket-Key: ")[2].partition("\r\n")[0]
        digest = hashlib.sha1(f"{key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11".encode()).digest()
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Accept: " + base64.b64encode(digest) + b"\r\n\r\n"
        )
        await reader.read()
        writer.close()

    monkeypatch.setattr(ari_socket, "SILENCE_SECONDS", 0.05)
    async with (
        listening_raw(accept_then_fall_silent) as url,
        dialling(server(url), broker, reports),
    ):
        # The request that finds out about REST fails with the connection it was sent on.
        assert await reports.trouble() == "the connection was lost before the answer"


async def test_pings_are_answered(broker: AttentiveBroker, reports: Reports) -> None:
    answered: asyncio.Queue[str] = asyncio.Queue()

    async def pinging(socket: ServerConnection) -> None:
        await (await socket.ping(b"alive?"))
        answered.put_nowait("yes")
        await socket.wait_closed()

    async with listening(pinging) as url, dialling(server(url), broker, reports):
        assert await answered.get() == "yes"


async def test_a_quiet_link_asks_with_pings_and_stays(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ari_socket, "SILENCE_SECONDS", 0.02)
    link = DialInLink(server(asterisk.url), broker)
    await link.open()
    lost = asyncio.create_task(link.until_lost())
    await asyncio.wait([lost], timeout=0.2)
    assert not lost.done()
    assert [socket.unsolicited_pongs for socket in asterisk.sockets] == [0]
    link.close()
    await lost


async def test_a_link_that_another_connection_replaces_does_not_fight(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(asterisk.url), broker, reports) as task:
        first = await broker.ups.get()
        other = DialInLink(server(asterisk.url, id=2), broker)
        await other.open()
        await task
        assert await broker.downs.get() is first
        assert await reports.trouble() == "another connection took broadcast over"
        assert (await other.request("GET", "applications")).status == 200
        other.close()


async def test_a_flood_arrives_in_order_and_whole(
    asterisk: SimulatedAsterisk, broker: AttentiveBroker, reports: Reports
) -> None:
    async with dialling(server(asterisk.url), broker, reports):
        await broker.ups.get()
        for number in range(5000):
            asterisk.send_raw(
                "broadcast", f'{{"type":"Numbered","application":"broadcast","n":{number}}}'
            )
        numbers = [(await broker.event_of_type("Numbered"))["n"] for _ in range(5000)]
    assert numbers == list(range(5000))

"""Trying a connection: whether it would do, and if not, exactly what is wrong."""

import asyncio
import socket

import pytest

from broadcasts.asterisk.probe import APPLICATION, probe
from broadcasts.simulator import SimulatedAsterisk
from tests.links import server

from .test_dial_in import Reports, dialling


async def test_what_would_do_tells_its_version(asterisk):
    assert await probe(server(asterisk.url)) == ("", "23.9.0-sim", True)


async def test_an_older_asterisk_is_asked_over_http():
    async with SimulatedAsterisk(rest_over_websocket=False, version="18.10.0") as older:
        assert await probe(server(older.url)) == ("", "18.10.0", False)


async def test_the_link_that_the_service_holds_is_left_alone(asterisk, broker):
    async with dialling(server(asterisk.url), broker, Reports()) as dialler:
        link = await broker.ups.get()
        assert not (await probe(server(asterisk.url))).trouble
        answer = await link.request("GET", "applications/broadcast")
        assert answer.status == 200
        assert not link.replaced
        assert not dialler.done()
    assert link.server.application != APPLICATION


@pytest.mark.parametrize(
    ("differing", "trouble"),
    [
        ({"password": "wrong"}, "HTTP 401: wrong user name or password"),
        ({"username": "reader", "password": "reader"}, "its user is read-only"),
    ],
)
async def test_credentials_that_would_not_do_are_named(differing, trouble):
    async with SimulatedAsterisk(read_only_users={"reader": "reader"}) as asterisk:
        assert trouble in (await probe(server(asterisk.url, **differing))).trouble


async def test_an_address_without_ari_is_named(asterisk):
    finding = await probe(server(f"{asterisk.url}/nowhere"))
    assert finding.trouble.startswith("HTTP 404: no ARI at this address")


async def test_a_closed_port_is_named():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert (await probe(server(f"http://127.0.0.1:{port}"))).trouble.startswith(
        "connection refused"
    )


async def test_nobody_waits_for_a_server_that_says_nothing(monkeypatch):
    monkeypatch.setattr("broadcasts.asterisk.probe.TOTAL_SECONDS", 0.05)

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as mute:
        port = mute.sockets[0].getsockname()[1]
        assert await probe(server(f"http://127.0.0.1:{port}")) == ("no answer in time", "", False)

"""Asterisk servers in the admin: the state of a link, what to copy, trying a connection."""

from datetime import timedelta

import pytest
from asgiref.sync import sync_to_async
from django.db import connection
from django.test import AsyncClient
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from broadcasts.admin.snippets import snippets
from broadcasts.models import AsteriskServer
from broadcasts.simulator import SimulatedAsterisk
from tests.admin.cast import person, visitor
from tests.builders import make_broadcast, make_lease, make_server

pytestmark = pytest.mark.django_db


def page_of(server: AsteriskServer) -> str:
    address = reverse("admin:broadcasts_asteriskserver_change", args=[server.pk])
    return visitor("admin").get(address).content.decode()


def test_a_link_that_is_up_is_described():
    server = make_server()
    make_lease(server, asterisk_version="22.5.0", rest_over_socket=True)
    make_broadcast(server=server)
    page = page_of(server)
    for words in ("connected", "22.5.0", "over the socket", "<dd>1</dd>"):
        assert words in page


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"connected_since": None, "last_error": "connection refused"}, "connection refused"),
        ({"expires_at": timezone.now() - timedelta(minutes=1)}, "not connected"),
    ],
)
def test_a_link_that_is_down_says_why(columns, words):
    server = make_server()
    make_lease(server, **columns)
    page = page_of(server)
    assert "not connected" in page
    assert words in page


def test_the_list_asks_as_often_however_many_servers_there_are():
    client, address = visitor("admin"), reverse("admin:broadcasts_asteriskserver_changelist")
    make_lease(make_server("first"))
    client.get(address)
    with CaptureQueriesContext(connection) as few:
        client.get(address)
    for number in range(20):
        make_lease(make_server(f"another-{number}"))
    with CaptureQueriesContext(connection) as many:
        client.get(address)
    assert len(many) == len(few)


def test_a_server_whose_calls_are_on_record_stays():
    server = make_broadcast().server
    address = reverse("admin:broadcasts_asteriskserver_delete", args=[server.pk])
    assert "on record" in visitor("admin").get(address).content.decode()
    visitor("admin").post(address, {"post": "yes"})
    assert AsteriskServer.objects.filter(pk=server.pk).exists()


def texts(server: AsteriskServer, **options: object) -> dict[str, str]:
    options = {"host": "broadcast.example.org", "secure": False, **options}
    return {snippet.file: snippet.text for snippet in snippets(server, **options)}


def test_what_an_asterisk_needs_that_we_dial():
    server = make_server(url="http://10.0.0.5:8089/pbx", application="east", username="a;b")
    files = texts(server)
    assert "bindport=8089\nprefix=pbx\n" in files["http.conf"]
    assert "[a\\;b]\ntype=user\npassword=PUT-THE-PASSWORD-HERE" in files["ari.conf"]
    assert "BROADCAST_APP=east" in files["extensions.conf"]
    assert not [text for text in files.values() if server.password in text]


def test_what_an_asterisk_needs_that_dials_us():
    server = make_server("west", kind="outbound", url="", username="west")
    files = texts(server, secure=True)
    client = files["websocket_client.conf"]
    assert "uri=wss://broadcast.example.org/asterisk/west/" in client
    assert "tls_enabled=yes" in client
    assert "websocket_client_id=west\napps=broadcast,…" in files["ari.conf"]
    assert "BROADCAST_APP" not in files["extensions.conf"]


async def tried(**values: str) -> dict[str, object]:
    """Press the button with a form of these values; return what is told."""
    form = {"kind": "dial_in", "username": "ari"}
    client = AsyncClient()
    await client.aforce_login(await sync_to_async(person)("admin"))
    address = reverse("admin:broadcasts_asteriskserver_test")
    return (await client.post(address, {**form, **values})).json()


@pytest.mark.django_db(transaction=True)
class TestTryingAConnection:
    async def test_what_was_typed_is_tried_and_not_saved(self):
        async with SimulatedAsterisk(version="22.5.0") as asterisk:
            told = await tried(url=asterisk.url, new_password="ari")
        assert told == {"ok": True, "words": "Connected: Asterisk 22.5.0, REST over the socket."}
        assert not await AsteriskServer.objects.aexists()

    async def test_the_stored_password_is_tried_at_its_own_address_alone(self):
        async with SimulatedAsterisk() as asterisk:
            server = await sync_to_async(make_server)(url=asterisk.url, password="ari")
            key = str(server.pk)
            assert (await tried(server=key, url=asterisk.url))["ok"]
            told = await tried(server=key, url=f"{asterisk.url}/elsewhere")
        assert "Type the password again" in told["words"]

    async def test_what_is_wrong_is_said(self):
        async with SimulatedAsterisk() as asterisk:
            told = await tried(url=asterisk.url, new_password="wrong")
        assert told["words"] == "HTTP 401: wrong user name or password (ari.conf)."

    async def test_what_is_missing_is_named(self):
        told = await tried(new_password="ari")
        assert told["words"] == "Address: A server that we connect to needs its address."

    async def test_a_server_that_dials_us_is_only_asked_after(self):
        server = await sync_to_async(make_server)(kind="outbound", url="", password="ari")
        told = await tried(server=str(server.pk), kind="outbound", url="")
        assert "It is not tried yet" in told["words"]
        await sync_to_async(make_lease)(server)
        told = await tried(server=str(server.pk), kind="outbound", url="")
        assert told == {"ok": True, "words": "It has dialled us: Asterisk 22.5.0."}

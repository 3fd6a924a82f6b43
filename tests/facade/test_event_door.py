"""Who may open a candidate's socket; whoever may not is told so in the handshake."""

import json

import pytest

from tests.links import server

NO_APP = "HTTP request is missing param: [app]"


@pytest.fixture
def broker(broker):
    """Without any Asterisk that could be connected to, but with one whose calls are broadcast."""
    broker.servers[1] = server(outbound=True, application="broadcast")
    return broker


async def test_good_credentials_and_a_name_open_a_socket(client):
    candidate = await client.connect("ivr-main")
    assert not candidate.socket.closed


async def test_basic_credentials_open_one_too(client):
    url = f"ws://ivr:secret@{client.address}/ari/events?app=ivr-main"
    assert (await client.session.ws_connect(url)).closed is False


async def test_the_subprotocol_is_selected_only_if_offered(client):
    url = f"ws://{client.address}/ari/events?app=a&api_key=ivr:secret"
    assert (await client.session.ws_connect(url, protocols=["ari"])).protocol == "ari"
    assert (await client.session.ws_connect(url, protocols=["other"])).protocol is None


@pytest.mark.parametrize("api_key", ["ivr:wrong", "nobody:x", "gone:secret", "ivr:", "ivr", ""])
async def test_bad_credentials_are_refused(client, api_key):
    status, body = await client.refused("ivr-main", api_key)
    assert (status, body) == (401, '{"message":"Authentication required"}')


@pytest.mark.parametrize("query", ["", "app=", "application=a", "App=a"])
async def test_a_missing_name_is_refused_as_asterisk_does(client, query):
    assert json.loads((await client.refused_with(query))[1]) == {"message": NO_APP}
    assert (await client.refused_with(query))[0] == 400


@pytest.mark.parametrize("app", ["a,,b", ",", "a,", "%00", "a%0Ab", "a" * 256, "%ff"])
async def test_an_impossible_name_is_refused(client, app):
    status, body = await client.refused_with(f"app={app}")
    assert status == 400
    assert json.loads(body)["message"]


async def test_too_many_names_are_refused(client):
    assert (await client.refused(",".join(map(str, range(101)))))[0] == 400


@pytest.mark.parametrize("app", ["broadcast", "ivr-main,broadcast", " broadcast"])
async def test_the_application_that_calls_are_broadcast_from_is_never_a_candidate(client, app):
    status, body = await client.refused(app)
    assert status == 403
    assert "broadcast" in json.loads(body)["message"]


async def test_credentials_open_sockets_for_the_names_of_their_pattern_only(client):
    await client.connect("ivr-main,ivr-2", "limited:secret")
    for app in ("sales", "ivr-main,sales"):
        status, body = await client.refused(app, "limited:secret")
        assert status == 403
        assert "sales" in json.loads(body)["message"]


async def test_who_may_only_read_may_listen(client):
    assert not (await client.connect("ivr-main", "reader:secret")).socket.closed


@pytest.mark.parametrize("path", ["events/", "events/claim", "channels", ""])
async def test_there_is_no_socket_anywhere_else(client, path):
    status, _ = await client.refused_with("app=a", path)
    assert status == 404


async def test_a_server_that_cannot_refuse_with_a_body_is_told_to_close(facade):
    scope = {
        "type": "websocket",
        "path": "/ari/events",
        "query_string": b"app=a",
        "headers": [],
        "extensions": {},
    }
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await facade(scope, receive, send)
    assert sent == [{"type": "websocket.close"}]


async def test_neither_a_secret_nor_an_error_reaches_the_log(client, caplog):
    caplog.set_level("INFO", logger="uvicorn.error")
    await client.connect("ivr-main", subscribeAll="true")
    await client.refused("ivr-main", "ivr:wrong-secret")
    addresses = [line for line in caplog.messages if "WebSocket /ari/events?app=ivr-main" in line]
    assert len(addresses) == 2
    assert not any("secret" in line for line in addresses)
    assert {record.levelname for record in caplog.records} == {"INFO"}


async def test_a_candidate_whose_rights_change_is_sent_away(client, facade, credentials, users):
    candidate = await client.connect("ivr-main", "limited:secret")
    other = await client.connect("other")
    users[2].applications = "^sales-"
    credentials.load(users)
    facade.sync()
    assert await candidate.closed() == 1008
    assert not other.socket.closed

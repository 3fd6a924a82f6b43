"""REST over a candidate's socket: claims are answered by us, the rest by Asterisk."""

import json
from datetime import datetime

import pytest

from broadcasts.domain.verdict import Verdict

CLAIM = {"method": "POST", "uri": "events/claim?channelId=1.2&application=ivr-main"}
TAKEN = '{"message":"Channel has already been claimed by another application"}'
IDS = {"transaction_id": "t1", "request_id": "r1"}


@pytest.fixture
async def candidate(asterisk, client):
    return await client.connect("ivr-main,ivr-2")


async def test_a_claim_that_wins_is_answered_without_a_body(candidate, broker):
    answer = await candidate.ask(**IDS, **CLAIM)
    datetime.strptime(answer.pop("timestamp"), "%Y-%m-%dT%H:%M:%S.%f%z")
    assert answer == {
        "type": "RESTResponse",
        "transaction_id": "t1",
        "request_id": "r1",
        "status_code": 204,
        "reason_phrase": "No Content",
        "uri": "events/claim",
        "application": "ivr-main",
        "asterisk_id": "",
    }
    assert broker.claims == [("1.2", "ivr-main", "ivr")]


async def test_a_claim_that_loses_is_answered_as_over_http(candidate, broker):
    broker.verdict = Verdict.TAKEN
    answer = await candidate.ask(**IDS, **CLAIM)
    assert list(answer) == [
        "type",
        "transaction_id",
        "request_id",
        "status_code",
        "reason_phrase",
        "uri",
        "content_type",
        "message_body",
        "application",
        "timestamp",
        "asterisk_id",
    ]
    assert (answer["status_code"], answer["reason_phrase"]) == (409, "Conflict")
    assert (answer["content_type"], answer["message_body"]) == ("application/json", TAKEN)


async def test_an_answer_carries_the_id_of_the_asterisk_that_was_heard_of_last(candidate, broker):
    broker.candidates.session(1, "ivr-main").send('{"type":"X","asterisk_id":"02:00"}')
    assert (await candidate.ask(**CLAIM))["asterisk_id"] == "02:00"


@pytest.mark.parametrize(
    "request_",
    [
        {"uri": "events/claim", "query_strings": [
            {"name": "channelId", "value": "1.2"}, {"name": "application", "value": "ivr-main"}]},
        {"uri": "events/claim", "content_type": "application/json",
         "message_body": '{"channelId":"1.2","application":"ivr-main"}'},
        {"uri": "events/claim", "content_type": "application/x-www-form-urlencoded",
         "message_body": "channelId=1%2E2&application=ivr-main"},
        {"uri": "events/claim?channelId=9", "query_strings": [
            {"name": "channelId", "value": "1.2"}, {"name": "application", "value": "ivr-main"}]},
    ],
    ids=["query_strings", "json", "form", "the later wins"],
)  # fmt: skip
async def test_parameters_come_in_every_way_that_asterisk_takes(candidate, broker, request_):
    answer = await candidate.ask(method="POST", **request_)
    assert answer["status_code"] == 204
    assert broker.claims == [("1.2", "ivr-main", "ivr")]


@pytest.mark.parametrize(
    ("request_", "status", "message"),
    [
        ({"method": "POST", "uri": "events/claim"}, 400, "channelId parameter is required"),
        ({"method": "POST", "uri": "events/claim?channelId=1"}, 400,
         "application parameter is required"),
        ({"method": "GET", "uri": "events/claim"}, 405, "Invalid method"),
        ({"method": "POST", "uri": "events/claim?channelId=%ff"}, 400,
         "Error parsing request body"),
        ({"method": "POST", "uri": "events/claim", "query_strings": "x"}, 400,
         "Error parsing request body"),
        ({"method": "POST", "uri": "events/claim", "query_strings": [{"name": "x"}]}, 400,
         "Error parsing request body"),
        ({"method": "POST", "uri": "events/claim", "message_body": "{",
          "content_type": "application/json"}, 400, "Error parsing request body"),
        ({"method": "POST", "uri": ""}, 400, "Empty or missing 'uri' property."),
        ({"method": "POST", "uri": 7}, 400, "Empty or missing 'uri' property."),
        ({"method": "BREW", "uri": "channels"}, 400, "Unknown or missing 'method' property."),
        ({"uri": "channels"}, 400, "Unknown or missing 'method' property."),
    ],
)  # fmt: skip
async def test_a_bad_request_is_answered_in_words(candidate, broker, request_, status, message):
    answer = await candidate.ask(**IDS, **request_)
    assert answer["status_code"] == status
    assert json.loads(answer["message_body"]) == {"message": message}
    assert (answer["transaction_id"], answer["request_id"]) == ("t1", "r1")
    assert broker.claims == []


@pytest.mark.parametrize("garbage", ["", "{", "hello", '{"type":', "\0", "NaN"])
async def test_garbage_is_answered_without_ids(candidate, garbage):
    await candidate.socket.send_str(garbage)
    answer = await candidate.event()
    assert answer["status_code"] == 400
    assert answer["reason_phrase"] == "Failed to parse request message JSON"
    assert (answer["transaction_id"], answer["request_id"], answer["uri"]) == ("", "", "")
    assert "message_body" not in answer


@pytest.mark.parametrize("message", [[], {}, "text", 7, None, {"type": "Other"}, {"type": []}])
async def test_json_that_is_no_request_is_answered_too(candidate, message):
    await candidate.socket.send_json(message)
    answer = await candidate.event()
    assert (answer["type"], answer["status_code"]) == ("RESTResponse", 400)


async def test_a_binary_message_is_ignored(candidate):
    await candidate.socket.send_bytes(b"\0\1\2")
    assert (await candidate.ask(**CLAIM))["status_code"] == 204


async def test_a_message_that_is_too_big_ends_the_socket(candidate):
    await candidate.socket.send_str("x" * ((1 << 20) + 1))
    assert await candidate.closed() == 1009


async def test_any_other_request_is_carried_out_by_asterisk(candidate, asterisk):
    answer = await candidate.ask(**IDS, method="GET", uri="asterisk/info?only=system")
    assert answer["status_code"] == 200
    assert answer["asterisk_id"] == asterisk.pbx.asterisk_id
    assert (answer["transaction_id"], answer["request_id"]) == ("t1", "r1")


async def test_without_an_asterisk_a_request_is_answered_all_the_same(candidate, asterisk, broker):
    await asterisk.refuse_connections()
    await broker.connected(1)
    answer = await candidate.ask(**IDS, method="GET", uri="channels")
    assert (answer["status_code"], answer["transaction_id"]) == (503, "t1")


async def test_who_may_only_read_may_not_write_over_the_socket_either(asterisk, client, broker):
    candidate = await client.connect("ivr-main", "reader:secret")
    for request in (CLAIM, {"method": "POST", "uri": "channels"}):
        answer = await candidate.ask(**request)
        assert answer["status_code"] == 403
        assert json.loads(answer["message_body"]) == {"message": "Write access denied"}
    assert (await candidate.ask(method="GET", uri="channels"))["status_code"] == 200
    assert broker.claims == []

"""POST /ari/events/claim answers byte for byte as Asterisk does."""

import asyncio
import logging
from urllib.parse import urlencode

import pytest
import requests

from broadcasts.domain.verdict import Verdict

CLAIM = "events/claim?channelId=1.2&application=ivr-main"
NOT_FOUND = '{"message":"Channel not found or not in broadcast state"}'
TAKEN = '{"message":"Channel has already been claimed by another application"}'
NO_CHANNEL = '{"message":"channelId parameter is required"}'
NO_APPLICATION = '{"message":"application parameter is required"}'
FORM = "application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("verdict", "status", "body"),
    [
        (Verdict.WON, 204, ""),
        (Verdict.TAKEN, 409, TAKEN),
        (Verdict.NOT_OFFERED, 404, NOT_FOUND),
        (Verdict.NOT_CONNECTED, 404, NOT_FOUND),
        (Verdict.NOT_ALLOWED, 404, NOT_FOUND),
        (Verdict.TIMED_OUT, 404, NOT_FOUND),
        (Verdict.ABANDONED, 404, NOT_FOUND),
        (Verdict.FAILED, 404, NOT_FOUND),
        (Verdict.ENDED, 404, NOT_FOUND),
        (Verdict.UNKNOWN, 404, NOT_FOUND),
        (Verdict.FAULT, 500, '{"message":"Failed to claim channel"}'),
    ],
)
async def test_each_verdict_has_its_answer(client, broker, verdict, status, body):
    broker.verdict = verdict
    answered, text, headers = await client.request("POST", CLAIM)
    assert (answered, text) == (status, body)
    assert headers["Cache-Control"] == "no-cache, no-store"
    assert headers.get("Content-Type") == ("application/json" if body else None)
    assert broker.claims == [("1.2", "ivr-main", "ivr")]


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", NO_CHANNEL),
        ("?channelId=1.2", NO_APPLICATION),
        ("?channelId=1.2&application=", NO_APPLICATION),
        ("?application=ivr-main", NO_CHANNEL),
        ("?channelId=&application=ivr-main", NO_CHANNEL),
        ("?channelid=1.2&Application=ivr-main", NO_CHANNEL),
        ("?channelId", NO_CHANNEL),
        ("?&&=&channelId=1.2", NO_APPLICATION),
    ],
)
async def test_a_missing_parameter_is_named(client, broker, query, body):
    status, text, headers = await client.request("POST", f"events/claim{query}")
    assert (status, text) == (400, body)
    assert headers["Content-Type"] == "application/json"
    assert broker.claims == []


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
async def test_a_wrong_method_is_told_the_right_ones(client, method):
    status, text, headers = await client.request(method, CLAIM)
    assert (status, text) == (405, '{"message":"Invalid method"}')
    assert headers["Allow"] == "OPTIONS,POST"


async def test_options_tells_the_methods(client):
    status, text, headers = await client.request("OPTIONS", CLAIM)
    assert (status, text) == (204, "")
    assert headers["Allow"] == "OPTIONS,POST"


@pytest.mark.parametrize("path", [CLAIM, "events/claim", "channels", "no/such/thing"])
@pytest.mark.parametrize("api_key", ["", "ivr:wrong", "nobody:secret", "gone:secret", "ivr:"])
async def test_who_is_not_signed_in_is_challenged_before_anything_else(client, path, api_key):
    status, text, headers = await client.request("DELETE", path, api_key)
    assert (status, text) == (401, '{"message":"Authentication required"}')
    assert headers["WWW-Authenticate"] == 'Basic realm="Asterisk REST Interface"'
    assert headers["Content-Type"] == "application/json"
    assert headers["Cache-Control"] == "no-cache, no-store"


@pytest.mark.parametrize("path", [CLAIM, "events/claim"])
async def test_who_may_only_read_is_denied_before_parameters_are_looked_at(client, broker, path):
    status, text, _ = await client.request("POST", path, "reader:secret")
    assert (status, text) == (403, '{"message":"Write access denied"}')
    assert broker.claims == []


@pytest.mark.parametrize(("method", "status"), [("PUT", 403), ("GET", 405), ("OPTIONS", 204)])
async def test_a_wrong_method_of_who_may_only_read(client, method, status):
    assert (await client.request(method, CLAIM, "reader:secret"))[0] == status


@pytest.mark.parametrize(
    "options",
    [
        {"data": "channelId=1.2&application=ivr-main", "headers": {"Content-Type": FORM}},
        {"json": {"channelId": "1.2", "application": "ivr-main"}},
        {"query": {"channelId": "1.2"}, "json": {"application": "ivr-main"}},
        {"query": {"channelId": "9.9", "application": "x"}, "json": {
            "channelId": "1.2", "application": "ivr-main"}},
        {"query": {"channelId": "1.2", "application": "ivr-main"}, "data": {"application": "x"}},
        {"query": [("channelId", "9.9"), ("channelId", "1.2"), ("application", "ivr-main")]},
        {"query": {"channelId": "1.2", "application": "ivr-main"}, "data": b"\0 anything"},
    ],
    ids=["form", "json", "mixed", "json wins", "query wins", "last wins", "ignored"],
)  # fmt: skip
async def test_parameters_come_in_every_way_that_asterisk_takes(client, broker, options):
    query = urlencode(options.pop("query", {}))
    status, _, _ = await client.request("POST", f"events/claim?{query}", **options)
    assert status == 204
    assert broker.claims == [("1.2", "ivr-main", "ivr")]


async def test_parameters_are_decoded(client, broker):
    await client.request("POST", "events/claim?channel%49d=a+b%2B&application=ivr%2Dm%C3%BCnchen")
    assert broker.claims == [("a b+", "ivr-münchen", "ivr")]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"query": f"channelId={'1' * 151}&application=a"}, 400),
        ({"query": f"channelId=1&application={'a' * 256}"}, 400),
        ({"query": f"channelId={'1' * 9000}&application=a"}, 414),
        ({"query": "channelId=1%00&application=a"}, 400),
        ({"query": "channelId=1&application=%00"}, 400),
        ({"query": "channelId=%ff%fe&application=a"}, 400),
        ({"data": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"data": b"[1]", "headers": {"Content-Type": "application/json"}}, 400),
        ({"json": {"channelId": 1, "application": {}}}, 400),
        ({"data": b"channelId=%ff", "headers": {"Content-Type": FORM}}, 400),
        ({"data": b"a=" + b"b" * 41000, "headers": {"Content-Type": FORM}}, 413),
    ],
)
async def test_bad_input_is_refused_in_words(client, broker, caplog, options, expected):
    query = options.pop("query", "")
    status, text, headers = await client.request("POST", f"events/claim?{query}", **options)
    assert status == expected
    assert text.startswith('{"message":"')
    assert headers["Content-Type"] == "application/json"
    assert broker.claims == []
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


async def test_a_broken_percent_encoding_is_taken_as_it_stands(client, broker):
    await client.request("POST", "events/claim?channelId=%zz%&application=a")
    assert broker.claims == [("%zz%", "a", "ivr")]


async def test_requests_signs_in_with_user_and_password_in_the_address(client, broker):
    url = f"http://ivr:secret@{client.address}/ari/{CLAIM}"
    response = await asyncio.to_thread(requests.post, url, timeout=10)
    assert response.status_code == 204
    assert broker.claims == [("1.2", "ivr-main", "ivr")]


async def test_an_api_key_signs_in_too(client, broker):
    status, _, _ = await client.request("POST", f"{CLAIM}&api_key=ivr:secret", "")
    assert status == 204


async def test_a_basic_header_counts_before_an_api_key(client):
    status, _, _ = await client.request("POST", f"{CLAIM}&api_key=ivr:secret", "ivr:wrong")
    assert status == 401


async def test_a_header_that_is_no_basic_one_does_not_hide_an_api_key(client):
    for header in ("Bearer abc", "Basic", "Basic !!!", "Basic bm9jb2xvbg=="):
        status, _, _ = await client.request(
            "POST", f"{CLAIM}&api_key=ivr:secret", "", headers={"Authorization": header}
        )
        assert status == 204, header

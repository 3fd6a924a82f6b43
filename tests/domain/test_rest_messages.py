import json

import pytest

from broadcasts.domain.rest_messages import ordering_key, rest_request, system_version


def test_a_request_is_written_as_asterisk_reads_it() -> None:
    text = rest_request("t1", "POST", "channels/17/move", {"app": "ivr", "appArgs": "a,b"})
    assert json.loads(text) == {
        "type": "RESTRequest",
        "transaction_id": "t1",
        "request_id": "t1",
        "method": "POST",
        "uri": "channels/17/move",
        "query_strings": [{"name": "app", "value": "ivr"}, {"name": "appArgs", "value": "a,b"}],
    }


def test_a_body_is_text_with_its_type() -> None:
    message = json.loads(
        rest_request("t1", "POST", "events/user/X", body={"variables": {"a": "é"}})
    )
    assert message["content_type"] == "application/json"
    assert json.loads(message["message_body"]) == {"variables": {"a": "é"}}


@pytest.mark.parametrize(
    ("uri", "query", "key"),
    [
        ("channels/17/continue", None, "17"),
        ("channels/17", None, "17"),
        ("channels/a%20b/move", {"app": "ivr"}, "a%20b"),
        ("applications/broadcast/subscription", {"eventSource": "channel:17"}, "17"),
        ("applications/broadcast/subscription", {"eventSource": "channel:a b"}, "a%20b"),
        ("events/user/CallBroadcast", {"source": "channel:17"}, "17"),
        ("applications/broadcast/subscription", {"eventSource": "bridge:17"}, None),
        ("channels", {"endpoint": "Local/17"}, None),
        ("asterisk/info", {"only": "system"}, None),
    ],
)
def test_what_concerns_one_channel_shares_a_key(
    uri: str, query: dict[str, str] | None, key: str | None
) -> None:
    assert ordering_key(uri, query) == (key or uri)


@pytest.mark.parametrize(
    ("body", "version"),
    [
        ('{"system":{"version":"23.9.0","entity_id":"02:00:00:00:00:01"}}', "23.9.0"),
        ('{"system":{}}', ""),
        ('{"system":{"version":7}}', ""),
        ("[]", ""),
        ("", ""),
        ("<html>", ""),
    ],
)
def test_the_version_is_read_or_unknown(body: str, version: str) -> None:
    assert system_version(body) == version

"""The events that a broadcast sends, against those that a real Asterisk sent."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from broadcasts.domain import messages

RECORDING = Path(__file__).parent.parent / "recordings" / "native_stasis_broadcast.json"


def recorded(kind: str) -> dict:
    """Return the first event of a type in the recording of native StasisBroadcast."""
    entries = json.loads(RECORDING.read_text())
    return next(e["event"] for e in entries if e["kind"] == "ws" and e["event"]["type"] == kind)


def rebuilt(addressed: messages.Addressed, application: str) -> str:
    return addressed.to(json.dumps(application))


def test_an_offer_is_written_as_asterisk_writes_it():
    event = recorded("CallBroadcast")
    at = messages.parse_timestamp(event["timestamp"])
    message = messages.call_broadcast(event["channel"], at, event["asterisk_id"])
    text = rebuilt(message, event["application"])
    assert text == json.dumps(event, separators=(",", ":"))


def test_the_news_of_a_claim_is_written_as_asterisk_writes_it():
    event = recorded("CallClaimed")
    at = messages.parse_timestamp(event["timestamp"])
    message = messages.call_claimed(event["channel"], event["winner_app"], at, event["asterisk_id"])
    assert rebuilt(message, event["application"]) == json.dumps(event, separators=(",", ":"))


def test_a_timestamp_has_milliseconds_and_an_offset_without_a_colon():
    at = datetime(2026, 11, 22, 23, 54, 45, 5_999, tzinfo=UTC)
    assert messages.timestamp(at) == "2026-11-22T23:54:45.005+0000"


def test_a_channel_without_a_caller_or_an_extension_has_empty_ones():
    assert messages.caller_number({}) == ""
    assert messages.called({"dialplan": "nonsense"}) == ""


@pytest.mark.parametrize(
    ("dialplan", "arguments"),
    [
        ({"app_name": "Stasis", "app_data": "broadcast,2000,^ivr-.*,a:b,yes"},
         ["2000", "^ivr-.*", "a:b", "yes"]),
        ({"app_name": "Stasis", "app_data": "broadcast"}, []),
        ({"app_name": "Playback", "app_data": "hello"}, []),
    ],
)  # fmt: skip
def test_the_arguments_of_a_missed_start_are_read_from_the_channel(dialplan, arguments):
    assert messages.stasis_arguments({"dialplan": dialplan}) == arguments

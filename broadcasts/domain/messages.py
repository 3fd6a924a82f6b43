"""The events that a broadcast sends, as Asterisk writes them.

Shapes and order of keys: CallBroadcast and CallClaimed of a real Asterisk 23 with native
StasisBroadcast. Times are aware datetimes.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import orjson

Channel = Mapping[str, Any]


def encode(value: Any) -> str:
    """Return compact JSON text."""
    return orjson.dumps(value).decode()


def timestamp(at: datetime) -> str:
    """Return a time as ARI writes it: milliseconds and an offset without a colon."""
    text = at.isoformat(timespec="milliseconds")
    return text[:-3] + text[-2:]


def parse_timestamp(text: str) -> datetime:
    """Return the datetime of an ARI time stamp; raises ValueError for what is not a time."""
    return datetime.fromisoformat(text)


class Addressed:
    """A message for many applications, encoded once; only `application` differs."""

    __slots__ = ("_head",)

    def __init__(self, body: Mapping[str, Any]) -> None:
        self._head = encode(body)[:-1] + ',"application":'

    def to(self, application_json: str) -> str:
        """Return the text for one application, whose name is given as a JSON string."""
        return f"{self._head}{application_json}}}"


def call_broadcast(channel: Channel, at: datetime, asterisk_id: str) -> Addressed:
    """Return the offer of a call."""
    return Addressed(
        {
            "type": "CallBroadcast",
            "timestamp": timestamp(at),
            "channel": channel,
            "caller": caller_number(channel),
            "called": called(channel),
            "asterisk_id": asterisk_id,
        }
    )


def call_claimed(channel: Channel, winner: str, at: datetime, asterisk_id: str) -> Addressed:
    """Return the news that a call was claimed."""
    return Addressed(
        {
            "type": "CallClaimed",
            "timestamp": timestamp(at),
            "channel": channel,
            "winner_app": winner,
            "asterisk_id": asterisk_id,
        }
    )


def caller_number(channel: Channel) -> str:
    """Return the caller's number, or ""."""
    return _text(channel, "caller", "number")


def caller_name(channel: Channel) -> str:
    """Return the caller's name, or ""."""
    return _text(channel, "caller", "name")


def called(channel: Channel) -> str:
    """Return the extension that was called, or ""."""
    return _text(channel, "dialplan", "exten")


def context(channel: Channel) -> str:
    """Return the dialplan context, or ""."""
    return _text(channel, "dialplan", "context")


def stasis_application(channel: Channel) -> str:
    """Return the application of Stasis(application[,…]) at which the dialplan stands, or ""."""
    if _text(channel, "dialplan", "app_name") != "Stasis":
        return ""
    return _text(channel, "dialplan", "app_data").split(",")[0]


def stasis_arguments(channel: Channel) -> list[str]:
    """Return the arguments of Stasis(application[,…]) from the channel's dialplan location.

    For a channel whose StasisStart was missed: Asterisk keeps the application's data with it.
    """
    if _text(channel, "dialplan", "app_name") != "Stasis":
        return []
    return _text(channel, "dialplan", "app_data").split(",")[1:]


def _text(channel: Channel, section: str, key: str) -> str:
    part = channel.get(section)
    value = part.get(key) if isinstance(part, Mapping) else None
    return value if isinstance(value, str) else ""

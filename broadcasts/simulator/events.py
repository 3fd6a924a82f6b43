"""The shapes of ARI messages, as a real Asterisk 23 sends them.

Every builder returns a message without ``asterisk_id`` and ``application``: those are added for
each application that receives it. Key order follows the recorded messages.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .channel import Channel

Message = dict[str, Any]

# Q.850 causes by number, in Asterisk's words (ARI's ``cause_txt``).
CAUSES = {
    1: "Unallocated (unassigned) number",
    16: "Normal Clearing",
    17: "User busy",
    18: "No user responding",
    19: "User alerting, no answer",
    21: "Call Rejected",
    26: "Answered elsewhere",
    28: "Invalid number format",
    31: "Normal, unspecified",
    34: "Circuit/channel congestion",
    38: "Network out of order",
    58: "Bearer capability not available",
    127: "Interworking, unspecified",
}


def timestamp(when: datetime | None = None) -> str:
    """The time as ARI writes it, to the millisecond: ``2026-11-22T23:54:45.164+0000``."""
    when = when or datetime.now(UTC)
    return f"{when:%Y-%m-%dT%H:%M:%S}.{when.microsecond // 1000:03d}+0000"


def snapshot(channel: Channel) -> Message:
    """ARI's ``Channel`` model."""
    return {
        "id": channel.id,
        "name": channel.name,
        "state": channel.state,
        "protocol_id": "",
        "caller": {"name": channel.caller.name, "number": channel.caller.number},
        "connected": {"name": channel.connected.name, "number": channel.connected.number},
        "accountcode": "",
        "dialplan": {
            "context": channel.context,
            "exten": channel.exten,
            "priority": channel.priority,
            "app_name": channel.app_name,
            "app_data": channel.app_data,
        },
        "creationtime": channel.created,
        "language": "en",
    }


def application_registered() -> Message:
    return {"type": "ApplicationRegistered", "timestamp": timestamp()}


def application_replaced() -> Message:
    return {"type": "ApplicationReplaced", "timestamp": timestamp()}


def stasis_start(channel: Channel, args: list[str]) -> Message:
    return {
        "type": "StasisStart",
        "timestamp": timestamp(),
        "args": args,
        "channel": snapshot(channel),
    }


def stasis_end(channel: Channel) -> Message:
    return _of_channel("StasisEnd", channel)


def call_broadcast(channel: Channel) -> Message:
    """Native StasisBroadcast offers a call."""
    return {
        **_of_channel("CallBroadcast", channel),
        "caller": channel.caller.number,
        "called": channel.exten,
    }


def call_claimed(channel: Channel, winner: str) -> Message:
    return {**_of_channel("CallClaimed", channel), "winner_app": winner}


def channel_created(channel: Channel) -> Message:
    return _of_channel("ChannelCreated", channel)


def channel_state_change(channel: Channel) -> Message:
    return _of_channel("ChannelStateChange", channel)


def _of_channel(kind: str, channel: Channel) -> Message:
    return {"type": kind, "timestamp": timestamp(), "channel": snapshot(channel)}


def channel_varset(channel: Channel, name: str, value: str) -> Message:
    return {"variable": name, "value": value, **_of_channel("ChannelVarset", channel)}


def channel_dialplan(channel: Channel) -> Message:
    return {
        "type": "ChannelDialplan",
        "timestamp": timestamp(),
        "dialplan_app": channel.app_name,
        "dialplan_app_data": channel.app_data,
        "channel": snapshot(channel),
    }


def channel_hangup_request(channel: Channel, cause: int, *, soft: bool) -> Message:
    """`soft` requests come from this Asterisk itself, hard ones from the other end."""
    softness = {"soft": True} if soft else {}
    return {"cause": cause, **softness, **_of_channel("ChannelHangupRequest", channel)}


def channel_destroyed(channel: Channel, cause: int) -> Message:
    return {
        "type": "ChannelDestroyed",
        "timestamp": timestamp(),
        "cause": cause,
        "cause_txt": CAUSES.get(cause, "Unknown"),
        "channel": snapshot(channel),
    }


def channel_userevent(
    name: str, variables: Mapping[str, object], channel: Channel | None = None
) -> Message:
    message: Message = {
        "type": "ChannelUserevent",
        "timestamp": timestamp(),
        "eventname": name,
        "userevent": dict(variables),
    }
    return message if channel is None else {**message, "channel": snapshot(channel)}


def application_move_failed(channel: Channel, destination: str, args: list[str]) -> Message:
    return {
        **_of_channel("ApplicationMoveFailed", channel),
        "destination": destination,
        "args": args,
    }

"""The ``/channels`` part of ARI."""

from __future__ import annotations

import re
from collections.abc import Callable

from . import events
from .answers import NO_CONTENT, Answer, RefusedError, Request, ok
from .channel import Channel, Continue, Move, Party, Step
from .dialplan_applications import variable
from .pbx import Pbx

# What DELETE /channels/{id} takes as `reason`, as Q.850 causes.
REASONS = {
    "normal": 16,
    "busy": 17,
    "congestion": 34,
    "no_answer": 19,
    "timeout": 18,
    "rejected": 21,
    "unallocated": 1,
    "normal_unspecified": 31,
    "number_incomplete": 28,
    "codec_mismatch": 58,
    "interworking": 127,
    "failure": 38,
    "answered_elsewhere": 26,
}


def _channel(pbx: Pbx, request: Request) -> Channel:
    channel = pbx.channels.get(request.path["id"])
    if channel is None:
        raise RefusedError(404, "Channel not found")
    return channel


def _controlled(pbx: Pbx, request: Request) -> Channel:
    channel = _channel(pbx, request)
    if channel.application is None:
        raise RefusedError(409, "Channel not in Stasis application")
    return channel


def list_channels(pbx: Pbx, request: Request) -> Answer:
    return ok([events.snapshot(channel) for channel in pbx.channels.values()])


def get_channel(pbx: Pbx, request: Request) -> Answer:
    return ok(events.snapshot(_channel(pbx, request)))


def originate(pbx: Pbx, request: Request) -> Answer:
    """Local channels only: the rest of the world is not simulated."""
    endpoint = request.value("endpoint")
    if not endpoint:
        raise RefusedError(400, "Endpoint must be specified")
    if "/" not in endpoint:
        raise RefusedError(400, "Invalid endpoint specified")
    destination = _destination(request)
    found = re.fullmatch(r"Local/([^@/]+)@([^/]+)(/n)?", endpoint)
    if found is None:
        raise RefusedError(500, "Allocation failed")
    channel = pbx.originate(found[1], found[2], _caller(request), destination)
    for name, value in request.body.get("variables", {}).items():
        for leg in (channel, channel.peer):
            assert leg is not None, "an originated call has two legs"
            leg.variables[name] = str(value)
    return ok(events.snapshot(channel))


def _destination(request: Request) -> Continue | Step:
    if application := request.value("app"):
        args = request.value("appArgs")
        return Step("Stasis", f"{application},{args}" if args else application)
    if not request.value("extension"):
        raise RefusedError(400, "Application or extension must be specified")
    context, priority = request.value("context", "default"), request.value("priority", "1")
    return Continue(context, request.value("extension"), int(priority))


def _caller(request: Request) -> Party:
    found = re.fullmatch(r'\s*"?(.*?)"?\s*(?:<([^>]*)>)?\s*', request.value("callerId"))
    assert found, "the pattern matches every string"
    return Party(found[1], found[2]) if found[2] is not None else Party("", found[1])


def hang_up(pbx: Pbx, request: Request) -> Answer:
    channel = _channel(pbx, request)
    pbx.hangup(channel, _cause(request.value("reason"), request.value("reason_code")))
    return NO_CONTENT


def _cause(reason: str, reason_code: str) -> int:
    if reason and reason_code:
        raise RefusedError(400, "The reason and reason_code can't both be specified")
    if reason_code:
        found = re.match(r"\s*[+-]?\d+", reason_code)
        if found is None:
            message = "Invalid reason for hangup reason code provided"
            raise RefusedError(400, message, "Invalid Reason Code")
        return int(found[0])
    if reason and reason not in REASONS:
        raise RefusedError(400, "Invalid reason for hangup reason provided", "Invalid Reason")
    return REASONS.get(reason, 16)


def answer(pbx: Pbx, request: Request) -> Answer:
    pbx.answer(_controlled(pbx, request))
    return NO_CONTENT


def accept(pbx: Pbx, request: Request) -> Answer:
    """What would be heard or shown, such as ringing: accepted, with nothing to simulate."""
    _controlled(pbx, request)
    return NO_CONTENT


def continue_in_dialplan(pbx: Pbx, request: Request) -> Answer:
    """204 means queued. With no place given the dialplan goes on at the next priority."""
    channel = _controlled(pbx, request)
    given_context, given_exten = request.value("context"), request.value("extension")
    context = given_context or channel.context
    exten = given_exten or ("s" if given_context else channel.exten)
    priority = 1 if given_context or given_exten else channel.priority + 1
    if request.value("priority"):
        priority = int(request.value("priority"))
    if label := request.value("label"):
        priority = _labelled(pbx, context, exten, label)
    channel.commands.put_nowait(Continue(context, exten, priority))
    return NO_CONTENT


def _labelled(pbx: Pbx, context: str, exten: str, label: str) -> int:
    if label.isdigit():
        if int(label) == 0:
            raise RefusedError(400, "Requested priority is illegal")
        return int(label)
    priority = pbx.dialplan.label(context, exten, label)
    if priority is None:
        raise RefusedError(404, "Requested label can not be found")
    return priority


def move(pbx: Pbx, request: Request) -> Answer:
    """204 means queued. Arguments are cut at commas, without quoting; empty ones are dropped."""
    channel = _controlled(pbx, request)
    args = [arg for arg in request.value("appArgs").split(",") if arg]
    channel.commands.put_nowait(Move(request.value("app"), args))
    return NO_CONTENT


def get_variable(pbx: Pbx, request: Request) -> Answer:
    name = request.value("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    channel = pbx.channels.get(request.path["id"])
    if channel is None:
        raise RefusedError(404, "Provided channel was not found", "Channel Not Found")
    value = variable(pbx, channel, name)
    if value is None and name.endswith(")"):
        raise RefusedError(500, "Unable to read provided function", "Error With Function")
    if value is None:
        raise RefusedError(404, "Provided variable was not found", "Variable Not Found")
    return ok({"value": value})


def set_variable(pbx: Pbx, request: Request) -> Answer:
    name = request.value("variable")
    if not name:
        raise RefusedError(400, "Variable name is required")
    pbx.set_variable(_controlled(pbx, request), name, request.value("value"))
    return NO_CONTENT


Handler = Callable[[Pbx, Request], Answer]
ROUTES: dict[str, dict[str, Handler]] = {
    "channels": {"GET": list_channels, "POST": originate},
    "channels/{id}": {"GET": get_channel, "DELETE": hang_up},
    "channels/{id}/answer": {"POST": answer},
    "channels/{id}/ring": {"POST": accept, "DELETE": accept},
    "channels/{id}/continue": {"POST": continue_in_dialplan},
    "channels/{id}/move": {"POST": move},
    "channels/{id}/variable": {"GET": get_variable, "POST": set_variable},
}

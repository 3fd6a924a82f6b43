"""The dialplan applications and functions that the simulator knows.

An application takes (pbx, channel, data) and returns when the dialplan may go on; it moves the
channel by making it `jump`. `HungUpError` ends the run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from . import events
from .channel import Channel, Frame, HungUpError
from .expressions import split_arguments, substitute, truth
from .stasis import stasis

if TYPE_CHECKING:
    from .pbx import Pbx

DialplanApplication = Callable[["Pbx", Channel, str], Awaitable[None]]


def read(pbx: Pbx, channel: Channel, text: str) -> str:
    """Substitute the variables, functions and expressions in `text`."""
    return substitute(text, lambda name: variable(pbx, channel, name) or "")


def variable(pbx: Pbx, channel: Channel, name: str) -> str | None:
    """What ``${name}`` stands for; None when there is no such variable."""
    if name.endswith(")"):
        function, _, argument = name[:-1].partition("(")
        return _function(pbx, channel, function, split_arguments(argument))
    built_in = {
        "CONTEXT": channel.context,
        "EXTEN": channel.exten,
        "PRIORITY": str(channel.priority),
        "CHANNEL": channel.name,
        "UNIQUEID": channel.id,
    }
    return built_in.get(name, channel.variables.get(name, pbx.dialplan.globals.get(name)))


def _function(pbx: Pbx, channel: Channel, name: str, arguments: list[str]) -> str | None:
    match name, arguments:
        case "CALLERID", ["num" | "number"]:
            return channel.caller.number
        case "CALLERID", ["name"]:
            return channel.caller.name
        case "STACK_PEEK", [level, which, *_] if int(level) <= len(channel.stack):
            frame = channel.stack[-int(level)]
            places = {"c": frame.context, "e": frame.exten, "p": str(frame.priority - 1)}
            return places.get(which)
        case "DIALPLAN_EXISTS", [context, exten, priority]:
            return str(int(pbx.dialplan.step(context, exten, int(priority)) is not None))
    return None


def _go_to(pbx: Pbx, channel: Channel, target: str) -> None:
    """``[[context,]exten,]priority``, where the priority may be a label."""
    *place, priority = split_arguments(target)
    exten = place[-1] if place else channel.exten
    context = place[0] if len(place) == 2 else channel.context
    number = pbx.dialplan.label(context, exten, priority)
    if number is None and priority.isdigit():
        number = int(priority)
    if number is None or pbx.dialplan.step(context, exten, number) is None:
        raise ValueError(f"{channel.name}: no such place in the dialplan: {target}")
    channel.jump(context, exten, number)


async def _no_op(pbx: Pbx, channel: Channel, data: str) -> None:
    pass


async def _set(pbx: Pbx, channel: Channel, data: str) -> None:
    name, _, value = data.partition("=")
    pbx.set_variable(channel, name.strip().lstrip("_"), value)


async def _goto(pbx: Pbx, channel: Channel, data: str) -> None:
    _go_to(pbx, channel, data)


async def _goto_if(pbx: Pbx, channel: Channel, data: str) -> None:
    condition, _, targets = data.partition("?")
    if_true, _, if_false = targets.partition(":")
    target = if_true if truth(condition) else if_false
    if target:
        _go_to(pbx, channel, target)


async def _gosub(pbx: Pbx, channel: Channel, data: str) -> None:
    target, _, rest = data.partition("(")
    given = split_arguments(rest.rpartition(")")[0], unquote=False)
    # Arguments of an outer Gosub that this call does not give are hidden, not inherited.
    outer = len(channel.stack[-1].arguments) - 1 if channel.stack else 0
    padded = given + [""] * (outer - len(given))
    arguments = {f"ARG{number}": value for number, value in enumerate(padded, 1)}
    arguments["ARGC"] = str(len(given))
    frame = Frame(
        channel.context,
        channel.exten,
        channel.priority + 1,
        arguments,
        hidden={name: channel.variables.get(name) for name in arguments},
    )
    _go_to(pbx, channel, target)
    channel.stack.append(frame)
    for name, value in arguments.items():
        pbx.set_variable(channel, name, value)


async def _return(pbx: Pbx, channel: Channel, data: str) -> None:
    if not channel.stack:
        raise ValueError(f"{channel.name}: Return without Gosub")
    frame = channel.stack.pop()
    for name, value in reversed(frame.hidden.items()):
        pbx.set_variable(channel, name, value or "")
        if value is None:
            del channel.variables[name]
    pbx.set_variable(channel, "GOSUB_RETVAL", data)
    channel.jump(frame.context, frame.exten, frame.priority)


async def _user_event(pbx: Pbx, channel: Channel, data: str) -> None:
    name, *fields = split_arguments(data)
    values = {key.strip(): value.strip() for key, _, value in (f.partition(":") for f in fields)}
    message = events.channel_userevent(name, {"eventname": name, **values}, channel)
    pbx.publish(channel, message)


async def _wait(pbx: Pbx, channel: Channel, data: str) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(float(data or 1)):
            await channel.hung_up.wait()
            raise HungUpError


async def _answer(pbx: Pbx, channel: Channel, data: str) -> None:
    pbx.answer(channel)


async def _hangup(pbx: Pbx, channel: Channel, data: str) -> None:
    channel.hangup_cause = channel.hangup_cause or int(data or 16)
    raise HungUpError


async def _stasis(pbx: Pbx, channel: Channel, data: str) -> None:
    await stasis(pbx, channel, split_arguments(data))


APPLICATIONS: dict[str, DialplanApplication] = {
    "noop": _no_op,
    "set": _set,
    "goto": _goto,
    "gotoif": _goto_if,
    "gosub": _gosub,
    "return": _return,
    "userevent": _user_event,
    "wait": _wait,
    "answer": _answer,
    "hangup": _hangup,
    "stasis": _stasis,
}

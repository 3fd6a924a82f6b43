"""``Stasis()``: hand a channel to an application, and take it back."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from . import events
from .applications import Application
from .channel import Channel, Continue, HungUpError, Move

if TYPE_CHECKING:
    from .pbx import Pbx


async def stasis(pbx: Pbx, channel: Channel, arguments: list[str]) -> None:
    """Run the dialplan application; it leaves STASISSTATUS, whatever ARI set meanwhile."""
    pbx.set_variable(channel, "STASISSTATUS", "")
    application = pbx.applications.find(arguments[0]) if arguments else None
    if application is None or not application.active:
        pbx.set_variable(channel, "STASISSTATUS", "FAILED")
        return
    try:
        place = await session(pbx, channel, application, arguments[1:])
    finally:
        pbx.set_variable(channel, "STASISSTATUS", "SUCCESS")
    channel.jump(place.context, place.exten, place.priority)


async def session(
    pbx: Pbx, channel: Channel, application: Application, args: list[str]
) -> Continue:
    """The channel belongs to `application`, and those it moves to, until it is continued.

    Returns where to; raises HungUpError when the call ends instead.
    """
    channel.commands = asyncio.Queue()  # what an earlier session left unread does not count
    _enter(channel, application, args)
    try:
        while isinstance(command := await channel.command(), Move):
            _move(pbx, channel, command)
    except HungUpError:
        _leave(pbx, channel)
        raise
    _leave(pbx, channel)
    channel.goes_to("dialplan")
    return command


def _enter(channel: Channel, application: Application, args: list[str]) -> None:
    application.subscribe(channel)
    channel.application = application
    channel.goes_to(f"stasis:{application.name}")
    application.send(events.stasis_start(channel, args))


def _leave(pbx: Pbx, channel: Channel) -> None:
    application = channel.application
    channel.application = None
    if application is not None:
        _end(pbx, channel, application)


def _end(pbx: Pbx, channel: Channel, application: Application) -> None:
    application.send(events.stasis_end(channel))
    application.unsubscribe(channel.id)
    pbx.applications.forget_if_finished(application)


def _move(pbx: Pbx, channel: Channel, command: Move) -> None:
    before = channel.application
    assert before is not None, "only a channel in Stasis takes commands"
    destination = _reachable(pbx, command.destination)
    if destination is None:
        failed = events.application_move_failed(channel, command.destination, command.args)
        before.send(failed)
    elif pbx.random.random() < 0.5:  # two sockets, two threads: either event may come first
        _end(pbx, channel, before)
        _enter(channel, destination, command.args)
    else:
        _enter(channel, destination, command.args)
        _end(pbx, channel, before)


def _reachable(pbx: Pbx, name: str) -> Application | None:
    application = pbx.applications.find(name)
    if application is None or not application.active or name in pbx.failing_moves:
        return None
    return application

"""The switch: channels that run the dialplan, and the variables and events that belong to them."""

from __future__ import annotations

import asyncio
import itertools
import logging
import random
import time
from contextlib import suppress

from . import events
from .applications import Applications
from .channel import APPUNLOAD, EXPLICIT, Channel, Continue, HungUpError, Party, Step
from .dialplan import Dialplan
from .dialplan_applications import APPLICATIONS, read

log = logging.getLogger(__name__)


class Pbx:
    """Everything of the simulated Asterisk but its sockets.

    Args:
        dialplan: what calls run through.
        asterisk_id: the entity id in every event.
        seed: for what a real Asterisk leaves to chance, such as the order of the two events of a
            move. None: differs from run to run.
    """

    def __init__(self, dialplan: Dialplan, *, asterisk_id: str, seed: int | None = None) -> None:
        self.dialplan = dialplan
        self.asterisk_id = asterisk_id
        self.applications = Applications(asterisk_id)
        self.channels: dict[str, Channel] = {}
        self.random = random.Random(seed)
        # Applications that no channel can be moved to, though they are registered.
        self.failing_moves: set[str] = set()
        self.dialplan_applications = dict(APPLICATIONS)
        self._numbers = itertools.count()
        self._names = itertools.count()
        self._tasks: set[asyncio.Task[None]] = set()

    # Calls

    def call(self, exten: str, *, context: str = "default", caller: Party = Party()) -> Channel:  # noqa: B008
        """An inbound call arrives at this extension and starts to run its dialplan."""
        name = f"PJSIP/simulated-{next(self._names):08x}"
        channel = self._create(name, caller=caller, context=context, exten=exten)
        self.start(channel)
        return channel

    def originate(
        self, exten: str, context: str, caller: Party, destination: Continue | Step
    ) -> Channel:
        """Call ``Local/exten@context``: returns leg ;1, leg ;2 runs the dialplan there.

        Once leg ;2 answers, leg ;1 goes to `destination`.
        """
        name = f"Local/{exten}@{context}-{next(self._names):08x}"
        first = self._create(f"{name};1", caller=Party(), context=context, exten=exten)
        first.state, first.app_name, first.app_data = "Down", "AppDial2", "(Outgoing Line)"
        second = self._create(f"{name};2", caller=caller, context=context, exten=exten)
        second.connected = caller
        first.peer, second.peer = second, first
        first.destination = destination
        self.start(second)
        return first

    def _create(self, name: str, *, caller: Party, context: str, exten: str) -> Channel:
        channel = Channel(
            id=f"{int(time.time())}.{next(self._numbers)}",
            name=name,
            caller=caller,
            context=context,
            exten=exten,
            on_hangup=self.far_end_hangup,
        )
        self.channels[channel.id] = channel
        self.applications.publish(channel, events.channel_created(channel))
        return channel

    def start(self, channel: Channel) -> None:
        task = asyncio.get_running_loop().create_task(self._run(channel), name=channel.name)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def stop(self) -> None:
        """End every call at once, without its dialplan."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # Running the dialplan

    async def _run(self, channel: Channel) -> None:
        try:
            with suppress(HungUpError):
                await self._run_from_start(channel)
            self._hangup_request(channel, APPUNLOAD, soft=True)
            if self.dialplan.step(channel.context, "h", 1):
                channel.jump(channel.context, "h", 1)
                with suppress(HungUpError):
                    await self._run_until_no_step(channel, after_hangup=True)
        except ValueError:
            log.exception("%s: the dialplan cannot go on", channel.name)
        finally:
            self._finish(channel)

    async def _run_from_start(self, channel: Channel) -> None:
        match channel.destination:
            case Step() as step:
                await self._execute(channel, step)
            case Continue(context, exten, priority):
                channel.jump(context, exten, priority)
                await self._run_until_no_step(channel)
            case None:
                await self._run_until_no_step(channel)

    async def _run_until_no_step(self, channel: Channel, *, after_hangup: bool = False) -> None:
        while step := self.dialplan.step(channel.context, channel.exten, channel.priority):
            if channel.hung_up.is_set() and not after_hangup:
                raise HungUpError
            channel.jumped = False
            await self._execute(channel, step)
            if not channel.jumped:
                channel.priority += 1

    async def _execute(self, channel: Channel, step: Step) -> None:
        application = self.dialplan_applications.get(step.app.lower())
        if application is None:
            raise ValueError(f"no dialplan application {step.app}")
        channel.app_name, channel.app_data = step.app, read(self, channel, step.data)
        place = f"{channel.context},{channel.exten},{channel.priority}"
        channel.history.append(f"{place} {step.app}({channel.app_data})")
        self.publish(channel, events.channel_dialplan(channel))
        await application(self, channel, channel.app_data)

    def _finish(self, channel: Channel) -> None:
        channel.app_name = channel.app_data = ""
        channel.hangup_cause = channel.hangup_cause or 16
        channel.hung_up.set()
        self.channels.pop(channel.id, None)
        self.publish(channel, events.channel_destroyed(channel, channel.hangup_cause))
        self.applications.forget_channel(channel)
        channel.goes_to("ended")
        if channel.peer is not None and channel.peer.id in self.channels:
            self.far_end_hangup(channel.peer, channel.hangup_cause)

    # What may happen to a channel

    def publish(self, channel: Channel, message: events.Message) -> None:
        self.applications.publish(channel, message)

    def set_variable(self, channel: Channel, name: str, value: str) -> None:
        channel.variables[name] = value
        self.publish(channel, events.channel_varset(channel, name, value))

    def answer(self, channel: Channel) -> None:
        """The channel is up; the other leg of a Local channel then goes its own way."""
        if channel.state == "Up":
            return
        channel.state = "Up"
        self.publish(channel, events.channel_state_change(channel))
        if channel.peer is not None and channel.peer.state == "Down":
            channel.peer.state = "Up"
            self.publish(channel.peer, events.channel_state_change(channel.peer))
            self.start(channel.peer)

    def hangup(self, channel: Channel, cause: int) -> None:
        """This Asterisk ends the call, as ARI's DELETE does."""
        channel.hangup_cause = cause
        self._hangup_request(channel, EXPLICIT, soft=True)
        self._end(channel)

    def far_end_hangup(self, channel: Channel, cause: int) -> None:
        """The caller, or the other leg, ends the call."""
        if channel.hung_up.is_set():
            return
        channel.hangup_cause = cause
        self._hangup_request(channel, cause, soft=False)
        self._end(channel)

    def _hangup_request(self, channel: Channel, cause: int, *, soft: bool) -> None:
        self.publish(channel, events.channel_hangup_request(channel, cause, soft=soft))

    def _end(self, channel: Channel) -> None:
        channel.hung_up.set()
        channel.commands.put_nowait(None)
        if channel.state == "Down":  # never answered, so no dialplan runs that could end it
            self._finish(channel)

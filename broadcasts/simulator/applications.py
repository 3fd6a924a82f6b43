"""Stasis applications: who is registered, on which socket, and what they are subscribed to."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from typing import Protocol

from . import events
from .channel import Channel
from .events import Message


class Socket(Protocol):
    """Where an application's messages go."""

    def send(self, application: str, message: Message) -> None: ...

    def replaced(self, application: str) -> None: ...


class Application:
    """A registered name. It outlives its socket while it still holds or follows a channel."""

    def __init__(self, name: str, asterisk_id: str) -> None:
        self.name = name
        self.socket: Socket | None = None
        self.subscribe_all = False
        # Entering Stasis and subscribing explicitly each count once.
        self.interest: Counter[str] = Counter()
        self._asterisk_id = asterisk_id

    @property
    def active(self) -> bool:
        return self.socket is not None

    def send(self, message: Message) -> None:
        if self.socket is not None:
            self.socket.send(self.name, {**message, "asterisk_id": self._asterisk_id})

    def follows(self, channel: Channel) -> bool:
        return self.subscribe_all or self.interest[channel.id] > 0

    def subscribe(self, channel: Channel) -> None:
        self.interest[channel.id] += 1

    def unsubscribe(self, channel_id: str) -> bool:
        """Whether there was a subscription to give up."""
        if self.interest[channel_id] <= 0:
            return False
        self.interest[channel_id] -= 1
        self.interest += Counter()  # forget what fell to zero
        return True

    def as_json(self) -> Message:
        """ARI's ``Application`` model."""
        return {
            "name": self.name,
            "channel_ids": list(self.interest),
            "bridge_ids": [],
            "endpoint_ids": [],
            "device_names": [],
            "events_allowed": [],
            "events_disallowed": [],
        }


class Applications:
    """The registry. A later socket for a name takes it over, as in Asterisk."""

    def __init__(self, asterisk_id: str) -> None:
        self._asterisk_id = asterisk_id
        self._by_name: dict[str, Application] = {}
        self._changed = asyncio.Event()

    def __iter__(self) -> Iterator[Application]:
        return iter(list(self._by_name.values()))

    def find(self, name: str) -> Application | None:
        return self._by_name.get(name)

    def register(self, name: str, socket: Socket, *, subscribe_all: bool = False) -> None:
        application = self._by_name.setdefault(name, Application(name, self._asterisk_id))
        previous = application.socket
        if previous is not None:
            application.send(events.application_replaced() | {"application": name})
            previous.replaced(name)
        application.socket = socket
        application.subscribe_all = application.subscribe_all or subscribe_all
        self._tell()

    def unregister(self, socket: Socket) -> None:
        """The socket is gone: its applications are inactive, and leave once they hold nothing."""
        for application in self:
            if application.socket is socket:
                application.socket = None
                application.subscribe_all = False
                self.forget_if_finished(application)
        self._tell()

    def _tell(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    async def becomes(self, name: str, *, active: bool) -> None:
        """Wait until this name has a socket, or has none."""
        while bool((found := self.find(name)) and found.active) != active:
            await self._changed.wait()

    def forget_if_finished(self, application: Application) -> None:
        if not application.active and not application.interest:
            self._by_name.pop(application.name, None)

    def publish(self, channel: Channel, message: Message) -> None:
        """Send to every application that follows this channel."""
        for application in self:
            if application.follows(channel):
                application.send(message)

    def forget_channel(self, channel: Channel) -> None:
        """Nobody follows a destroyed channel."""
        for application in self:
            application.interest.pop(channel.id, None)
            self.forget_if_finished(application)

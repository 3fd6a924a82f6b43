"""One call leg: what ARI shows of it, and the commands that wait for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .events import timestamp

if TYPE_CHECKING:
    from .applications import Application

APPUNLOAD = 16  # the soft hang-up that ends every run of the dialplan
EXPLICIT = 32  # the soft hang-up that DELETE /channels/{id} asks for


class HungUpError(Exception):
    """The channel is gone: the dialplan has nothing left to run."""


@dataclass(frozen=True)
class Party:
    name: str = ""
    number: str = ""


@dataclass(frozen=True)
class Continue:
    """Leave Stasis for the dialplan at this place."""

    context: str
    exten: str
    priority: int


@dataclass(frozen=True)
class Move:
    """Leave this application for another one."""

    destination: str
    args: list[str]


Command = Continue | Move


@dataclass(frozen=True)
class Step:
    """One priority: an application and its data, not yet substituted."""

    app: str
    data: str


@dataclass
class Frame:
    """Where a Gosub returns to, and the arguments it hides."""

    context: str
    exten: str
    priority: int
    arguments: dict[str, str]
    hidden: dict[str, str | None]


@dataclass(eq=False)
class Channel:
    """A simulated channel; the tests and the call generator hold these.

    Attributes:
        id: ARI's channel id, such as ``1795391685.1``.
        name: such as ``PJSIP/simulated-00000001`` or ``Local/100@default-00000000;2``.
        variables: channel variables by name.
        history: the executed steps, such as ``default,gosub,1 NoOp(hello)``.
        places: every value that `where` has had, oldest first.
        hangup_cause: Q.850 cause, None while the call lives.
    """

    id: str
    name: str
    caller: Party = Party()
    connected: Party = Party()
    context: str = "default"
    exten: str = "s"
    priority: int = 1
    state: str = "Ring"
    app_name: str = ""
    app_data: str = ""
    created: str = field(default_factory=timestamp)
    variables: dict[str, str] = field(default_factory=dict)
    history: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=lambda: ["dialplan"])
    stack: list[Frame] = field(default_factory=list)
    application: Application | None = None
    peer: Channel | None = None
    # What leg ;1 of an originated call does once it is answered.
    destination: Continue | Step | None = None
    hangup_cause: int | None = None
    jumped: bool = False
    commands: asyncio.Queue[Command | None] = field(default_factory=asyncio.Queue)
    hung_up: asyncio.Event = field(default_factory=asyncio.Event)
    # What the switch does for a caller who hangs up; set when the call is placed.
    on_hangup: Callable[[Channel, int], None] = lambda channel, cause: None
    _moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def where(self) -> str:
        """``stasis:APP``, ``dialplan`` or ``ended``."""
        return self.places[-1]

    def jump(self, context: str, exten: str, priority: int) -> None:
        """The dialplan goes on at this place, not at the next priority."""
        self.context, self.exten, self.priority = context, exten, priority
        self.jumped = True

    def goes_to(self, place: str) -> None:
        self.places.append(place)
        self._moved.set()
        self._moved = asyncio.Event()

    async def reaches(self, place: str) -> None:
        """Wait until the call is, or has been, at `place` (a value of `where`)."""
        while place not in self.places:
            await self._moved.wait()

    async def ended(self) -> None:
        """Wait until the channel is destroyed."""
        await self.reaches("ended")

    async def hangup(self, cause: int = 16) -> None:
        """The caller hangs up with this Q.850 cause; returns when the channel is destroyed."""
        self.on_hangup(self, cause)
        await self.ended()

    async def command(self) -> Command:
        """The next queued command; raises `HungUpError` when the call ends first."""
        command = None if self.hung_up.is_set() else await self.commands.get()
        if command is None:
            raise HungUpError
        return command

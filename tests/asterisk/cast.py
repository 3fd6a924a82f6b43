"""Who plays in the tests of links: a broker that takes notes, and rows made with defaults."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from broadcasts.broker.candidates import Candidates


class AttentiveBroker:
    """Takes note of what links tell a broker; what is still to come can be awaited."""

    def __init__(self) -> None:
        self.links: dict[int, Any] = {}
        self.candidates = Candidates(lambda *_: None, lambda *_: None)
        self.ups: asyncio.Queue[Any] = asyncio.Queue()
        self.downs: asyncio.Queue[Any] = asyncio.Queue()
        self.events: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.forgotten: list[int] = []
        self.winners: list[tuple[int, str, str]] = []

    def link_up(self, link: Any) -> None:
        self.links[link.server.id] = link
        self.ups.put_nowait(link)

    def link_down(self, link: Any) -> None:
        if self.links.get(link.server.id) is link:
            del self.links[link.server.id]
            self.downs.put_nowait(link)

    def forget_calls(self, server_id: int) -> None:
        self.forgotten.append(server_id)

    def event(self, link: Any, event: dict[str, Any]) -> None:
        self.events.put_nowait(event)

    def winner_started(self, server_id: int, application: str, channel_id: str) -> None:
        self.winners.append((server_id, application, channel_id))

    async def event_of_type(self, kind: str) -> dict[str, Any]:
        """Return the next event of a type."""
        while (event := await self.events.get())["type"] != kind:
            pass
        return event


async def eventually(condition: Callable[[], Awaitable[bool]]) -> None:
    """Wait until something in the database is so; the test's time limit ends a vain wait."""
    while not await condition():  # noqa: ASYNC110 - a database tells nobody of its changes
        await asyncio.sleep(0.01)

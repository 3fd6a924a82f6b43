"""Programs that go on whatever happens to the service, as a candidate's supervisor makes them."""

import asyncio
import contextlib
import json
from collections import Counter

import aiohttp

from .cast import CANDIDATE, Ari, Event

RECONNECT_SECONDS = 0.05


class Worker:
    """Claims every call that it is offered; sends every second one that it gets on, keeps the rest.

    Attributes:
        won: the channels whose claim it saw answered with 204.
        got: how often each channel was handed to it.
    """

    def __init__(self, url: str, app: str) -> None:
        self.app = app
        self.won: Counter[str] = Counter()
        self.got: Counter[str] = Counter()
        self._ari = Ari(url, CANDIDATE)
        self._task = asyncio.create_task(self._run())
        self._works: set[asyncio.Task[None]] = set()

    async def stop(self) -> None:
        """End it, and everything that it is doing."""
        tasks = [self._task, *self._works]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._ari.close()

    async def _run(self) -> None:
        while True:
            try:
                async for message in await self._ari.open(self.app):
                    self._hear(json.loads(message.data))
            except aiohttp.ClientError:
                pass  # not there at the moment
            await asyncio.sleep(RECONNECT_SECONDS)

    def _hear(self, event: Event) -> None:
        works = {"CallBroadcast": self._claim, "StasisStart": self._take}
        if work := works.get(event["type"]):
            task = asyncio.create_task(work(event["channel"]["id"]))
            self._works.add(task)
            task.add_done_callback(self._works.discard)

    async def _claim(self, channel_id: str) -> None:
        try:
            answer = await self._ari.request(
                "POST", "events/claim", channelId=channel_id, application=self.app
            )
        except aiohttp.ClientError:
            return  # whether it was won will show when the call comes, or does not
        assert answer.status in (204, 409, 404, 500), answer
        self.won[channel_id] += answer.status == 204

    async def _take(self, channel_id: str) -> None:
        self.got[channel_id] += 1
        if len(self.got) % 2:
            with contextlib.suppress(aiohttp.ClientError):  # Then it is kept.
                await self._ari.request("POST", f"channels/{channel_id}/continue")

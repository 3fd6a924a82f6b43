"""What waits to be written to one candidate's socket: bounded, so that a slow one is noticed."""

import asyncio
from collections import deque

from .answers import Send

MAX_MESSAGES = 1000
MAX_CHARACTERS = 4 << 20


class Overflow(Exception):
    """More waits than may wait: the other side reads too slowly."""


class Outbox:
    """A queue of text messages with one writer. `put` never blocks."""

    def __init__(
        self, max_messages: int = MAX_MESSAGES, max_characters: int = MAX_CHARACTERS
    ) -> None:
        self._max_messages = max_messages
        self._max_characters = max_characters
        self._texts: deque[str] = deque()
        self._characters = 0
        self._closed = False
        self._wake = asyncio.Event()

    def put(self, text: str) -> None:
        """Queue one message, unless the outbox is closed; raises Overflow."""
        if self._closed:
            return
        self._texts.append(text)
        self._characters += len(text)
        if len(self._texts) > self._max_messages or self._characters > self._max_characters:
            self.close()
            self._texts.clear()
            raise Overflow
        self._wake.set()

    def close(self) -> None:
        """Take nothing more; `write` returns once what waits has been written."""
        self._closed = True
        self._wake.set()

    async def write(self, send: Send) -> None:
        """Write what comes, in order, until closed. Raises OSError when the other side is gone."""
        while not self._closed:
            await self._wake.wait()
            self._wake.clear()
            while self._texts:
                text = self._texts.popleft()
                self._characters -= len(text)
                await send({"type": "websocket.send", "text": text})

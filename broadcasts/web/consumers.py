"""The live board's socket."""

import asyncio
import contextlib
import logging
from importlib import import_module
from types import SimpleNamespace
from typing import Any

import orjson
from channels.auth import get_user
from channels.db import database_sync_to_async
from channels.exceptions import DenyConnection
from channels.generic.websocket import AsyncWebsocketConsumer
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.utils import timezone

from broadcasts import access
from broadcasts.domain.errors import in_a_line
from broadcasts.history.numbers import Show
from broadcasts.web import board

log = logging.getLogger(__name__)

GROUP = "board"

# Between two looks at the record, in seconds: at least, however much happens; and at most, so that
# the page hears from us, forgotten hints are made up for, and old rows leave the window.
LOOK_AT_LEAST_EVERY = 5.0
LOOK_AT_MOST_EVERY = 0.3
# How long a page may take to draw one message before its socket counts as dead.
PATIENCE = 15.0

TRY_AGAIN_LATER = 1013
# The page is loaded again, and says whether to sign in or what right is missing.
MAY_LOOK_NO_LONGER = 4401


class BoardConsumer(AsyncWebsocketConsumer):
    """Sends the board to one page: all of it first, then what changed.

    A hint in the group only says "look again"; what is sent is read from the record. One message
    is on its way at a time: the page confirms what it has drawn, so neither a busy service nor a
    slow phone lets messages pile up.
    """

    groups = [GROUP]

    async def connect(self) -> None:
        if await self._viewers_show() is None:
            raise DenyConnection
        self._hinted = asyncio.Event()
        self._drawn = asyncio.Event()
        self._rows: dict[int, board.Row] = {}
        await self.accept()
        self._pump = asyncio.create_task(self._run())

    async def disconnect(self, code: int) -> None:
        if hasattr(self, "_pump"):
            self._pump.cancel()

    async def board_changed(self, _: dict[str, Any]) -> None:
        """Take the hint that broadcasts have changed."""
        self._hinted.set()

    async def board_state(self, _: dict[str, Any]) -> None:
        """Take the hint that a link or a candidate has come or gone."""
        self._hinted.set()

    async def receive(self, text_data: str | None = None, bytes_data: bytes | None = None) -> None:
        """Take the page's word that it has drawn the last message, whatever the words."""
        self._drawn.set()

    async def _run(self) -> None:
        try:
            while show := await self._viewers_show():
                await self._look(show)
                await asyncio.sleep(LOOK_AT_MOST_EVERY)
                await self._next_hint()
            await self.close(MAY_LOOK_NO_LONGER)
        except TimeoutError:
            await self.close(TRY_AGAIN_LATER)
        except (DatabaseError, InterfaceError) as error:
            log.error("The live board cannot read the record: %s", in_a_line(error))
            await self.close(TRY_AGAIN_LATER)

    async def _look(self, show: Show) -> None:
        self._hinted.clear()
        self._drawn.clear()
        seen = await database_sync_to_async(board.read)(timezone.now(), show)
        rows = {row["id"]: row for row in seen["rows"]}
        seen["rows"] = [row for key, row in rows.items() if self._rows.get(key) != row]
        self._rows = rows
        await self.send(orjson.dumps(seen).decode())
        async with asyncio.timeout(PATIENCE):
            await self._drawn.wait()

    async def _next_hint(self) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOOK_AT_LEAST_EVERY):
                await self._hinted.wait()

    async def _viewers_show(self) -> Show | None:
        """Return how the session that opened the socket is shown numbers, None if it may not look.

        It is read anew each time: its user may have signed out, lost the right or unmasked numbers.
        """
        store = import_module(settings.SESSION_ENGINE).SessionStore
        session = store(self.scope["session"].session_key)
        user = await get_user({"session": session})
        viewer = SimpleNamespace(user=user, session=session)
        return await database_sync_to_async(shown_to)(viewer)


def shown_to(viewer: access.Visitor) -> Show | None:
    """Return how somebody is shown numbers; None if they may not see the board."""
    return access.show_for(viewer) if viewer.user.has_perm(access.MAY_SEE_RECORD) else None

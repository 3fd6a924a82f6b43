"""What every process of the service does for the archive, beside the calls.

Any number of them may: each step holds the end of the chain, and finds what the others have left.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError
from django.utils import timezone

from broadcasts.domain.errors import in_a_line

from .chain import Broken, anchor
from .pseudonyms import Replacement
from .retention import Removal
from .waiting import Unreadable
from .watch import Watch

log = logging.getLogger(__name__)

LOOK_SECONDS = 5.0
# Between two batches of the same work, in which calls are not to wait.
BREATH_SECONDS = 0.1
DAY_SECONDS = 24 * 3600.0
# After the start, and after a failure.
SOON_SECONDS = 60.0
# A failure that passes by itself, such as a row that is just being written, is not told.
FAILURES_TOLD_FROM = 2

SERVICE = "the service"

T = TypeVar("T")


class Work(Protocol):
    """Work that is done batch by batch, each in a transaction of its own."""

    def step(self) -> int:
        """Do the next batch; returns how many seals it was about, 0 once all is done."""

    def finish(self) -> None:
        """Enter what was done among the accesses."""


async def in_thread(do: Callable[[], T]) -> T:
    """Run something of the database beside everything else, not in its turn among the views."""
    return await database_sync_to_async(do, thread_sensitive=False)()


def days_ago(days: int) -> datetime:
    return timezone.now() - timedelta(days=days)


async def seal() -> None:
    """Seal what is finished until cancelled."""
    persistent = Persistent("The record cannot be sealed", "The record is being sealed again.")
    watch = Watch()
    while True:
        more = await persistent(lambda: seal_some(watch))
        await asyncio.sleep(BREATH_SECONDS if more else LOOK_SECONDS)


async def tidy() -> None:
    """Do every day what the settings want of old records, until cancelled."""
    persistent = Persistent("Old records cannot be treated", "Old records are treated again.")
    pause = SOON_SECONDS
    while True:
        await asyncio.sleep(pause)
        await persistent(tidy_up)
        pause = SOON_SECONDS if persistent.is_failing else DAY_SECONDS


class Persistent:
    """Runs something whose failure is told once, whatever it is, and ends nothing."""

    def __init__(self, failed: str, recovered: str) -> None:
        self._failed, self._recovered = failed, recovered
        self._failures = 0

    @property
    def is_failing(self) -> bool:
        return self._failures > 0

    async def __call__(self, do: Callable[[], Awaitable[bool]]) -> bool:
        try:
            result = await do()
        except Exception as error:
            self._failures += 1
            if self._failures == FAILURES_TOLD_FROM:
                is_bug = not isinstance(error, (DatabaseError, Unreadable, Broken))
                log.error("%s: %s", self._failed, in_a_line(error), exc_info=is_bug)
            return False
        if self._failures >= FAILURES_TOLD_FROM:
            log.info(self._recovered)
        self._failures = 0
        return result


async def seal_some(watch: Watch) -> bool:
    """Look once; returns whether there is more to seal."""
    return (await in_thread(watch.look)).more


async def tidy_up() -> bool:
    """Replace and remove what is old enough; returns whether there was anything.

    And tell the log the anchor: nobody can take that back by writing to the database.
    """
    log.info("The record is sealed up to the anchor %s", await in_thread(anchor))
    return any([await carry_out(work) for work in due()])


def due() -> list[Work]:
    """Return the work that the settings want to be done now."""
    kinds = ((Replacement, settings.PSEUDONYMISE_DAYS), (Removal, settings.RETENTION_DAYS))
    return [kind(days_ago(days), SERVICE) for kind, days in kinds if days > 0]


async def carry_out(work: Work) -> bool:
    """Do some work to its end, with room between its batches."""
    done = 0
    try:
        while step := await in_thread(work.step):
            done += step
            await asyncio.sleep(BREATH_SECONDS)
    finally:
        await in_thread(work.finish)
    return done > 0

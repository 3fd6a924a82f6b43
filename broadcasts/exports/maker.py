"""Makes what is due, in a process of its own: it shares no interpreter and no memory with calls."""

import asyncio
import contextlib
import logging
import os
import sys

from channels.db import database_sync_to_async
from django.conf import settings
from django.db import DatabaseError, InterfaceError
from django.db.models import Value
from django.utils import timezone

from broadcasts.models import Export, Schedule

from . import jobs, schedules
from .delivery import deliver

log = logging.getLogger(__name__)

LOOK_SECONDS = 2.0
# After a maker that has failed as a whole.
PAUSE_SECONDS = 15.0
# How much a maker steps back behind everything else.
NICENESS = 10


def make_due() -> None:
    """Do everything that is due, and end."""
    jobs.forget_expired()
    schedules.start_due()
    while export := jobs.take():
        jobs.run(export, deliver)


def is_due() -> bool:
    """Whether there is anything to do; one query, and a small one."""
    now, one = timezone.now(), Value(1)
    exports = Export.objects.filter(jobs.can_be_taken(now)).order_by().values_list(one)
    expired = Export.objects.filter(expires_at__lte=now).order_by().values_list(one)
    due = Schedule.objects.filter(enabled=True, next_at__lte=now).order_by().values_list(one)
    return exports.union(expired, due, all=True)[:1].exists()


class Maker:
    """Looks whether something is due, and starts a process that does it."""

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            with contextlib.suppress(DatabaseError, InterfaceError):
                if await database_sync_to_async(is_due)() and await self.make():
                    await asyncio.sleep(PAUSE_SECONDS)

    async def make(self) -> int:
        """Run a maker to its end, on a leash that ends it with us; return its exit code."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "broadcasts.management.leash", "manage", "make_exports"),
            cwd=settings.BASE_DIR,
            stdin=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        with contextlib.suppress(OSError):
            os.setpriority(os.PRIO_PROCESS, process.pid, NICENESS)
        try:
            code = await process.wait()
        finally:
            assert process.stdin
            process.stdin.close()
        if code:
            log.error("The process that makes exports has failed (exit code %s)", code)
        return code

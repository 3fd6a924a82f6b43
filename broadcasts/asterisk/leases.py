"""Which process may act for a server: leases in the database, seen from one process."""

import asyncio
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now

from broadcasts.broker.database import OUTAGE
from broadcasts.models import LinkLease

from .link import LinkState

# A lease outlives two renewals that fail, and a dead holder is followed within 5 s:
# LIFETIME, one interval until another process looks, and the time to connect.
LIFETIME = timedelta(seconds=3.5)
RENEW_SECONDS = 1.0

FREE = Q(holder=None) | Q(expires_at__lt=Now())


class Leases:
    """Takes, renews and gives up leases for one process.

    Every method may be called on the event loop: the work is done on one thread, in the order of
    the calls. Times are the database's, so the clocks of several hosts need not agree. The futures
    fail with what `OUTAGE` names.
    """

    def __init__(self, process_id: UUID) -> None:
        self._process_id = process_id
        self._ours = Q(holder=process_id)
        self._with_row: set[int] = set()
        self._thread = ThreadPoolExecutor(1, "leases")

    def hold(self, wanted: set[int], accepted: set[int]) -> "asyncio.Future[set[int]]":
        """Renew what is ours; returns the ids of the servers whose leases we hold now.

        Args:
            wanted: servers whose lease is taken, too, when it is free or has expired.
            accepted: servers that dialled us: their leases are never taken back from others.
        """
        return self._do(self._hold, wanted, accepted)

    def held_elsewhere(self, server_ids: Collection[int]) -> "asyncio.Future[set[int]]":
        """Return the ids of those of these servers whose leases other processes hold."""
        return self._do(self._held_elsewhere, server_ids)

    def take(self, server_id: int) -> "asyncio.Future[None]":
        """Take a lease, whoever holds it: the server itself has chosen this process."""
        return self._do(self._take, server_id)

    def release(self, server_ids: Collection[int]) -> "asyncio.Future[None]":
        """Give up leases of ours, so that another process can take them at once."""
        return self._do(self._release, server_ids)

    def report(self, server_id: int, state: LinkState) -> "asyncio.Future[None]":
        """Record how a link of ours, or of nobody's, is doing."""
        return self._do(self._report, server_id, state)

    async def close(self) -> None:
        """Finish what was asked, then end the thread."""
        # Looked up on the thread: connections belong to the one that opened them.
        await self._do(lambda: connection.close())
        self._thread.shutdown()

    def _do(self, function: Callable[..., Any], *arguments: Any) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        return loop.run_in_executor(self._thread, with_connection, function, *arguments)

    def _hold(self, wanted: set[int], accepted: set[int]) -> set[int]:
        self._create_missing(wanted)
        rows = LinkLease.objects
        may_take = Q(server_id__in=wanted) & (self._ours | FREE)
        may_keep = Q(server_id__in=accepted) & self._ours
        rows.filter(may_take | may_keep).update(
            holder=self._process_id, expires_at=Now() + LIFETIME
        )
        return set(rows.filter(self._ours).values_list("server_id", flat=True))

    def _held_elsewhere(self, server_ids: Collection[int]) -> set[int]:
        rows = LinkLease.objects.filter(server_id__in=server_ids).exclude(self._ours | FREE)
        return set(rows.values_list("server_id", flat=True))

    def _create_missing(self, server_ids: set[int]) -> None:
        missing = server_ids - self._with_row
        if missing:
            LinkLease.objects.bulk_create(
                [LinkLease(server_id=server_id, expires_at=Now()) for server_id in missing],
                ignore_conflicts=True,
            )
            self._with_row |= missing

    def _take(self, server_id: int) -> None:
        LinkLease.objects.update_or_create(
            server_id=server_id,
            defaults={"holder": self._process_id, "expires_at": Now() + LIFETIME},
        )

    def _release(self, server_ids: Collection[int]) -> None:
        rows = LinkLease.objects.filter(self._ours, server_id__in=server_ids)
        rows.update(holder=None, connected_since=None)

    def _report(self, server_id: int, state: LinkState) -> None:
        self._create_missing({server_id})
        rows = LinkLease.objects.filter(self._ours | FREE, server_id=server_id)
        fitting = state._replace(
            asterisk_version=state.asterisk_version[:80], last_error=state.last_error[:255]
        )
        rows.update(**fitting._asdict())


def with_connection(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function; a connection that failed is closed, so that the next call has a new one."""
    try:
        return function(*arguments)
    except OUTAGE:
        connection.close()
        raise

"""Sealing: finished records become links of the chain, in the order in which they were finished.

Any number of processes may look; each look is one transaction that holds the end of the chain.
Small ones, as SQLite lets nobody else write meanwhile.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import chain, takewhile

from django.db import connection, transaction
from django.utils import timezone

from broadcasts.models import AccessEvent, Broadcast, ChainHead, ClaimAttempt, Seal
from broadcasts.reports import tallies

from .chain import chained, locked_head
from .records import Finished, Record, Single, with_parts

# By then all that the ledgers know of a finished record has been written.
SETTLED = timedelta(seconds=60)
# Looks that are further apart have been interrupted: the ledgers may owe the record something.
INTERRUPTED = timedelta(seconds=30)
# Keys are given out in the order of writing, which differs from that of events by moments.
OUT_OF_ORDER = timedelta(seconds=30)
TICK = timedelta(microseconds=1)
BATCH = 50


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has sealed, and whether there is more to seal at once."""

    sealed: int = 0
    more: bool = False


def look(now: datetime | None = None, limit: int = BATCH) -> Look:
    """Seal what has been finished for long enough, at most `limit` records of each kind.

    Raises DatabaseError, and has then done nothing; also when a ledger is just writing to a record
    that was to be sealed.
    """
    now = now or timezone.now()
    with transaction.atomic():
        head = locked_head()
        _keep_watch(head, now)
        done = _seal(head, now, limit) if now - head.unbroken_since >= SETTLED else Look()
        head.save()
    return done


def _keep_watch(head: ChainHead, now: datetime) -> None:
    if head.looked_at is None or now - head.looked_at > INTERRUPTED:
        head.unbroken_since = now
    head.looked_at = max(now, head.looked_at or now)


def _seal(head: ChainHead, now: datetime, limit: int) -> Look:
    horizon = now - SETTLED
    records, reached = _ready(head, horizon, limit)
    if records:
        _append(head, records, now)
        tallies.count(one for one in records if isinstance(one, Finished))
    head.horizon = max(reached, head.horizon or reached)
    return Look(len(records), more=reached < horizon)


def _ready(head: ChainHead, horizon: datetime, limit: int) -> tuple[list[Record], datetime]:
    """Return what can be sealed, in order, and until when that is everything."""
    unsealed = Broadcast.objects.filter(seal=None, ended_at__lte=horizon)
    # A row that a ledger is writing to is not waited for, lest it waits for us.
    locked = unsealed.order_by("ended_at", "pk").select_for_update(nowait=True)
    broadcasts = list(locked[:limit])
    attempts = _appended(ClaimAttempt, horizon, limit, broadcast=None, pk__gt=head.attempts)
    accesses = _appended(AccessEvent, horizon, limit, pk__gt=head.accesses)
    times = [
        [row.ended_at for row in broadcasts],
        *([one.finished_at for one in singles] for singles in (attempts, accesses)),
    ]
    # Where there may be more of one kind, the others go no further either.
    reached = min([max(one) for one in times if len(one) == limit], default=None)
    until = reached or horizon
    finished = with_parts(row for row in broadcasts if row.ended_at <= until)
    singles = [
        takewhile(lambda one: one.finished_at <= until, ones) for ones in (attempts, accesses)
    ]
    records = merge(finished, *singles, key=lambda record: record.finished_at)
    return list(records), reached - TICK if reached else horizon


def _appended(
    model: type[ClaimAttempt | AccessEvent], horizon: datetime, limit: int, **after: object
) -> list[Single]:
    """Return what was written next after a key, up to the first that is too young."""
    rows = model.objects.filter(**after).order_by("pk")[:limit]
    return [Single(row) for row in takewhile(lambda row: row.at <= horizon, rows)]


def _append(head: ChainHead, records: Sequence[Record], now: datetime) -> None:
    seals = Seal.objects.bulk_create(_links(head, records, now))
    _mark([(one.subject, one.number) for one in seals if one.kind == Seal.Kind.BROADCAST])


def _mark(numbers: Sequence[tuple[int, int]]) -> None:
    """Note the numbers of their seals with broadcasts, by one statement."""
    if not numbers:
        return
    choice = "CASE id " + "WHEN %s THEN %s " * len(numbers) + "END"
    keys = ", ".join(["%s"] * len(numbers))
    statement = f"UPDATE {Broadcast._meta.db_table} SET seal = {choice} WHERE id IN ({keys})"
    with connection.cursor() as cursor:
        cursor.execute(statement, [*chain(*numbers), *(key for key, _ in numbers)])


def _links(head: ChainHead, records: Sequence[Record], now: datetime) -> Iterator[Seal]:
    """Yield the seals of records, each following the last; `head` is moved along."""
    for record in records:
        link = Seal(
            number=head.number + 1,
            kind=record.kind,
            subject=record.key,
            finished_at=record.finished_at,
            sealed_at=now,
            late=_is_late(record, head.horizon),
            digest=record.digest(),
        )
        head.number, head.chain = link.number, chained(head.chain, link)
        link.chain = head.chain
        if record.kind == Seal.Kind.ATTEMPT:
            head.attempts = record.key
        elif record.kind == Seal.Kind.ACCESS:
            head.accesses = record.key
        yield link


def _is_late(record: Record, horizon: datetime | None) -> bool:
    leeway = timedelta(0) if isinstance(record, Finished) else OUT_OF_ORDER
    return horizon is not None and record.finished_at <= horizon - leeway

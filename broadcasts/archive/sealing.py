"""Sealing: finished records become links of the chain, in the order in which they were finished.

Any number of processes may look; each look is one transaction that holds the end of the chain.
Small ones, as SQLite lets nobody else write meanwhile.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from heapq import merge
from itertools import chain, takewhile
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet

from broadcasts.models import Broadcast, ChainHead, Seal
from broadcasts.reports import tallies

from .chain import chained, clock, locked_head
from .keys import keys_without_gaps
from .records import Finished, Record, Single, with_parts
from .waiting import BATCH, SETTLED, Unreadable, is_of_a_value, unreadable, unsealed

# Looks that are further apart have been interrupted: the ledgers may owe the record something.
INTERRUPTED = timedelta(seconds=30)
# Keys are given out in the order of writing, which differs from that of events by moments.
OUT_OF_ORDER = timedelta(seconds=30)
TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Look:
    """What one look has sealed, and whether there is more to seal at once."""

    sealed: int = 0
    more: bool = False


def look(now: datetime | None = None, limit: int = BATCH) -> Look:
    """Seal what has been finished for long enough, at most `limit` records of each kind.

    Raises DatabaseError, and has then done nothing; also when a ledger is just writing to a record
    that was to be sealed. Raises Unreadable, likewise: to go past such a record would be to let
    whoever altered it keep it out of the chain.
    """
    try:
        return _look(now, limit)
    except Exception as error:
        if is_of_a_value(error):
            for record in unreadable(now, limit):
                raise Unreadable(record) from error
        raise


def _look(now: datetime | None, limit: int) -> Look:
    with transaction.atomic():
        head = locked_head()
        now = now or clock()
        _keep_watch(head, now)
        done = _seal(head, now, limit) if now - head.unbroken_since >= SETTLED else Look()
        head.save()
    return done


def _keep_watch(head: ChainHead, now: datetime) -> None:
    if head.looked_at is None or abs(now - head.looked_at) > INTERRUPTED:
        head.unbroken_since = now
        # A clock that ran ahead has told of a time of which nothing is known yet.
        head.horizon = head.horizon and min(head.horizon, now - SETTLED)
    head.looked_at = now


def _seal(head: ChainHead, now: datetime, limit: int) -> Look:
    horizon = now - SETTLED
    records, reached = _ready(head, now, limit)
    if records:
        _append(head, records, now)
        tallies.count(one for one in records if isinstance(one, Finished))
    head.horizon = max(reached, head.horizon or reached)
    return Look(len(records), more=reached < horizon)


def _ready(head: ChainHead, now: datetime, limit: int) -> tuple[list[Record], datetime]:
    """Return what can be sealed, in order, and until when that is everything."""
    horizon = now - SETTLED
    waiting = unsealed(head)
    attempts, accesses = (
        _appended(waiting[kind].filter(pk__lte=last)[:limit], now)
        for kind, last in keys_without_gaps().items()
    )
    ended = waiting[Seal.Kind.BROADCAST].filter(ended_at__lte=horizon)
    # A row that a ledger is writing to is not waited for, lest it waits for us.
    broadcasts = list(ended.select_for_update(nowait=True)[:limit])

    def due_at(record: Record) -> datetime:
        at = record.finished_at
        return at if at <= horizon else head.horizon or horizon

    times = [
        [row.ended_at for row in broadcasts],
        *([due_at(one) for one in singles] for singles in (attempts, accesses)),
    ]
    # Where there may be more of one kind, the others go no further either.
    reached = min([max(one) for one in times if len(one) == limit], default=None)
    until = reached or horizon
    finished = with_parts(row for row in broadcasts if row.ended_at <= until)
    singles = [takewhile(lambda one: due_at(one) <= until, ones) for ones in (attempts, accesses)]
    return list(merge(finished, *singles, key=due_at)), reached - TICK if reached else horizon


def _appended(rows: "QuerySet[Any]", now: datetime) -> list[Single]:
    """Return what was written next, up to the first that is too young.

    What a clock that was ahead has dated later than now has been written all the same: those behind
    it would wait until then.
    """
    return [
        Single(row) for row in takewhile(lambda row: row.at <= now - SETTLED or row.at > now, rows)
    ]


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

"""Counting broadcasts: the same code whether they are sealed, counted again or not sealed yet."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Protocol

from django.db.models import QuerySet

from broadcasts.domain.histogram import bucket_of
from broadcasts.domain.lifecycle import Status
from broadcasts.models import (
    ApplicationDay,
    ApplicationHour,
    Broadcast,
    Candidate,
    ClaimAttempt,
    ServerDay,
    ServerHour,
)
from broadcasts.models.tallies import Counted

OUTCOMES = tuple(status for status in Status if status is not Status.OPEN)

# What counting needs to know.
OF_BROADCAST = ("pk", "opened_at", "server_id", "status", "winner", "claim_ms")
OF_CANDIDATE = ("broadcast_id", "application", "failed_at")
OF_ATTEMPT = ("broadcast_id", "application", "behind_winner_ms")

# What is counted by the hour, and where it is summed up by the day.
SUMMED_UP = ((ServerHour, ServerDay), (ApplicationHour, ApplicationDay))
TALLIES = tuple(model for pair in SUMMED_UP for model in pair)

QUARTER = timedelta(minutes=15)

# As many broadcasts are read at once as every SQLite takes parameters.
BATCH = 900


class Record(Protocol):
    """A broadcast with its candidates and claim attempts: models, or rows of the columns above."""

    broadcast: Any
    candidates: Iterable[Any]
    attempts: Iterable[Any]


def count(records: Iterable[Record]) -> None:
    """Count broadcasts that are being sealed: a few statements however many they are.

    Must run inside the transaction that seals them, under the chain's lock: so each is counted
    exactly once, and no two processes add to the same row.
    """
    Tally(records).save()


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the hour (UTC)."""
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def day_of(moment: datetime) -> datetime:
    """Return the beginning of the day (UTC)."""
    return hour_of(moment).replace(hour=0)


class Tally:
    """Counts broadcasts that have an outcome; those that are still open count for nothing yet."""

    def __init__(self, records: Iterable[Record] = ()) -> None:
        self._rows: dict[type[Counted], dict[tuple[object, ...], Counted]] = defaultdict(dict)
        for record in records:
            if record.broadcast.status != Status.OPEN:
                self._count(record)

    def rows(self, model: type[Counted]) -> list[Any]:
        """Return what was counted, as rows of a model that are not saved."""
        return list(self._rows[model].values())

    def save(self) -> None:
        """Add what was counted to what is kept."""
        for by_hour, by_day in SUMMED_UP:
            for row in self.rows(by_hour):
                self._row(by_day, day_of(row.hour), *row.key[1:]).add(row)
        for model, rows in self._rows.items():
            add_to_kept(model, rows)

    def _count(self, record: Record) -> None:
        broadcast = record.broadcast
        place = hour_of(broadcast.opened_at), broadcast.server_id
        failed_for = handovers_failed_for(record)
        self._count_outcome(self._row(ServerHour, *place), broadcast, bool(failed_for))
        for name, applications in standings(record, failed_for).items():
            for application in applications:
                row = self._row(ApplicationHour, *place, application)
                setattr(row, name, getattr(row, name) + 1)
        for attempt in record.attempts:
            if attempt.behind_winner_ms is not None:
                row = self._row(ApplicationHour, *place, attempt.application)
                increment(row.margin_ms, bucket_of(attempt.behind_winner_ms))

    @staticmethod
    def _count_outcome(row: ServerHour, broadcast: Any, has_failed: bool) -> None:
        setattr(row, broadcast.status, getattr(row, broadcast.status) + 1)
        row.failed_handovers += has_failed
        if broadcast.status == Status.CLAIMED and broadcast.claim_ms is not None:
            increment(row.claim_ms, bucket_of(broadcast.claim_ms))
        if broadcast.status == Status.TIMED_OUT:
            increment(row.timed_out_quarters, (broadcast.opened_at - day_of(row.hour)) // QUARTER)

    def _row(self, model: type[Counted], *key: object) -> Any:
        rows = self._rows[model]
        if key not in rows:
            rows[key] = model(**dict(zip(model.KEY, key, strict=True)))
        return rows[key]


def handovers_failed_for(record: Record) -> set[str]:
    """Return the applications that won a broadcast and could not take it."""
    failed = {one.application for one in record.candidates if one.failed_at}
    if record.broadcast.status == Status.FAILED and record.broadcast.winner:
        failed.add(record.broadcast.winner)
    return failed


def standings(record: Record, failed_for: set[str]) -> dict[str, set[str]]:
    """Return whom a broadcast counts for, by the column that it counts in."""
    offered = {one.application for one in record.candidates}
    attempted = {one.application for one in record.attempts}
    won = {record.broadcast.winner} if record.broadcast.status == Status.CLAIMED else set()
    return {
        "offered": offered,
        "attempted": attempted,
        "won": won,
        "never_answered": offered - attempted,
        "failed_handovers": failed_for,
    }


def increment(numbers: dict[int, int], key: int) -> None:
    numbers[key] = numbers.get(key, 0) + 1


def add_to_kept(model: type[Counted], rows: dict[tuple[object, ...], Counted]) -> None:
    """Write rows, each with what is kept under its key added; whoever calls holds the lock."""
    kept = model.objects.filter(
        **{f"{model.SPAN}__in": {getattr(row, model.SPAN) for row in rows.values()}}
    )
    for one in kept.iterator():
        if one.key in rows:
            rows[one.key].add(one)
    model.objects.bulk_create(
        rows.values(),
        update_conflicts=True,
        unique_fields=model.KEY,
        update_fields=(*model.COUNTS, *model.NUMBERS_BY_KEY),
    )


# Reading what is to be counted


class ReadRecord(NamedTuple):
    """A record as `read_records` reads it."""

    broadcast: Any
    candidates: list[Any]
    attempts: list[Any]


def read_records(broadcasts: "QuerySet[Broadcast]") -> Iterator[ReadRecord]:
    """Yield these broadcasts with what belongs to them, reading only what counting needs."""
    return with_parts(list(columns_of(broadcasts)))


def columns_of(broadcasts: "QuerySet[Broadcast]") -> "QuerySet[Any]":
    """Return a query of what counting needs of broadcasts themselves."""
    return broadcasts.values_list(*OF_BROADCAST, named=True)


def with_parts(rows: list[Any]) -> Iterator[ReadRecord]:
    """Yield broadcasts, read as `columns_of` says, with what belongs to them."""
    for start in range(0, len(rows), BATCH):
        batch = rows[start : start + BATCH]
        keys = [row.pk for row in batch]
        candidates = of_each(Candidate.objects.filter(broadcast__in=keys), OF_CANDIDATE)
        attempts = of_each(ClaimAttempt.objects.filter(broadcast__in=keys), OF_ATTEMPT)
        for row in batch:
            yield ReadRecord(row, candidates[row.pk], attempts[row.pk])


def of_each(parts: "QuerySet[Any]", columns: tuple[str, ...]) -> dict[int, list[Any]]:
    """Return the parts of broadcasts by the broadcast's key."""
    by_broadcast: dict[int, list[Any]] = defaultdict(list)
    for part in parts.order_by().values_list(*columns, named=True).iterator():
        by_broadcast[part.broadcast_id].append(part)
    return by_broadcast

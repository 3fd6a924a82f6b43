"""Counting the sealed record again, a day at a time, while the service runs."""

from collections.abc import Iterator
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Max, Min

from broadcasts.models import Broadcast, ChainHead, RetentionNote, ServerHour

from .tallies import TALLIES, Tally, day_of, read_records

DAY = timedelta(days=1)


def days() -> list[datetime]:
    """Return the days (UTC) that can be counted again, in order.

    Of days of which the retention has removed records, what was counted then is all there is.
    """
    first, last = span()
    gone = RetentionNote.objects.aggregate(last=Max("older_than"))["last"]
    if gone and first:
        first = max(first, day_of(gone) + DAY)
    return list(each_day(first, last)) if first and last else []


def span() -> tuple[datetime | None, datetime | None]:
    """Return the first and the last day that has a record, or was counted."""
    recorded = Broadcast.objects.aggregate(first=Min("opened_at"), last=Max("opened_at"))
    counted = ServerHour.objects.aggregate(first=Min("hour"), last=Max("hour"))
    moments = [one for one in (*recorded.values(), *counted.values()) if one]
    return (day_of(min(moments)), day_of(max(moments))) if moments else (None, None)


def each_day(first: datetime, last: datetime) -> Iterator[datetime]:
    day = first
    while day <= last:
        yield day
        day += DAY


@transaction.atomic
def count_day(day: datetime) -> int:
    """Count one day's sealed broadcasts in place of what is kept; returns how many there are."""
    # Nobody seals, and so counts, meanwhile.
    list(ChainHead.objects.select_for_update())
    within = {"gte": day, "lt": day + DAY}
    opened = {f"opened_at__{bound}": moment for bound, moment in within.items()}
    records = list(read_records(Broadcast.objects.filter(seal__isnull=False, **opened)))
    for model in TALLIES:
        bounds = {f"{model.SPAN}__{bound}": moment for bound, moment in within.items()}
        model.objects.filter(**bounds).delete()
    Tally(records).save()
    return len(records)

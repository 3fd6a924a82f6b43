"""When something that recurs is due, by the clock on the wall of a time zone."""

from calendar import monthrange
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo

DAY, WEEK, MONTH = "day", "week", "month"


def next_after(after: datetime, every: str, day: int, at: time, zone: tzinfo) -> datetime:
    """Return the first moment after `after` at which something is due, in UTC.

    `every` is "day", "week" (`day` 1 is Monday) or "month" (`day` of it, or its last). A time that
    the zone skips is taken as if the clock had not been put forward, so by the clock an hour later;
    of a time that it has twice, the first counts.
    """
    # The clock may be set back over midnight: a day earlier is early enough for any zone.
    first = after.astimezone(zone).date() - timedelta(days=1)
    for one in days_from(first, every, day):
        moment = datetime.combine(one, at, tzinfo=zone).astimezone(UTC)
        if moment > after:
            return moment
    raise OverflowError("there is no such day before the end of the calendar")


def days_from(first: date, every: str, day: int) -> Iterator[date]:
    """Yield the days from `first` on that fit."""
    one = first
    while one < date.max:
        if fits(one, every, day):
            yield one
        one += timedelta(days=1)


def fits(one: date, every: str, day: int) -> bool:
    """Whether a day is one of those at which something recurs."""
    if every == WEEK:
        return one.isoweekday() == day
    if every == MONTH:
        return one.day == min(day, monthrange(one.year, one.month)[1])
    return True

"""Reading what reports show: what is kept of the sealed record, and what is not sealed yet.

What is read grows with the hours and the applications of the period, never with its broadcasts.
"""

from bisect import bisect_right
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import orjson
from django.db.models import QuerySet, Sum, TextField
from django.db.models.functions import Cast

from broadcasts.domain.histogram import Histogram
from broadcasts.models import ApplicationDay, ApplicationHour, Broadcast, ChainHead, ServerHour
from broadcasts.models.tallies import ApplicationCounts, Counted

from .periods import DAY, HOUR, Period, Span
from .tallies import OUTCOMES, Tally, day_of, read_records

# Sealing is at most minutes behind. After an upgrade, or when it has stood still, it may be far
# behind; then so many broadcasts are counted here and the reports say that there are more.
UNSEALED_LIMIT = 20_000

# How often figures are read anew because broadcasts were sealed between two queries.
TRIES = 3

T = TypeVar("T")


# A row of ServerHour without what makes it a model: there may be thousands.
Hour = namedtuple("Hour", ("hour", *ServerHour.COUNTS, *ServerHour.NUMBERS_BY_KEY))


@dataclass(frozen=True, slots=True)
class Reading:
    """The counts of a period. `complete`: nothing that has ended is missing."""

    period: Period
    hours: list[Hour]
    applications: dict[str, ApplicationCounts]
    unsealed: Tally
    complete: bool

    def by_step(self) -> list[ServerHour]:
        """Return what happened in each of the period's steps."""
        steps = self.period.steps()
        begins = [step.since for step in steps]
        sums = [ServerHour(hour=begin) for begin in begins]
        for hour in self.hours:
            sums[bisect_right(begins, hour.hour) - 1].add(hour)
        return sums

    def margins(self, names: Iterable[str]) -> dict[str, Histogram]:
        """Return how far behind the winner these applications were."""
        margins = {name: Histogram() for name in names}
        for rows in kept_of_applications(self.period):
            of_these = rows.filter(application__in=margins)
            for name, margin_ms in of_these.values_list("application", as_text("margin_ms")):
                margins[name].merge(orjson.loads(margin_ms))
        for row in self.unsealed.rows(ApplicationHour):
            if row.application in margins:
                margins[row.application].merge(row.margin_ms)
        return margins


def read(period: Period) -> Reading:
    """Read a period's counts."""
    return steadily(lambda: read_once(period))


def steadily(read: Callable[[], T]) -> T:
    """Read again if broadcasts were sealed meanwhile: they could count twice, or not at all."""
    for _ in range(TRIES):
        before = sealed_so_far()
        result = read()
        if sealed_so_far() == before:
            break
    return result


def sealed_so_far() -> int | None:
    return ChainHead.objects.values_list("number", flat=True).first()


def read_once(period: Period) -> Reading:
    broadcasts = unsealed(period)
    tally = Tally(read_records(broadcasts[:UNSEALED_LIMIT]))
    return Reading(
        period,
        [*kept_hours(period), *tally.rows(ServerHour)],
        sums(period, tally),
        tally,
        complete=not broadcasts[UNSEALED_LIMIT : UNSEALED_LIMIT + 1].exists(),
    )


def unsealed(period: Period) -> "QuerySet[Broadcast]":
    """Return the period's broadcasts that have an outcome and are not sealed yet."""
    rows = Broadcast.objects.filter(
        seal__isnull=True,
        status__in=OUTCOMES,
        opened_at__gte=period.span.since,
        opened_at__lt=period.span.until,
    ).order_by()
    return rows.filter(server=period.server) if period.server else rows


def kept_hours(period: Period) -> Iterator[Hour]:
    """Yield what is kept of each hour and server."""
    counts, numbers = ("hour", *ServerHour.COUNTS), ServerHour.NUMBERS_BY_KEY
    rows = within(ServerHour.objects.all(), period, period.span)
    for row in rows.values_list(*counts, *map(as_text, numbers)):
        yield Hour(*row[: len(counts)], *map(orjson.loads, row[len(counts) :]))


def as_text(column: str) -> Cast:
    """Read a column's JSON as it is, for orjson: by the thousand, Django's way takes long."""
    return Cast(column, TextField())


def sums(period: Period, tally: Tally) -> dict[str, ApplicationCounts]:
    """Return the sum of each application's counts, without its margins."""
    found: dict[str, ApplicationCounts] = {}

    def add(row: ApplicationHour) -> None:
        found.setdefault(row.application, ApplicationHour(application=row.application)).add(row)

    for rows in kept_of_applications(period):
        totals = {name: Sum(name) for name in ApplicationCounts.COUNTS}
        for one in rows.values("application").order_by().annotate(**totals):
            add(ApplicationHour(**one))
    for row in tally.rows(ApplicationHour):
        add(row)
    return found


def kept_of_applications(period: Period) -> "Iterator[QuerySet[ApplicationCounts]]":
    """Yield what covers the period: whole days (UTC), and the hours before and after them."""
    since, until = period.span
    first, end = day_of(since + DAY - HOUR), day_of(until)
    if first >= end:
        yield within(ApplicationHour.objects.all(), period, period.span)
        return
    yield within(ApplicationDay.objects.all(), period, Span(first, end))
    for edge in (Span(since, first), Span(end, until)):
        if edge.since < edge.until:
            yield within(ApplicationHour.objects.all(), period, edge)


def within(rows: "QuerySet[Counted]", period: Period, span: Span) -> "QuerySet[Counted]":
    """Return the rows whose time is within a span, of the period's server."""
    column = rows.model.SPAN
    rows = rows.filter(**{f"{column}__gte": span.since, f"{column}__lt": span.until})
    return rows.filter(server=period.server) if period.server else rows

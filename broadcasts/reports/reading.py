"""Reading what reports show: what is kept of the sealed record, and what is not sealed yet.

What is read grows with the hours and the applications of the period, never with its broadcasts.
"""

from bisect import bisect_right
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import orjson
from django.db.models import Case, Q, QuerySet, Sum, TextField, When
from django.db.models.functions import Cast

from broadcasts.domain.histogram import Histogram, added_up
from broadcasts.models import (
    ApplicationDay,
    ApplicationHour,
    Broadcast,
    ChainHead,
    ServerDay,
    ServerHour,
)
from broadcasts.models.tallies import ApplicationCounts, Counted

from .periods import DAY, HOUR, Period, Span
from .tallies import OUTCOMES, Tally, columns_of, day_of, with_parts

# Sealing is at most minutes behind. After an upgrade, or when it has stood still, it may be far
# behind; then so many broadcasts are counted here and the reports say that there are more.
UNSEALED_LIMIT = 20_000

# How often figures are read anew because broadcasts were sealed between two queries.
TRIES = 3

OF_APPLICATIONS = (ApplicationDay, ApplicationHour)

T = TypeVar("T")


# What began at a time and ended within an hour or a day: a row of ServerHour or ServerDay without
# what makes it a model, as there may be thousands.
NUMBERS = (*ServerHour.COUNTS, *ServerHour.NUMBERS_BY_KEY)
Stretch = namedtuple("Stretch", ("begins", *NUMBERS))


@dataclass(frozen=True, slots=True)
class Reading:
    """The counts of a period. `complete`: nothing that has ended is missing."""

    period: Period
    stretches: list[Stretch]
    applications: dict[str, ApplicationCounts]
    unsealed: Tally
    complete: bool

    def by_step(self) -> list[ServerHour]:
        """Return what happened in each of the period's steps."""
        steps = self.period.steps()
        begins = [step.since for step in steps]
        sums = [ServerHour(hour=begin) for begin in begins]
        for stretch in self.stretches:
            sums[bisect_right(begins, stretch.begins) - 1].add(stretch)
        return sums

    def margins(self, names: Iterable[str]) -> dict[str, Histogram]:
        """Return how far behind the winner these applications were."""
        found: dict[str, list[list[int]]] = {name: [] for name in names}
        # As it is kept: by the hundred, lists add up faster than mappings.
        as_kept = Cast("margin_ms", TextField())
        for rows in covering(self.period, [self.period.span], *OF_APPLICATIONS):
            of_these = rows.filter(application__in=found)
            for name, margin_ms in of_these.values_list("application", as_kept):
                found[name].append(orjson.loads(margin_ms))
        margins = {name: Histogram(added_up(kept)) for name, kept in found.items()}
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
    broadcasts = list(columns_of(unsealed(period))[: UNSEALED_LIMIT + 1])
    tally = Tally(with_parts(broadcasts[:UNSEALED_LIMIT]))
    return Reading(
        period,
        [*kept(period), *map(as_stretch, tally.rows(ServerHour))],
        sums(period, tally),
        tally,
        complete=len(broadcasts) <= UNSEALED_LIMIT,
    )


def unsealed(period: Period) -> "QuerySet[Broadcast]":
    """Return the period's broadcasts that have an outcome and are not sealed yet.

    The few without a seal have an index. SQLite, which does not know that they are few, would take
    that of the times or of the server instead, and go through all of the period: so it is told of
    those in a way that no index helps with.
    """
    waiting = Broadcast.objects.filter(seal__isnull=True).order_by().values("pk")
    since, until = period.span
    asked = Q(status__in=OUTCOMES, opened_at__gte=since, opened_at__lt=until)
    if period.server:
        asked &= Q(server=period.server)
    return Broadcast.objects.filter(Case(When(asked, then=True)), pk__in=waiting).order_by()


def kept(period: Period) -> Iterator[Stretch]:
    """Yield what is kept of each server, none of it across the border of two steps."""
    for rows in covering(period, period.steps(), ServerDay, ServerHour):
        yield from map(Stretch._make, rows.values_list(rows.model.SPAN, *NUMBERS))


def as_stretch(row: ServerHour) -> Stretch:
    return Stretch(row.hour, *(getattr(row, name) for name in NUMBERS))


def sums(period: Period, tally: Tally) -> dict[str, ApplicationCounts]:
    """Return the sum of each application's counts, without its margins."""
    found: dict[str, ApplicationCounts] = {}

    def add(row: ApplicationHour) -> None:
        found.setdefault(row.application, ApplicationHour(application=row.application)).add(row)

    for rows in covering(period, [period.span], *OF_APPLICATIONS):
        totals = {name: Sum(name) for name in ApplicationCounts.COUNTS}
        for one in rows.values("application").order_by().annotate(**totals):
            add(ApplicationHour(**one))
    for row in tally.rows(ApplicationHour):
        add(row)
    return found


def covering(
    period: Period, spans: list[Span], by_day: type[Counted], by_hour: type[Counted]
) -> "Iterator[QuerySet[Counted]]":
    """Yield what covers spans of the period: whole days (UTC), and the hours at their ends."""
    days, hours = split(spans)
    for model, parts in ((by_day, days), (by_hour, hours)):
        if parts:
            bounds = Q()
            for since, until in parts:
                bounds |= Q(**{f"{model.SPAN}__gte": since, f"{model.SPAN}__lt": until})
            rows = model.objects.filter(bounds)
            yield rows.filter(server=period.server) if period.server else rows


def split(spans: list[Span]) -> tuple[list[Span], list[Span]]:
    """Return the whole days (UTC) within each of these spans, and what is left of them."""
    days, hours = [], []
    for since, until in spans:
        first, end = day_of(since + DAY - HOUR), day_of(until)
        if first >= end:
            first = end = until
        days.append(Span(first, end))
        hours += [Span(since, first), Span(end, until)]
    return joined(days), joined(hours)


def joined(spans: list[Span]) -> list[Span]:
    """Return spans that are in order without empty ones, and as one where they meet."""
    whole: list[Span] = []
    for span in spans:
        if whole and whole[-1].until == span.since:
            whole[-1] = Span(whole[-1].since, span.until)
        elif span.since < span.until:
            whole.append(span)
    return whole

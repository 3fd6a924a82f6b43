"""The period that a report covers, and the steps that it is drawn in.

The record is counted by the hour of UTC, so a period and its steps begin with one: where a zone's
day begins half-way through an hour of UTC, with the next.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, tzinfo
from itertools import pairwise
from typing import Any, NamedTuple

from django import forms
from django.utils import timezone

from broadcasts.models import AsteriskServer

from .tallies import hour_of

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)

# Days by key; 24 hours end with the hour that is under way, days with today.
PERIODS = {
    "24h": ("24 hours", 1),
    "7d": ("7 days", 7),
    "30d": ("30 days", 30),
    "90d": ("90 days", 90),
}
USUAL_PERIOD = "7d"

MOST_DAYS = 366
FIRST_DAY = date(2000, 1, 1)

# The longest periods that are drawn by the hour and by the day; longer ones are by the week. They
# are days of the calendar: the one on which summer time ends has 25 hours.
BY_HOUR = 2
BY_DAY = 45


class Span(NamedTuple):
    """From a moment on, until before another."""

    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Period:
    """What a report covers: a span of whole hours as read in a zone, of one server or of all."""

    span: Span
    zone: tzinfo
    server: AsteriskServer | None = None

    @property
    def step(self) -> str:
        """Return "hour", "day" or "week"."""
        since, until = (edge.astimezone(self.zone).date() for edge in self.span)
        days = (until - since).days
        if days <= BY_HOUR:
            return "hour"
        return "day" if days <= BY_DAY else "week"

    def steps(self) -> list[Span]:
        """Return the steps, in order; the first and the last may be cut short by the period."""
        edges = [self.span.since, *self._edges(), self.span.until]
        return [Span(since, until) for since, until in pairwise(edges)]

    def _edges(self) -> Iterator[datetime]:
        """Yield where steps begin within the period."""
        edge = self._next_edge(self.span.since)
        while edge < self.span.until:
            yield edge
            edge = self._next_edge(edge)

    def _next_edge(self, moment: datetime) -> datetime:
        if self.step == "hour":
            return moment + HOUR
        day = moment.astimezone(self.zone).date()
        days = 1 if self.step == "day" else 7 - day.weekday()
        return beginning_of(day + days * DAY, self.zone)


def beginning_of(day: date, zone: tzinfo) -> datetime:
    """Return the first whole hour (UTC) of a day in a zone."""
    return next_hour(datetime.combine(day, time(), zone))


def next_hour(moment: datetime) -> datetime:
    """Return this moment if an hour (UTC) begins with it, else when the next one does."""
    hour = hour_of(moment)
    return hour if hour == moment else hour + HOUR


class PeriodForm(forms.Form):
    """Which period is asked for: days from one to another, or else one of PERIODS."""

    period = forms.ChoiceField(
        label="Period",
        required=False,
        choices=[(key, label) for key, (label, _) in PERIODS.items()],
    )
    first = forms.DateField(label="From", required=False)
    last = forms.DateField(label="To", required=False)
    server = forms.ModelChoiceField(
        label="Server",
        required=False,
        queryset=AsteriskServer.objects.order_by("name"),
        to_field_name="name",
        empty_label="All servers",
    )

    def clean(self) -> dict[str, Any]:
        asked = super().clean()
        first, last = asked.get("first"), asked.get("last")
        if last and not first and not self.errors:
            self.add_error("first", "Say from which day on.")
        if first and not self.errors:
            self._check(first, last or timezone.localdate())
        return asked

    def _check(self, first: date, last: date) -> None:
        if first < FIRST_DAY:
            self.add_error("first", f"Reports begin with the year {FIRST_DAY.year}.")
        elif first > timezone.localdate():
            self.add_error("first", "This day is still to come.")
        elif last < first:
            self.add_error("last", "The last day is before the first.")
        elif (min(last, timezone.localdate()) - first).days >= MOST_DAYS:
            self.add_error("last", f"A report covers {MOST_DAYS} days at most.")

    def asked(self) -> Period:
        """Return the period, as it is now and in the current zone; the form has to be valid."""
        data = self.cleaned_data
        zone = timezone.get_current_timezone()
        span = span_of(data["first"], data["last"], data["period"] or USUAL_PERIOD, zone)
        return Period(span, zone, data["server"])


def span_of(first: date | None, last: date | None, period: str, zone: tzinfo) -> Span:
    """Return the days from `first` to `last`, or a period that ends now."""
    today = timezone.localdate(timezone=zone)
    if not first:
        if period == "24h":
            until = next_hour(timezone.now())
            return Span(until - DAY, until)
        first, last = today - (PERIODS[period][1] - 1) * DAY, today
    return Span(beginning_of(first, zone), beginning_of(min(last or today, today) + DAY, zone))

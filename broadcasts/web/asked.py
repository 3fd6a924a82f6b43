"""What an address of the history asks for: filter, columns, page; and what is wrong with it."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from broadcasts.history import columns
from broadcasts.history.filters import PERIODS, USUAL_PERIOD, BroadcastFilter
from broadcasts.history.paging import HistoryPages
from broadcasts.models import Broadcast
from broadcasts.web.words import moment

# The further filters, beside the search and the period that are always in view.
GROUPS = (
    ("When", ("since", "until", "hour", "weekday")),
    ("The call", ("caller", "called", "server", "preset")),
    ("Outcome", ("status", "stasis_status", "latency_min", "latency_max", "failed_handover")),
    ("Applications", ("winner", "candidate", "attempted", "unanswered_by", "failed_for")),
)
FURTHER = tuple(name for _, names in GROUPS for name in names)
# What links alone ask for, kept by the form out of sight.
LINKED = ("same_caller", "same_channel")
# What else an address may say: columns, the place in the record, the saved filter that it is from.
BESIDES = ("columns", "cursor", "saved")
USUAL = f"Usual ({PERIODS[USUAL_PERIOD][0].lower()})"


class LocalMoment(forms.DateTimeInput):
    """A date and a time of day in the viewer's zone, whatever zone the address gives."""

    input_type = "datetime-local"

    def format_value(self, value: Any) -> str:
        try:
            at = parse_datetime(value or "")
        except ValueError:
            return value
        if at is None or at.tzinfo is None:
            return value or ""
        local = timezone.localtime(at).replace(tzinfo=None)
        # Browsers know no smaller part of a second.
        return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")


@dataclass(frozen=True, slots=True)
class Active:
    """One filter in force: its words, and the query without it."""

    label: str
    value: str
    without: str


class Asked:
    """The filter, the columns and the page that a query asks for."""

    def __init__(self, query: QueryDict) -> None:
        self.query = query
        self.filter = BroadcastFilter(query, queryset=Broadcast.objects.all())
        self.form = dressed(self.filter.form)
        self.keys = query.getlist("columns")
        self.faults = list(self._faults())
        self.columns = columns.USUAL if self.faults else columns.chosen(self.keys)

    def _faults(self) -> Iterator[str]:
        for name in self.query:
            if name not in self.filter.filters and name not in BESIDES:
                yield f"The history cannot be asked for “{name}”."
        for key in self.keys:
            if key not in columns.BY_KEY:
                yield f"There is no column “{key}”."
        for name, errors in self.filter.errors.items():
            yield f"{self.form.fields[name].label}: {' '.join(errors)}"

    @property
    def filters(self) -> dict[str, list[str]]:
        """The filter's values, by name, without the empty ones."""
        values = {name: self.query.getlist(name) for name in self.filter.filters}
        return {name: kept for name, given in values.items() if (kept := [*filter(None, given)])}

    def active(self) -> list[Active]:
        """Return what is filtered by, one entry per value."""
        return [
            Active(self.form.fields[name].label, self._told(name, value), self.without(name, value))
            for name, values in self.filters.items()
            for value in values
        ]

    def _told(self, name: str, value: str) -> str:
        at = self.form.cleaned_data.get(name)
        if isinstance(at, datetime):
            return moment(at)
        return str(dict(getattr(self.form.fields[name].widget, "choices", ())).get(value, value))

    @property
    def newest(self) -> str:
        """The query of the first page."""
        rest = self.query.copy()
        rest.pop("cursor", None)
        return rest.urlencode()

    def without(self, name: str, value: str) -> str:
        """Return the query with one value of a filter less, from the newest broadcast on."""
        rest = self.query.copy()
        rest.pop("cursor", None)
        rest.setlist(name, [one for one in rest.getlist(name) if one != value])
        return rest.urlencode()

    @property
    def restated(self) -> str:
        """The filter and the columns as a query, and nothing else of the address."""
        return urlencode({**self.filters, "columns": self.keys}, doseq=True)

    @property
    def in_full(self) -> str:
        """The same with every column named, the usual ones too."""
        keys = [column.key for column in self.columns]
        return urlencode({**self.filters, "columns": keys}, doseq=True)

    def page(self, request: HttpRequest) -> "Page":
        """Read the page that is asked for; an unknown one is a fault."""
        pages = HistoryPages()
        rows = columns.read(self.filter.qs, self.columns)
        try:
            found = pages.paginate_queryset(rows, Request(request))
        except NotFound:
            self.faults.append("This page of the history does not exist: begin with the newest.")
            return Page([], "", "")
        return Page(found, query_of(pages.get_previous_link()), query_of(pages.get_next_link()))


@dataclass(frozen=True, slots=True)
class Page:
    """Rows of the record, and the queries of the pages beside them, "" for none."""

    rows: list[columns.Row]
    newer: str
    older: str


def query_of(link: str | None) -> str:
    return link.partition("?")[2] if link else ""


def grouped(form: forms.BaseForm) -> list[tuple[str, list[forms.BoundField]]]:
    """Return the further filters of a form, each group with its title."""
    return [(title, [form[name] for name in names]) for title, names in GROUPS]


def dressed(form: forms.Form) -> forms.Form:
    """Return the filter's form with the inputs that suit a page."""
    fields = form.fields
    fields["period"].widget = forms.Select(
        choices=[("", USUAL), *((key, label) for key, (label, _) in PERIODS.items())]
    )
    fields["q"].widget = forms.TextInput(attrs={"type": "search", "size": 24})
    for name in ("since", "until"):
        fields[name].widget = LocalMoment(attrs={"step": "any"})
    for name in ("status", "stasis_status"):
        choices = fields[name].choices
        fields[name].widget = forms.CheckboxSelectMultiple(choices=choices)
    for name in LINKED:
        fields[name].widget = forms.HiddenInput()
    return form

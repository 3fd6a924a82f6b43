"""What the pages of exports and schedules ask: which entries, which columns, and how."""

from collections.abc import Mapping
from datetime import time
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.http import QueryDict
from django.utils import timezone

from broadcasts.access import MAY_UNMASK
from broadcasts.exports import rights, words
from broadcasts.exports.delivery import recipients
from broadcasts.exports.filters import errors_in_words
from broadcasts.history.columns import USUAL
from broadcasts.models import Export, Schedule, Wanted
from broadcasts.reports.periods import USUAL_PERIOD
from broadcasts.web.asked import FURTHER, LocalMoment, dressed, grouped

NO_SUCH_KIND = "There is no such export, or it is not for you."
EVERYTHING = "All columns, with candidates and claim attempts as files of their own"
# Where an address names no period; that of the history has an entry for its usual one.
PERIODS = {
    Wanted.Kind.CHANGES: "all",
    Wanted.Kind.ACCESS: "all",
    Wanted.Kind.REPORTS: USUAL_PERIOD,
}
MONTH_DAYS, WEEK_DAYS = 31, 7


@cache
def zones() -> list[tuple[str, str]]:
    """Return all time zones as choices; asking for them reads many files."""
    return [(name, name) for name in sorted(available_timezones())]


class OptionsForm(forms.Form):
    """How an export is written: format, columns, header, zone, numbers."""

    format = forms.ChoiceField(label="Format", choices=Wanted.Format.choices)
    header = forms.ChoiceField(label="Header", choices=Wanted.Header.choices)
    zone = forms.ChoiceField(label="Time zone", choices=zones)
    everything = forms.BooleanField(label=EVERYTHING, required=False)
    columns = forms.MultipleChoiceField(
        label="Columns", required=False, widget=forms.CheckboxSelectMultiple
    )
    unmasked = forms.BooleanField(
        label="Callers' numbers in full; that is on record", required=False
    )

    def __init__(self, data: QueryDict, kind: Wanted.Kind, user: Any) -> None:
        super().__init__(data)
        columns = words.COLUMNS.get(kind, ())
        chosen = data.getlist("columns")
        # What was chosen comes first, in the order in which it was chosen.
        order = {key: place for place, key in enumerate(chosen)}
        listed = sorted(columns, key=lambda column: order.get(column.key, len(order)))
        self.fields["columns"].choices = [(column.key, column.label) for column in listed]
        if not columns:
            del self.fields["columns"]
        if kind != Wanted.Kind.RECORD:
            del self.fields["everything"]
        if kind != Wanted.Kind.RECORD or not user.has_perm(MAY_UNMASK):
            del self.fields["unmasked"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("everything"):
            cleaned["columns"] = []
        elif "columns" in self.fields and not self.errors and not cleaned["columns"]:
            self.add_error("columns", "Choose at least one.")
        return cleaned


class Asked:
    """An export as an address or a form asks for it, and what is wrong with that."""

    def __init__(self, data: QueryDict, user: Any) -> None:
        asked = data.get("kind", Wanted.Kind.RECORD)
        self.kinds = [kind for kind in Wanted.Kind if rights.may_export(user, kind)]
        self.kind = Wanted.Kind(asked) if asked in self.kinds else Wanted.Kind.RECORD
        self.options = OptionsForm(data, self.kind, user)
        self.wanted = Export(kind=self.kind, query=self._query(data))
        self.valid = self.options.is_valid()
        if self.valid:
            cleaned = self.options.cleaned_data
            for name in ("format", "header", "zone"):
                setattr(self.wanted, name, cleaned[name])
            self.wanted.columns = cleaned.get("columns", [])
            self.wanted.unmasked = cleaned.get("unmasked", False)
        self.filter = inputs(words.form_of(self.wanted), self.kind)
        self.fault = "" if self.filter.is_valid() else errors_in_words(self.filter)
        if asked != self.kind:
            self.fault = NO_SUCH_KIND
        self.valid = self.valid and not self.fault

    def _query(self, data: QueryDict) -> dict[str, list[str]]:
        values = {name: data.getlist(name) for name in words.filters_of(self.kind)}
        return {name: kept for name, given in values.items() if (kept := [*filter(None, given)])}

    @property
    def groups(self) -> list[tuple[str, list[forms.BoundField]]]:
        """The further filters of the record, as the history groups them."""
        return grouped(self.filter) if self.kind == Wanted.Kind.RECORD else []

    @property
    def ungrouped(self) -> list[forms.BoundField]:
        """The filters that are in no group: of all else, each."""
        apart = FURTHER if self.kind == Wanted.Kind.RECORD else ()
        return [field for field in self.filter.visible_fields() if field.name not in apart]

    @property
    def in_words(self) -> str:
        """Which entries are meant."""
        return "" if self.fault else words.filter_in_words(self.wanted, in_full=True)


def inputs(form: forms.BaseForm, kind: Wanted.Kind) -> forms.BaseForm:
    """Return the form of a filter with the inputs that suit a page, the period first."""
    form.order_fields(("period", "since", "until", "first", "last"))
    if kind == Wanted.Kind.RECORD:
        return dressed(form)
    for name, field in form.fields.items():
        if name in ("since", "until"):
            field.widget = LocalMoment(attrs={"step": "any"})
        elif isinstance(field, forms.DateField):
            field.widget = forms.DateInput(attrs={"type": "date"})
        elif isinstance(field, forms.MultipleChoiceField):
            field.widget = forms.CheckboxSelectMultiple(choices=field.choices)
    return form


def with_defaults(query: QueryDict) -> QueryDict:
    """Return what an address asks for with what it leaves open, as a form would have it."""
    data = query.copy()
    data.setdefault("format", Wanted.Format.CSV)
    data.setdefault("header", Wanted.Header.LABELS)
    data.setdefault("zone", str(timezone.get_current_timezone()))
    kind = data.get("kind", Wanted.Kind.RECORD)
    # What a select shows is what it sends: no period is none of a list's.
    if period := PERIODS.get(kind):
        data.setdefault("period", period)
    if not data.getlist("columns"):
        usual = USUAL if kind == Wanted.Kind.RECORD else words.COLUMNS.get(kind, ())
        data.setlist("columns", [column.key for column in usual])
    return data


def as_data(wanted: Wanted) -> QueryDict:
    """Return what a schedule or a saved filter wants as an address would ask for it."""
    data = QueryDict(mutable=True)
    for name, values in wanted.query.items():
        data.setlist(name, values)
    for name in ("kind", "format", "header", "zone"):
        data[name] = getattr(wanted, name)
    if wanted.unmasked:
        data["unmasked"] = "on"
    if wanted.columns:
        data.setlist("columns", wanted.columns)
    elif wanted.kind == Wanted.Kind.RECORD:
        data["everything"] = "on"
    return data


class ScheduleForm(forms.ModelForm):
    """When a schedule is due, and where its export goes."""

    class Meta:
        model = Schedule
        fields = ("name", "every", "day", "at", "delivery", "recipients")
        labels = {"at": "At", "day": "On day"}
        widgets = {
            "at": forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
            "recipients": forms.TextInput(attrs={"autocomplete": "email"}),
        }

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        every, day = cleaned.get("every"), cleaned.get("day")
        most = WEEK_DAYS if every == Schedule.Every.WEEK else MONTH_DAYS
        if day is not None and not 1 <= day <= most:
            self.add_error("day", f"A number from 1 to {most}.")
        if cleaned.get("delivery") == Schedule.Delivery.MAIL:
            self._check(cleaned.get("recipients", ""))
        return cleaned

    def _check(self, text: str) -> None:
        addresses = recipients(text)
        if not text.isprintable():
            self.add_error("recipients", "Addresses are separated by commas.")
        elif not addresses:
            self.add_error("recipients", "Say to whom it is mailed.")
        for address in addresses:
            try:
                validate_email(address)
            except ValidationError:
                self.add_error("recipients", f"{address} is not a mail address.")


def initial(user: Any) -> Mapping[str, Any]:
    """Return what a new schedule begins with."""
    return {"at": time(7), "recipients": user.email}

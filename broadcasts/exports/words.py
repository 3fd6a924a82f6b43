"""What is going to be exported, in words."""

from typing import Any

from django import forms
from django.utils import timezone

from broadcasts.domain.numbers import mask_number
from broadcasts.history.columns import ALL
from broadcasts.history.filters import PERIODS, POINTED, USUAL_PERIOD, BroadcastFilter
from broadcasts.models import AccessEvent, Wanted
from broadcasts.reports.periods import PeriodForm

from .filters import AccessFilter, ChangesFilter
from .other_tables import ACCESSES, CHANGES
from .tables import as_data, zone_of

# What may be a caller's number.
PRIVATE = ("q", "caller")
COLUMNS = {Wanted.Kind.RECORD: ALL, Wanted.Kind.CHANGES: CHANGES, Wanted.Kind.ACCESS: ACCESSES}

FILTERS = {
    Wanted.Kind.RECORD: BroadcastFilter,
    Wanted.Kind.CHANGES: ChangesFilter,
    Wanted.Kind.ACCESS: AccessFilter,
}


def form_of(wanted: Wanted) -> forms.BaseForm:
    """Return the form that an export is filtered by, filled in."""
    data = as_data(wanted.query)
    with timezone.override(zone_of(wanted)):
        if wanted.kind == Wanted.Kind.REPORTS:
            return PeriodForm(data)
        return FILTERS[Wanted.Kind(wanted.kind)](data, queryset=AccessEvent.objects.none()).form


def filters_of(kind: str) -> list[str]:
    """Return the names of what a kind of export can be filtered by."""
    if kind == Wanted.Kind.REPORTS:
        return list(PeriodForm.base_fields)
    return list(FILTERS[Wanted.Kind(kind)].base_filters)


def query(wanted: Wanted, in_full: bool) -> dict[str, list[str]]:
    """Return what was asked for, without a caller's number unless that is to be seen."""
    return {
        name: [mask_number(value) if name in PRIVATE and not in_full else value for value in values]
        for name, values in wanted.query.items()
        if any(values)
    }


def filter_in_words(wanted: Wanted, in_full: bool) -> str:
    """Return which entries are meant, such as "Period: Last 7 days; Status: Failed"."""
    fields, asked = form_of(wanted).fields, query(wanted, in_full)
    if period := usual_period(wanted, asked):
        asked = {"period": [period], **asked}
    told = [
        f"{fields[name].label}: {', '.join(value_in_words(fields[name], one) for one in values)}"
        for name, values in asked.items()
        if name in fields
    ]
    return "; ".join(told) or "everything there is"


def usual_period(wanted: Wanted, asked: dict[str, Any]) -> str:
    """Return the period that is meant where none is named; "" for any time."""
    if wanted.kind == Wanted.Kind.REPORTS:
        return "" if asked.keys() & {"period", "first"} else USUAL_PERIOD
    if wanted.kind != Wanted.Kind.RECORD or asked.keys() & {"period", "since", "until", *POINTED}:
        return ""
    return USUAL_PERIOD


def value_in_words(field: forms.Field, value: str) -> str:
    """Return a value as its form shows it."""
    named = {**{key: label for key, (label, _) in PERIODS.items()}, **choices_of(field)}
    return named.get(value, value)


def choices_of(field: forms.Field) -> dict[str, str]:
    """Return the labels of a field with choices; what is chosen from the database has none."""
    if isinstance(field, forms.ChoiceField) and not isinstance(field, forms.ModelChoiceField):
        return {str(key): str(label) for key, label in field.choices}
    return {}


def columns_in_words(wanted: Wanted) -> str:
    """Return which columns are meant."""
    labels = {column.key: column.label for column in COLUMNS.get(Wanted.Kind(wanted.kind), ())}
    if wanted.columns:
        return ", ".join(labels.get(key, key) for key in wanted.columns)
    if wanted.kind == Wanted.Kind.RECORD:
        return "all, with candidates and claim attempts as files of their own"
    return "all"

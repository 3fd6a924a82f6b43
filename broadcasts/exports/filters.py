"""What changes and accesses can be filtered by; the record has its own filter in `history`."""

from collections.abc import Sequence
from typing import Any

import django_filters as filters
from django import forms
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.text import capfirst

from broadcasts.history.changes import KEPT
from broadcasts.history.filters import NO_EARLIER, NO_LATER, PERIODS
from broadcasts.models import AccessEvent

from .tables import ExportRefused, Query, as_data

Found = QuerySet[Any]

TIMES = [NO_EARLIER, NO_LATER]


# The models that have a history of changes, by key.
OF = [(model._meta.model_name, capfirst(str(model._meta.verbose_name))) for model in KEPT]


class Within(filters.FilterSet):
    """Entries of a period; `at` is the field that says when."""

    period = filters.ChoiceFilter(
        label="Period",
        method="within",
        empty_label=None,
        choices=[(key, label) for key, (label, _) in PERIODS.items()],
    )
    since = filters.IsoDateTimeFilter(label="From", method="begins", validators=TIMES)
    until = filters.IsoDateTimeFilter(label="Before", method="ends", validators=TIMES)
    at = "at"

    def within(self, queryset: Found, name: str, value: str) -> Found:
        length = PERIODS[value][1]
        since = timezone.now() - length if length else None
        return queryset.filter(**{f"{self.at}__gte": since}) if since else queryset

    def begins(self, queryset: Found, name: str, value: Any) -> Found:
        return queryset.filter(**{f"{self.at}__gte": value})

    def ends(self, queryset: Found, name: str, value: Any) -> Found:
        return queryset.filter(**{f"{self.at}__lt": value})


class AccessFilter(Within):
    """Sign-ins, exports, unmaskings and the like."""

    event = filters.MultipleChoiceFilter(
        label="What happened", field_name="kind", choices=AccessEvent.Kind.choices
    )
    who = filters.CharFilter(label="Who")


class ChangesFilter(Within):
    """Changes of the configuration and of people's accounts."""

    of = filters.MultipleChoiceFilter(label="Of", method="of_any", choices=OF)
    by = filters.CharFilter(label="Changed by", field_name="changed_by")
    at = "history_date"

    def of_any(self, queryset: Found, name: str, value: Sequence[str]) -> Found:
        """Each model has a query of its own: it holds all of a model's entries, or none."""
        return (
            queryset
            if queryset.model.instance_type._meta.model_name in value
            else (queryset.none())
        )


def filtered(filter_class: type[filters.FilterSet], query: Query, entries: Found) -> Found:
    """Return the entries that a query finds. Raises ExportRefused."""
    unknown = sorted(set(query) - set(filter_class.base_filters))
    if unknown:
        raise ExportRefused(f"There is nothing to filter by that is called {', '.join(unknown)}.")
    found = filter_class(as_data(query), queryset=entries)
    if not found.is_valid():
        raise ExportRefused(errors_in_words(found.form))
    return found.qs


def errors_in_words(form: forms.BaseForm) -> str:
    """Return what is wrong with a form in one line."""
    return " ".join(
        f"{form.fields[name].label if name in form.fields else 'Filter'}: {' '.join(errors)}"
        for name, errors in form.errors.items()
    )

"""What the pages of all configuration have in common: a reason to give, a history to look at."""

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db import transaction
from django.db.models import Field, Model, QuerySet
from django.forms import BaseModelFormSet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from unfold.admin import ModelAdmin
from unfold.widgets import UnfoldAdminNullBooleanSelectWidget, UnfoldAdminTextInputWidget

from broadcasts.history.changes import describe, entries_of
from broadcasts.models import Revision
from broadcasts.models.bulk import Writing
from broadcasts.models.history import for_reason

from .changes import PER_PAGE, may_see

BY_DEFAULT = [("unknown", "By default"), ("true", "Yes"), ("false", "No")]


class ReasonForm(forms.ModelForm):
    """A form with room for the reason of a change, which its history keeps."""

    change_reason = forms.CharField(
        label="Reason for this change",
        required=False,
        max_length=255,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Optional; kept in the history.",
    )


class OpenChoices:
    """Says in a field of several choices what it means to choose nothing."""

    def formfield_for_choice_field(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any
    ) -> Any:
        if db_field.blank:
            options["choices"] = db_field.get_choices(blank_choice=[("", BY_DEFAULT[0][1])])
        return super().formfield_for_choice_field(db_field, request, **options)  # type: ignore[misc]

    def formfield_for_nullboolean_field(
        self, db_field: "Field[Any, Any]", request: HttpRequest, **options: Any
    ) -> forms.Field | None:
        widget = UnfoldAdminNullBooleanSelectWidget()
        widget.choices = BY_DEFAULT
        return db_field.formfield(widget=widget, **options)


class AskedByFilters:
    """Lets an address ask a list for what its filters offer, and for nothing else.

    By a lookup of any column one would find out how a number or the hash of a password begins, and
    so all of it, whatever the pages show of them.
    """

    def lookup_allowed(self, lookup: str, value: str, request: HttpRequest | None = None) -> bool:
        asked = lookup.split("__")[0]
        columns = {field.name for field in self.opts.get_fields()}  # type: ignore[attr-defined]
        offered = map(asked_by, self.list_filter)  # type: ignore[attr-defined]
        may = asked not in columns or asked in offered
        return may and super().lookup_allowed(lookup, value, request)  # type: ignore[misc]


def asked_by(entry: Any) -> str:
    """Return what an entry of a list's filters is asked by."""
    entry = entry[0] if isinstance(entry, tuple) else entry
    return entry if isinstance(entry, str) else entry.parameter_name


class ConfigurationAdmin(AskedByFilters, OpenChoices, ModelAdmin):
    """The pages of one kind of configuration.

    Every save goes through the model, so that it is kept in the history and takes effect with the
    next call.
    """

    form = ReasonForm
    list_per_page = 50
    list_fullwidth = True
    warn_unsaved_form = True

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fieldsets; the reason comes last, for who may change something."""
        fieldsets = [*super().get_fieldsets(request, obj)]
        if obj and self.has_change_permission(request, obj):
            return [*fieldsets, (None, {"fields": ["change_reason"]})]
        return fieldsets

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        obj._change_reason = form.cleaned_data.get("change_reason") or None
        super().save_model(request, obj, form, change)

    def save_formset(
        self, request: HttpRequest, form: Any, formset: BaseModelFormSet, change: bool
    ) -> None:
        """Save what belongs to the object, for the same reason."""
        for part in formset.forms:
            part.instance._change_reason = form.cleaned_data.get("change_reason") or None
        super().save_formset(request, form, formset, change)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        with for_reason(reason_given(request)):
            super().delete_model(request, obj)

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Delete what was chosen in a list."""
        with for_reason(reason_given(request)):
            super().delete_queryset(request, queryset)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: Any = None
    ) -> HttpResponse:
        """Show the changes of one object, also after it was deleted."""
        if not may_see(request, self.model):
            raise PermissionDenied
        records = entries_of(self.model).objects.filter(id=self._key(object_id))
        pages = Paginator(records.order_by("-history_id"), PER_PAGE)
        page = pages.get_page(request.GET.get("page"))
        if not pages.count:
            raise Http404
        changes = describe(self.model, page.object_list)
        obj = self.get_object(request, object_id)
        context = {
            **self.admin_site.each_context(request),
            "title": f"History of {obj or changes[0].name}",
            "opts": self.model._meta,
            "object": obj,
            "changes": changes,
            "newer": page.number - 1,
            "older": page.number + 1 if page.has_next() else 0,
            **self.history_context(),
        }
        return render(request, "admin/object_changes.html", context)

    def history_context(self) -> dict[str, Any]:
        """Return what else the page of a history needs."""
        return {}

    def _key(self, object_id: str) -> int:
        """Return the primary key in an address. Raises Http404."""
        if not object_id.isdecimal():
            raise Http404
        return int(object_id)


def reason_given(request: HttpRequest) -> str:
    """Return the reason that a page of its own, not a form of the model, asked for."""
    return request.POST.get("change_reason", "").strip()[:255]


class ManyAdmin(ConfigurationAdmin):
    """The pages of a kind of which there may be thousands, and which takes nothing else along."""

    def delete_queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> None:
        """Delete what was chosen in a list, in few statements: claims may wait meanwhile."""
        writing = Writing(reason_given(request))
        writing.remove(list(queryset))
        with transaction.atomic():
            Revision.advance()
            writing.execute()

"""Defaults: one row for the whole installation, one for each server that differs."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

from broadcasts.history.words import in_words
from broadcasts.models import Defaults

from .base import ConfigurationAdmin, ReasonForm

CHOICES = ("timeout_ms", "notify_claimed", "preset")
TROUBLE = ("on_failed_handover", "handover_ms", "rescue")
NATIVE = ("any_name_may_claim", "bad_filter_admits_all")


class DefaultsForm(ReasonForm):
    def clean(self) -> dict[str, Any] | None:
        """Refuse a second row of one server, in plain words."""
        values = super().clean() or self.cleaned_data
        if self.instance.pk is None:
            server = values.get("server")
            if Defaults.objects.filter(server=server).exists():
                whose = server or "the whole installation"
                raise ValidationError(f"There are defaults of {whose} already.")
        return values


@admin.register(Defaults)
class DefaultsAdmin(ConfigurationAdmin):
    form = DefaultsForm
    list_display = ("whose", "said")
    list_select_related = ("server", "preset")
    sortable_by = ()
    search_fields = ("server__name",)
    autocomplete_fields = ("server", "preset")
    fieldsets = (
        (None, {"fields": ("server",)}),
        ("Where the dialplan and the preset say nothing", {"fields": CHOICES}),
        ("When the winner cannot take the call", {"fields": TROUBLE}),
        ("As StasisBroadcast does natively", {"fields": NATIVE}),
    )

    @admin.display(description="of")
    def whose(self, defaults: Defaults) -> str:
        return str(defaults)

    @admin.display(description="what is set")
    def said(self, defaults: Defaults) -> str:
        fields = [Defaults._meta.get_field(name) for name in (*CHOICES, *TROUBLE, *NATIVE)]
        told = [(field, value_in_words(field, defaults)) for field in fields]
        return "; ".join(f"{field.verbose_name}: {value}" for field, value in told if value)

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("whose",) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fieldsets; whose the defaults are is settled once they exist."""
        first, *others = super().get_fieldsets(request, obj)
        return [(None, {"fields": ("whose",)}) if obj else first, *others]


def value_in_words(field: Any, defaults: Defaults) -> str:
    """Return what is set in a field, "" for nothing."""
    if field.remote_field:
        return str(getattr(defaults, field.name) or "")
    return in_words(field, getattr(defaults, field.name))

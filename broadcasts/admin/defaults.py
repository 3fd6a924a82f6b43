"""Defaults: one row for the whole installation, one for each server that differs."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model
from django.http import HttpRequest

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
    list_display = ("whose", *CHOICES, *TROUBLE, *NATIVE)
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

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> Any:
        return ("whose",) if obj else ()

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fieldsets; whose the defaults are is settled once they exist."""
        first, *others = super().get_fieldsets(request, obj)
        return [(None, {"fields": ("whose",)}) if obj else first, *others]

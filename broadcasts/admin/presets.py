"""Presets: their rounds in a form of rows, and their versions, which can be restored."""

import json
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Model
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.template.loader import render_to_string
from django.urls import URLPattern, path, reverse
from django.utils.text import capfirst
from unfold.widgets import INPUT_CLASSES, UnfoldAdminTextareaWidget

from broadcasts.domain.presets import MAX_ROUNDS
from broadcasts.history.changes import entries_of, told_fields
from broadcasts.history.words import in_words, rounds_in_words
from broadcasts.models import Preset
from broadcasts.models.presets import one_open_round

from .base import ManyAdmin, ReasonForm, reason_given
from .changes import may_see

INPUT = " ".join(INPUT_CLASSES)


class RoundsWidget(forms.Widget):
    """A row of inputs for each round; admin.js adds and removes rows."""

    template_name = "admin/parts/rounds.html"

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        rounds = json.loads(value) if isinstance(value, str) else value
        return {**context, "rounds": rounds, "max_rounds": MAX_ROUNDS, "input": INPUT}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> str:
        """Render with the project's own templates, which those of forms do not include."""
        return render_to_string(self.template_name, self.get_context(name, value, attrs))

    def value_from_datadict(self, data: Any, files: Any, name: str) -> list[dict[str, Any]]:
        filters = data.getlist(f"{name}-app_filter")
        timeouts = data.getlist(f"{name}-timeout_ms")
        return [
            {"app_filter": app_filter, "timeout_ms": self._milliseconds(timeout)}
            for app_filter, timeout in zip(filters, timeouts, strict=False)
        ]

    def value_omitted_from_data(self, data: Any, files: Any, name: str) -> bool:
        return False  # Every row may have been removed.

    @staticmethod
    def _milliseconds(text: str) -> int | str | None:
        """Return a time-out as a preset keeps it; what is no number is left to be refused."""
        text = text.strip()
        # Python reads no number of thousands of digits.
        return int(text) if text.isdecimal() and len(text) < 20 else text or None


class RoundsField(forms.Field):
    """Holds rounds as they are typed: the preset judges them, as it does for calls."""

    widget = RoundsWidget

    def has_changed(self, initial: Any, data: Any) -> bool:
        return bool(initial != data)


class PresetForm(ReasonForm):
    """What decides about the rounds is the model: it judges them as calls do."""

    description = forms.CharField(
        required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )
    rounds = RoundsField(
        required=False,
        initial=one_open_round,
        help_text="Each round offers the call to the applications that its filter admits, besides "
        "those of the rounds before. An empty filter admits everyone; a single round may leave its "
        "time-out to the defaults.",
    )

    class Meta:
        # Its choices say that themselves.
        help_texts = {"notify_claimed": "", "on_failed_handover": ""}


@admin.register(Preset)
class PresetAdmin(ManyAdmin):
    form = PresetForm
    list_display = ("name", "description", "rounds_listed", "args", "version", "changed_at")
    search_fields = ("name", "description")
    search_help_text = "Name or description"
    fieldsets = (
        (None, {"fields": ("name", "description", "rounds", "args")}),
        (None, {"fields": ("notify_claimed", "on_failed_handover")}),
    )
    change_form_after_template = "admin/broadcasts/preset_try.html"

    class Media:
        js = ("configuration/admin.js", "configuration/try_it.js")
        css = {"all": ("configuration/tools.css",)}

    @admin.display(description="rounds")
    def rounds_listed(self, preset: Preset) -> str:
        return rounds_in_words(preset.rounds)

    def get_fieldsets(self, request: HttpRequest, obj: Model | None = None) -> Any:
        """Return the fieldsets; who may only look reads the rounds in words."""
        fieldsets = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        read = {"fields": ("name", "description", "rounds_listed", "args")}
        return [(None, read), *fieldsets[1:]]

    def get_urls(self) -> list[URLPattern]:
        restore = self.admin_site.admin_view(self.version_view)
        name = "broadcasts_preset_version"
        return [
            path("<path:object_id>/versions/<int:entry>/", restore, name=name),
            *super().get_urls(),
        ]

    def history_context(self) -> dict[str, Any]:
        return {"version_url": "admin:broadcasts_preset_version"}

    def version_view(self, request: HttpRequest, object_id: str, entry: int) -> HttpResponse:
        """Show a version beside the present one; a POST restores it, as a new version."""
        if not may_see(request, Preset):
            raise PermissionDenied
        key = self._key(object_id)
        record = get_object_or_404(entries_of(Preset), id=key, history_id=entry)
        present = Preset.objects.filter(pk=key).first()
        may_restore = (
            self.has_change_permission(request, present)
            if present
            else self.has_add_permission(request)
        )
        if request.method == "POST":
            if not may_restore:
                raise PermissionDenied
            if self._restore(request, record):
                return HttpResponseRedirect(reverse("admin:broadcasts_preset_change", args=[key]))
        context = {
            **self.admin_site.each_context(request),
            "title": f"{record.name}, version {record.version}",
            "opts": self.model._meta,
            "record": record,
            "present": present,
            "may_restore": may_restore,
            "rows": compare(record, present),
        }
        return render(request, "admin/broadcasts/preset_version.html", context)

    def _restore(self, request: HttpRequest, record: Any) -> bool:
        """Make an old version the newest; says so, or what keeps it from being used."""
        preset = record.instance
        preset._state.adding = not Preset.objects.filter(pk=preset.pk).exists()
        reason = ": ".join(
            filter(None, (f"version {record.version} restored", reason_given(request)))
        )
        preset._change_reason = reason[:255]
        try:
            preset.full_clean()
        except ValidationError as error:
            for fault in error.messages:
                messages.error(request, fault)
            return False
        preset.save()
        messages.success(request, f"Version {record.version} of {preset} is in force again.")
        return True


def compare(version: Any, present: Preset | None) -> list[dict[str, Any]]:
    """Return each field of a version beside what it is now."""
    rows = []
    for field in told_fields(Preset):
        then = in_words(field, getattr(version, field.name))
        now = in_words(field, getattr(present, field.name)) if present else ""
        label = capfirst(str(field.verbose_name))
        rows.append({"label": label, "then": then, "now": now, "differs": then != now})
    return rows

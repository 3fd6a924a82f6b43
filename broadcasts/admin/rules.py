"""Rules: in the order in which they are tried, which can be dragged."""

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest, JsonResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.views.decorators.http import require_POST
from unfold.widgets import UnfoldAdminIntegerFieldWidget

from broadcasts.models import Rule

from . import ordering
from .base import ManyAdmin, ReasonForm


class RuleForm(ReasonForm):
    position = forms.IntegerField(
        required=False,
        min_value=1,
        max_value=2**31 - 1,
        widget=UnfoldAdminIntegerFieldWidget,
        help_text="From 1 up; the first rule that matches a call counts. Empty: behind the others.",
    )

    def clean_position(self) -> int:
        """Return the position that is wanted, 0 for the last; save_model moves the rule there."""
        wanted = self.cleaned_data["position"] or 0
        self.wanted_position = wanted
        return self.instance.position if self.instance.pk else 0


@admin.register(Rule)
class RuleAdmin(ManyAdmin):
    form = RuleForm
    list_display = (
        "handle",
        "position",
        "name",
        "enabled",
        "any_server",
        "context",
        "extension",
        "caller",
        "preset",
    )
    list_display_links = ("name",)
    # Dragging changes what counts first, so the list is in that order and in no other.
    sortable_by = ()
    list_select_related = ("server", "preset")
    list_filter = ("enabled", "server")
    search_fields = ("name", "context", "extension", "caller", "preset__name")
    search_help_text = "Name, context, extension, caller or preset"
    autocomplete_fields = ("server", "preset")
    fieldsets = (
        (None, {"fields": ("name", "enabled", "position")}),
        ("Calls that it matches", {"fields": ("server", "context", "extension", "caller")}),
        ("What they get", {"fields": ("preset",)}),
    )
    change_list_template = "admin/broadcasts/rule_list.html"

    class Media:
        js = ("configuration/rules.js",)

    @admin.display(description="")
    def handle(self, rule: Rule) -> str:
        """Return what a row is dragged by; without scripts it is nothing."""
        return format_html('<span class="handle" data-rule="{}"></span>', rule.pk)

    @admin.display(description="server")
    def any_server(self, rule: Rule) -> str:
        return str(rule.server or "")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        """Return the columns; who may not move rules has nothing to drag them by."""
        columns = list(super().get_list_display(request))
        return columns if self.has_change_permission(request) else columns[1:]

    def save_model(self, request: HttpRequest, obj: Rule, form: Any, change: bool) -> None:
        """Save, and move the rule where it is wanted."""
        if not change:
            super().save_model(request, obj, form, change)
            if form.wanted_position:
                ordering.move(obj, form.wanted_position)
            return
        wanted = form.wanted_position or 2**31 - 1
        ordering.move(obj, wanted, form.cleaned_data.get("change_reason") or "")

    def get_urls(self) -> list[URLPattern]:
        move = self.admin_site.admin_view(require_POST(self.move_view))
        return [
            path("<path:object_id>/move/", move, name="broadcasts_rule_move"),
            *super().get_urls(),
        ]

    def move_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Move a rule `before` or `after` another, named by its number; answers its position."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        rule = self._rule(object_id)
        with transaction.atomic():
            if "before" in request.POST:
                ordering.place_before(rule, self._rule(request.POST["before"]))
            elif "after" in request.POST:
                ordering.place_after(rule, self._rule(request.POST["after"]))
            else:
                return HttpResponseBadRequest("before or after which rule?")
        return JsonResponse({"position": rule.position})

    def _rule(self, key: str) -> Rule:
        rule = Rule.objects.filter(pk=self._key(key)).first()
        if rule is None:
            raise Http404
        return rule

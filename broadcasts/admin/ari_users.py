"""Candidates' credentials: a secret is made here, shown once, and kept only as a hash."""

import secrets
from typing import Any

from django.contrib import admin
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.cache import add_never_cache_headers
from unfold.decorators import action

from broadcasts.history.running import connected_applications
from broadcasts.models import AriUser

from .base import ManyAdmin, reason_given

SECRET_BYTES = 24
SHOWN = 200


@admin.register(AriUser)
class AriUserAdmin(ManyAdmin):
    list_display = (
        "name",
        "applications",
        "read_only",
        "enabled",
        "last_used_at",
        "connected",
        "password_changed_at",
    )
    list_filter = ("enabled", "read_only")
    search_fields = ("name", "applications")
    search_help_text = "Name or pattern"
    sortable_by = ("name", "last_used_at")
    fieldsets = ((None, {"fields": ("name", "applications", "read_only", "enabled")}),)
    actions_detail = ("new_secret",)
    change_form_before_template = "admin/broadcasts/ariuser_state.html"

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        """Return the users, each with the number of applications connected with its credentials."""
        number = (
            connected_applications(timezone.now())
            .filter(user=OuterRef("name"))
            .order_by()
            .values("user")
            .annotate(number=Count("application", distinct=True))
            .values("number")
        )
        counted = Coalesce(Subquery(number, output_field=IntegerField()), 0)
        return super().get_queryset(request).annotate(connected_number=counted)

    @admin.display(description="connected now")
    def connected(self, user: Any) -> int:
        return user.connected_number

    def save_model(self, request: HttpRequest, obj: AriUser, form: Any, change: bool) -> None:
        if not change:
            give_secret(obj)
        super().save_model(request, obj, form, change)

    def response_add(
        self, request: HttpRequest, obj: AriUser, post_url_continue: Any = None
    ) -> Any:
        """Show the secret in this very answer: it is kept nowhere that a redirect could read."""
        return self._show_secret(request, obj)

    def render_change_form(
        self, request: HttpRequest, context: dict[str, Any], *args: Any, **options: Any
    ) -> Any:
        if user := context.get("original"):
            found = connected_applications(timezone.now()).filter(user=user.name)
            names = found.values_list("application", flat=True).distinct()
            context["connected"] = names.order_by("application")[:SHOWN]
        return super().render_change_form(request, context, *args, **options)

    @action(description="New secret", icon="key", permissions=["change"], url_path="new-secret")
    def new_secret(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Ask first; a POST gives the user another secret and shows it once."""
        user = self.get_object(request, object_id)
        if user is None:
            raise Http404
        if request.method == "POST":
            give_secret(user)
            reasons = filter(None, ("new secret", reason_given(request)))
            user._change_reason = ": ".join(reasons)[:255]
            user.save()
            return self._show_secret(request, user)
        context = {
            **self.admin_site.each_context(request),
            "title": f"New secret for {user}",
            "opts": self.model._meta,
            "ari_user": user,
        }
        return render(request, "admin/broadcasts/new_secret.html", context)

    def _show_secret(self, request: HttpRequest, user: Any) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": f"The secret of {user}",
            "opts": self.model._meta,
            "ari_user": user,
            "base_url": f"{request.scheme}://{request.get_host()}/ari",
        }
        response = render(request, "admin/broadcasts/secret.html", context)
        add_never_cache_headers(response)
        return response


def give_secret(user: AriUser) -> None:
    """Give a user a new secret, known in this request alone; call save() afterwards."""
    user.secret = secrets.token_urlsafe(SECRET_BYTES)
    user.set_password(user.secret)

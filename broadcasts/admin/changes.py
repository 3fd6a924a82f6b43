"""The pages of the history of changes."""

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import capfirst

from broadcasts.history.changes import KEPT, newest, permission_to_see

PER_PAGE = 50


def may_see(request: HttpRequest, model: type[Model]) -> bool:
    """Whether the visitor may see the history of a model's changes."""
    return request.user.has_perm(permission_to_see(model))


def may_see_changes(request: HttpRequest) -> bool:
    """Whether the visitor may see any history of changes."""
    return any(may_see(request, model) for model in KEPT)


def changes_view(request: HttpRequest) -> HttpResponse:
    """Show the changes of all configuration and of people's accounts, newest first."""
    models = [model for model in KEPT if may_see(request, model)]
    if not models:
        raise PermissionDenied
    kind = request.GET.get("of", "")
    chosen = [model for model in models if model._meta.model_name == kind] or models
    page = max(1, int(number)) if (number := request.GET.get("page", "")).isdecimal() else 1
    found = newest(chosen, (page - 1) * PER_PAGE, PER_PAGE + 1)
    for change in found:
        change.record.address = address_of_history(change.record.instance_type, change.record.id)
    context = {
        **_each_context(request),
        "title": "History of changes",
        "changes": found[:PER_PAGE],
        "kinds": [(model._meta.model_name, capfirst(model._meta.verbose_name)) for model in models],
        "kind": kind,
        "newer": page - 1,
        "older": page + 1 if len(found) > PER_PAGE else 0,
    }
    return render(request, "admin/changes.html", context)


def _each_context(request: HttpRequest) -> dict[str, Any]:
    from django.contrib.admin import site  # Ready only once every admin is registered.

    return site.each_context(request)


def address_of_history(model: type[Model], key: Any) -> str:
    """Return the address of the page with one object's history."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_history", args=[key])

"""Saved filters of the history and of the reports: everybody's own, and those that others share."""

from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required, permission_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.urls.converters import StringConverter
from django.views.decorators.http import require_POST, require_safe

from broadcasts import access
from broadcasts.models import SavedFilter
from broadcasts.models.exports import SavedFilterQuerySet
from broadcasts.web.asked import Asked
from broadcasts.web.report_form import ReportsForm

# What may be somebody's number is not for everybody who sees a shared filter.
PRIVATE = ("q", "caller")


class Kept(Protocol):
    """What can be kept of an address."""

    @property
    def filters(self) -> dict[str, list[str]]: ...
    @property
    def keys(self) -> Sequence[str]: ...
    @property
    def faults(self) -> Sequence[str]: ...


# How each page reads its address; the names of the views are those of the pages.
READ: dict[str, Callable[[QueryDict], Kept]] = {
    SavedFilter.Page.HISTORY: Asked,
    SavedFilter.Page.REPORTS: ReportsForm,
}


class PageConverter(StringConverter):
    """A page whose filters are saved, in an address."""

    regex = "|".join(READ)


class SavedFilterForm(forms.ModelForm):
    """A name for the filter that the page is of, and whether others see it."""

    query = forms.CharField(required=False, widget=forms.HiddenInput)

    class Meta:
        model = SavedFilter
        fields = ("name", "shared")
        error_messages = {"name": {"required": "Give the filter a name."}}

    def clean_query(self) -> Kept:
        """Return what is to be saved, once it is known to be in order."""
        asked = READ[self.instance.page](QueryDict(self.cleaned_data["query"]))
        if asked.faults:
            raise forms.ValidationError(asked.faults)
        return asked

    def clean(self) -> dict[str, Any]:
        """Refuse to share a search for a number, and a name that the owner has used."""
        cleaned = super().clean()
        asked = cleaned.get("query")
        if asked and cleaned.get("shared") and any(name in asked.filters for name in PRIVATE):
            raise forms.ValidationError(
                "A search for a number is not shared: everybody would see the number."
            )
        same = SavedFilter.objects.filter(
            owner=self.instance.owner, page=self.instance.page, name=cleaned.get("name", "")
        )
        if same.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError("You have a saved filter of this name already.")
        return cleaned

    def save(self, commit: bool = True) -> SavedFilter:
        asked = self.cleaned_data["query"]
        self.instance.query, self.instance.columns = asked.filters, list(asked.keys)
        return super().save(commit)


def address_of(saved: SavedFilter) -> str:
    """Return the page that a saved filter opens."""
    asked = {**saved.query, "columns": saved.columns, "saved": saved.pk}
    return f"{reverse(f'web:{saved.page}')}?{urlencode(asked, doseq=True)}"


def seen(request: HttpRequest, page: str) -> SavedFilterQuerySet:
    """Return the saved filters of a page that the viewer sees."""
    return SavedFilter.objects.seen_by(request.user).filter(page=page).select_related("owner")


def listed(request: HttpRequest, page: str) -> dict[str, Any]:
    """Return what a page lists: its saved filters, and the one that the address is of."""
    saved = list(seen(request, page))
    opened = request.GET.get("saved", "")
    return {
        "saved": saved,
        "opened": next((one for one in saved if str(one.pk) == opened), None),
    }


def own(request: HttpRequest, page: str, key: int) -> SavedFilter:
    """Return a saved filter of the viewer's own, or answer 403 for that of another."""
    saved = get_object_or_404(seen(request, page), pk=key)
    if saved.owner_id != request.user.pk:
        raise PermissionDenied
    return saved


@login_required
@permission_required(access.MAY_SEE_RECORD, raise_exception=True)
@require_safe
def open_saved(request: HttpRequest, page: str, key: int) -> HttpResponse:
    """Lead to what a saved filter shows."""
    return redirect(address_of(get_object_or_404(seen(request, page), pk=key)))


@login_required
@permission_required(access.MAY_SEE_RECORD, raise_exception=True)
@require_POST
def save(request: HttpRequest, page: str) -> HttpResponse:
    """Save a new filter."""
    return stored(request, SavedFilter(owner=request.user, page=page), "Saved")


@login_required
@permission_required(access.MAY_SEE_RECORD, raise_exception=True)
@require_POST
def change(request: HttpRequest, page: str, key: int) -> HttpResponse:
    """Rename or share a saved filter, and give it what the page is of."""
    return stored(request, own(request, page, key), "Changed")


@login_required
@permission_required(access.MAY_SEE_RECORD, raise_exception=True)
@require_POST
def delete(request: HttpRequest, page: str, key: int) -> HttpResponse:
    """Delete a saved filter."""
    saved = own(request, page, key)
    saved.delete()
    messages.success(request, f"Deleted the saved filter “{saved.name}”.")
    return redirect(f"web:{page}")


def stored(request: HttpRequest, saved: SavedFilter, done: str) -> HttpResponse:
    """Store what the form says and open it, or say what is wrong with it and change nothing."""
    form = SavedFilterForm(request.POST, instance=saved)
    if form.is_valid():
        messages.success(request, f"{done} the filter “{form.save().name}”.")
        return redirect(address_of(saved))
    for errors in form.errors.values():
        messages.error(request, " ".join(errors))
    before = QueryDict(request.POST.get("query", "")).urlencode()
    return redirect(f"{reverse(f'web:{saved.page}')}?{before}")

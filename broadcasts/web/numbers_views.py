"""Showing callers' numbers in full, for a reason that is recorded, and masking them again."""

from django import forms
from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_POST

from broadcasts import access
from broadcasts.web.returning import where_one_was


class ReasonForm(forms.Form):
    """Why somebody has to see numbers."""

    reason = forms.CharField(
        label="Why do you need to see them?",
        max_length=200,
        error_messages={"required": "Say why: it is recorded with your name."},
    )


@login_required
@permission_required(access.MAY_UNMASK, raise_exception=True)
def unmask(request: HttpRequest) -> HttpResponse:
    """Ask for a reason; with one, show numbers for a while and go back."""
    form = ReasonForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        access.unmask(request, form.cleaned_data["reason"])
        return redirect(where_one_was(request))
    return render(request, "web/numbers.html", {"form": form, "next": where_one_was(request)})


@login_required
@require_POST
def mask(request: HttpRequest) -> HttpResponse:
    """Mask numbers again and go back."""
    access.mask(request)
    return redirect(where_one_was(request))

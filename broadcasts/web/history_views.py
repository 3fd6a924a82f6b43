"""The history: every broadcast, newest first."""

from typing import Any

from django.contrib.auth.decorators import login_required, permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from broadcasts import access
from broadcasts.history import columns
from broadcasts.models import SavedFilter
from broadcasts.web.asked import FURTHER, LINKED, Asked, Page, grouped
from broadcasts.web.cells import cell
from broadcasts.web.presets import version_links
from broadcasts.web.saved_views import listed
from broadcasts.web.words import period_in_words

BAD_REQUEST = 400


@require_safe
@never_cache
@login_required
@permission_required(access.MAY_SEE_RECORD, raise_exception=True)
def history(request: HttpRequest) -> HttpResponse:
    """Show a page of the broadcasts that the address asks for; a fault in it shows none."""
    asked = Asked(request.GET)
    page = Page([], "", "") if asked.faults else asked.page(request)
    context = {
        "asked": asked,
        "page": page,
        "rows": shown(request, asked, page.rows),
        "period": "" if asked.faults else period_in_words(asked.form.cleaned_data),
        "further": sum(name in FURTHER for name in asked.filters),
        "groups": grouped(asked.form),
        "linked": [asked.form[name] for name in LINKED if name in asked.filters],
        "all_columns": columns.ALL,
        "export": export_address(request, asked),
        **listed(request, SavedFilter.Page.HISTORY),
    }
    status = BAD_REQUEST if asked.faults else None
    return render(request, "web/history.html", context, status=status)


def shown(request: HttpRequest, asked: Asked, rows: list[columns.Row]) -> list[dict[str, Any]]:
    """Return the rows as the viewer may see them, each with its cells."""
    show = access.show_for(request)
    presets = version_links(request, rows)
    return [
        {
            "id": row["id"],
            "cells": [(column, cell(column, told, presets)) for column in asked.columns],
        }
        for row in rows
        for told in [show(row)]
    ]


def export_address(request: HttpRequest, asked: Asked) -> str:
    """Return where exactly this filter and these columns are exported; "" for who may not."""
    if asked.faults or not request.user.has_perm(access.MAY_EXPORT):
        return ""
    return f"{reverse('web:export_new')}?kind=record&{asked.in_full}"
